"""PURE: what a probe is.

Rules of the probes:

1. A fault is done by the peer wherever it can be, at its socket, so that it is the same on every system.
2. Before the subject is asked, the kernel has what is asked about: a probe waits for that condition, looked at by other
   means than the subject's. So what the subject can tell, it can tell at once.
3. "Nothing comes" is said after PATIENCE. Because of rule 2 a busy machine makes nothing of it.
4. An observation is what was told, in the words of poll(2): never a raw number, but the class that it falls into.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from nodes.probes.common.bench import Bench
    from nodes.probes.common.blocking_bench import BlockingBench
    from nodes.probes.common.ring_bench import RingBench

PATIENCE_NS = 30_000_000
"""How long something that has happened may take to be told, before it is taken for silence."""
DEADLINE = 20.0
"""Seconds that a probe may take, unless it says otherwise; where nothing hangs it takes less than one."""

Value = str | bool | int | list[str]
"""What was seen at one step: what a wait told (names of bits; none of them is silence), or a word or number for it."""
Observation = dict[str, Value]
"""By step, in their order."""


class Kind(Enum):
    """How an engine's own means tell something."""

    READINESS = "readiness"
    COMPLETION = "completion"
    BLOCKING = "blocking"


_EMPTY: Mapping[str, str] = MappingProxyType({})


class Probe(NamedTuple):
    """`row`: of MULTIPLEXERS.md; a word where it has none. `starred`: engines differ there.

    `readiness`, `completion` and `blocking` are its steps, on a poller, on a ring, and by calls that block; without
    steps on a ring `not_of_rings` says why.
    `only` and `without` name the engines that it is for, or not for, and why. `descriptors`: how many it takes at once,
    if more than a few. `root`: it needs what only root may do. `deadline`: seconds.
    """

    row: str
    title: str
    readiness: Callable[[Bench], None] | None = None
    completion: Callable[[RingBench], None] | None = None
    blocking: Callable[[BlockingBench], None] | None = None
    starred: bool = False
    only: tuple[str, ...] = ()
    only_because: str = ""
    without: Mapping[str, str] = _EMPTY
    not_of_rings: str = "a ring has no interest set to ask this of"
    descriptors: int = 64
    root: bool = False
    deadline: float = DEADLINE
