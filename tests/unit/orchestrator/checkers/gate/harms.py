"""A history with one record that is altered, missing, or there twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

from nodes.wire.record import Kind
from orchestrator.history.merged import Event, History

Alter = Callable[[Event], list[Event]]


def altered(history: History, kind: Kind, alter: Alter, node: str = "", /, **said: Any) -> History:
    """With the first event of that kind (of that node, which says that, `seq` among it) as it is altered."""
    mine = (event for event in history.events if event.kind is kind and node in ("", event.node))
    first = next(event for event in mine if said.items() <= {**event.detail, "seq": event.seq}.items())
    harmed = (alter(event) if event is first else [event] for event in history.events)
    return renumbered(history, chain.from_iterable(harmed))


def renumbered(history: History, events: Iterable[Event]) -> History:
    return history._replace(events=tuple(event._replace(order=order) for order, event in enumerate(events)))


def saying(**detail: Any) -> Alter:
    return lambda event: [event._replace(detail={**event.detail, **detail})]


def being(**fields: Any) -> Alter:
    return lambda event: [event._replace(**fields)]


def gone(event: Event) -> list[Event]:
    return []


def twice(event: Event) -> list[Event]:
    return [event, event]


def without(key: str) -> Alter:
    return lambda event: [event._replace(detail={name: each for name, each in event.detail.items() if name != key})]
