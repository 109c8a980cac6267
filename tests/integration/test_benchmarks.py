"""The benchmarks still run, as short as they can be made. What they measure is nobody's affair here."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from requirements import ALL, need

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SECONDS = 200
PEERS = ("Pyro5", "grpc", "uvloop", "numpy", "matplotlib")


def printed(name: str, *arguments: str) -> str:
    """What it prints; it fails where that is an error."""
    argv = [sys.executable, "-I", str(BENCHMARKS / name), *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def need_peers(names: Iterable[str] = PEERS) -> None:
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"benchmarks: without {', '.join(missing)} (pip install 'faultbed[benchmarks]')")


def test_engines_beside_their_peers(tmp_path: Path) -> None:
    need_peers()
    tables = "echo,wake,calls,memory"
    short = ("--quick", "--repeats=1", "--messages=2000", f"--only={tables}", f"--plots={tmp_path}")
    told = printed("engines", "--kinds=epoll,raw one-shot", *short)
    for server in ("raw epoll", "raw one-shot", "epoll"):
        rows = [line for line in told.splitlines() if line.startswith(f"{server}  ")]
        assert len(rows) == len(tables.split(","))
    assert list(tmp_path.glob("*.svg"))


def test_calls_beside_their_peers() -> None:
    need_peers()
    told = printed("rpc.py", "--calls=5", "--repeats=1")
    for row in ("exactly-once udp msgpack add", "Pyro5", "grpcio", "bare sockets"):
        assert row in told


def test_local_ipc_beside_its_peers() -> None:
    need_peers(["zmq"])
    told = printed("ipc.py", "--quick")
    for row in ("shm_ring", "shm_ring, view", "unix_stream", "Pipe", "Queue", "zeromq"):
        assert row in told


def test_a_hop_beside_toxiproxy() -> None:
    need("toxiproxy-server", "toxiproxy")
    told = printed("relay.py", "--calls=100", "--repeats=1")
    assert "messages a CPU second" in told


def test_what_judging_costs() -> None:
    assert "1,000" in printed("checker.py", "--sizes", "100", "--one", "1000")


@pytest.mark.skipif(not ALL, reason="FAULTBED_TESTS=all: minutes, for what CI runs once")
@pytest.mark.usefixtures("docker_engine", "node_image")
def test_cells_in_containers() -> None:
    assert "local cell" in printed("backends.py", "--repeats=1")
    assert "nothing" in printed("fifty.py", "--repeats=1")
    assert "nothing left in 1 of 1 rounds" in printed("kill_and_clean.py", "--rounds=1")
