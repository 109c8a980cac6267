"""`faultbed run` as a whole on a kernel that has netem: User-Mode Linux, where nodes get namespaces as ever."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path

import pytest
from running import COMMAND
from uml_router import LIMIT, Router, need_router

pytestmark = pytest.mark.timeout(LIMIT)

SCENARIO = """
scenario: shaped
load: 60s
settle: 60s
nodes:
  server: {service: counter}
  client: {workload: add, calls: 8, retry: {first: 10s, maximum: 10s}}
links:
  - {from: client, to: server, via: direct, semantics: exactly-once, transport: udp}
faults:
  - {netem: {delay: 150, jitter: 10, distribution: normal}, of: reply, link: client -> server}
expect:
  bitten: {client: ok, executions: 1}
"""
FOLDER = "/run/faultbed"
"""The guest's own: all else is the machine's, read-only."""


def test_netem_bites_from_the_scenario_to_the_verdict(tmp_path: Path) -> None:
    need_router()
    with ExitStack() as stack:
        guest = Router(stack, tmp_path, memory="512M", modules=["veth", "bridge"])
        guest.run(["mkdir", FOLDER])
        guest.run(["ip", "link", "set", "lo", "up"])
        inside = ["env", "-C", FOLDER, f"HOME={FOLDER}", f"TMPDIR={FOLDER}"]
        guest.run(["tee", f"{FOLDER}/shaped.yaml"], SCENARIO)
        told = guest.run([*inside, *COMMAND, "run", "shaped.yaml"])
        assert "1 cell runs: 1 met" in told
        assert re.search(r"netem reply +1 +6 +6 ", told), told  # all that were made before heal: applied, effective
        assert guest.run(["ls", "/run/netns"]) == ""
