from __future__ import annotations

import json
from pathlib import Path

import pytest
from sample_results import cell, judgement

from nodes.wire.record import Kind
from orchestrator.checkers.verdict import Outcome, plain
from orchestrator.history.merged import Event, History
from orchestrator.report.result import Task
from orchestrator.sweep.store import (
    LATEST,
    CellStore,
    Store,
    StoreError,
    point,
    read_cell,
    read_history,
    read_run,
    stored_cells,
    write,
)
from orchestrator.sweep.whole import counted

EVENTS = (
    Event(0, 1, "d", "relay", 1, Kind.DECISION, 10101, 2, 1, 0, {"act": "drop"}),
    Event(1, 2, "d", "server", 1, Kind.RECEIVE, 10101, 2, 2, 0, {}),
)
HISTORY = History("real", EVENTS)


def stored(root: Path) -> Path:
    folder = CellStore(Store(root, "now").folder(Task(cell())))
    folder.write_history(HISTORY._replace(plan=folder.write_plan(cell())))
    folder.write_verdicts(judgement(Outcome("ok", 1)))
    return folder.directory


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    directory = stored(tmp_path)
    assert read_cell(directory) == cell()
    recorded = read_run(directory)
    assert recorded.history == read_history(directory / "history.msgpack") == HISTORY._replace(plan=recorded.plan)
    assert recorded.cell == cell()
    assert json.loads((directory / "verdicts.json").read_text()) == plain(judgement(Outcome("ok", 1)))
    assert len((directory / "decisions.jsonl").read_text().splitlines()) == 1
    assert (directory / "logs").is_dir()
    assert not list(directory.rglob("*.part"))


def test_a_run_never_takes_another_ones_folder(tmp_path: Path) -> None:
    first, second = Store(tmp_path, "now"), Store(tmp_path, "now")
    assert first.run("s") == first.run("s")
    assert first.run("s") != second.run("s")


def test_repeats_have_folders_of_their_own(tmp_path: Path) -> None:
    store = Store(tmp_path, "now")
    assert len({store.folder(Task(cell(), repeat)) for repeat in (1, 2, 3)}) == 3


def test_results_are_never_written_over(tmp_path: Path) -> None:
    store = Store(tmp_path, "now")
    CellStore(store.folder(Task(cell())))
    with pytest.raises(FileExistsError):
        CellStore(store.folder(Task(cell())))


def test_latest_names_the_newest_finished_run(tmp_path: Path) -> None:
    for time in ("t1", "t2"):
        store = Store(tmp_path, time)
        store.run("s")
        store.finish({"s": {"n": time}})
        assert json.loads((tmp_path / "s" / LATEST / "summary.json").read_text()) == {"n": time}


def test_latest_where_links_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("a required privilege is not held")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    directory = stored(tmp_path)
    run = directory.parent
    point(run.parent / LATEST, run.name)
    assert (run.parent / "latest.txt").read_text() == "now\n"
    assert stored_cells(run.parent / "latest.txt") == [directory]


def test_a_file_is_whole_or_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "f", b"old")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write(tmp_path / "f", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
    assert (tmp_path / "f").read_bytes() == b"old"


def test_what_can_be_checked_is_found_from_every_level(tmp_path: Path) -> None:
    directory = stored(tmp_path)
    for path in (tmp_path, directory.parent, directory, directory / "history.msgpack"):
        assert stored_cells(path) == [directory]


def test_what_cannot_be_read_says_what_and_where(tmp_path: Path) -> None:
    directory = stored(tmp_path)
    with pytest.raises(StoreError, match="no such folder"):
        stored_cells(tmp_path / "absent")
    with pytest.raises(StoreError, match=r"no history\.msgpack"):
        stored_cells(directory / "logs")
    data = (directory / "history.msgpack").read_bytes()
    (directory / "history.msgpack").write_bytes(data[:-3])
    with pytest.raises(StoreError, match=r"history\.msgpack"):
        read_history(directory / "history.msgpack")
    with pytest.raises(StoreError, match="cannot be read"):
        read_history(directory / "absent.msgpack")
    (directory / "plan.json").write_text('{"scenario": 3}')
    with pytest.raises(StoreError, match=r"plan\.json: scenario"):
        read_cell(directory)
    (directory / "plan.json").unlink()
    with pytest.raises(StoreError, match="the plan of a cell"):
        read_cell(directory)


def test_a_damaged_list_of_what_is_due_says_where(tmp_path: Path) -> None:
    stored(tmp_path)
    (tmp_path / "sample" / "now" / "due.json").write_text('{"cells": [], "repeats": 0}')
    with pytest.raises(StoreError, match=r"due\.json: repeats: .*expected what a run was to have"):
        counted(tmp_path)
