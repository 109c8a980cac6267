"""The relay as it runs: a process of its own, real sockets on both sides, every fault seen on the wire."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from relay_harness import LINK, TIMEOUT, Control, Relay, Rig, Side

from chaos.faults.fault import RelayFault
from chaos.faults.messages import Corrupt, Cut, Delay, Drop, Duplicate, Hold, Reorder, Slice, Truncate
from chaos.faults.paths import Partition, Rate
from nodes import control
from nodes.wire.record import Kind

MakeRig = Callable[..., Rig]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def rig(tmp_path: Path, stack: ExitStack) -> MakeRig:
    def make(transport: str, *faults: RelayFault) -> Rig:
        return Rig(tmp_path, stack, transport, faults)

    return make


# The process


def test_a_wrong_token_is_refused_and_the_relay_stays_for_the_right_one(tmp_path: Path, stack: ExitStack) -> None:
    relay = Relay(tmp_path, stack)
    stranger = Control(relay.control_address, token=b"another run's token")
    stack.callback(stranger.socket.close)
    with pytest.raises(control.Refused, match="does not know this run's control token"):
        stranger.prove()
    assert stranger.socket.recv(1) == b""
    assert relay.connect().tell("status")["held"] == 0


def test_nothing_is_obeyed_before_the_proof(tmp_path: Path, stack: ExitStack) -> None:
    relay = Relay(tmp_path, stack)
    with socket.create_connection(relay.control_address, TIMEOUT) as stranger:
        stranger.sendall(control.encode({"type": "stop", "id": 1}))
        while stranger.recv(65536):
            pass
    assert relay.connect().tell("status")["held"] == 0


def test_the_end_of_the_control_connection_ends_the_process(rig: MakeRig) -> None:
    r = rig("tcp")
    r.connection()
    r.control.socket.close()
    assert r.relay.process.wait(TIMEOUT) == 0
    kinds = [record.kind for record in r.relay.journal()]
    assert (kinds[0], kinds[-1]) == (Kind.START, Kind.STOP)


def test_stop_is_answered_before_the_process_ends(rig: MakeRig) -> None:
    r = rig("udp")
    r.control.tell("stop")
    assert r.relay.process.wait(TIMEOUT) == 0


def test_a_bad_configuration_is_answered_with_what_is_wrong(tmp_path: Path, stack: ExitStack) -> None:
    client = Relay(tmp_path, stack).connect()
    assert "'seed' must be of type int" in client.ask("configure", listen="127.0.0.1")["error"]
    assert "no command 'dance'" in client.ask("dance")["error"]
    assert "no link 'a -> b'" in client.ask("upstream", link="a -> b", address=None, epoch=1)["error"]
    assert "no link ['a']" in client.ask("upstream", link=["a"], address=None, epoch=1)["error"]
    assert "no rule has the index 4" in client.ask("release", index=4)["error"]
    assert client.tell("status")["passed"] == {}


def test_a_journal_that_exists_already_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "relay.1.journal").write_bytes(b"evidence")
    command = [sys.executable, "-I", "-m", "chaos", "--name", "relay", "--home", str(tmp_path)]
    done = subprocess.run(
        command, env={control.TOKEN_VARIABLE: "00" * 32}, capture_output=True, timeout=TIMEOUT, check=False
    )
    assert (done.returncode, done.stdout) == (70, b"")
    assert b"exists already" in done.stderr
    assert (tmp_path / "relay.1.journal").read_bytes() == b"evidence"


# TCP


def test_a_stream_passes_unchanged_with_back_pressure_and_half_close(rig: MakeRig) -> None:
    r = rig("tcp")
    client, server = r.connection()
    data = b"".join(r.call(seq) for seq in range(1, 30_000))
    received = bytearray()
    client.socket.setblocking(False)
    sent = 0
    while len(received) < len(data):
        try:
            sent += client.socket.send(data[sent : sent + 65536]) if sent < len(data) else 0
        except BlockingIOError:
            received += server.socket.recv(65536)
        if sent == len(data):
            received += server.socket.recv(65536)
    assert bytes(received) == data
    client.socket.settimeout(TIMEOUT)
    client.socket.shutdown(socket.SHUT_WR)
    assert server.ended() == b""
    server.socket.sendall(r.reply(1))
    server.socket.close()
    assert client.ended() == r.reply(1)


def test_tcp_drop_and_duplicate(rig: MakeRig) -> None:
    r = rig(
        "tcp",
        Drop(link=LINK, drop="request", operations=(1,)),
        Duplicate(link=LINK, duplicate="request", operations=(2,)),
        Drop(link=LINK, drop="reply", operations=(3,)),
    )
    client, server = r.connection()
    client.socket.sendall(r.call(1) + r.call(2) + r.call(3))
    assert server.read(3 * len(r.call(2))) == r.call(2) * 2 + r.call(3)
    server.socket.sendall(r.reply(3) + r.reply(2))
    assert client.read(len(r.reply(2))) == r.reply(2)
    assert r.status()["passed"] == {LINK: {"1": 3}}
    assert r.relay.acts(Kind.DECISION) == [(1, "drop"), (2, "duplicate"), (3, "pass"), (3, "drop"), (2, "pass")]


def test_tcp_copy_at_reply_reaches_the_server(rig: MakeRig) -> None:
    r = rig("tcp", Duplicate(link=LINK, duplicate="request", operations=(1,), copy="at-reply"))
    client, server = r.connection()
    client.socket.sendall(r.call(1))
    assert server.read(len(r.call(1))) == r.call(1)
    server.socket.sendall(r.reply(1))
    assert server.read(len(r.call(1))) == r.call(1)
    assert client.read(len(r.reply(1))) == r.reply(1)


@pytest.mark.parametrize(("place", "share"), [("before", 0.0), ("within", 0.5), ("after", 1.0)])
def test_tcp_cut_of_the_request(rig: MakeRig, place: Any, share: float) -> None:
    r = rig("tcp", Cut(link=LINK, cut=place, of="request", operations=(1,)))
    client, server = r.connection()
    client.socket.sendall(r.call(1))
    assert server.ended() == r.call(1)[: int(len(r.call(1)) * share)]
    assert client.ended() == b""


def test_tcp_cut_replaces_the_reply(rig: MakeRig) -> None:
    r = rig("tcp", Cut(link=LINK, cut="before", of="reply", operations=(1,)))
    client, server = r.connection()
    client.socket.sendall(r.call(1))
    server.read(len(r.call(1)))
    server.socket.sendall(r.reply(1))
    assert client.ended() == b""
    assert server.ended() == b""
    assert r.status()["connections"] == 0


def test_tcp_truncate_and_corrupt(rig: MakeRig) -> None:
    r = rig(
        "tcp",
        Corrupt(link=LINK, corrupt="request", operations=(1,)),
        Truncate(link=LINK, truncate="request", operations=(2,)),
    )
    client, server = r.connection()
    client.socket.sendall(r.call(1) + r.call(2))
    changed = server.read(len(r.call(1)))
    assert changed != r.call(1)
    assert changed[:-8] == r.call(1)[:-8]
    assert server.ended() == r.call(2)[: len(r.call(2)) // 2]


def test_tcp_slice(rig: MakeRig) -> None:
    size, whole = 16, b""
    r = rig("tcp", Slice(link=LINK, slice="request", operations=(1,), size=size, gap=50))
    client, server = r.connection()
    client.socket.sendall(r.call(1) + r.call(2))
    ends = []
    while len(whole) < len(r.call(1) + r.call(2)):
        whole += server.socket.recv(4096)
        ends.append(len(whole))
    assert whole == r.call(1) + r.call(2)
    assert len(ends) > 1
    assert all(end % size == 0 for end in ends[:-1] if end < len(r.call(1)))


def test_tcp_hold_whose_connection_died_is_injected(rig: MakeRig) -> None:
    r = rig("tcp", Hold(link=LINK, hold="request", operations=(1,), until="client gate 2"))
    client, server = r.connection()
    client.socket.sendall(r.call(1))
    client.socket.close()
    assert server.ended() == b""
    assert r.status()["held"] == 1
    r.control.tell("release", index=0)
    injected, _ = r.server.accept()
    with injected:
        own = Side(injected)
        assert own.read(len(r.call(1))) == r.call(1)
        own.socket.sendall(r.reply(1))
        assert own.ended() == b""
    assert r.status()["held"] == 0


def test_tcp_resets_are_resets_on_the_other_side(rig: MakeRig) -> None:
    r = rig("tcp")
    client, server = r.connection()
    server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    server.socket.close()
    with pytest.raises(ConnectionResetError):
        client.socket.recv(1)


def test_tcp_while_the_server_is_down_nobody_listens_and_afterwards_at_the_same_port(rig: MakeRig) -> None:
    r = rig("tcp")
    client, server = r.connection()
    client.socket.sendall(r.call(1))
    server.read(len(r.call(1)))
    server.socket.sendall(r.reply(1))
    server.socket.close()
    r.server.close()
    r.control.tell("upstream", link=LINK, address=None, epoch=1)
    assert client.ended() == r.reply(1)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(r.address, TIMEOUT)
    r.server = r.listen()
    r.control.tell("upstream", link=LINK, address=list(r.server.getsockname()), epoch=2)
    client, server = r.connection()
    client.socket.sendall(r.call(2))
    assert server.read(len(r.call(2))) == r.call(2)
    assert r.status()["passed"] == {LINK: {"1": 1, "2": 1}}


def test_tcp_an_upstream_that_refuses_ends_the_client(rig: MakeRig) -> None:
    r = rig("tcp")
    r.server.close()
    with suppress(ConnectionResetError):  # on a busy machine the reset is there before `connect` returns
        assert r.dial().ended() == b""
    assert r.status()["connections"] == 0


def test_tcp_copy_for_the_next_epoch(rig: MakeRig) -> None:
    r = rig("tcp", Duplicate(link=LINK, duplicate="request", operations=(1,), copy="next-epoch"))
    client, server = r.connection()
    client.socket.sendall(r.call(1))
    server.read(len(r.call(1)))
    r.control.tell("upstream", link=LINK, address=None, epoch=1)
    r.server.close()
    r.server = r.listen()
    r.control.tell("upstream", link=LINK, address=list(r.server.getsockname()), epoch=2)
    injected, _ = r.server.accept()
    with injected:
        assert Side(injected).read(len(r.call(1))) == r.call(1)


# UDP


def exchange(r: Rig, client: Side, seq: int) -> None:
    """One undisturbed call and its reply."""
    client.socket.send(r.call(seq))
    data, back = r.server.recvfrom(65535)
    assert data == r.call(seq)
    r.server.sendto(r.reply(seq), back)
    assert client.socket.recv(65535) == r.reply(seq)


def test_udp_drop_duplicate_and_replies_to_the_right_client(rig: MakeRig) -> None:
    r = rig(
        "udp",
        Drop(link=LINK, drop="request", operations=(1,)),
        Duplicate(link=LINK, duplicate="reply", operations=(2,)),
    )
    client, other = r.datagrams(), r.datagrams()
    client.socket.send(r.call(1))
    client.socket.send(r.call(2))
    data, back = r.server.recvfrom(65535)
    assert data == r.call(2)
    exchange(r, other, 3)
    r.server.sendto(r.reply(2), back)
    assert [client.socket.recv(65535) for _ in range(2)] == [r.reply(2)] * 2
    assert other.silent()
    assert r.status()["passed"] == {LINK: {"1": 2}}


def test_udp_reorder_and_delay(rig: MakeRig) -> None:
    r = rig(
        "udp",
        Reorder(link=LINK, reorder="request", operations=(1,)),
        Delay(link=LINK, delay="request", operations=(3,), by=30),
    )
    client = r.datagrams()
    for seq in (1, 2, 3, 4):
        client.socket.send(r.call(seq))
    order = [r.server.recv(65535) for _ in range(4)]
    assert order == [r.call(seq) for seq in (2, 1, 4, 3)]
    records = r.relay.journal()
    decided = next(record.time for record in records if record.kind is Kind.DECISION and record.seq == 3)
    released = next(record.time for record in records if record.kind is Kind.RELEASE and record.seq == 3)
    assert released - decided >= 29_000_000


def test_udp_truncate(rig: MakeRig) -> None:
    r = rig("udp", Truncate(link=LINK, truncate="request", operations=(1,)))
    client = r.datagrams()
    client.socket.send(r.call(1))
    assert r.server.recv(65535) == r.call(1)[: len(r.call(1)) // 2]


def test_udp_partition_and_heal(rig: MakeRig) -> None:
    r = rig("udp", Partition(link=LINK, partition="request"), Hold(link=LINK, hold="reply", operations=(2,)))
    client = r.datagrams()
    client.socket.send(r.call(1))
    assert r.status()["passed"] == {LINK: {}}
    r.control.tell("rule", index=0, active=False)
    client.socket.send(r.call(2))
    data, back = r.server.recvfrom(65535)
    assert data == r.call(2)
    r.server.sendto(r.reply(2), back)
    assert r.status()["held"] == 1
    assert client.silent()
    r.control.tell("heal")
    assert client.socket.recv(65535) == r.reply(2)
    assert r.status()["held"] == 0
    exchange(r, client, 3)


def test_udp_rate_keeps_messages_apart(rig: MakeRig) -> None:
    r = rig("udp", Rate(link=LINK, rate="request", bytes_per_second=10_000))
    client = r.datagrams()
    began = time.monotonic_ns()
    for seq in (1, 2, 3):
        client.socket.send(r.call(seq))
    assert [r.server.recv(65535) for _ in range(3)] == [r.call(seq) for seq in (1, 2, 3)]
    times = [record.time for record in r.relay.journal() if record.kind is Kind.RELEASE]
    each = len(r.call(1)) * 100_000
    assert len(times) == 3
    assert times[-1] - began >= 3 * each


def test_udp_what_comes_while_the_server_is_down_is_lost_and_copies_wait_for_the_next_epoch(rig: MakeRig) -> None:
    r = rig("udp", Duplicate(link=LINK, duplicate="request", operations=(1,), copy="next-epoch"))
    client = r.datagrams()
    exchange(r, client, 1)
    r.control.tell("upstream", link=LINK, address=None, epoch=1)
    r.server.close()
    client.socket.send(r.call(2))
    r.status()
    assert r.relay.acts(Kind.DECISION)[-1] == (2, "lost")
    r.server = r.listen()
    r.control.tell("upstream", link=LINK, address=list(r.server.getsockname()), epoch=2)
    data, back = r.server.recvfrom(65535)
    assert data == r.call(1)
    r.server.sendto(r.reply(1), back)
    exchange(r, client, 3)
    assert client.silent()
