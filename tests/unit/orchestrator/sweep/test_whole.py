"""What a run's folder holds is compared with what it was to hold: by what its plans say, not by its folders' names."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sample_results import cell

from orchestrator.history.merged import History
from orchestrator.report.due import due
from orchestrator.report.result import Task
from orchestrator.scenario.cell import Cell
from orchestrator.sweep.store import DUE, CellStore, Store, StoreError, read_run, stored_cells
from orchestrator.sweep.whole import counted

CELLS = [cell().model_copy(update={"cell": f"semantics={name}", "axes": {"semantics": name}}) for name in "abc"]


def kept(store: Store, one: Cell, repeat: int = 1) -> Path:
    task = Task(one.model_copy(update={"seed": one.seed + repeat}), repeat)
    folder = CellStore(store.folder(task))
    folder.write_history(History("real", (), plan=folder.write_plan(task.cell)))
    return folder.directory


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Of three cells, two times each."""
    store = Store(tmp_path, "now")
    store.due = due(CELLS, 2)
    store.begin()
    for one in CELLS:
        folders = [kept(store, one, repeat) for repeat in (1, 2)]
    return folders[0].parent


def without_due(run: Path, summary: bool = True) -> None:
    (run / DUE).unlink()
    if summary:
        names = sorted(folder.name for folder in run.iterdir())
        cells = [{"cell": f"semantics={name}", "repeat": 1, "directory": name, "seed": 1} for name in names]
        (run / "summary.json").write_text(json.dumps({"cells": cells, "claims": []}))


def copied(run: Path, held: str, place: str) -> None:
    shutil.rmtree(run / place, ignore_errors=True)
    shutil.copytree(run / held, run / place)


def test_a_whole_run_lacks_nothing(run: Path) -> None:
    assert counted(run) == ([], [])
    assert counted(run.parent.parent) == ([], [])


@pytest.mark.parametrize("named", [lambda run: None, without_due], ids=["due", "summary"])
def test_a_folder_that_holds_another_cell_than_its_own(run: Path, named: Callable[[Path], None]) -> None:
    named(run)
    copied(run, "b", "a")
    told = r"/a: it holds the cell semantics=b; expected semantics=a, whose folder this is"
    for look in (counted, lambda path: read_run(path / "a")):
        with pytest.raises(StoreError, match=told):
            look(run)
    assert read_run(run / "b").cell.cell == "semantics=b"


@pytest.mark.parametrize(
    ("held", "place", "told"),
    [
        ("b", "b_repeat=2", "/b_repeat=2: it holds the cell semantics=b with seed 2, as b does"),
        ("b", "other", "/other: it holds the cell semantics=b; expected it in b"),
        ("b_repeat=2", "b_repeat=3", "/b_repeat=3: it holds the cell semantics=b; expected only what the due.json"),
    ],
)
def test_a_folder_that_stands_for_no_run_of_its_cell(run: Path, held: str, place: str, told: str) -> None:
    copied(run, held, place)
    with pytest.raises(StoreError, match=told):
        counted(run)


@pytest.mark.parametrize("older", [False, True])
def test_a_cell_of_another_scenario(run: Path, tmp_path: Path, older: bool) -> None:
    other = kept(Store(tmp_path, "then"), CELLS[1].model_copy(update={"scenario": "other"}))
    if older:  # its due.json does not say which scenario the run is of
        (run / DUE).write_text(json.dumps({**json.loads((run / DUE).read_text()), "scenario": ""}))
    shutil.rmtree(run / "b")
    shutil.copytree(other, run / "b")
    with pytest.raises(StoreError, match="/b: it holds a cell of other; expected one of sample, as its run is"):
        counted(run)


def test_a_cell_that_is_only_a_link(run: Path, tmp_path: Path) -> None:
    (run / "b").rename(tmp_path / "elsewhere")
    (run / "b").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    with pytest.raises(StoreError, match="/b: it is a link; expected the folder of a cell's run itself"):
        counted(run)


def test_what_lies_among_a_cells_logs_is_no_cell(run: Path) -> None:
    (run / "b/logs/history.msgpack").touch()
    assert len(stored_cells(run)) == 6
    assert counted(run) == ([], [])


@pytest.mark.parametrize("target", ["nowhere", "history.msgpack"])
def test_a_history_that_is_a_link_to_nothing_is_there_and_unreadable(run: Path, target: str) -> None:
    (run / "b/history.msgpack").unlink()
    (run / "b/history.msgpack").symlink_to(target)
    assert counted(run) == ([], [])
    assert run / "b" in stored_cells(run)
    with pytest.raises(StoreError, match=r"b/history\.msgpack: cannot be read"):
        read_run(run / "b")
    with pytest.raises(StoreError, match=r"history\.msgpack"):
        stored_cells(run / "b/history.msgpack")


def test_without_a_list_of_what_is_due_it_is_told_that_nobody_knows(run: Path) -> None:
    without_due(run, summary=False)
    shutil.rmtree(run / "c")
    told = f"{run}: without due.json nobody knows how many cell runs it was to have"
    assert counted(run) == counted(run.parent) == ([], [told])
    assert counted(run / "b") == counted(run / "b/history.msgpack") == ([], [])


def test_without_a_list_of_what_is_due_the_summary_is_asked(run: Path) -> None:
    without_due(run)
    shutil.rmtree(run / "c")
    found = counted(run)
    assert [(short.there, short.absent) for short in found.short] == [(5, ("semantics=c",))]
    (told,) = found.unknown
    assert told.endswith("nobody knows of more cell runs than the 6 that its summary.json has")
