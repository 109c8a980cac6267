"""How a container's output and its end are understood, and how it is confined."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.backends.compose.proxy import relay_service, toxiproxy_service
from orchestrator.backends.docker.container import LONGEST_LINE, how, lines
from orchestrator.backends.docker.specification import BOUNDS, MEMORY, PROCESSES, SOCKETS, confinement, specification
from orchestrator.backends.host import Ended, Failed, Launch
from orchestrator.scenario.cell import NO_LIMITS, Limits


@given(st.lists(st.sampled_from([b"a", b"b\n", b"\n", b"cd\ne"]), max_size=8))
def test_lines_are_told_whole_however_they_come(pieces: list[bytes]) -> None:
    log = io.BytesIO()
    told = list(lines([(1, piece) for piece in pieces], log))
    assert told == b"".join(pieces).decode().split("\n")[:-1]
    assert log.getvalue() == b"".join(pieces)


def test_errors_go_into_the_log_alone() -> None:
    log = io.BytesIO()
    assert list(lines([(1, b"control 0.0.0.0 1\n"), (2, b"Traceback\n")], log)) == ["control 0.0.0.0 1"]
    assert b"Traceback" in log.getvalue()


@pytest.mark.parametrize(
    ("state", "report"),
    [
        ({"ExitCode": 0, "OOMKilled": False}, Ended(0, 0)),
        ({"ExitCode": 70}, Ended(0, 70)),
        ({"ExitCode": 137, "OOMKilled": False}, Ended(9, 0)),
        ({"ExitCode": 143}, Ended(15, 0)),
        ({"ExitCode": 255}, Ended(0, 255)),
        ({"ExitCode": 0, "OOMKilled": True}, Ended(0, 0)),
    ],
)
def test_an_exit_code_above_128_is_a_signal(state: dict[str, Any], report: Ended) -> None:
    assert how(state, None, MEMORY) == report


def test_a_kill_by_the_kernel_is_not_taken_for_a_fault() -> None:
    report = how({"ExitCode": 137, "OOMKilled": True}, None, 64_000_000)
    assert isinstance(report, Failed)
    assert "out of memory" in report.reason
    assert "64000000" in report.reason


def test_what_could_not_be_done_to_it_is_the_reason_of_its_end() -> None:
    assert how({"ExitCode": 137}, "it could not be paused", MEMORY) == Failed("it could not be paused")


def launch(role: Any) -> Launch:
    return Launch("server", role, 2, "epoll" if role == "node" else None, "aa", Path("server.2.log"))


def test_a_line_without_an_end_is_not_kept_whole() -> None:
    log = io.BytesIO()
    (line,) = lines([*((1, b"x" * 1000) for _ in range(100)), (1, b"\n")], log)
    assert (line, log.getvalue().count(b"x")) == ("x" * LONGEST_LINE, 100_000)


def test_a_node_and_a_plane_are_told_where_and_who_they_are() -> None:
    node = specification(launch("node"), "/data", "faultbed:1")
    assert node["entrypoint"] == ["python3", "-I", "-m", "faultbed.part", "nodes"]
    assert node["command"][-4:] == ["--epoch", "2", "--engine", "epoll"]
    plane = specification(launch("relay"), "/data", "faultbed:1")
    assert plane["entrypoint"][-1] == "chaos"
    assert plane["command"][-2:] == ["--plane", "relay"]
    for made in (node, plane):
        assert made["user"] == "1000:1000"
        assert {"--name", "server", "--home", "/data", "0.0.0.0"} <= set(made["command"])


def test_nodes_alone_are_told_where_the_cells_unix_sockets_are() -> None:
    node, plane = (specification(launch(role), "/data", "faultbed:1", sockets=True) for role in ("node", "relay"))
    assert node["command"][-2:] == ["--sockets", SOCKETS]
    assert SOCKETS not in plane["command"]


def test_a_container_has_no_privilege_whatever_its_limits() -> None:
    free = confinement(NO_LIMITS, "net")
    assert free["cap_drop"] == ["ALL"]
    assert free["security_opt"] == ["no-new-privileges"]
    assert free["read_only"]
    limited = confinement(Limits(cpus=0.5, memory=64_000_000, files=256, processes=99), "net")
    assert limited["nano_cpus"] == 500_000_000
    assert limited["mem_limit"] == limited["memswap_limit"] == 64_000_000
    assert limited["ulimits"][0]["Hard"] == 256
    assert limited["pids_limit"] == 99
    assert {key: limited[key] for key in free.keys() - BOUNDS.keys()}.items() <= free.items()


def test_whoever_asks_for_nothing_is_bounded_all_the_same() -> None:
    free = confinement(NO_LIMITS, "net")
    assert (free["pids_limit"], free["mem_limit"], free["memswap_limit"]) == (PROCESSES, MEMORY, MEMORY)
    for service in (relay_service("p", "faultbed:1"), toxiproxy_service("p", "toxiproxy:1")):
        assert BOUNDS.items() <= service.items()


def test_a_part_that_is_no_process_of_a_cell_is_told_what_it_is_to_do_and_no_more() -> None:
    launch = Launch("lanes", "lanes", 3, None, "", Path("log"), arguments=("epoll",))
    made = specification(launch, "/data", "image")
    assert made["entrypoint"][-1] == "lanes"
    assert made["command"] == ["epoll"]
