from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

from chaos.faults.processes import Restart
from nodes.control import FENCED
from orchestrator.run.attention import RunFailed
from orchestrator.run.lives import (
    AWAY,
    BEING_KILLED,
    EXITS,
    HELD,
    NO_PROCESS,
    OBSTACLES,
    TABLE,
    Action,
    Event,
    Life,
    Lives,
    State,
    diagram,
    ending,
)
from orchestrator.run.session import Exited

DOCUMENT = Path(__file__).parents[4] / "docs" / "architecture.md"
FIRST = Life("server", 1)


def lives(state: State) -> Lives:
    """One process in that state."""
    made = Lives(["server"])
    made.record(FIRST).state = state
    return made


@pytest.mark.parametrize(("state", "event"), [*product(State, Event)])
def test_the_table_decides_whatever_happens(state: State, event: Event) -> None:
    """Also what cannot be: then nothing has changed, and the text says of whom, where it is and what came."""
    made = lives(state)
    if event in TABLE[state]:
        assert made.happen(FIRST, event) is TABLE[state][event].action
        assert made.state("server") is TABLE[state][event].to
    else:
        with pytest.raises(RunFailed, match=rf"server \(epoch 1\) is {state}, where {event} cannot be"):
            made.happen(FIRST, event)
        assert made.state("server") is state


def test_every_state_is_reached_and_left() -> None:
    reached = {State.ABSENT, State.RESTARTING}  # where lives begin
    while more := {to for state in reached for to, _ in TABLE[state].values()} - reached:
        reached |= more
    assert reached == set(State)
    assert {state for state in State if not {to for to, _ in TABLE[state].values()} - {state}} == {State.GONE}


def test_an_exit_ends_a_life_wherever_it_may_come() -> None:
    for state, event in product(State, EXITS):
        if event in TABLE[state]:
            assert TABLE[state][event].to in (State.DOWN, State.GONE)
        else:
            assert state not in (State.KILLING, State.LEAVING)


@pytest.mark.parametrize("state", list(State))
def test_who_cannot_be_killed_or_paused_has_its_obstacle(state: State) -> None:
    for event in (Event.KILL, Event.PAUSE):
        assert (lives(state).obstacle("server", event) == "") == (event in TABLE[state])
        assert event in TABLE[state] or OBSTACLES[state]


@pytest.mark.parametrize("state", sorted(HELD))
def test_who_is_held_can_go_on(state: State) -> None:
    assert TABLE[state][Event.RESUME].action is Action.THAW


@pytest.mark.parametrize("state", sorted(BEING_KILLED))
def test_who_is_being_killed_comes_down(state: State) -> None:
    assert TABLE[state][Event.SIGNALLED].to is State.DOWN


@pytest.mark.parametrize("state", list(State))
def test_every_process_can_leave(state: State) -> None:
    made = lives(state)
    assert made.leave() == ([] if state in NO_PROCESS else [FIRST])
    assert made.state("server") in (State.LEAVING, State.DOWN, State.GONE)


def killed(restart: Restart | None) -> Lives:
    made = lives(State.RUNNING)
    made.happen(FIRST, Event.KILL)
    made.record(FIRST).killed, made.record(FIRST).restart = 3, restart
    made.happen(FIRST, Event.SIGNALLED)
    return made


def test_a_successor_knows_how_it_came_to_be() -> None:
    restart = Restart(after=5)
    made = killed(restart)
    assert made.away() == ["server"]
    assert not made.alive()
    second = made.succeed("server")
    assert second == ("server", 2) == made.latest("server")
    assert (made.record(second).killed, made.restart_of("server")) == (3, restart)
    assert made.record(FIRST).state is State.GONE
    assert made.happen(second, Event.STARTED) is Action.CONFIGURE
    assert made.away() == ["server"]
    assert made.alive() == [second]
    made.happen(second, Event.READY)
    assert not made.away()
    assert not made.predecessors()


def test_nobody_is_restarted_twice() -> None:
    made = killed(None)
    assert made.may(FIRST, Event.RESTART)
    assert not made.may(made.succeed("server"), Event.RESTART)


def test_one_that_stopped_itself_goes_on_beside_its_successor() -> None:
    made = lives(State.RUNNING)
    assert made.happen(FIRST, Event.YIELDS) is Action.REPLACE
    made.record(FIRST).paused = 1
    second = made.succeed("server")
    assert made.held_by(1) == made.predecessors() == [FIRST]
    assert made.held_by(0) == []
    assert made.happen(FIRST, Event.RESUME) is Action.THAW
    for event in (Event.STARTED, Event.READY):
        made.happen(second, event)
    assert made.alive() == [FIRST, second]
    assert made.runs(FIRST)
    made.happen(FIRST, ending(Exited("server", 1, 0, FENCED), 2))
    assert made.alive() == [second]
    assert not made.runs(FIRST)


@pytest.mark.parametrize(
    ("signal", "code", "latest", "event"),
    [
        (9, 0, 1, Event.SIGNALLED),
        (0, 0, 1, Event.ENDED),
        (0, FENCED, 2, Event.FENCED),
        (0, FENCED, 1, Event.FAILED),
        (0, 1, 2, Event.FAILED),
    ],
)
def test_how_a_process_ended(signal: int, code: int, latest: int, event: Event) -> None:
    assert ending(Exited("server", 1, signal, code), latest) is event


def test_somebody_is_away_where_nobody_could_be_called() -> None:
    for state in State:
        assert lives(state).away() == (["server"] if state in AWAY else [])


def test_the_documents_draw_the_table() -> None:
    drawn = re.search(r"```mermaid\n(stateDiagram.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    assert drawn is not None
    assert drawn[1].splitlines() == list(diagram())
