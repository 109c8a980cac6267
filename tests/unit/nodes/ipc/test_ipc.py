"""The registry of mechanisms, and what a mechanism says of itself."""

from __future__ import annotations

import os
import select
import tempfile

import pytest

from nodes import ipc
from nodes.ipc import fifo, shm_ring, sysv_mq
from nodes.ipc.common import queues
from nodes.ipc.common.channel import COLUMNS, Role, checked
from nodes.ipc.common.errors import ChannelError, NoSuchChannel, SystemLimit, WrongEnd
from nodes.ipc.common.places import SHARED_MEMORY


def test_an_unknown_name() -> None:
    for ask in (ipc.availability, ipc.declared, ipc.mechanism):
        with pytest.raises(KeyError):
            ask("carrier_pigeon")


def test_what_cannot_be_used_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "mkfifo")
    with pytest.raises(ipc.Unavailable, match=r"ipc fifo: no FIFOs in the file system \(mkfifo\)"):
        ipc.mechanism("fifo")
    monkeypatch.delattr(select, "poll")
    assert ipc.availability("pipe") == "no poll(2) in this Python"


def test_a_function_that_is_not_there() -> None:
    assert queues.missing("mq_no_such_thing") == "no mq_no_such_thing in the C library"


@pytest.mark.parametrize("name", ipc.NAMES)
def test_every_mechanism_declares_a_row(name: str) -> None:
    assert len(ipc.declared(name).cells()) == len(COLUMNS)
    assert ipc.about(name).endswith(".")


@pytest.mark.parametrize("name", ["", ".x", "a/b", "A", "x" * 41, "x\n"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(ChannelError, match="not a channel's name"):
        checked(name)


def test_an_end_goes_one_way() -> None:
    pipe = ipc.mechanism("pipe")
    with pipe.create("one-way", Role.RECEIVER) as end, pytest.raises(WrongEnd, match="this end receives"):
        end.send(b"x")
    with pipe.create("one-way", Role.SENDER) as end, pytest.raises(WrongEnd, match="this end sends"):
        end.receive()
    with pytest.raises(NoSuchChannel, match="no descriptor 'x'"):
        pipe.attach("x", Role.SENDER)
    with pytest.raises(WrongEnd, match="the receiver creates"):
        ipc.mechanism("unix_datagram").create("one-way", Role.SENDER)


def test_a_file_that_is_no_fifo(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setattr(fifo, "temporary", lambda name, kind: str(tmp_path))
    with pytest.raises(NoSuchChannel, match="that is no FIFO"):
        fifo.attach("x", Role.SENDER)


def test_a_socket_of_another_kind() -> None:
    with ipc.mechanism("unix_stream").create("another-kind", Role.RECEIVER) as end:
        try:
            with pytest.raises(NoSuchChannel, match="a Unix socket of another kind"):
                ipc.mechanism("unix_datagram").attach("another-kind", Role.SENDER)
        finally:
            end.unlink()


def test_a_path_that_is_too_long_for_a_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: "/tmp/" + "x" * 100)
    with pytest.raises(ChannelError, match="at most 107 bytes; TMPDIR"):
        ipc.mechanism("unix_stream").create("long", Role.RECEIVER)


def test_shared_memory_that_has_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    if reason := ipc.availability("shm_ring"):
        pytest.skip(reason)
    monkeypatch.setattr(shm_ring, "_SIZE", 1 << 50)
    with pytest.raises(SystemLimit, match="bytes are wanted in /dev/shm"):
        ipc.mechanism("shm_ring").create("no-room", Role.RECEIVER)
    assert not (SHARED_MEMORY / "faultbed-no-room").exists()


def test_a_key_is_neither_private_nor_negative() -> None:
    assert {0 < sysv_mq.key(f"n{number}") < 2**31 for number in range(1000)} == {True}
