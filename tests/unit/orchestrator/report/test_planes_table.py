"""The table of planes: read off the shipped scenarios, whole, and as the docs have it."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from click.testing import CliRunner
from history_builder import cell

from chaos.faults.messages import Drop
from chaos.faults.packets import Loss, Netem, Shape
from chaos.faults.processes import Kill
from orchestrator.backends import ready
from orchestrator.commands.planes import planes
from orchestrator.report.planes import (
    NOWHERE,
    PLANES,
    REASONS,
    ROWS,
    TRANSPORTS,
    Reached,
    lines,
    place,
    reached,
    reason,
)
from orchestrator.report.result import Task
from orchestrator.scenario import shipped
from orchestrator.scenario.cell import Cell, Expect
from orchestrator.sweep.cells import run_cells
from orchestrator.sweep.store import Store, StoreError

pytestmark = pytest.mark.xdist_group("planes-table")  # which is read off every scenario

PAGE = Path(__file__).parents[4] / "docs" / "planes.md"
LINK = "client -> server"
EVERYWHERE = list(product(PLANES, TRANSPORTS, ROWS))


@pytest.fixture(scope="module")
def cells() -> list[Cell]:
    return [made for plan in shipped.plans([str(shipped.root())]) for made in plan.cells]


def test_every_place_is_reached_or_has_a_reason_and_never_both(cells: list[Cell]) -> None:
    found = reached(cells)
    assert [where for where in EVERYWHERE if (where in found) == (reason(where) is not None)] == []
    assert set(found) <= set(EVERYWHERE)


def test_what_is_reached_rests_on_opportunities(cells: list[Cell]) -> None:
    assert [where for where, what in reached(cells).items() if not what.opportunities] == []


def test_a_row_asks_for_the_same_outcome_whichever_plane_reaches_it(cells: list[Cell]) -> None:
    asked: dict[tuple[str, str, str], set[tuple[str, str]]] = {}
    planes_of: dict[tuple[str, str, str], set[str]] = {}
    for made in cells:
        where, expected = place(made), made.expect.bitten
        if where is None or expected is None or made.not_applicable is not None:
            continue
        plane, transport, number = where
        key = (number, transport, made.axes["semantics"])
        asked.setdefault(key, set()).add((expected.client, expected.executions))
        planes_of.setdefault(key, set()).add(plane)
    assert {key: outcomes for key, outcomes in asked.items() if len(outcomes) > 1} == {}
    assert sum(len(planes) > 1 for planes in planes_of.values()) > 20


def test_the_command_says_what_is_stored(cells: list[Cell]) -> None:
    """Where it is meant to say something else: `make stored`."""
    assert "\n".join(lines(reached(cells))).strip() == Path(__file__).with_name("planes.txt").read_text().strip()


def test_every_reason_holds_somewhere(cells: list[Cell]) -> None:
    told = "\n".join(lines(reached(cells)))
    assert [one for one in REASONS if one.text not in told] == []


def test_reasons_speak_of_places_that_there_are() -> None:
    assert all({*product(one.planes, one.transports, one.rows)} <= {*EVERYWHERE} for one in REASONS)
    assert all({*rows} < {*ROWS} for rows in NOWHERE.values())


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (("relay", "tcp", "1"), None),
        (("process", "udp", "8"), None),
        (("netfilter", "udp", "1"), None),
        (("toxiproxy", "udp", "1"), "carries TCP only"),
        (("toxiproxy", "tcp", "4"), "no toxic knows a message"),
        (("relay", "udp", "7a"), "no connection to cut"),
        (("netem", "tcp", "8"), "see process"),
        (("process", "tcp", "12a"), "keeps no log"),
    ],
)
def test_the_first_reason_that_fits_is_told(where: tuple[str, str, str], said: str | None) -> None:
    told = reason(where)
    assert told is None if said is None else said in str(told)


def test_the_docs_have_what_the_command_prints() -> None:
    printed = CliRunner().invoke(planes).output
    assert printed in PAGE.read_text()


def test_a_cell_stands_where_its_fault_is_performed() -> None:
    drop, kill = Drop(drop="request", link=LINK), Kill(kill="server", after=1)
    loss, netem = Loss(link=LINK, loss="reply", every=2), Netem(link=LINK, netem=Shape(delay=1))
    assert place(cell(faults=(drop,), scenario="01-x", transport="udp")) == ("relay", "udp", "1")
    assert place(cell(faults=(kill, drop), scenario="10-x")) == ("relay", "tcp", "10")
    assert place(cell(faults=(kill,), scenario="08b-x")) == ("process", "tcp", "8b")
    assert place(cell(faults=(loss,), scenario="02-x", via="direct")) == ("netfilter", "tcp", "2")
    assert place(cell(faults=(netem,), scenario="13a-x", via="direct")) == ("netem", "tcp", "13a")


def test_a_scenario_without_a_rows_number_is_in_no_place() -> None:
    drop = Drop(drop="request", link=LINK)
    assert [place(cell(faults=(drop,), scenario=name)) for name in ("demo", "99-x", "1", "x-01")] == [None] * 4
    assert place(cell(scenario="01-x")) is None


def test_a_row_that_nothing_reaches_and_nothing_excuses_shows() -> None:
    assert any("no scenario" in line and "(1, 2" in line for line in lines({}))


def test_recorded_runs_are_counted() -> None:
    where = ("relay", "udp", "1")
    found = {where: Reached(("request-unseen",), ("01-x",)), ("relay", "tcp", "1"): Reached(("reply-unseen",), ())}
    told = lines(found, {where: {"request-unseen": 7, "budget-spent": 1}})
    assert any(line.endswith("reached: 7 request-unseen") for line in told)
    assert any(line.endswith("reached: no recorded run") for line in told)


def test_the_opportunities_of_all_cells_are_told_once() -> None:
    def made(*seen: str) -> Cell:
        expect = Expect.model_validate({"seen": seen})
        return cell(faults=(Drop(drop="reply", link=LINK),), scenario="02-x", expect=expect)

    found = reached([made("reply-unseen"), made("reply-unseen", "repeat-after-commit"), made()])
    assert found == {("relay", "tcp", "2"): Reached(("reply-unseen", "repeat-after-commit"), ("02-x",))}


def test_the_command_counts_what_recorded_runs_made(tmp_path: Path, cells: list[Cell]) -> None:
    chosen = [made for made in cells if made.scenario == "01-request-lost" and made.axes["codec"] == "xdr"]
    with ready("sim") as simulated:
        run_cells([Task(made) for made in chosen], simulated, 1, Store(tmp_path, "run"), lambda _: None)
    printed = CliRunner().invoke(planes, [str(tmp_path)]).output
    head, counted = next(line for line in printed.splitlines() if "request lost" in line).split("reached: ")
    assert head.split() == ["1", "request", "lost"]
    assert counted.endswith(" request-unseen")
    assert int(counted.split()[0]) >= len(chosen) // 2  # of each transport half; every cell's fault bites four calls
    assert "2    reply lost                             reached: no recorded run" in printed


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    assert isinstance(CliRunner().invoke(planes, [str(tmp_path)]).exception, StoreError)
