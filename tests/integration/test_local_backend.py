"""The local backend with a stand-in for a node: what happens to a process arrives as events, and errors say why."""

import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from nodes.clock import now
from nodes.control import BadFrame
from nodes.journal import JournalError
from nodes.ops import Effect, Get, Now, Program, Put, Queue, Sleep, Transaction
from nodes.sqlite_ledger import SqliteLedger
from nodes.wire.record import Kind
from orchestrator.backends import node_process as node_process_module
from orchestrator.backends import real as real_module
from orchestrator.backends.local.session import LocalSession
from orchestrator.backends.processes import Supervisor
from orchestrator.backends.real_time import run
from orchestrator.backends.this_machine import command_line
from orchestrator.run.session import Answer, Exited, Lost, NodeEvent, SessionError, Started, Stopped

STAND_IN = Path(__file__).with_name("stand_in.py")
SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    with Supervisor("a run") as running:
        yield running


@pytest.fixture
def session_of(supervisor: Supervisor, tmp_path: Path) -> Iterator[Callable[[str], LocalSession]]:
    sessions: list[LocalSession] = []

    def make(mode: str) -> LocalSession:
        session = LocalSession(
            supervisor,
            tmp_path / mode,
            lambda name, role, epoch, home, engine: [sys.executable, "-I", str(STAND_IN), mode, name],
        )
        sessions.append(session)
        return session

    yield make
    for session in sessions:
        session.close()


def event(session: LocalSession) -> Program:
    """The next event, within what even a slow machine needs."""
    start = yield Now()
    return (yield Get(session.events, start + 20 * SECOND))


def events(session: LocalSession, number: int) -> list[Any]:
    def program() -> Program:
        taken = []
        for _ in range(number):
            taken.append((yield from event(session)))
        return taken

    taken: list[Any] = run(program(), session)
    return taken


def started(session: LocalSession, name: str = "server") -> LocalSession:
    session.start(name, "node", 1)
    assert events(session, 1) == [Started(name, 1)]
    return session


def test_a_process_from_start_to_stop(session_of: Callable[[str], LocalSession]) -> None:
    session = started(session_of("obeys"))
    configure = session.command("server", {"type": "configure", "spec": {}})
    dance = session.command("server", {"type": "dance"})
    stop = session.command("server", {"type": "stop"})
    assert events(session, 5) == [
        NodeEvent("server", "ready", 1, 0),
        Answer("server", configure, {"addresses": {}}),
        Answer("server", dance, {"error": "'dance' is unknown"}),
        Answer("server", stop, {}),
        Exited("server", 1, 0, 0),
    ]


def test_everything_sent_before_a_death_arrives_before_its_news(session_of: Callable[[str], LocalSession]) -> None:
    session = started(session_of("obeys"))
    burst = session.command("server", {"type": "burst", "number": 500})
    *told, answer, exited = events(session, 502)
    assert told == [NodeEvent("server", "ok", number, 10_101) for number in range(500)]
    assert answer == Answer("server", burst, {})
    assert exited == Exited("server", 1, signal.SIGKILL, 0)
    session.command("server", {"type": "burst", "number": 1})  # nobody there: never answered
    session.signal("server", "kill")


@pytest.mark.timeout(35)
def test_processes_of_which_nothing_is_heard_are_waited_for_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forty seconds, were each of them waited for in turn."""
    monkeypatch.setattr(real_module, "PATIENCE", 1.0)
    with Supervisor("another run") as deaf:
        os.kill(deaf.pid, signal.SIGSTOP)
        session = LocalSession(deaf, tmp_path / "home")
        for number in range(40):  # few enough for the pipe to it
            session.start(f"server{number}", "node", 1)
        session.close()
        os.kill(deaf.pid, signal.SIGCONT)


def test_a_stopped_process_is_killed_and_a_next_epoch_started(session_of: Callable[[str], LocalSession]) -> None:
    session = started(session_of("obeys"))
    with pytest.raises(SessionError, match="that epoch, is taken"):
        session.start("server", "node", 1)
    with pytest.raises(SessionError, match="cannot be archived while it runs"):
        session.archive("server")
    session.signal("server", "stop")
    session.signal("server", "kill")
    assert events(session, 2) == [Stopped("server", 1), Exited("server", 1, signal.SIGKILL, 0)]
    session.start("server", "node", 2)
    assert events(session, 1) == [Started("server", 2)]


def test_a_death_at_start_is_told_with_the_end_of_the_log(session_of: Callable[[str], LocalSession]) -> None:
    session = session_of("dies")
    session.start("server", "node", 1)
    lost, exited = events(session, 2)
    assert lost.name == "server"
    assert "server (epoch 1): it died at start, exit code 70" in lost.reason
    assert f"{session.home}/server.1.log" in lost.reason
    assert "there is no engine of that name" in lost.reason
    assert exited == Exited("server", 1, 0, 70)


def test_a_failure_later_is_told_with_the_end_of_the_log(session_of: Callable[[str], LocalSession]) -> None:
    session = started(session_of("obeys"))
    session.command("server", {"type": "fail"})
    answer, lost, exited = events(session, 3)
    assert "unknown" in answer.body["error"]
    assert "it failed, exit code 1" in lost.reason
    assert "the disk is full" in lost.reason
    assert exited == Exited("server", 1, 0, 1)


def test_a_program_that_cannot_be_started(supervisor: Supervisor, tmp_path: Path) -> None:
    with LocalSession(supervisor, tmp_path, lambda *_: [str(tmp_path / "no-such-program")]) as session:
        session.start("server", "node", 1)
        (lost,) = events(session, 1)
        assert "could not be started" in lost.reason
        assert "no-such-program" in lost.reason


def test_a_process_that_says_something_else_than_where_it_listens(
    session_of: Callable[[str], LocalSession], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_process_module, "GRACE", 0.05)
    session = session_of("babbles")
    session.start("server", "node", 1)
    (lost,) = events(session, 1)
    assert "expected the line 'control HOST PORT', got 'hello'" in lost.reason


def test_a_wrong_token_is_an_error_on_both_sides(session_of: Callable[[str], LocalSession]) -> None:
    session = session_of("wrong-token")
    session.start("server", "node", 1)
    lost, exited = events(session, 2)
    assert isinstance(lost, Lost)
    assert "died at start" in lost.reason
    assert "the connecting side does not know this run's control token" in lost.reason
    assert exited == Exited("server", 1, 0, 1)


def test_bytes_that_are_no_frame_are_told(session_of: Callable[[str], LocalSession]) -> None:
    session = started(session_of("obeys"))
    session.command("server", {"type": "garble"})
    _, lost = events(session, 2)
    assert "control connection failed: a frame announces 4294967295 bytes" in lost.reason


def test_a_process_that_hangs_up_and_stays_is_lost(
    session_of: Callable[[str], LocalSession], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_process_module, "GRACE", 0.05)
    session = started(session_of("obeys"))
    session.command("server", {"type": "hang-up"})
    _, lost = events(session, 2)
    assert "control connection ended, but it goes on running" in lost.reason


def test_commands_that_make_no_sense_are_refused_at_once(session_of: Callable[[str], LocalSession]) -> None:
    session = session_of("mute")
    with pytest.raises(SessionError, match="server was never started"):
        session.command("server", {"type": "status"})
    session.start("server", "node", 1)
    with pytest.raises(SessionError, match="has not started"):
        session.command("server", {"type": "status"})


def test_a_command_that_is_too_large_is_refused_and_the_connection_stays(
    session_of: Callable[[str], LocalSession],
) -> None:
    session = started(session_of("obeys"))
    with pytest.raises(BadFrame, match="at most 1048576"):
        session.command("server", {"type": "configure", "spec": "x" * 2_000_000})
    stop = session.command("server", {"type": "stop"})
    assert events(session, 1) == [Answer("server", stop, {})]


def test_closing_kills_what_lives_and_may_be_repeated(
    session_of: Callable[[str], LocalSession], supervisor: Supervisor
) -> None:
    mute, stopped = session_of("mute"), started(session_of("obeys"))
    mute.start("server", "node", 1)
    stopped.signal("server", "stop")
    for session in (mute, stopped):
        session.close()
        session.close()
    children = psutil.Process(supervisor.pid).children()
    assert [child for child in children if child.status() != psutil.STATUS_ZOMBIE] == []


def test_the_evidence_is_collected(session_of: Callable[[str], LocalSession]) -> None:
    session = started(session_of("obeys"))
    configure = session.command("server", {"type": "configure", "spec": {}})
    assert events(session, 2)[1].id == configure
    session.signal("server", "kill")
    events(session, 1)
    for history, amount in ((7, 1), (8, 2)):
        if history == 8:
            session.archive("server")
        write_ledger(session.home / "server.ledger", history, amount)
    session.note(Kind.ACT, process=3, detail={"act": "kill"})
    collected = session.collect()
    assert set(collected.journals) == {("server", 1), ("orchestrator", 1)}
    assert collected.journals["server", 1].killed
    own = collected.journals["orchestrator", 1]
    assert not own.killed
    assert [(record.kind, record.process) for record in own.records] == [(Kind.START, 0), (Kind.ACT, 3)]
    assert (own.records[0].detail or {})["evidence"] == session.evidence == "real"
    assert [(ledger.name, ledger.node, ledger.archived, ledger.history) for ledger in collected.ledgers] == [
        ("server.1.archived", "server", True, 7),
        ("server", "server", False, 8),
    ]
    assert [[effect[-1] for effect in ledger.effects] for ledger in collected.ledgers] == [[1], [2]]
    assert [ledger.state for ledger in collected.ledgers] == [{"total": 1}, {"total": 2}]


def write_ledger(path: Path, history: int, amount: int) -> None:
    class Passes:
        def passage(self, name: str, client: int, seq: int, attempt: int) -> None: ...

    ledger = SqliteLedger(path, 1, "process", history)
    ledger.commit(Transaction((10_101, 1, 1), {"total": amount}, Effect(10_101, 1, 1, 1, amount), None), Passes())
    ledger.close()


def test_a_journal_that_should_be_there_and_is_not_breaks_the_evidence(
    session_of: Callable[[str], LocalSession],
) -> None:
    session = started(session_of("obeys"))
    session.command("server", {"type": "configure", "spec": {}})
    events(session, 2)
    (session.home / "server.1.journal").unlink()
    with pytest.raises(JournalError, match=r"server\.1\.journal"):
        session.collect()


def test_a_process_that_was_never_configured_needs_no_journal(session_of: Callable[[str], LocalSession]) -> None:
    session = started(session_of("obeys"))
    assert set(session.collect().journals) == {("orchestrator", 1)}


def test_the_operations_of_the_runs_program(session_of: Callable[[str], LocalSession]) -> None:
    session = session_of("mute")

    def program() -> Program:
        own = Queue()
        yield Put(own, "item")
        item = yield Get(own)
        start = yield Now()
        yield Sleep(start + 20_000_000)
        slept = (yield Now()) - start
        with pytest.raises(TimeoutError):
            yield Get(session.events, start)
        return item, slept

    item, slept = run(program(), session)
    assert item == "item"
    assert slept >= 20_000_000


def test_an_operation_for_engines_alone_is_named(session_of: Callable[[str], LocalSession]) -> None:
    def program() -> Program:
        yield "nonsense"

    with pytest.raises(TypeError, match="may not yield 'nonsense'"):
        run(program(), session_of("mute"))


def test_ctrl_c_is_thrown_in_where_the_program_waits(session_of: Callable[[str], LocalSession]) -> None:
    session = started(session_of("obeys"))
    previous = signal.getsignal(signal.SIGINT)

    def program() -> Program:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            yield Sleep(now() + 60 * SECOND)
        except KeyboardInterrupt:
            stop = session.command("server", {"type": "stop"})
            return stop, (yield from event(session)), (yield from event(session))

    stop, answer, exited = run(program(), session)
    assert (answer, exited) == (Answer("server", stop, {}), Exited("server", 1, 0, 0))
    assert signal.getsignal(signal.SIGINT) is previous


def test_a_second_ctrl_c_does_not_wait(session_of: Callable[[str], LocalSession]) -> None:
    session = session_of("mute")

    def program() -> Program:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        yield Sleep(now() + 60 * SECOND)

    with pytest.raises(KeyboardInterrupt):
        run(program(), session)


def test_a_program_in_another_thread_is_interrupted(session_of: Callable[[str], LocalSession]) -> None:
    session = session_of("mute")
    seen = []

    def program() -> Program:
        try:
            yield Get(session.events)
        except KeyboardInterrupt:
            seen.append("interrupted")

    thread = threading.Thread(target=lambda: run(program(), session))
    thread.start()
    session.interrupt()
    thread.join(20)
    assert seen == ["interrupted"]


def test_a_session_does_not_write_over_an_earlier_runs_journals(supervisor: Supervisor, tmp_path: Path) -> None:
    LocalSession(supervisor, tmp_path).close()
    with pytest.raises(JournalError, match="exists already"):
        LocalSession(supervisor, tmp_path)


def test_nothing_listening_is_told_with_the_address(
    session_of: Callable[[str], LocalSession], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_process_module, "GRACE", 0.05)
    session = session_of("deaf")
    session.start("server", "node", 1)
    lost = events(session, 1)[0]
    assert isinstance(lost, Lost)
    assert re.search(r"no control connection to it \(control 127\.0\.0\.1 \d+\): .*refused", lost.reason)


def test_processes_are_started_isolated() -> None:
    home = Path("/results/run")
    assert command_line("server", "node", 2, home, "epoll") == [
        *(sys.executable, "-I", "-m", "faultbed.part", "nodes", "--name", "server", "--home", "/results/run"),
        *("--epoch", "2", "--engine", "epoll"),
    ]
    assert command_line("relay", "relay", 1, home, None) == [
        *(
            sys.executable,
            "-I",
            "-m",
            "faultbed.part",
            "chaos",
            "--name",
            "relay",
            "--home",
            "/results/run",
            "--plane",
            "relay",
        ),
    ]
