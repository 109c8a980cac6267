"""PURE: from a scenario's fault to its value, chosen by its verb, so that a mistake is named precisely."""

from __future__ import annotations

from dataclasses import fields
from types import MappingProxyType

from chaos.faults import (
    Corrupt,
    Cut,
    Delay,
    Drop,
    Duplicate,
    Fault,
    Hold,
    Kill,
    Partition,
    Pause,
    Rate,
    Reorder,
    Restart,
    Truncate,
)
from orchestrator.document import BadScenario, Node, join
from orchestrator.matrix import hint
from orchestrator.typed import typed

FAULTS: MappingProxyType[str, type[Fault]] = MappingProxyType(
    {
        "drop": Drop,
        "duplicate": Duplicate,
        "reorder": Reorder,
        "hold": Hold,
        "delay": Delay,
        "corrupt": Corrupt,
        "truncate": Truncate,
        "cut": Cut,
        "partition": Partition,
        "rate": Rate,
        "kill": Kill,
        "pause": Pause,
    }
)

# What the planes of the field can do and the two of this version (message relay, processes) cannot.
ELSEWHERE = MappingProxyType(
    {
        "loss": "packet loss needs a packet plane (netfilter, netem); the message relay can drop: request or reply",
        "reject": "rejecting packets needs a packet plane (netfilter); the message relay can cut or partition",
        "blackhole": "a packet black hole needs a packet plane (netfilter); the message relay can partition",
        "latency": "stream latency needs a stream plane (toxiproxy); the message relay can delay",
        "bandwidth": "a stream's bandwidth needs a stream plane (toxiproxy); the message relay has rate",
        "slow_close": "slow_close needs a stream plane (toxiproxy)",
        "timeout": "a stream's timeout needs a stream plane (toxiproxy); the message relay can hold or partition",
        "reset_peer": "reset_peer needs a stream plane (toxiproxy); the message relay can cut",
        "slicer": "slicer needs a stream plane (toxiproxy); the message relay can truncate or cut: within",
        "limit_data": "limit_data needs a stream plane (toxiproxy); the message relay can truncate",
        "down": "down needs a stream plane (toxiproxy); a server can be killed, a link partitioned",
    }
)


def fault(node: Node, path: str, file: str) -> Fault:
    """Raises BadScenario."""
    if node.mapping is None:
        raise BadScenario(file, node.line, path, "expected a fault: a mapping with a verb such as drop: request")
    chosen = FAULTS[_verb(node, path, file)]
    _known_keys(node, chosen, path, file)
    restart = node.mapping.get("restart")
    if restart is not None and restart.mapping is not None:
        _known_keys(restart, Restart, join(path, "restart"), file)
    value: Fault = typed(chosen, node, path, file)
    return value


def _verb(node: Node, path: str, file: str) -> str:
    assert node.mapping is not None
    verbs = [key for key in node.mapping if key in FAULTS]
    if len(verbs) == 1:
        return verbs[0]
    if len(verbs) > 1:
        raise BadScenario(file, node.line, path, f"{' and '.join(verbs)} in one fault; expected one verb")
    for key, item in node.mapping.items():
        if key in ELSEWHERE:
            raise BadScenario(file, item.line, join(path, key), f"no plane here can do that: {ELSEWHERE[key]}")
    first = next(iter(node.mapping), "")
    raise BadScenario(file, node.line, path, f"no verb; {hint(first, list(FAULTS))}")


def _known_keys(node: Node, chosen: type, path: str, file: str) -> None:
    """A dataclass ignores what it does not know, so unknown keys are refused here."""
    known = [field.name for field in fields(chosen)]
    for key, item in (node.mapping or {}).items():
        if key not in known:
            raise BadScenario(file, item.line, join(path, key), f"unknown key; {hint(key, known)}")
