"""The Docker backend at a real engine: what a node's container is, and what becomes of its evidence."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from docker_rig import Rig, backend, cells

from nodes.journal import JournalError, read
from nodes.sqlite_ledger import read_history_id
from nodes.wire.record import Kind
from orchestrator.backends import named
from orchestrator.backends.docker.leftovers import sweep, things
from orchestrator.backends.docker.shared import DockerBackend
from orchestrator.backends.docker.specification import MEMORY, PROCESSES
from orchestrator.commands.surroundings import origin
from orchestrator.run.session import Exited, Lost, Started, Stopped
from orchestrator.scenario.cell import Limits


@pytest.fixture
def engine(docker_engine: docker.DockerClient, node_image: str) -> Iterator[DockerBackend]:
    with backend(docker_engine, node_image) as made:
        yield made


@pytest.fixture
def rig(engine: DockerBackend, tmp_path: Path) -> Iterator[Rig]:
    made = Rig(engine, tmp_path / "home")
    yield made
    made.session.close()


def test_a_summary_has_the_engines_own_word(docker_engine: docker.DockerClient) -> None:
    told = origin(None, named("docker").engine(cells("rpc/02-reply-lost"))).docker
    assert told is not None
    assert told["Version"] == docker_engine.version()["Version"]


def test_a_node_has_no_privilege_and_is_labelled(rig: Rig) -> None:
    rig.start()
    status = rig.execute("cat /proc/self/status")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert int(fields["CapEff"], 16) == int(fields["CapBnd"], 16) == 0
    assert fields["NoNewPrivs"] == "1"
    assert fields["Uid"].split()[0] == "1000"
    found = rig.inspect()
    assert found["HostConfig"]["ReadonlyRootfs"]
    assert not found["HostConfig"]["Privileged"]
    assert rig.backend.owner.labels().items() <= found["Config"]["Labels"].items()
    kinds = {thing.kind for thing in things(rig.backend.client, rig.backend.owner.run)}
    assert kinds == {"container", "volume", "network"}, "each of them is found by its label"


def test_evidence_comes_back_from_a_killed_container_and_its_volume_serves_the_next_epoch(rig: Rig) -> None:
    rig.start()
    before = rig.configure()
    address = rig.session.address("server")
    assert all(host == address for host, _ in before["addresses"].values())
    rig.session.signal("server", "kill")
    assert rig.events(1) == [Exited("server", 1, signal.SIGKILL, 0)]
    rig.start(2)
    rig.configure(2)
    assert rig.session.address("server") == address
    rig.session.command("server", {"type": "stop"})
    assert rig.events(2)[1] == Exited("server", 2, 0, 0)
    rig.session.close()
    collected = rig.session.collect()
    assert collected.journals["server", 1].killed
    assert [record.kind for record in collected.journals["server", 1].records] == [Kind.START, Kind.READY]
    assert [record.kind for record in collected.journals["server", 2].records] == [Kind.START, Kind.READY, Kind.STOP]
    histories = {journal.records[0].detail["history"] for journal in list(collected.journals.values())[:2]}  # type: ignore[index]
    assert len(histories) == 1, "both epochs had the same ledger"
    assert [ledger.name for ledger in collected.ledgers] == ["server"]
    assert (rig.session.home / "server.1.log").read_text().startswith("control 0.0.0.0 ")


def test_without_its_volume_the_next_epoch_begins_a_new_history_and_the_old_ledger_is_kept(rig: Rig) -> None:
    for epoch in (1, 2, 3):
        rig.start(epoch)
        rig.configure(epoch)
        rig.session.signal("server", "kill")
        assert rig.events(1) == [Exited("server", epoch, signal.SIGKILL, 0)]
        if epoch < 3:
            rig.session.archive("server")
    rig.session.close()
    collected = rig.session.collect()
    assert [ledger.name for ledger in collected.ledgers] == ["server.1.archived", "server.2.archived", "server"]
    paths = [rig.session.home / f"{ledger.name}.ledger" for ledger in collected.ledgers]
    assert len({read_history_id(path) for path in paths}) == 3
    assert {("server", epoch) for epoch in (1, 2, 3)} <= collected.journals.keys()


def test_a_paused_node_is_killed_and_one_that_is_let_go_answers(rig: Rig) -> None:
    rig.start()
    rig.session.signal("server", "stop")
    assert rig.events(1) == [Stopped("server", 1)]
    assert rig.inspect()["State"]["Paused"]
    rig.session.signal("server", "continue")
    rig.configure()
    rig.session.signal("server", "stop")
    rig.session.signal("server", "kill")
    assert rig.events(2) == [Stopped("server", 1), Exited("server", 1, signal.SIGKILL, 0)]
    rig.session.signal("server", "kill")
    rig.session.signal("server", "stop")  # no effect on one that has ended


def test_limits_are_the_kernels(rig: Rig) -> None:
    rig.start(limits=Limits(cpus=0.5, memory=96_000_000, files=256, processes=48))
    limits = rig.execute("cat /proc/1/limits").splitlines()
    assert [line.split()[3:5] for line in limits if line.startswith("Max open files")] == [["256", "256"]]
    first = "/sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max"
    assert 95_000_000 < int(rig.execute(f"sh -c 'cat {first} 2>/dev/null || true'").split()[0]) <= 96_000_000
    assert processes(rig) == 48
    quota = "/sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu.max"
    assert rig.execute(f"sh -c 'cat {quota} 2>/dev/null || true'").split()[0] == "50000", "of a period of 100000"


def processes(rig: Rig, name: str = "server") -> int:
    return int(
        rig.execute("sh -c 'cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null || true'", name)
    )


def test_a_node_that_asks_for_nothing_has_limits_all_the_same(rig: Rig) -> None:
    rig.start()
    host = rig.inspect()["HostConfig"]
    assert (host["PidsLimit"], host["Memory"], host["MemorySwap"]) == (PROCESSES, MEMORY, MEMORY)
    assert processes(rig) == PROCESSES


def test_what_forks_without_end_stops_at_its_limit_and_the_node_goes_on(rig: Rig) -> None:
    rig.start(limits=Limits(processes=48))
    bomb = ["sh", "-c", "i=0; while [ $i -lt 200 ]; do sleep 600 & i=$((i+1)); done"]
    made = rig.backend.client.api.exec_create(rig.container(), bomb)
    said = rig.backend.client.api.exec_start(made["Id"])
    assert b"fork" in said, said
    assert rig.configure()["addresses"]


def test_a_node_that_is_killed_for_want_of_memory_is_told_so(rig: Rig) -> None:
    """What lies in a memory file system counts, and the node is the largest process to make room for it."""
    rig.start(limits=Limits(memory=20_000_000))
    rig.configure()
    made = rig.backend.client.api.exec_create(rig.container(), ["sh", "-c", "cat /dev/zero > /tmp/everything"])
    rig.backend.client.api.exec_start(made["Id"])
    (lost,) = rig.events(1)
    assert isinstance(lost, Lost)
    assert "out of memory: the kernel killed it at its limit of 20000000 bytes" in lost.reason


def test_address_and_alias_survive_disconnect_and_reconnect(rig: Rig) -> None:
    rig.start()
    rig.start(name="client")
    address, network = rig.session.address("server"), rig.session._containers._network
    resolve = "python3 -c \"import socket; print(socket.gethostbyname('server'))\""
    assert rig.execute(resolve, "client").strip() == address
    network.disconnect(rig.container())
    assert network.name not in rig.inspect()["NetworkSettings"]["Networks"]
    network.reconnect(rig.container(), address, "server")
    assert rig.execute(resolve, "client").strip() == address
    assert rig.inspect()["NetworkSettings"]["Networks"][network.name]["IPAddress"] == address


def test_two_runs_at_once_do_not_disturb_each_other(
    rig: Rig, docker_engine: docker.DockerClient, node_image: str, tmp_path: Path
) -> None:
    rig.start()
    with backend(docker_engine, node_image) as second:
        other = Rig(second, tmp_path / "other")
        other.start()
        assert sweep(second.client) == ([], []), "both live"
        networks = {each.session._containers._network.name for each in (rig, other)}
        assert len(networks) == 2
        other.session.close()
    rig.configure()


def test_a_container_that_cannot_be_made_is_told_and_everything_undone(
    docker_engine: docker.DockerClient, tmp_path: Path
) -> None:
    with backend(docker_engine, "faultbed-test:no-such-image") as made:
        rig = Rig(made, tmp_path)
        rig.session.start("server", "node", 1)
        (lost,) = rig.events(1)
        assert isinstance(lost, Lost)
        assert "create a container for server" in lost.reason
        assert "faultbed-test:no-such-image" in lost.reason
        rig.session.close()


def test_a_node_that_dies_at_start_is_told_with_its_log(rig: Rig) -> None:
    rig.session.start("server", "node", 1, "no-such-engine")
    lost, exited = rig.events(2)
    assert "it died at start, exit code 2" in lost.reason
    assert "invalid choice: 'no-such-engine'" in lost.reason
    assert exited == Exited("server", 1, 0, 2)


def test_a_container_removed_by_somebody_else_is_the_testbeds_failure(rig: Rig) -> None:
    rig.start()
    rig.configure()
    rig.backend.client.api.remove_container(rig.container(), force=True)
    (event,) = rig.events(1)
    assert isinstance(event, (Lost, Exited)), event  # the engine may still know how it ended
    rig.session.close()
    with pytest.raises(JournalError, match="server"):
        rig.session.collect()


def test_many_start_side_by_side(rig: Rig) -> None:
    names = [f"node-{number}" for number in range(6)]
    for name in names:
        rig.session.start(name, "node", 1, "epoll")
    assert set(rig.events(6)) == {Started(name, 1) for name in names}
    assert len({rig.session.address(name) for name in names}) == 6


def test_the_journal_of_the_orchestrator_is_readable_beside_theirs(rig: Rig) -> None:
    rig.start()
    rig.session.close()
    rig.session.close()
    assert read(rig.session.home / "orchestrator.1.journal", False)[0].kind is Kind.START
