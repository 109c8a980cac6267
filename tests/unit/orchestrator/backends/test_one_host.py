"""Unix sockets reach no further than a host: where nodes cannot share one is said where such a cell can run."""

from __future__ import annotations

import pytest

from orchestrator.backends.attach.backend import BACKEND as ATTACH
from orchestrator.backends.backend import Backend
from orchestrator.backends.docker.backend import BACKEND as DOCKER
from orchestrator.backends.local.backend import BACKEND as LOCAL
from orchestrator.backends.sim.backend import BACKEND as SIM
from orchestrator.scenario.plan import expand

SCENARIO = """
scenario: unix
nodes:
  server: {service: echo}
  client: {workload: echo}
  apart: {workload: echo}
links:
  - {from: client, to: server, protocol: lines, transport: unix-stream, via: direct}
  - {from: apart, to: server, protocol: datagrams, transport: udp, via: direct}
faults: [FAULT]
expect: {others: {client: ok, executions: 0}}
"""


@pytest.mark.parametrize(
    ("backend", "fault", "refused"),
    [
        (LOCAL, "", False),
        (LOCAL, "{reject: icmp, link: apart -> server}", True),
        (DOCKER, "", False),
        (ATTACH, "", False),
        (SIM, "", True),
    ],
)
def test_who_lets_nodes_share_no_host_refuses_them(backend: Backend, fault: str, refused: bool) -> None:
    (cell,) = expand(SCENARIO.replace("FAULT", fault), "unix.yaml").cells
    said = [problem for problem in backend.problems(cell) if "unix-stream" in problem.message]
    assert [problem.path for problem in said] == [("links", 0, "transport")] * refused
    assert all("does not reach out of a host or a container; use --backend local" in one.message for one in said)
