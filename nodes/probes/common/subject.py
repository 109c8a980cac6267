"""What a probe of readiness is done on: an engine's own poller."""

from __future__ import annotations

from typing import Any, NamedTuple

from nodes.engines.common.event_loop import LoopPoller
from nodes.engines.common.poller import Poller
from nodes.probes.common.kinds import engine_class
from nodes.probes.common.looped import Looped
from nodes.probes.common.masks import ERR, HUP, IN, NVAL, OUT, PRI, RDHUP

_EVERYTHING = IN | PRI | OUT | ERR | HUP | NVAL | RDHUP
_ASKABLE = {"epoll_exclusive": IN | OUT}
"""What may be asked of it, if not everything: epoll_ctl(2) refuses the rest beside EPOLLEXCLUSIVE."""


class Subject(NamedTuple):
    """`askable`: the bits that one may ask for."""

    name: str
    poller: type[Any]
    askable: int = _EVERYTHING

    def make(self) -> Poller:
        made: Poller = self.poller()
        return Looped(made) if isinstance(made, LoopPoller) else made


def subject(engine: str) -> Subject:
    return Subject(engine, engine_class(engine).poller, _ASKABLE.get(engine, _EVERYTHING))
