"""Who convicts servers that are written in the wrong way: each of them in the scenarios of scenarios/mux.

`make server-matrix` runs them on this machine and writes server_matrix.yaml and the page of negative controls again.
NAMED says which scenario and which check *must* convict. What else does hangs on time, and is what was found once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import suite
import yaml

from orchestrator.checkers.verdict import Met
from orchestrator.report.result import Exit
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.shipped import plans

MATRIX = Path(__file__).with_suffix(".yaml")
WRONG = "wrong-"
"""How the names of scenarios begin whose servers are wrong by themselves."""
RIGHT = "right"
NOTHING = ("inconclusive",)
SETTLE = 2_000
"""Milliseconds: some of them never come to rest."""


class Server(NamedTuple):
    """One variant, laid over one engine; `RIGHT` for none."""

    variant: str
    engine: str


class Row(NamedTuple):
    """One server in one scenario: the checks that find against it."""

    scenario: str
    checks: tuple[str, ...]


SERVERS = (
    Server("undrained", "epoll_edge"),
    Server("keeps-registered", "epoll"),
    Server("accepts-on", "epoll"),
    Server("greedy", "epoll"),
)
"""The usual engine of each mistake."""


def cells(server: Server) -> list[Cell]:
    """Each scenario once, with this server: over direct links if it has them, else through the relay."""
    found: dict[str, Cell] = {}
    for cell in suite.applicable(plans(["mux"])):
        if cell.scenario.startswith(WRONG) or cell.axes.get("engine") not in (server.engine, None):
            continue
        if cell.axes.get("via") != "toxiproxy" and (cell.scenario not in found or cell.axes.get("via") == "direct"):
            found[cell.scenario] = cell
    return [_with(cell, server) for cell in found.values() if _fits(cell, server)]


def _fits(cell: Cell, server: Server) -> bool:
    return all(node.engine == server.engine for node in cell.servers.values())


def _with(cell: Cell, server: Server) -> Cell:
    variant = None if server.variant == RIGHT else server.variant
    nodes = {name: node.model_copy(update={"variant": variant}) for name, node in cell.servers.items()}
    axes = {**cell.axes, "variant": server.variant}
    told = ",".join(f"{axis}={value}" for axis, value in axes.items())
    update = {"nodes": {**cell.nodes, **nodes}, "axes": axes, "cell": told, "settle": SETTLE}
    return cell.model_copy(update=update)


def run(cells: Sequence[Cell]) -> list[Row]:
    """What finds against their servers, on this machine. Raises AssertionError if the testbed failed."""
    return [_row(ran) for ran in suite.run(cells, "local", times=1)]


def _row(ran: suite.Ran) -> Row:
    judgement = ran.result.judgement
    assert judgement is not None
    unmet = tuple(found.name for found in judgement.expectations if found.verdict is Met.UNMET)
    shows_nothing = ran.result.exit_code is Exit.INCONCLUSIVE and not unmet
    return Row(ran.result.cell.scenario, NOTHING if shows_nothing else unmet)


def stored() -> dict[str, dict[str, list[str]]]:
    """Variant -> scenario -> the checks that find against it."""
    found: dict[str, dict[str, list[str]]] = yaml.safe_load(MATRIX.read_text())
    return found


NAMED: Mapping[str, tuple[str, str]] = {
    "undrained": ("pieces-and-bursts", "delivered"),
    "keeps-registered": ("reset-storm", "quiescent"),
    "accepts-on": ("no-descriptors", "quiescent"),
    "greedy": ("noisy-neighbour", "fair"),
}
"""Variant -> the scenario and the check that has to convict it."""


def table() -> Iterator[str]:
    """As it is stored: scenarios down, servers across."""
    rows = {name: [Row(scenario, tuple(found)) for scenario, found in of.items()] for name, of in stored().items()}
    names = list(dict.fromkeys(row.scenario for found in rows.values() for row in found))
    yield f"| scenario | {' | '.join(rows)} |"
    yield "| --- " * (len(rows) + 1) + "|"
    for name in names:
        yield f"| {name} | {' | '.join(_found(variant, name, of) for variant, of in rows.items())} |"


def _found(variant: str, scenario: str, rows: Sequence[Row]) -> str:
    checks = next((row.checks for row in rows if row.scenario == scenario), ("n/a",))
    return ", ".join(f"**{check}**" if (scenario, check) == NAMED[variant] else check for check in checks) or "-"


def main() -> None:
    rows = {server.variant: run(cells(server)) for server in SERVERS}
    text = {variant: {row.scenario: list(row.checks) for row in found} for variant, found in rows.items()}
    MATRIX.write_text(yaml.safe_dump(text, sort_keys=False, default_flow_style=None))
    print("\n".join(table()))


if __name__ == "__main__":
    main()
