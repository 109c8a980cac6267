"""The contract of a channel between two real processes: checks, by their names.

A check is a function of a `Pair`: this process has one end, another one (channel_peer.py) the other. It raises if the
mechanism breaks the rule that it is named after. What a mechanism does not declare, its checks do not ask.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from channel_peer import digest, message

from nodes import ipc
from nodes.ipc.common.channel import End, Role
from nodes.ipc.common.errors import BrokenPipe, Empty, EndOfFile, Full, Leftover, NoSuchChannel, Taken, TooLarge

PEER = Path(__file__).with_name("channel_peer.py")
PATIENCE = 60.0
A_WHILE = 0.1
"""Seconds in which a process that is to be blocked must not answer. Too short a guess invents no fault."""


class Process:
    """The other one."""

    def __init__(self, mechanism: str, address: str, role: Role, inherited: tuple[int, ...] = ()) -> None:
        argv = [sys.executable, "-I", str(PEER), mechanism, address, role.value]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(argv, stdin=pipe, stdout=pipe, bufsize=0, pass_fds=inherited)
        self._read = b""

    def begin(self, do: str, **more: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": do, **more}).encode() + b"\n")

    def answer(self) -> dict[str, Any]:
        assert self.answers(PATIENCE), "no answer"
        line, _, self._read = self._read.partition(b"\n")
        found: dict[str, Any] = json.loads(line or b'{"error": "dead"}')
        return found

    def answers(self, seconds: float) -> bool:
        """Whether it has answered by then, or ended."""
        assert self.process.stdout is not None
        while b"\n" not in self._read:
            if not select.select([self.process.stdout], [], [], seconds)[0]:
                return False
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                return True
            self._read += data
        return True

    def do(self, do: str, **more: Any) -> dict[str, Any]:
        self.begin(do, **more)
        return self.answer()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


class Pair:
    """A mechanism, and what was made with it: all of it ends with the pair."""

    def __init__(self, mechanism: str) -> None:
        self.mechanism = mechanism
        self.module = ipc.mechanism(mechanism)
        self.declared = ipc.declared(mechanism)
        self.name = f"t{uuid.uuid4().hex[:12]}"
        self._processes: list[Process] = []
        self._ends: list[End] = []

    def create(self, role: Role) -> End:
        end = self.module.create(self.name, role)
        self._ends.append(end)
        return end

    def process(self, end: End, role: Role) -> Process:
        process = Process(self.mechanism, end.address, role, end.descriptors)
        self._processes.append(process)
        return process

    def receiving(self) -> tuple[End, Process]:
        """This process receives, another one sends."""
        return self._both(Role.RECEIVER, Role.SENDER)

    def sending(self) -> tuple[End, Process]:
        if Role.SENDER not in self.declared.creators:
            pytest.skip(f"{self.mechanism}: the receiver creates it")
        return self._both(Role.SENDER, Role.RECEIVER)

    def _both(self, mine: Role, other: Role) -> tuple[End, Process]:
        end = self.create(mine)
        process = self.process(end, other)
        assert process.do("attach") == {}
        end.hand_over()
        return end, process

    def close(self) -> None:
        for process in self._processes:
            process.kill()
        for end in self._ends:
            end.close()
            end.unlink()


@contextmanager
def pair(mechanism: str) -> Iterator[Pair]:
    made = Pair(mechanism)
    try:
        yield made
    finally:
        made.close()


def sizes(end: End) -> Iterator[int]:
    yield from (size for size in (0, 1, 64, 4096, 65536, 1 << 20) if size < end.largest)
    yield min(end.largest, 2 << 20)


def whole_and_in_order(made: Pair) -> None:
    """What another process sends is received as it was, in order, at every size."""
    end, peer = made.receiving()
    number = 1
    for size in sizes(end):
        count = 200 if size <= 4096 else 3
        peer.begin("send", first=number, size=size, count=count)
        for _ in range(count):
            assert end.receive() == message(number, size), f"message {number} of {size} bytes"
            number += 1
        assert peer.answer() == {"done": count}


def sent_whole_and_in_order(made: Pair) -> None:
    end, peer = made.sending()
    number = 1
    for size in sizes(end):
        count = 200 if size <= 4096 else 3
        peer.begin("receive", count=count)
        for place in range(count):
            end.send(message(number + place, size))
        sent = [digest(message(number + place, size)) for place in range(count)]
        assert peer.answer() == {"done": count, "found": sent}
        number += count


def sizes_mixed(made: Pair) -> None:
    """Sizes in no order, more of them than fit at once: what wraps around, and what waits for room."""
    end, peer = made.receiving()
    largest = min(end.largest, 300_000)
    drawn = [place * 7919 % largest if place % 3 else place % 100 for place in range(300)]
    for first in range(0, len(drawn), 30):
        for place, size in enumerate(drawn[first : first + 30], first):
            peer.begin("send", first=place, size=size)
        for place, size in enumerate(drawn[first : first + 30], first):
            assert end.receive() == message(place, size)
            assert peer.answer() == {"done": 1}


def full_blocks_and_refuses(made: Pair) -> None:
    """Without room a send says Full at once, or blocks until the receiver makes room; what went is whole."""
    end, peer = made.receiving()
    size = min(1024, end.largest)
    filled = peer.do("send", first=1, size=size, count=1_000_000, block=False)
    assert filled.get("error") == Full.__name__
    count = filled["done"]
    assert count > 0
    peer.begin("send", first=count + 1, size=size, count=count)
    assert not peer.answers(A_WHILE), "a send to a full channel did not block"
    for number in range(1, 2 * count + 1):
        assert end.receive() == message(number, size)
    assert peer.answer() == {"done": count}


def empty_blocks_and_refuses(made: Pair) -> None:
    """Without a message a receive says Empty at once, or blocks until there is one."""
    end, peer = made.sending()
    assert peer.do("receive", block=False)["error"] == Empty.__name__
    peer.begin("receive")
    assert not peer.answers(A_WHILE), "a receive from an empty channel did not block"
    end.send(message(1, 64))
    assert peer.answer() == {"done": 1, "found": [digest(message(1, 64))]}


def empty_before_anybody_sends(made: Pair) -> None:
    end = made.create(Role.RECEIVER)
    with pytest.raises(Empty):
        end.receive(block=False)


def end_of_the_sender(made: Pair) -> None:
    """A sender that closes is the end of file, after what it sent."""
    _end_of_the_sender(made, "close")


def death_of_the_sender(made: Pair) -> None:
    """So is one that is killed."""
    _end_of_the_sender(made, "die")


def _end_of_the_sender(made: Pair, how: str) -> None:
    if not made.declared.end_of_file:
        pytest.skip(f"{made.mechanism}: has no end of file")
    end, peer = made.receiving()
    assert peer.do("send", first=1, size=64, count=3) == {"done": 3}
    peer.do(how)
    assert [end.receive() for _ in range(3)] == [message(number, 64) for number in (1, 2, 3)]
    with pytest.raises(EndOfFile, match=r"sender.* has ended"):
        end.receive()


def empty_message_is_no_end(made: Pair) -> None:
    """A message of no bytes that is followed by the end is a message."""
    end, peer = made.receiving()
    assert peer.do("send", first=1, size=0) == {"done": 1}
    peer.do("close")
    assert end.receive() == b""


def end_of_the_receiver(made: Pair) -> None:
    """A receiver that closes is a broken pipe."""
    _end_of_the_receiver(made, "close")


def death_of_the_receiver(made: Pair) -> None:
    _end_of_the_receiver(made, "die")


def _end_of_the_receiver(made: Pair, how: str) -> None:
    if not made.declared.broken_pipe:
        pytest.skip(f"{made.mechanism}: has no broken pipe")
    end, peer = made.sending()
    end.send(message(1, 64))
    assert peer.do("receive")["done"] == 1
    peer.do(how)
    with pytest.raises(BrokenPipe, match="the receiver has ended"):
        _send_for_ever(end)


def _send_for_ever(end: End) -> None:
    while True:
        end.send(message(2, 64))


def too_large(made: Pair) -> None:
    """The largest message goes (`whole_and_in_order`); one byte more is refused, and the channel goes on."""
    end, peer = made.receiving()
    refused = peer.do("send", first=1, size=end.largest + 1)
    assert refused["error"] == TooLarge.__name__
    assert f"{end.largest + 1} bytes, at most {end.largest}" in refused["why"]
    assert peer.do("send", first=2, size=64) == {"done": 1}
    assert end.receive() == message(2, 64)


def no_such_channel(made: Pair) -> None:
    for role in Role:
        if role is Role.RECEIVER and Role.SENDER not in made.declared.creators:
            continue
        with pytest.raises(NoSuchChannel, match=made.name):
            made.module.attach(made.name, role)


def leftover(made: Pair) -> None:
    """What is there is told, with how it is removed; once that is done, the name is free."""
    if not made.declared.stays:
        pytest.skip(f"{made.mechanism}: nothing stays")
    end = made.create(Role.RECEIVER)
    end.close()
    with pytest.raises(Leftover) as refused:
        made.module.create(made.name, Role.RECEIVER)
    command = str(refused.value).partition("remove it: ")[2].partition(" (")[0].split()
    assert command[0] in ("rm", "ipcrm")
    end.unlink()
    made.create(Role.RECEIVER)


def unlinked_twice(made: Pair) -> None:
    end = made.create(Role.RECEIVER)
    end.unlink()
    end.unlink()
    end.close()
    end.close()


def not_a_name(made: Pair) -> None:
    for name in ("", "../x", "A b", "x" * 60):
        with pytest.raises(Exception, match=r"not a channel's name|no descriptor"):
            made.module.attach(name, Role.SENDER)


def a_third_process(made: Pair) -> None:
    """Where two are meant, a third is refused, before and after they have met."""
    if not made.declared.two:
        pytest.skip(f"{made.mechanism}: takes more than two processes, or cannot know")
    end, peer = made.receiving()
    with pytest.raises(Taken):
        made.module.attach(made.name, Role.SENDER)
    assert peer.do("send", first=1, size=64) == {"done": 1}
    assert end.receive() == message(1, 64)
    with pytest.raises(Taken):
        made.module.attach(made.name, Role.SENDER)


CHECKS: dict[str, Callable[[Pair], None]] = {
    check.__name__: check
    for check in (
        whole_and_in_order,
        sent_whole_and_in_order,
        sizes_mixed,
        full_blocks_and_refuses,
        empty_blocks_and_refuses,
        empty_before_anybody_sends,
        end_of_the_sender,
        death_of_the_sender,
        empty_message_is_no_end,
        end_of_the_receiver,
        death_of_the_receiver,
        too_large,
        no_such_channel,
        leftover,
        unlinked_twice,
        not_a_name,
        a_third_process,
    )
}
