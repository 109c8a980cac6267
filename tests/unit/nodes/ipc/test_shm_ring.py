"""The ring, both ends in one process: a queue of messages, whatever their sizes, and when the ring is full."""

from __future__ import annotations

import platform
import uuid
from collections import deque
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nodes.ipc import shm_ring
from nodes.ipc.common.channel import Role
from nodes.ipc.common.errors import ChannelError, Empty, EndOfFile, Full, NoSuchChannel

REASON = shm_ring.availability()
pytestmark = pytest.mark.skipif(REASON is not None, reason=str(REASON))
SIZES = st.one_of(st.integers(0, 40), st.integers(0, 400_000), st.sampled_from([shm_ring.CAPACITY // 2 - 8]))


@pytest.fixture
def name() -> Iterator[str]:
    made = f"u{uuid.uuid4().hex[:12]}"
    yield made
    for role in Role:
        try:
            end = shm_ring.attach(made, role)
        except ChannelError:
            continue
        end.close()
        end.unlink()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(st.lists(st.one_of(SIZES, st.none()), max_size=200))
def test_it_is_a_queue(name: str, acts: list[int | None]) -> None:
    with shm_ring.create(name, Role.SENDER) as sender, shm_ring.attach(name, Role.RECEIVER) as receiver:
        sender.unlink()
        model: deque[bytes] = deque()
        for number, size in enumerate(acts):
            if size is not None:
                message = (b"%06d" % number * (size // 6 + 1))[:size]
                try:
                    sender.send(message, block=False)
                except Full:
                    assert sum(map(len, model)) + size > shm_ring.CAPACITY // 4
                else:
                    model.append(message)
            elif model:
                assert receiver.receive(block=False) == model.popleft()
            else:
                with pytest.raises(Empty):
                    receiver.receive(block=False)
        assert [receiver.receive(block=False) for _ in model] == list(model)


def test_a_closed_end_says_so(name: str) -> None:
    sender, receiver = shm_ring.create(name, Role.SENDER), shm_ring.attach(name, Role.RECEIVER)
    sender.send(b"x")
    sender.close()
    assert receiver.receive() == b"x"
    with pytest.raises(EndOfFile):
        receiver.receive()
    receiver.close()
    for call in (lambda: sender.send(b"x"), receiver.receive):
        with pytest.raises(ChannelError, match="this end is closed"):
            call()


def test_another_sender_goes_on_where_one_ended(name: str) -> None:
    with shm_ring.create(name, Role.RECEIVER) as receiver:
        for number in range(3):
            with shm_ring.attach(name, Role.SENDER) as sender:
                sender.send(b"%d" % number)
        assert [receiver.receive() for _ in range(3)] == [b"0", b"1", b"2"]


def test_a_segment_of_another_size_is_none_of_ours(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with shm_ring.create(name, Role.RECEIVER):
        monkeypatch.setattr(shm_ring, "_SIZE", 4096)
        with pytest.raises(NoSuchChannel, match="which is none of ours"):
            shm_ring.attach(name, Role.SENDER)
        monkeypatch.undo()


def test_it_is_refused_where_stores_may_change_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert shm_ring.availability() == "it relies on x86's order of stores, and this machine is aarch64"
