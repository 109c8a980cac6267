"""A server that has nothing to do uses no CPU, by what it says that it used."""

from __future__ import annotations

import pytest
from history_builder import MILLISECOND, Run, cell

from nodes.wire.record import Kind
from orchestrator.checkers.checker import asked, finding
from orchestrator.checkers.finding import Finding
from orchestrator.checkers.properties import CHECKERS
from orchestrator.checkers.views import Views
from orchestrator.history.index import Index
from orchestrator.scenario.cell import Expect

QUIESCENT = CHECKERS["quiescent"]


class Sampled(Run):
    """A run whose server says every 100 ms what it used."""

    def __init__(self) -> None:
        super().__init__()
        self.used = self.reused = 0

    def sample(self, accepted: int = 1, ended: int | None = 0) -> Sampled:
        said = {"voluntary": 0, "involuntary": 0, "refused": 0, "full": 0, "overflows": 0, "reused": self.reused}
        self.note("server", self.epoch, Kind.USAGE, cpu=self.used, accepted=accepted, ended=ended, **said)
        return self

    def idle(self, samples: int, percent: float) -> Sampled:
        """So many more, and of the time between them that much CPU."""
        for _ in range(samples):
            self.wait(100)
            self.used += int(percent * MILLISECOND)
            self.sample()
        return self


def judged(run: Run) -> Finding:
    return finding(QUIESCENT, Views(cell(), Index(run.history())))


def run() -> Sampled:
    """One call, and a first sample."""
    made = Sampled()
    made.phase("load").hello().call(1)
    return made.sample()


def end(made: Run) -> Run:
    return made.healed(2)


def test_who_waits_is_quiescent() -> None:
    found = judged(end(run().idle(11, 0.5)))
    assert (found.violations, found.counts) == ((), {"stretches": 2})


def strained(run: Run) -> Finding:
    made = cell(expect=Expect(strained=("numbers-reused",)))
    return finding(QUIESCENT, Views(made, Index(run.history())))


def reuse(made: Sampled) -> Sampled:
    """It is in a strait from here on."""
    made.reused = 1
    return made.wait(100).sample()  # type: ignore[attr-defined, no-any-return]


def test_what_it_does_before_it_is_in_a_strait_shows_nothing() -> None:
    assert strained(end(reuse(run().idle(11, 0.5)))).counts == {"stretches": 0}
    assert strained(end(reuse(run().idle(11, 0.5)).idle(6, 0.5))).counts == {"stretches": 1}
    assert strained(end(run().idle(11, 0.5))).counts == {"stretches": 0}
    assert judged(end(reuse(run().idle(11, 0.5)))).counts == {"stretches": 2}


def test_who_spins_is_not_and_the_call_before_shows_it() -> None:
    made = run()
    made.call(2)
    found = judged(made.sample().idle(6, 30).healed(3))
    ((operation, reason),) = found.violations
    assert operation == (10101, 2)
    assert reason == "after it server had nothing to do for 500 ms, and used 29 % of a CPU"
    assert found.counts == {"stretches": 1}


@pytest.mark.parametrize(("busy", "spins"), [(2, False), (3, True)])
def test_who_has_something_left_to_do_does_not_spin(busy: int, spins: bool) -> None:
    """Of five samples in half a second."""
    found = judged(end(run().idle(busy, 40).idle(5 - busy, 0.2)))
    assert (bool(found.violations), found.counts) == (spins, {"stretches": 1})


def test_who_spun_before_any_call_is_shown_by_the_first() -> None:
    made = Sampled()
    made.phase("load")
    made.sample().idle(6, 90).hello().call(1)
    ((operation, reason),) = judged(end(made)).violations
    assert operation == (10101, 1)
    assert reason.startswith("before it server had nothing to do for 500 ms, and used ")


def test_a_second_of_it_is_not_hidden_by_a_minute_of_waiting() -> None:
    found = judged(end(run().idle(300, 0.2).idle(10, 60).idle(300, 0.2)))
    assert [operation for operation, _ in found.violations] == [(10101, 1)]


def test_what_it_uses_while_it_works_is_its_own_affair() -> None:
    made = run()
    for seq in range(2, 30):
        made.wait(90)
        made.used += 90 * MILLISECOND
        made.call(seq).wait(10)
        made.sample()
    found = judged(made.healed(30))
    assert (found.violations, found.exercised) == ((), False)


@pytest.mark.parametrize(("accepted", "ended"), [(1, 0), (0, 1)])
def test_who_accepts_or_closes_connections_works(accepted: int, ended: int) -> None:
    made = run()
    for number in range(1, 30):
        made.wait(100)
        made.used += 50 * MILLISECOND
        made.sample(1 + number * accepted, number * ended)
    assert not judged(end(made)).exercised


def test_a_stretch_is_no_shorter_than_half_a_second() -> None:
    assert judged(end(run().idle(4, 90))).counts == {"stretches": 0}


def test_who_is_stopped_has_no_cpu_to_use() -> None:
    made = run()
    made.act("pause")
    made.wait(900)
    made.act("resume")
    assert judged(end(made.sample())).counts == {"stretches": 0}


def test_who_is_asked_whether_it_is_done_answers() -> None:
    made = run()
    made.phase("heal").call(2).phase("settle").phase("drain")
    made.idle(20, 50).stop()
    assert judged(made).counts == {"stretches": 0}


def test_on_an_engine_with_a_process_for_each_connection_nobody_counts_who_ended() -> None:
    made = run()
    made.sample(ended=None)
    for _ in range(6):
        made.wait(100)
        made.sample(ended=None)
    assert judged(end(made)).counts == {"stretches": 1}


def test_without_samples_it_is_not_asked() -> None:
    setting = Views(cell(), Index(Run().call(1).healed(2).history()))
    assert not asked(QUIESCENT, setting)
    assert not finding(QUIESCENT, setting).exercised
