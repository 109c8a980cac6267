"""What a recorded run did to messages and processes is done again by its log: with another seed, on another backend."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
import suite
from requirements import ALL
from suite import Ran

from chaos.recorded import Entry
from nodes.wire.record import Kind
from orchestrator.checkers.verdict import ExpectationVerdict, Replayed
from orchestrator.history.index import Index
from orchestrator.history.merged import Operation
from orchestrator.history.recorded import log_of
from orchestrator.report.result import Exit
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.log import Log, moment
from orchestrator.scenario.shipped import plans

REST_UNTIL_HEAL = "pause-until-heal"
"""How often a call is tried again until heal is the seed's: its client's waits have jitter."""


def one_each() -> list[Cell]:
    """Of every scenario of the table and of every fault, the last cell over each transport."""
    every = suite.applicable(plans(["rpc", "faults"]))
    chosen = {(cell.scenario, cell.axes.get("fault"), cell.axes.get("transport")): cell for cell in every}
    return list(chosen.values())


def recorded(cells: Sequence[Cell], ran: Sequence[Ran], **more: Any) -> list[Cell]:
    """The cells with their logs, as they are read from their files."""
    logs = [log_of(cell, one.history, suite.name(cell)) for cell, one in zip(cells, ran, strict=True)]
    made = [cell.model_copy(update={"log": log, **more}) for cell, log in zip(cells, logs, strict=True)]
    return [Cell.model_validate_json(cell.model_dump_json(by_alias=True)) for cell in made]


def decided(one: Ran) -> set[Entry]:
    """What was done to messages other than to let them pass."""
    return set(log_of(one.result.cell, one.history, "").decisions)


def outcomes(one: Ran) -> dict[Operation, tuple[str, int]]:
    """What each operation's client learnt, and how often it ran."""
    return {operation: (trace.ending, len(trace.effects)) for operation, trace in Index(one.history).invoked.items()}


def unlike(ran: Iterable[Ran], again: Iterable[Ran], seen: Callable[[Ran], object]) -> list[str]:
    return [suite.name(one.result.cell) for one, other in zip(ran, again, strict=True) if seen(one) != seen(other)]


def absent(again: Iterable[Ran]) -> list[str]:
    return [f"{suite.name(one.result.cell)}: {why}" for one in again for why in came(one).absent]


def came(one: Ran) -> Replayed:
    assert one.result.judgement is not None
    assert one.result.judgement.replayed is not None
    return one.result.judgement.replayed


def said(one: Ran) -> ExpectationVerdict:
    """What is said first."""
    assert one.result.judgement is not None
    return one.result.judgement.expectations[0]


def test_in_sim_a_replay_decides_and_ends_as_its_record_did() -> None:
    cells = one_each()
    ran = suite.once(cells, "sim")
    replays = recorded(cells, ran)
    again = suite.run(replays, "sim")
    assert len(cells) > 80
    assert sum(len(cell.log or ()) for cell in replays) > 200
    assert absent(again) == []
    assert unlike(ran, again, decided) == []
    assert unlike(ran, again, outcomes) == []
    assert [one.result.exit_code for one in again] == [one.result.exit_code for one in ran]


def test_neither_chance_nor_jitter_is_asked_again() -> None:
    cells = one_each()[:: 1 if ALL else 3]
    ran = suite.once(cells, "sim")
    other = suite.run(recorded(cells, ran, seed=77), "sim")
    assert absent(other) == []
    assert unlike(ran, other, decided) == []
    assert [name for name in unlike(ran, other, outcomes) if not name.startswith(REST_UNTIL_HEAL)] == []


def test_a_replay_is_a_record_itself() -> None:
    cells = one_each()[::7]
    first = recorded(cells, suite.once(cells, "sim"))
    second = recorded(first, suite.run(first, "sim"))
    for once, again in zip(map(log, first), map(log, second), strict=True):
        assert (set(once.decisions), once.strikes) == (set(again.decisions), again.strikes)


@pytest.mark.parametrize(("there", "back"), [("sim", "local"), ("local", "sim")])
def test_what_was_recorded_on_one_backend_is_replayed_on_another(there: str, back: str) -> None:
    every = suite.applicable(plans(["rpc/demo"]))
    cells = [suite.unhurried(cell) for cell in every if cell.axes["semantics"] in ("maybe", "exactly-once")][::2]
    ran = suite.run(cells, there)
    again = suite.run(recorded(cells, ran), back)
    assert len(cells) == 7
    assert absent(again) == []
    assert unlike(ran, again, decided) == []
    assert suite.not_met(again) == []  # what clients learnt of bitten calls among it


# Logs that somebody edited


def of(scenario: str) -> Cell:
    """A cell of it with its log, recorded in sim."""
    cell = suite.last(scenario)
    return recorded([cell], suite.run([cell], "sim"))[0]


def replay(cell: Cell, **changes: Any) -> Ran:
    assert cell.log is not None
    return suite.run([cell.model_copy(update={"log": cell.log.model_copy(update=changes)})], "sim")[0]


def log(cell: Cell) -> Log:
    assert cell.log is not None
    return cell.log


def test_what_never_comes_makes_a_replay_inconclusive() -> None:
    cell = of("rpc/02-reply-lost")
    first, *rest = log(cell).decisions
    never = first._replace(key=first.key._replace(attempt=9))
    ran = replay(cell, decisions=(never, *rest))
    assert ran.result.exit_code is Exit.INCONCLUSIVE
    assert said(ran).name == "replay"
    assert said(ran).reason == (
        f"1 of {len(rest) + 1} entries of the log never came: drop the reply of attempt 9 of operation {first.key.seq} "
        f"of client {first.key.client} on client -> server: its message never came"
    )
    assert came(ran).applied == len(rest)
    assert decided(ran) == set(rest)


def test_a_replay_that_ends_otherwise_than_its_record_is_inconclusive() -> None:
    cell = of("rpc/02-reply-lost")
    first, *rest = log(cell).endings
    assert said(replay(cell)).reason == ""
    ran = replay(cell, endings=(first._replace(executions=first.executions + 1), *rest))
    assert ran.result.exit_code is Exit.INCONCLUSIVE
    assert said(ran).reason.startswith("1 operations ended otherwise than in the record: operation 1 of client ")


def test_what_the_log_does_not_know_passes_and_is_counted() -> None:
    cell = of("rpc/02-reply-lost")
    kept = log(cell)
    passed = tuple(key for key in kept.passed if key.seq != 1)
    found = came(replay(cell, passed=passed))
    assert found.unknown == len(kept.passed) - len(passed) == 4  # both clients' first calls, there and back
    assert found.absent == ()


def test_a_kill_by_time_is_replayed_at_what_came_before_it() -> None:
    cell = of("faults/kill-by-time")
    (strike,) = log(cell).strikes
    assert strike.when.startswith("client attempt ")
    early = strike.model_copy(update={"when": moment("client", "invoke", 10101, 1)})
    index = Index(replay(cell, strikes=(early,)).history)
    (kill,) = [event for event in index.of_kind(Kind.ACT) if event.detail["act"] == "kill"]
    assert index.invoked[10101, 1].open_during(kill.order, kill.order)


def test_a_strike_without_its_trigger_never_comes() -> None:
    cell = of("faults/kill-by-time")
    (strike,) = log(cell).strikes
    late = strike.model_copy(update={"when": moment("client", "attempt", 10101, 1, 7)})
    found = replay(cell, strikes=(late,))
    assert found.result.exit_code is Exit.INCONCLUSIVE
    assert said(found).reason == (
        "1 of 1 entries of the log never came: kill server: its trigger 'client attempt 1.7 of 10101' never came"
    )
    assert "kill" not in {event.detail["act"] for event in Index(replay(cell, strikes=()).history).of_kind(Kind.ACT)}


def test_a_pause_ends_at_what_came_before_its_end() -> None:
    cell = of("faults/pause")
    (strike,) = log(cell).strikes
    assert strike.when == "client gate 3"
    assert str(strike.ends).startswith("client attempt 3.")
    never = moment("client", "attempt", 10101, 3, 9999)
    found = replay(cell, strikes=(strike.model_copy(update={"ends": never}),))
    assert said(found).reason.endswith("pause server: its end 'client attempt 3.9999 of 10101' never came")
