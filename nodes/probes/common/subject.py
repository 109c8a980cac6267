"""What a probe of readiness is done on: an engine's own poller."""

from __future__ import annotations

from typing import Any, NamedTuple

from nodes.engines.common.event_loop import LoopPoller
from nodes.engines.common.poller import Poller
from nodes.probes.common.kinds import askable, engine_class
from nodes.probes.common.looped import Looped


class Subject(NamedTuple):
    """`askable`: the bits that one may ask for."""

    name: str
    poller: type[Any]
    askable: int

    def make(self) -> Poller:
        made: Poller = self.poller()
        return Looped(made) if isinstance(made, LoopPoller) else made


def subject(engine: str) -> Subject:
    return Subject(engine, engine_class(engine).poller, askable(engine))
