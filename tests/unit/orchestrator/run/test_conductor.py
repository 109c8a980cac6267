"""What the conductor asks of its processes, in which order and when, and what it writes down. Time is virtual."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from transcripts import Transcript, cell, conducted

from chaos.faults.fault import Fault
from chaos.faults.messages import Delay, Hold
from chaos.faults.paths import Partition
from chaos.faults.peers import Crowd
from chaos.faults.processes import Kill, Pause, Restart
from nodes.wire.record import Kind
from orchestrator.backends.sim.session import run
from orchestrator.run.attention import RunFailed
from orchestrator.run.conductor import Conductor
from orchestrator.run.session import Answer, Event, Exited, Fired, Lost, SignalName, Stopped
from orchestrator.scenario.log import Log, Strike

LINK = "client -> server"
START = [
    *("start relay 1", "start server 1 threads 0.5", "start client 1 epoll"),
    *("configure server", "configure relay", "configure client", "go client"),
]
END = ["heal relay", "healed client", "stop client", "stop server", "stop relay"]
PHASES = ["start", "load", "heal", "settle", "drain", "stop", "end"]
AGAIN = ["start server 2 threads 0.5", "configure server", "upstream relay 2"]
KILL = Kill(kill="server", when="client ok 1")


def between(session: Transcript) -> list[str]:
    """What was said between the start and heal."""
    assert session.said[: len(START)] == START
    assert session.said[-len(END) :] == END
    return session.said[len(START) : -len(END)]


def test_without_faults_everything_starts_calls_and_ends() -> None:
    session = conducted(cell())
    assert between(session) == []
    assert session.phases == PHASES
    assert session.acts == []
    [spec] = [told["spec"] for name, told in session.commands if name == "client" and "spec" in told]
    assert [(link["local"], link["target"][0]) for link in spec["links"]] == [("127.0.0.1", "relay")]


def test_a_gate_is_released_at_its_trigger_and_once_more_at_heal() -> None:
    session = conducted(cell(gates="3: client ok 1"))
    assert session.said[len(START) :] == ["release client 3", "heal relay", "release client 3", *END[1:]]
    assert session.said.count("release client 3") == 2


def test_a_gate_that_waits_for_what_has_been_is_open() -> None:
    session = conducted(cell(gates="1: server ready 1"))
    assert session.said.index("release client 1") < session.said.index("go client")
    assert session.phases == PHASES


def test_what_is_delayed_comes_at_its_time_and_heal_waits_for_it() -> None:
    """Operation 5 is the last before heal; its repeat is answered long before the first reply comes."""
    delay = Delay(delay="reply", link=LINK, by=3000, operations=(5,))
    session = conducted(cell(delay))
    assert 3000 <= session.span("go client", "heal relay") <= 3200
    assert session.phases == PHASES
    assert conducted(cell(delay, load=1000)).span("go client", "heal relay") < 1000


def test_who_is_killed_is_mourned_and_comes_back_when_it_is_to() -> None:
    session = conducted(cell(Kill(kill="server", when="client ok 1", after=10, restart=Restart(after=30))))
    assert between(session) == ["signal kill server 1", "upstream relay 1", *AGAIN]
    assert session.acts == [("kill", "server", 1, 0, None), ("restart", "server", 2, None, None)]
    assert 30 <= session.span("upstream relay 1", AGAIN[0]) <= 31
    assert session.phases == PHASES
    assert next(detail for kind, detail in session.own if kind is Kind.REAPED) == {
        "node": "server",
        "epoch": 1,
        "signal": 9,
        "code": 0,
    }
    [gone, back] = [told for name, told in session.commands if told["type"] == "upstream"]
    assert (gone["link"], gone["address"], gone["epoch"]) == (LINK, None, 1)
    assert (back["link"], back["address"][0], back["epoch"]) == (LINK, "server", 2)


def test_its_ledger_is_set_aside_before_it_is_started_again() -> None:
    restart = Restart(when="client attempt 2", after=7, state="archive")
    session = conducted(cell(Kill(kill="server", when="client ok 1", restart=restart)))
    assert between(session) == ["signal kill server 1", "upstream relay 1", "archive server", *AGAIN]
    assert [act for act, *_ in session.acts] == ["kill", "archive", "restart"]
    assert session.span("upstream relay 1", "archive server") >= 7


def test_who_does_not_come_back_is_started_again_at_heal() -> None:
    session = conducted(cell(KILL))
    assert between(session) == ["signal kill server 1", "upstream relay 1", *AGAIN]
    assert session.phases == ["start", "load", "load-kept", *PHASES[2:]]
    assert [detail for kind, detail in session.own if "faults" in detail] == [{"phase": "load-kept", "faults": [0]}]


def test_who_dies_at_a_failpoint_is_sent_no_signal() -> None:
    fault = Kill(
        kill="server", at="before-commit", operation=2, restart=Restart(after=30, when="crash on"), name="crash"
    )
    session = conducted(cell(fault))
    assert between(session) == ["upstream relay 1", *AGAIN]
    assert session.acts == [("restart", "server", 2, None, None)]
    [first, second] = [
        told["spec"]["failpoints"] for name, told in session.commands if name == "server" and "spec" in told
    ]
    assert ([point["name"] for point in first], second) == (["before-commit"], [])
    assert 30 <= session.span("upstream relay 1", AGAIN[0]) <= 31


def test_who_is_started_again_at_heal_has_no_failpoint_left() -> None:
    never = Kill(kill="server", at="before-commit", operation=900, restart=Restart(after=1), name="never")
    told = [told["spec"] for name, told in conducted(cell(KILL, never)).commands if name == "server" and "spec" in told]
    assert [[point["name"] for point in spec["failpoints"]] for spec in told] == [["before-commit"], []]


def test_who_is_stopped_goes_on_and_what_waits_for_it_begins_then() -> None:
    frozen = Pause(pause="server", when="client ok 1", lasts=40, name="frozen")
    split = Partition(partition="both", link=LINK, when="frozen off", lasts=25, name="split")
    session = conducted(cell(frozen, split))
    assert between(session) == [
        *("signal stop server 1", "signal continue server 1"),
        *("rule relay 1 True", "rule relay 1 False"),
    ]
    assert 40 <= session.span("signal stop server 1", "signal continue server 1") <= 41
    assert session.span("signal continue server 1", "rule relay 1 True") == 0
    assert 25 <= session.span("rule relay 1 True", "rule relay 1 False") <= 26
    assert session.acts == [("pause", "server", 1, 0, None), ("resume", "server", 1, None, None)]


def test_of_a_run_that_is_replayed_a_fault_ends_where_it_did() -> None:
    struck = Strike(fault=0, node="server", epoch=1, when="client ok 1", ends="client attempt 2")
    session = conducted(cell(Pause(pause="server", when="client ok 1"), log=Log(run="", strikes=(struck,))))
    assert between(session) == ["signal stop server 1", "signal continue server 1"]
    assert session.phases == PHASES
    assert session.span("signal stop server 1", "signal continue server 1") < 100


def test_who_is_still_stopped_goes_on_at_heal() -> None:
    session = conducted(cell(Pause(pause="server", after=0)))
    assert between(session) == ["signal stop server 1", "signal continue server 1"]
    assert session.phases == ["start", "load", "load-kept", *PHASES[2:]]


@pytest.mark.parametrize(
    "second", [Kill(kill="server", when="client ok 1", after=30), Pause(pause="server", when="server down 1")]
)
def test_what_cannot_be_done_to_the_dead_is_noted_and_begins_nothing(second: Fault) -> None:
    session = conducted(cell(KILL, second))
    assert [line for line in session.said if "signal" in line] == ["signal kill server 1"]
    assert ("none", "server", 1, 1, "it was dead already") in session.acts


def test_a_client_is_told_of_its_crowd_and_heal_ends_it() -> None:
    crowd = Crowd(crowd="silent", link=LINK, connections=2, when="client ok 1")
    assert conducted(cell(crowd)).said[len(START) :] == ["rule client 0 True", "rule client 0 False", *END]
    passing = conducted(cell(replace(crowd, lasts=1)))
    assert between(passing) == ["rule client 0 True", "rule client 0 False"]


def test_one_that_is_there_from_the_first_comes_before_anybody_calls() -> None:
    session = conducted(cell(Crowd(crowd="silent", link=LINK, connections=2)))
    assert session.said[len(START) - 2 :] == [
        "configure client",
        "rule client 0 True",
        "go client",
        "rule client 0 False",
        *END,
    ]


def test_what_is_held_is_released_at_its_trigger() -> None:
    session = conducted(cell(Hold(hold="reply", operations=(2,), link=LINK, until="client attempt 3")))
    assert between(session) == ["release relay 0"]


def test_a_fault_begins_so_long_after_the_load() -> None:
    session = conducted(cell(Partition(partition="both", link=LINK, after=12, lasts=30)))
    assert between(session) == ["rule relay 0 True", "rule relay 0 False"]
    assert 12 <= session.span("go client", "rule relay 0 True") <= 13


def test_no_fault_begins_after_heal() -> None:
    assert between(conducted(cell(Partition(partition="both", link=LINK, when="client ok 6")))) == []


def test_loads_and_settling_have_their_caps() -> None:
    session = conducted(cell(Partition(partition="both", link=LINK, after=12), load=100, settle=50))
    assert session.phases == ["start", "load", "load-capped", "heal", "settle", "settle-capped", *PHASES[4:]]
    assert session.said[-6:] == [*END[:2], "finish client", *END[2:]]
    assert 100 <= session.span("go client", "heal relay") <= 102
    assert 50 <= session.span("healed client", "finish client") <= 51


class Interrupted(Transcript):
    """Ctrl-C comes while a command of this type is on its way."""

    at = ""

    def command(self, name: str, command: dict[str, Any], epoch: int | None = None) -> int:
        if command["type"] == self.at:
            self.at = ""
            self.interrupt()
        return super().command(name, command, epoch)


@pytest.mark.parametrize(
    ("at", "phases"), [("go", ["load"]), ("status", ["load"]), ("healed", ["load", "load-kept", "heal"])]
)
def test_interrupted_it_heals_stops_and_says_so(at: str, phases: list[str]) -> None:
    made = cell(Pause(pause="server", after=5))
    with Interrupted(made.seed) as session:
        session.at = at
        with pytest.raises(KeyboardInterrupt):
            run(Conductor(made, session).program(), session)
    assert session.phases == ["start", *phases, "interrupted"]
    before, *last = session.said[-5:]
    assert sorted(last) == ["heal relay", "stop client", "stop relay", "stop server"]
    assert (before == "signal continue server 1") is (at == "status")


def test_interrupted_it_writes_down_who_ended() -> None:
    made = cell()
    with Interrupted(made.seed) as session:
        session.at = "go"
        with pytest.raises(KeyboardInterrupt):
            run(Conductor(made, session).program(), session)
    ended = {(detail["node"], detail["epoch"]) for kind, detail in session.own if kind is Kind.REAPED}
    assert ended == {("client", 1), ("server", 1), ("relay", 1)}


class Meanwhile(Transcript):
    """This happens while the client is told to go, which it does not hear."""

    event: Event

    def command(self, name: str, command: dict[str, Any], epoch: int | None = None) -> int:
        if command["type"] != "go":
            return super().command(name, command, epoch)
        self.world.put(self.events, self.event)
        return super().command(name, {"type": "status"}, epoch)


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (Lost("server", "the agent is gone"), "the agent is gone"),
        (Exited("server", 1, 0, 3), r"server \(epoch 1\) ended: signal 0, exit code 3"),
    ],
)
def test_what_ends_untold_or_is_lost_is_the_testbeds_failure(event: Event, said: str) -> None:
    made = cell()
    with Meanwhile(made.seed) as session:
        session.event = event
        with pytest.raises(RunFailed, match=said):
            run(Conductor(made, session).program(), session)


def test_a_load_in_which_nothing_is_completed_any_more_has_its_cap() -> None:
    made = cell()
    with Meanwhile(made.seed) as session:
        session.event = Stopped("server", 1)
        with pytest.raises(RunFailed, match="waited 30000 ms for clients to end"):
            run(Conductor(made, session).program(), session)
    assert session.phases == ["start", "load", "load-capped", "heal", "settle", "settle-capped"]
    assert 30_000 <= session.span("configure client", "heal relay") <= 35_000


def test_a_rule_that_lasts_until_heal_keeps_the_load() -> None:
    session = conducted(cell(Partition(partition="both", link=LINK, after=12)))
    assert between(session) == ["rule relay 0 True"]
    assert session.phases == ["start", "load", "load-kept", *PHASES[2:]]


def test_a_rule_that_ends_by_itself_does_not_keep_the_load() -> None:
    session = conducted(cell(Partition(partition="both", link=LINK, after=12, lasts=2000)))
    assert between(session) == ["rule relay 0 True", "rule relay 0 False"]
    assert session.phases == PHASES


class Refusing(Transcript):
    def command(self, name: str, command: dict[str, Any], epoch: int | None = None) -> int:
        return super().command(name, {"type": "dance"} if command["type"] == "go" else command, epoch)


def test_what_a_process_refuses_is_the_runs_failure_in_its_words() -> None:
    made = cell()
    with Refusing(made.seed) as session, pytest.raises(RunFailed, match="a client does not know the command 'dance'"):
        run(Conductor(made, session).program(), session)


class Halting(Transcript):
    """The server stops itself at the failpoint of fault 0 while a command of this type is on its way."""

    at = "go"

    def command(self, name: str, command: dict[str, Any], epoch: int | None = None) -> int:
        if command["type"] == self.at:
            self._life("server", 1).host.pause()
            self.world.put(self.events, Fired("server", 1, 0))
        return super().command(name, command, epoch)


def halted(at: str = "go", lasts: int | None = None) -> Halting:
    made = cell(Pause(pause="server", at="received", nth=99, lasts=lasts))
    with Halting(made.seed) as session:
        session.at = at
        run(Conductor(made, session).program(), session)
    assert session.acts == [("resume", "server", 1, None, None)]
    return session


def test_who_stopped_itself_goes_on_after_its_time() -> None:
    session = halted(lasts=30)
    assert between(session) == ["signal continue server 1", "disarm server"]
    assert 30 <= session.span("go client", "signal continue server 1") <= 31
    assert session.phases == PHASES


def test_or_at_heal() -> None:
    session = halted()
    assert between(session) == ["signal continue server 1", "disarm server"]
    assert session.phases == ["start", "load", "load-kept", *PHASES[2:]]


def test_or_at_once_if_heal_has_come() -> None:
    session = halted(at="disarm")
    assert between(session) == ["disarm server", "signal continue server 1"]
    assert session.span("disarm server", "signal continue server 1") == 0


class Deaf(Transcript):
    """What it is told to forget its failpoints it hears after so many signals to go on."""

    signals = 2

    def command(self, name: str, command: dict[str, Any], epoch: int | None = None) -> int:
        if command["type"] != "disarm":
            return super().command(name, command, epoch)
        self._say("disarm", name, epoch)
        self._last_id += 1
        return self._last_id

    def signal(self, name: str, signal: SignalName, epoch: int | None = None) -> None:
        super().signal(name, signal, epoch)
        self.signals -= 1
        if not self.signals:
            self.world.put(self.events, Answer(name, self._last_id, {}))


ARMED = cell(Kill(kill="server", at="received", nth=99))


def test_who_stopped_itself_just_then_is_told_again_to_go_on() -> None:
    with Deaf(ARMED.seed) as session:
        run(Conductor(ARMED, session).program(), session)
    assert between(session) == ["disarm server 1", "signal continue server 1", "signal continue server 1"]
    assert 500 <= session.span("disarm server 1", "signal continue server 1") <= 501
    assert session.phases == PHASES


def test_who_never_hears_of_it_is_the_testbeds_failure() -> None:
    with Deaf(ARMED.seed) as session:
        session.signals = 1000
        with pytest.raises(RunFailed, match=r"waited 30000 ms for server \(epoch 1\) to forget its failpoints"):
            run(Conductor(ARMED, session).program(), session)
    assert session.said.count("signal continue server 1") == 60


class Full(Transcript):
    """The relay keeps something for ever."""

    def command(self, name: str, command: dict[str, Any], epoch: int | None = None) -> int:
        if (name, command["type"]) != ("relay", "status"):
            return super().command(name, command, epoch)
        self._last_id += 1
        self.world.put(self.events, Answer(name, self._last_id, {"held": 1, "pending": 0, "passed": {}}))
        return self._last_id


def test_draining_has_its_cap() -> None:
    made = cell(settle=50)
    with Full(made.seed) as session:
        run(Conductor(made, session).program(), session)
    assert session.phases == [*PHASES[:5], "drain-capped", *PHASES[5:]]
    assert 50 <= session.span("stop client", "stop server") <= 55


class Dying(Transcript):
    """The server dies at the failpoint of fault 0 while it is told to forget that, which it never hears."""

    def command(self, name: str, command: dict[str, Any], epoch: int | None = None) -> int:
        number = super().command(name, command, epoch)
        if command["type"] == "disarm":
            life = self._life(name, epoch)
            life.journal.fired = 0
            life.host.crash()
        return number


@pytest.mark.parametrize("restart", [None, Restart(after=5_000), Restart(when="client gate 3")])
def test_who_dies_at_a_failpoint_before_it_hears_of_heal_comes_back_at_once(restart: Restart | None) -> None:
    made = cell(Kill(kill="server", at="received", nth=99, restart=restart))
    with Dying(made.seed) as session:
        run(Conductor(made, session).program(), session)
    assert between(session) == ["disarm server", "upstream relay 1", *AGAIN]
    assert session.acts == [("restart", "server", 2, None, None)]
    assert session.span("disarm server", AGAIN[0]) == 0
    assert session.phases == PHASES
