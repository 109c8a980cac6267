"""What a probe of readiness is done on: an engine's own poller."""

from __future__ import annotations

from typing import Any, NamedTuple

from nodes.engines.common.event_loop import LoopPoller
from nodes.engines.common.poller import Poller
from nodes.probes.common.kinds import engine_class
from nodes.probes.common.looped import Looped
from nodes.probes.common.masks import EVERYTHING


class Subject(NamedTuple):
    """An engine's name, and its poller or one that is wrong on purpose."""

    name: str
    poller: type[Any]

    @property
    def askable(self) -> int:
        """The bits that one may ask for: a poller that refuses some says which it takes."""
        found: int = getattr(self.poller, "askable", EVERYTHING)
        return found

    def make(self) -> Poller:
        made: Poller = self.poller()
        return Looped(made) if isinstance(made, LoopPoller) else made


def subject(engine: str) -> Subject:
    return Subject(engine, engine_class(engine).poller)
