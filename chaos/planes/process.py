"""PURE: the process plane: how a fault at a failpoint is armed in a node.

Faults by time or trigger are acts of whoever holds the processes: the orchestrator's backend signals them.
"""

from __future__ import annotations

from typing import Any

from chaos.faults.processes import ProcessFault


def failpoint(index: int, fault: ProcessFault, client: int) -> dict[str, Any] | None:
    """The failpoint as a node's spec has it, or None for a fault that is not at a failpoint.

    `index` is the fault's place in the cell, `client` the client number whose operation is named. A fault that names
    no operation fires at the `nth` passage, the first by default.
    """
    if fault.at is None:
        return None
    named = fault.operation is not None
    return {
        "name": fault.at,
        "client": client if named else 0,
        "seq": fault.operation or 0,
        "attempt": fault.attempt,
        "nth": fault.nth if named or fault.nth else 1,
        "act": "die" if fault.deadly else "stop",
        "fault": index,
    }
