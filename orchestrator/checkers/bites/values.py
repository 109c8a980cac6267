"""PURE: what is known of a run's bites: of each fault, and of all together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import NamedTuple

from chaos.faults.models import Model
from orchestrator.history.merged import Operation


class RuleBite(NamedTuple):
    """One fault of the scenario: the operations that it names, those that it was applied to, and those that it bit.

    `models`: failure model -> the bitten operations whose bite was of it; what was altered unseen is of none.
    """

    rule: int
    named: frozenset[Operation]
    applied: frozenset[Operation]
    bitten: frozenset[Operation]
    models: Mapping[Model, frozenset[Operation]] = MappingProxyType({})


class Bite(NamedTuple):
    """Every invoked operation is in one of bitten, caught (named or not) and others; `late` is a part of caught.

    `unexplained`: those whose course neither a fault, an outage nor a wait explains, and what of it.
    """

    rules: tuple[RuleBite, ...]
    bitten: frozenset[Operation]
    missed: frozenset[Operation]
    caught: frozenset[Operation]
    late: frozenset[Operation]
    others: frozenset[Operation]
    unexplained: Mapping[Operation, str] = MappingProxyType({})

    @classmethod
    def of(
        cls,
        rules: tuple[RuleBite, ...],
        invoked: Collection[Operation],
        touched: frozenset[Operation],
        late: Callable[[Operation], bool],
    ) -> Bite:
        """`late` is asked of those that nothing touched."""
        named = frozenset[Operation]().union(*(rule.named for rule in rules))
        bitten = frozenset[Operation]().union(*(rule.bitten for rule in rules))
        rest = frozenset(invoked) - touched - bitten
        delayed = frozenset(filter(late, rest))
        return cls(rules, bitten, named - bitten, (touched - bitten) | delayed, delayed, rest - delayed)

    @property
    def models(self) -> dict[Model, frozenset[Operation]]:
        """Failure model -> the operations that some fault's bite of that kind bit, by the models' names."""
        found: dict[Model, frozenset[Operation]] = {}
        for rule in self.rules:
            for model, operations in rule.models.items():
                found[model] = found[model] | operations if model in found else operations
        return dict(sorted(found.items()))

    @property
    def idle(self) -> tuple[int, ...]:
        """The rules that bit nothing."""
        return tuple(rule.rule for rule in self.rules if not rule.bitten)

    @property
    def too_late(self) -> bool:
        """More than a tenth of the operations were late with nothing done to them: timing, not faults, was seen."""
        return 10 * len(self.late) > len(self.bitten) + len(self.caught) + len(self.others)


_NONE: frozenset[Operation] = frozenset()
NOTHING_BITTEN = Bite((), _NONE, _NONE, _NONE, _NONE, _NONE)
