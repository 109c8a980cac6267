"""What probes work with: steps, what is waited for, and that nothing stays open."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from nodes import engines, probes
from nodes.probes.__main__ import options_of, perform
from nodes.probes.common import settled
from nodes.probes.common.bench import Bench
from nodes.probes.common.masks import HUP, IN
from nodes.probes.common.settled import Unsettled
from nodes.probes.common.subject import subject
from nodes.probes.common.trace import Trace

if (missing := engines.availability("poll")) is not None:
    pytest.skip(f"engine poll: {missing}", allow_module_level=True)


@pytest.fixture
def lines() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def bench(lines: list[dict[str, Any]]) -> Iterator[Bench]:
    made = Bench(subject("poll"), Trace(lines.append))
    yield made
    made.close()


def test_what_a_step_showed_is_in_the_trace(bench: Bench, lines: list[dict[str, Any]]) -> None:
    ours, theirs = bench.pair()
    bench.watch(ours, IN)
    bench.send(theirs, 10, ours)
    bench.told("ten bytes")
    assert bench.seen == {"ten bytes": ["IN"]}
    said = ["poll is asked for IN of it", "the peer sends 10 bytes", "ten bytes: IN"]
    assert [line["note"] for line in lines] == said


def test_a_step_has_one_value(bench: Bench) -> None:
    bench.saw("a", 1)
    with pytest.raises(ValueError, match="'a' twice"):
        bench.saw("a", 2)


def test_silence_is_an_empty_list_and_an_error_its_name(bench: Bench) -> None:
    ours, _ = bench.pair()
    bench.watch(ours, IN)
    bench.told("quiet")
    bench.received("received", ours, 1)
    bench.tried("refused", lambda: os.close(1 << 20))
    assert bench.seen == {"quiet": [], "received": "EAGAIN", "refused": "EBADF"}


def test_what_was_there_before_is_waited_for_too(bench: Bench) -> None:
    ours, theirs = bench.pair()
    bench.send(theirs, 10, ours)
    bench.send(theirs, 5, ours)
    assert len(ours.recv(100)) == 15


def test_a_condition_that_does_not_come_about_is_told() -> None:
    with pytest.raises(Unsettled, match="in vain for the moon"):
        settled.until(lambda: False, "the moon", longest=0.01)


def test_a_peers_reset_is_seen_before_anybody_is_asked(bench: Bench) -> None:
    ours, theirs = bench.pair()
    bench.reset(theirs, ours)
    assert settled.state(ours) & HUP
    with pytest.raises(ConnectionResetError):
        ours.recv(1)


def test_all_of_it_is_closed_whatever_a_probe_closed_itself() -> None:
    before = os.listdir("/proc/self/fd")
    bench = Bench(subject("epoll"), Trace(lambda _: None))
    ours, theirs = bench.pair()
    bench.sockets.listener()
    os.close(ours.fileno())
    theirs.close()
    bench.close()
    ours.detach()
    assert os.listdir("/proc/self/fd") == before


def test_steps_that_fail_leave_a_reason_and_nothing_open(lines: list[dict[str, Any]]) -> None:
    before = os.listdir("/proc/self/fd")

    def steps(bench: Bench) -> None:
        bench.pair()
        raise Unsettled("waited in vain")

    perform("it", partial(Bench, subject("epoll")), steps, lines.append)
    assert lines == [{"begin": "it"}, {"end": "it", "failed": "Unsettled: waited in vain"}]
    assert os.listdir("/proc/self/fd") == before


def test_what_cannot_be_made_is_a_reason_too(lines: list[dict[str, Any]]) -> None:
    def refuse(_: Trace) -> Bench:
        raise OSError(12, "no memory for a ring")

    perform("it", refuse, None, lines.append)
    assert lines == [{"begin": "it"}, {"end": "it", "failed": "OSError: [Errno 12] no memory for a ring"}]


def test_two_on_one_number_are_told_apart_from_a_socket_pair(bench: Bench) -> None:
    ours, theirs = bench.pair(send=65536, receive=65536)
    assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 2 * 65536  # socket(7): doubled
    assert theirs.getpeername() == ours.getsockname()


def test_a_closed_port_refuses(bench: Bench) -> None:
    with socket.socket() as sock, pytest.raises(ConnectionRefusedError):
        sock.connect(bench.sockets.refusing())


def test_its_command_line() -> None:
    assert options_of(["--engine", "epoll", "--probes", "a,b"]) == ("epoll", ("a", "b"), "")
    with pytest.raises(SystemExit):
        options_of(["--engine", "epoll"])


def test_who_cannot_be_probed_says_why() -> None:
    assert probes.refusal("undrained", "busy")
    assert probes.refusal("undrained", "threads")
    assert probes.refusal("exclusive-refusals", "epoll") == "the flag EPOLLEXCLUSIVE is another's"
    assert probes.refusal("two-receives", "poll")
    assert probes.refusal("undrained", "epoll") is None
    with pytest.raises(KeyError):
        probes.probe("nonsense")
    with pytest.raises(KeyError):
        probes.refusal("undrained", "nonsense")


def test_they_come_in_the_order_of_the_table() -> None:
    assert probes.names()[:3] == ("undrained", "more-undrained", "slices")
    rows = [int(row) for name in probes.names() if (row := probes.probe(name).row).isdecimal()]
    assert rows == sorted(rows)
