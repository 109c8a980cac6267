"""PURE: from a scenario's fault to its value, chosen by its verb, so that a mistake is named precisely."""

from __future__ import annotations

from dataclasses import fields
from types import MappingProxyType

from chaos.faults.messages import Corrupt, Cut, Delay, Drop, Duplicate, Hold, Reorder, Truncate
from chaos.faults.packets import Blackhole, Loss, Netem, Reject, Shape, Split
from chaos.faults.paths import Partition, Rate
from chaos.faults.processes import Kill, Pause, Restart
from chaos.faults.streams import Bandwidth, Down, Latency, LimitData, ResetPeer, Slicer, SlowClose, Timeout
from chaos.faults.vocabulary import Fault
from orchestrator.scenario.document import BadScenario, Node, join
from orchestrator.scenario.matrix import hint
from orchestrator.scenario.typed import typed

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
        "latency": Latency,
        "bandwidth": Bandwidth,
        "slow_close": SlowClose,
        "timeout": Timeout,
        "reset_peer": ResetPeer,
        "slicer": Slicer,
        "limit_data": LimitData,
        "down": Down,
        "loss": Loss,
        "split": Split,
        "reject": Reject,
        "blackhole": Blackhole,
        "netem": Netem,
        "kill": Kill,
        "pause": Pause,
    }
)
"""Verb -> its fault. Which of them a link can have depends on its `via` (chaos/supports.py)."""

PARTS = MappingProxyType({"restart": Restart, "netem": Shape})
"""Keys of faults whose value is a mapping with keys of its own."""


def fault(node: Node, path: str, file: str) -> Fault:
    """Raises BadScenario."""
    if node.mapping is None:
        raise BadScenario(file, node.line, path, "expected a fault: a mapping with a verb such as drop: request")
    chosen = FAULTS[_verb(node, path, file)]
    _known_keys(node, chosen, path, file)
    for key, kind in PARTS.items():
        if (part := node.mapping.get(key)) is not None and part.mapping is not None:
            _known_keys(part, kind, join(path, key), file)
    value: Fault = typed(chosen, node, path, file)
    return value


def _verb(node: Node, path: str, file: str) -> str:
    assert node.mapping is not None
    verbs = [key for key in node.mapping if key in FAULTS]
    if len(verbs) == 1:
        return verbs[0]
    if len(verbs) > 1:
        raise BadScenario(file, node.line, path, f"{' and '.join(verbs)} in one fault; expected one verb")
    first = next(iter(node.mapping), "")
    raise BadScenario(file, node.line, path, f"no verb; {hint(first, list(FAULTS))}")


def _known_keys(node: Node, chosen: type, path: str, file: str) -> None:
    """A dataclass ignores what it does not know, so unknown keys are refused here."""
    known = [field.name for field in fields(chosen)]
    for key, item in (node.mapping or {}).items():
        if key not in known:
            raise BadScenario(file, item.line, join(path, key), f"unknown key; {hint(key, known)}")
