"""One seed, one set of decisions on first attempts, on real processes; one seed, one history to the byte in sim."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
import suite
from requirements import ALL
from suite import Ran

from orchestrator.scenario.cell import Cell
from orchestrator.scenario.plan import expand
from orchestrator.scenario.shipped import plans

ROWS = ("01-request-lost", "02-reply-lost", "03a-request-duplicated", "04-duplicate-while-executing", "06-reordered")
OF_THE_TABLE = pytest.mark.xdist_group("test_rpc_table")
"""For what has been run already for that file, or will be."""
MECHANISMS = ("maybe", "at-least-once", "exactly-once")
BY_CHANCE = """
scenario: by-chance
seed: 11
matrix: {transport: [udp, tcp]}
nodes:
  server: {service: counter}
  client: {workload: add, calls: 20, clients: 2, outstanding: 2}
links:
  - {from: client, to: server, semantics: exactly-once, transport: "${transport}"}
faults:
  - {drop: reply, link: client -> server, probability: 0.3}
  - {duplicate: request, copy: at-reply, link: client -> server, probability: 0.3}
expect:
  delivery: {holds: exactly-once, under: [loss, duplication]}
"""


def by_chance() -> list[Cell]:
    return list(expand(BY_CHANCE, "by-chance.yaml").cells)


def seeded(cells: Iterable[Cell], seed: int) -> list[Cell]:
    return [cell.model_copy(update={"seed": seed}) for cell in cells]


def decisions(ran: Iterable[Ran]) -> dict[str, frozenset[tuple[object, ...]]]:
    return {suite.name(one.result.cell): suite.first_decisions(one.history) for one in ran}


@OF_THE_TABLE
@pytest.mark.parametrize("row", ROWS)
def test_two_real_runs_with_one_seed_decide_alike(row: str) -> None:
    every = suite.applicable(plans([f"rpc/{row}"]))
    cells = [cell for cell in every if cell.axes["codec"] == "msgpack" and cell.axes["semantics"] in MECHANISMS]
    once, again = decisions(suite.once(cells, "local")), decisions(suite.run(cells, "local"))
    assert all(once.values())
    assert once == again


def test_chance_is_the_seeds_alone() -> None:
    cells = by_chance()
    once, again = decisions(suite.once(cells, "local")), decisions(suite.run(cells, "local"))
    other = decisions(suite.run(seeded(cells, 12), "local"))
    assert once == again
    for cell in cells:
        name = suite.name(cell)
        assert once[name] != other[name]
        # 40 operations, each dropped or doubled with probability 0.51: fewer than 8 has a probability below 1e-4.
        assert len({(client, seq) for client, seq, *_ in once[name]}) >= 8


def test_the_simulator_decides_like_the_relay() -> None:
    """The hash knows the message's identity and nothing of where it travels; transports share links and rules."""
    cells = by_chance()
    assert decisions(suite.run(cells, "sim")) == decisions(suite.once(cells, "local"))


@OF_THE_TABLE
@pytest.mark.timeout(600)  # a share of the table's cells, two or three times
def test_in_sim_one_seed_gives_one_history_to_the_byte() -> None:
    table = [cell for cell in suite.applicable(plans(["rpc"])) if cell.links[0].codec == "xdr"]
    cells = table[:: 1 if ALL else 4] + by_chance()
    once, again = suite.once(cells, "sim"), suite.run(cells, "sim")
    assert [suite.name(a.result.cell) for a, b in zip(once, again, strict=True) if a.data != b.data] == []
    other = suite.run(seeded(cells, 99), "sim")
    assert [suite.name(a.result.cell) for a, b in zip(once, other, strict=True) if a.data == b.data] == []


HELD_PAST_MEMORY = """
scenario: held-past-memory
nodes:
  server: {service: counter}
  client: {workload: add, calls: 5}
links:
  - {from: client, to: server, semantics: exactly-once, transport: udp}
faults:
  - {hold: request, operations: [1], until: client ok 3, link: client -> server}
expect:
  delivery: {holds: maybe, under: [reordering, delay, history-trim]}
"""


def told(summary: Path) -> list[dict[str, object]]:
    """What a run's summary says of its cells, in that order, but for what clocks say."""
    clocked = ("seconds", "directory")
    return [
        {name: json.dumps(value) for name, value in cell.items() if name not in clocked}
        for cell in json.loads(summary.read_text())["cells"]
    ]


def test_in_sim_two_commands_give_one_history_to_the_byte_and_judge_it_alike(tmp_path: Path) -> None:
    """Each process has hashes of its own: no order may come from them."""
    (tmp_path / "held.yaml").write_text(HELD_PAST_MEMORY)
    command = [sys.executable, "-P", "-c", "from orchestrator.cli import main; main()"]
    run = ["run", "rpc/demo", "held.yaml", "--backend", "sim"]
    for hashes in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hashes}
        done = subprocess.run([*command, *run, "--out", hashes], cwd=tmp_path, env=environment)
        assert done.returncode == 0
    once, again = (sorted((tmp_path / hashes).rglob("history.msgpack")) for hashes in ("1", "2"))
    assert len(once) == len(again) >= 36
    assert [str(a) for a, b in zip(once, again, strict=True) if a.read_bytes() != b.read_bytes()] == []
    first, second = (sorted((tmp_path / hashes).rglob("summary.json")) for hashes in ("1", "2"))
    assert [told(summary) for summary in first] == [told(summary) for summary in second]
