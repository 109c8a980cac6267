"""The simulator behind the interface of the other engines: a world of one host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from nodes.engines.common.offer import Offer
from nodes.engines.sim.medium import Conditions
from nodes.engines.sim.world import World
from nodes.ops import Program, Transaction
from nodes.wire.transports import LINKS, TO_GROUPS

_MASK = (1 << 64) - 1


class _Congruential:
    """A linear congruential generator with Knuth's MMIX constants (TAOCP vol. 2, 3.3.4)."""

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def random(self) -> float:
        self._state = (self._state * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407) & _MASK
        return float(self._state >> 11) / (1 << 53)


class Engine:
    """Runs one node's programs in a world of their own; `seed` chooses the interleaving.

    The scheduler draws nothing from `random`, which belongs to the programs. The network is the host's loopback,
    which does not split what is sent at once.
    """

    offer: ClassVar = Offer(frozenset((*LINKS, *TO_GROUPS)), post=False)

    def __init__(self, commit: Callable[[Transaction], int], random: Callable[[], float], seed: int = 1) -> None:
        self._commit = commit
        self._random = random
        self._seed = seed

    def run(self, main: Program) -> Any:
        """As `nodes.engines.Engine.run`; raises Deadlock where a real engine would wait for ever."""
        with World(_Congruential(self._seed), Conditions(split=0)) as world:
            return world.run(main, world.host("127.0.0.1"), self._commit, self._random)
