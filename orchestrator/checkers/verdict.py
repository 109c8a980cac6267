"""PURE: what checkers say. Values only; `plain` makes any of them JSON."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple

from orchestrator.history.merged import Operation


class Verdict(StrEnum):
    """A property's: refuted, not refuted and tried, not refuted and not tried, or its checker failed."""

    HOLDS = "holds"
    VIOLATED = "violated"
    NOT_EXERCISED = "not-exercised"
    UNKNOWN = "unknown"


class Met(StrEnum):
    """An expectation's."""

    MET = "met"
    UNMET = "unmet"
    INCONCLUSIVE = "inconclusive"


class PropertyVerdict(NamedTuple):
    """`counts` are what the verdict rests on (opportunities, operations looked at); never empty when it holds."""

    name: str
    verdict: Verdict
    counts: dict[str, int]
    witness: Operation | None = None
    note: str = ""


class ExpectationVerdict(NamedTuple):
    """`name` is the scenario's key, or that of one that is judged always (orchestrator/checkers/expectations.py)."""

    name: str
    verdict: Met
    reason: str = ""
    witness: Operation | None = None


class Outcome(NamedTuple):
    """What one operation's client learnt and how often it ran; `status` is that of the repeat's answer, or ""."""

    client: str
    executions: int
    status: str = ""


class FaultSteps(NamedTuple):
    """How far one fault of the scenario came, in operations.

    named: by number, or by chance or time those that it met. applied: a plane or a failpoint says that it was done.
    effective: the receiver's journal confirms it (bitten). consequential: the operation then made an opportunity.
    """

    fault: str
    named: int
    applied: int
    effective: int
    consequential: int


class Untried(NamedTuple):
    """A property that a scenario names as untried, under one of its failure models: whether it was exercised there."""

    property: str
    model: str
    exercised: bool


class Cap(NamedTuple):
    """What its cap ended (load, settle, drain, waiting for predecessors), and the operations that were open then."""

    phase: str
    open: tuple[Operation, ...]


class Replayed(NamedTuple):
    """How far a replay came. `applied` counts the entries of its log that were done again, `unknown` the messages that
    the log does not know, which passed. `absent` says of each other entry what never came.

    `windows` are the faults, by their places, of planes that know no messages: they came as the scenario has them.
    `differing` says of each operation that ended otherwise than in the record, or was executed more or less often, how.
    """

    applied: int
    unknown: int
    absent: tuple[str, ...] = ()
    windows: tuple[int, ...] = ()
    differing: tuple[str, ...] = ()


class Judgement(NamedTuple):
    """Everything that is said about one cell's run.

    bitten, missed, caught, late, others: counts of operations (docs/semantics.md, "Which operations a cell speaks
    of"; `missed` are named by a fault and were not bitten, `late` is a part of `caught`).
    outcomes: the distinct outcomes of the bitten operations, most frequent first, for the table.
    opportunities: how often each was offered, by name; only those that occurred.
    gate: why the evidence cannot be trusted; not empty means that the testbed failed and all else is void.
    faults: how far each fault of the scenario came, in its order.
    caps: the phases that were ended by their caps.
    replayed: of a replay, how far it came.
    unchecked: what the gate could not look at, since the run was recorded without it.
    models: failure model -> how many operations it bit ("bitten"), and how many offered which opportunity under it.
    untried: what the scenario names as untried.
    """

    properties: tuple[PropertyVerdict, ...]
    expectations: tuple[ExpectationVerdict, ...]
    opportunities: dict[str, int]
    bitten: int
    missed: int
    caught: int
    late: int
    others: int
    outcomes: tuple[Outcome, ...]
    gate: tuple[str, ...] = ()
    faults: tuple[FaultSteps, ...] = ()
    caps: tuple[Cap, ...] = ()
    replayed: Replayed | None = None
    unchecked: tuple[str, ...] = ()
    models: dict[str, dict[str, int]] = {}  # noqa: RUF012
    untried: tuple[Untried, ...] = ()


NOTHING_KNOWN = Judgement((), (), {}, 0, 0, 0, 0, 0, ())


def plain(value: Any) -> Any:
    """The value as JSON: named tuples become maps, other tuples lists, enum members strings."""
    if isinstance(value, StrEnum):
        return str(value)
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {key: plain(item) for key, item in value._asdict().items()}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return value
