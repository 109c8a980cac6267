"""One contract over every mechanism of local IPC, between two real processes; and what only some of them promise."""

from __future__ import annotations

import fcntl
import os
import platform
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from channel_contract import CHECKS, PATIENCE, Pair, pair
from channel_peer import DONE, message

from nodes import ipc
from nodes.ipc.common.channel import End, Role
from nodes.ipc.common.errors import ChannelError, Empty, EndOfFile

RIGHT = tuple(name for name in ipc.NAMES if not ipc.declared(name).wrong)
UNSYNCHRONISED = "shm_unsynchronised"
CONVICTING = ("whole_and_in_order", "sizes_mixed", "full_blocks_and_refuses")
LENGTH = 4


def need(name: str) -> None:
    if reason := ipc.availability(name):
        pytest.skip(f"ipc {name}: {reason}")


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.001)


@pytest.mark.parametrize("mechanism", RIGHT)
@pytest.mark.parametrize("check", CHECKS)
def test_contract(check: str, mechanism: str) -> None:
    need(mechanism)
    with pair(mechanism) as made:
        CHECKS[check](made)


class Impatient(Pair):
    """For what may lose messages: a receive that blocks for long has failed."""

    def create(self, role: Role) -> End:
        end = super().create(role)
        receive = end.receive

        def hurried(block: bool = True) -> bytes:
            deadline = time.monotonic() + 2
            while True:
                try:
                    return receive(False)
                except Empty:
                    assert block, "nothing"
                    assert time.monotonic() < deadline, "no message came"

        end.receive = hurried  # type: ignore[method-assign]
        return end


@pytest.mark.parametrize("check", CONVICTING)
def test_without_synchronisation_it_fails(check: str) -> None:
    need(UNSYNCHRONISED)
    made = Impatient(UNSYNCHRONISED)
    try:
        with pytest.raises(AssertionError):
            CHECKS[check](made)
    finally:
        made.close()


def test_without_synchronisation_messages_are_lost() -> None:
    need(UNSYNCHRONISED)
    with pair(UNSYNCHRONISED) as made:
        end, peer = made.receiving()
        assert peer.do("send", first=1, size=64, count=3) == {"done": 3}
        assert end.receive() == message(3, 64)
        with pytest.raises(Empty):
            end.receive(block=False)


def test_without_synchronisation_messages_are_torn() -> None:
    need(UNSYNCHRONISED)
    with pair(UNSYNCHRONISED) as made:
        end, peer = made.receiving()
        size, torn = end.largest, False
        deadline = time.monotonic() + PATIENCE
        first = 1
        while not torn:
            assert time.monotonic() < deadline, "none was torn"
            peer.begin("send", first=first, size=size, count=20)
            while not torn and not peer.answers(0):
                try:
                    found = end.receive(block=False)
                except Empty:
                    continue
                torn = found != message(int(found[:10]), size)
            peer.answer()
            first += 20


@pytest.mark.parametrize("mechanism", ["pipe", "fifo"])
def test_small_messages_of_several_writers_stay_whole(mechanism: str) -> None:
    """A write of at most PIPE_BUF bytes is atomic (pipe(7))."""
    need(mechanism)
    with pair(mechanism) as made:
        end = made.create(Role.RECEIVER)
        writers = [made.process(end, Role.SENDER) for _ in range(3)]
        for writer in writers:
            assert writer.do("attach") == {}
        end.hand_over()
        size, count = select.PIPE_BUF - LENGTH, 1000
        for place, writer in enumerate(writers):
            writer.begin("send", first=place * count, size=size, count=count)
        found = [end.receive() for _ in range(3 * count)]
        assert sorted(found) == [message(number, size) for number in range(3 * count)]
        for place in range(3):
            mine = [one for one in found if int(one[:10]) // count == place]
            assert mine == sorted(mine)


@pytest.mark.parametrize("mechanism", ["pipe", "fifo"])
def test_large_messages_of_several_writers_are_mixed(mechanism: str) -> None:
    """One writer stands still in the middle of a message, so what another one writes comes to lie within it."""
    need(mechanism)
    with pair(mechanism) as made:
        end = made.create(Role.RECEIVER)
        large, small = made.process(end, Role.SENDER), made.process(end, Role.SENDER)
        assert large.do("attach") == small.do("attach") == {}
        end.hand_over()
        descriptor = end._met(False)  # type: ignore[attr-defined]
        capacity = fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ)
        large.begin("send", first=1, size=100_000)
        until(lambda: waiting(descriptor) == capacity)
        os.kill(large.process.pid, signal.SIGSTOP)
        small.begin("send", first=2, size=110)
        with pytest.raises(Empty):
            end.receive(block=False)
        assert small.answer() == {"done": 1}
        os.kill(large.process.pid, signal.SIGCONT)
        with pytest.raises(ChannelError, match="were there several senders of long messages"):
            received_for_ever(end, message(1, 100_000))


def received_for_ever(end: End, sent: bytes) -> None:
    while True:
        assert end.receive() != sent


def waiting(descriptor: int) -> int:
    """Bytes that are to be read."""
    return int(struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, b"\0" * 4))[0])


@pytest.mark.parametrize("mechanism", ["pipe", "fifo"])
def test_the_last_writer_is_the_end(mechanism: str) -> None:
    need(mechanism)
    with pair(mechanism) as made:
        end = made.create(Role.RECEIVER)
        writers = [made.process(end, Role.SENDER) for _ in range(2)]
        for number, writer in enumerate(writers):
            assert writer.do("attach") == {}
            assert writer.do("send", first=number, size=64) == {"done": 1}
        end.hand_over()
        assert [end.receive(), end.receive()] == [message(0, 64), message(1, 64)]
        writers[0].do("close")
        with pytest.raises(Empty):
            end.receive(block=False)
        writers[1].do("close")
        with pytest.raises(EndOfFile):
            end.receive()


COUNT, MANY = 10_000, 300_000


@pytest.mark.skipif(
    platform.machine() != "x86_64" or sys.platform != "linux", reason="a filter of x86-64's system calls"
)
@pytest.mark.parametrize(("mechanism", "code"), [("shm_ring", DONE), ("pipe", -signal.SIGSYS)])
@pytest.mark.parametrize("what", ["send", "receive"])
def test_a_message_on_its_way_makes_no_system_call(mechanism: str, code: int, what: str) -> None:
    """After set-up the kernel kills the process at its first one: what it does then, 10,000 times, needs none."""
    need(mechanism)
    with pair(mechanism) as made:
        end, peer = made.receiving() if what == "send" else made.sending()
        if what == "receive":
            for _ in range(COUNT if mechanism == "shm_ring" else 10):
                end.send(message(1, 64))
        peer.begin("confined", what=what, count=COUNT, size=64)
        assert peer.process.wait(PATIENCE) == code
        if (what, mechanism) == ("send", "shm_ring"):
            assert [end.receive() for _ in range(COUNT)] == [message(1, 64)] * COUNT
            with pytest.raises(EndOfFile):
                end.receive()


def test_a_segment_outlives_who_attached_without_a_word() -> None:
    """Python's resource tracker neither removes what another process uses, nor warns."""
    need("shm_ring")
    code = """
from nodes import ipc
from nodes.ipc.common.channel import Role
import sys
ipc.mechanism("shm_ring").attach(sys.argv[1], Role.SENDER).send(b"x")
"""
    with pair("shm_ring") as made:
        end = made.create(Role.RECEIVER)
        argv = [sys.executable, "-I", "-W", "error", "-c", code, end.address]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert Path("/dev/shm", f"faultbed-{end.address}").exists()
        assert end.receive() == b"x"


LIMITED = """
import resource, sys
from nodes import ipc
from nodes.ipc.common.channel import Role
resource.setrlimit(resource.RLIMIT_MSGQUEUE, (1000, 1000))
try:
    ipc.mechanism("posix_mq").create("limited", Role.RECEIVER).unlink()
except Exception as error:
    print(type(error).__name__, error)
"""


def test_a_limit_of_the_kernel_is_told() -> None:
    need("posix_mq")
    argv = [sys.executable, "-I", "-c", LIMITED]
    told = subprocess.run(argv, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout
    assert told.startswith("SystemLimit posix_mq limited: ")
    assert "/proc/sys/fs/mqueue/msgsize_max is" in told
    assert "RLIMIT_MSGQUEUE is 1000 bytes" in told


def test_many_messages_while_both_sides_are_busy() -> None:
    """What a ring gets wrong shows when its two sides meet at every index."""
    need("shm_ring")
    with pair("shm_ring") as made:
        end, peer = made.receiving()
        peer.begin("send", first=0, size=64, count=MANY)
        for number in range(MANY):
            assert end.receive() == message(number, 64)
        assert peer.answer() == {"done": MANY}


def test_a_view_lies_in_the_ring() -> None:
    need("shm_ring")
    with pair("shm_ring") as made:
        end, peer = made.receiving()
        for number in range(1, 9):
            assert peer.do("send", first=number, size=1 << 20, block=False) == {"done": 1}
            view = end.receive_view()  # type: ignore[attr-defined]
            assert view == message(number, 1 << 20)
            end.release()  # type: ignore[attr-defined]
        with pytest.raises(ValueError, match="released"):
            view[0]
