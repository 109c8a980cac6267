"""Each cause that orchestrator/history/causality.py names settles what clocks leave open, and nothing like it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from nodes.wire.record import Kind
from orchestrator.history.causality import Span, weave


@dataclass(frozen=True)
class Happened:
    """Of attempt 3 of operation 7 of a client, and of the server's second epoch, unless it says otherwise."""

    kind: Kind
    node: str = "server"
    epoch: int = 2
    client: int = 101
    seq: int = 7
    attempt: int = 3
    detail: Mapping[str, object] = field(default_factory=dict)
    time: int = 0
    domain: str = ""


def happened(kind: Kind, /, **detail: object) -> Happened:
    return Happened(kind, detail=detail)


def told(kind: Kind, /, **detail: object) -> Happened:
    """In the orchestrator's journal, or a plane's."""
    return Happened(kind, "orchestrator", 1, 0, 0, 0, detail)


REQUEST, REPLY = (happened(Kind.DECISION, direction=direction) for direction in ("request", "reply"))
FIRST_START = Happened(Kind.START, epoch=1)
AGAIN = told(Kind.ACT, act="restart", node="server", epoch=2)
REAPED = told(Kind.REAPED, node="server", epoch=2)
UP, DOWN = (told(Kind.UPSTREAM, link="client -> server", up=up, epoch=2) for up in (True, False))
DRAIN = told(Kind.PHASE, phase="drain")

CAUSES: list[tuple[Happened, Happened]] = [
    (happened(Kind.SEND), REQUEST),
    (happened(Kind.ANSWER), REPLY),
    (happened(Kind.SEND), happened(Kind.RECEIVE)),
    (REQUEST, happened(Kind.RECEIVE)),
    (happened(Kind.ANSWER), happened(Kind.REPLY)),
    (REPLY, happened(Kind.REPLY)),
    (told(Kind.PHASE, phase="start"), FIRST_START),
    (told(Kind.PHASE, phase="load"), happened(Kind.INVOKE)),
    (AGAIN, happened(Kind.START)),
    (happened(Kind.FAILPOINT), REAPED),
    (happened(Kind.READY), UP),
    (REAPED, DOWN),
    (happened(Kind.OK), DRAIN),
    (happened(Kind.FAIL), DRAIN),
    (happened(Kind.INFO), DRAIN),
]

ANOTHER: list[tuple[Happened, Happened, dict[str, Any]]] = [
    *[(cause, effect, {key: 9}) for cause, effect in CAUSES[:6] for key in ("client", "seq", "attempt")],
    (happened(Kind.SEND), REPLY, {}),
    (happened(Kind.ANSWER), REQUEST, {}),
    (happened(Kind.SEND), happened(Kind.REPLY), {}),
    (happened(Kind.ANSWER), happened(Kind.RECEIVE), {}),
    (REPLY, happened(Kind.RECEIVE), {}),
    (REQUEST, happened(Kind.REPLY), {}),
    (told(Kind.PHASE, phase="load"), FIRST_START, {}),
    (told(Kind.PHASE, phase="start"), replace(FIRST_START, node="orchestrator"), {}),
    (told(Kind.PHASE, phase="start"), happened(Kind.START), {}),
    (told(Kind.PHASE, phase="start"), happened(Kind.INVOKE), {}),
    (AGAIN, happened(Kind.START), {"detail": {"act": "restart", "node": "other", "epoch": 2}}),
    (AGAIN, happened(Kind.START), {"detail": {"act": "restart", "node": "server", "epoch": 3}}),
    (AGAIN, happened(Kind.START), {"detail": {"act": "kill", "node": "server", "epoch": 2}}),
    (AGAIN, FIRST_START, {"detail": {"act": "restart", "node": "server", "epoch": 1}}),
    (happened(Kind.FAILPOINT), REAPED, {"node": "other"}),
    (happened(Kind.FAILPOINT), REAPED, {"epoch": 1}),
    (happened(Kind.READY), UP, {"node": "other"}),
    (happened(Kind.READY), UP, {"epoch": 1}),
    (happened(Kind.READY), DOWN, {}),
    (REAPED, DOWN, {"detail": {"node": "other", "epoch": 2}}),
    (REAPED, DOWN, {"detail": {"node": "server", "epoch": 1}}),
    (REAPED, UP, {}),
    (happened(Kind.OK), told(Kind.PHASE, phase="settle"), {}),
    (happened(Kind.REPLY), DRAIN, {}),
]


def name(value: object) -> str:
    return f"{value.kind.name} {dict(value.detail) or ''}" if isinstance(value, Happened) else str(value)


def effect_at(effect: Happened, *causes: Happened) -> int:
    """Its place among the causes, each a little later than the last. By the clocks it seems to be the first."""
    estimated = [Span(0, 100 + 2 * n) for n in range(len(causes) + 1)]
    return list(weave([[effect], causes], [estimated[:1], estimated[1:]])).index((0, 0))


@pytest.mark.parametrize(("cause", "effect"), CAUSES, ids=name)
def test_an_effect_comes_after_its_cause(cause: Happened, effect: Happened) -> None:
    assert effect_at(effect, cause) == 1


@pytest.mark.parametrize(("cause", "effect", "but"), ANOTHER, ids=name)
def test_another_is_no_cause(cause: Happened, effect: Happened, but: dict[str, Any]) -> None:
    assert effect_at(effect, replace(cause, **but)) == 0


@pytest.mark.parametrize(("cause", "effect"), CAUSES, ids=name)
def test_of_several_the_first_is_the_cause_or_what_comes_after_all_of_them(cause: Happened, effect: Happened) -> None:
    after_all = effect is REAPED or effect is DRAIN
    assert effect_at(effect, cause, cause) == (2 if after_all else 1)


def test_the_middle_of_what_is_known_of_a_time() -> None:
    assert Span(2, 7).middle == 4
