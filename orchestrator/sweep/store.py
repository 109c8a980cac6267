"""Where runs are kept: `<root>/<scenario>/<time>/<cell>/`, and `<root>/<scenario>/latest`.

A cell's folder has plan.json (the cell, and of a replay what is done again), history.msgpack, decisions.jsonl,
verdicts.json and logs/ (the processes' own journals, ledgers and logs). A run's folder has due.json from its start, and
summary.json when it has ended. Every file appears whole or not at all.
"""

from __future__ import annotations

import json
import os
import traceback
import weakref
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError

from nodes.wire.record import Kind
from orchestrator.checkers.verdict import Judgement, plain
from orchestrator.history.file import load, to_jsonl, written
from orchestrator.history.merged import History, HistoryError
from orchestrator.report.due import Due, Ended
from orchestrator.report.result import Task
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.folder_names import cell_folder, repeat_of, scenario_folder
from orchestrator.scenario.inputs import opened, read, sort_of
from orchestrator.scenario.value import Value
from orchestrator.sweep.outputs import try_folder

PLAN = "plan.json"
HISTORY = "history.msgpack"
DECISIONS = "decisions.jsonl"
VERDICTS = "verdicts.json"
DUE = "due.json"
SUMMARY = "summary.json"
TRACEBACK = "traceback.txt"
LATEST = "latest"
LOGS = "logs"

STORED_BYTES = 64 << 20
"""The largest plan, or list of due cells, that is read: a hundred thousand cells with long names."""
HISTORY_BYTES = 1 << 32
"""The largest history that is read: some seventy million events."""
POINTER_BYTES = 4096
BESIDE = 32
"""Characters of its name that a file has while it is written: a whole name may be as long as the system allows."""

Kept = TypeVar("Kept", bound=Value)
_PLAN = "the plan of a cell"
_DECIDED = frozenset({Kind.DECISION, Kind.RELEASE, Kind.RULE, Kind.ACT, Kind.FAILPOINT, Kind.UPSTREAM})


class StoreError(Exception):
    """A stored run that cannot be read. The message names the file, what is wrong, and what was expected."""


class Recorded(NamedTuple):
    """A run as it is kept; `plan` is the digest of the plan as it is now."""

    cell: Cell
    history: History
    plan: str


class CellStore:
    """The folder of one run of one cell. `logs` is the home of its processes. Raises FileExistsError: it is taken."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.logs = directory / LOGS
        self.logs.mkdir(parents=True)

    def write_plan(self, cell: Cell) -> str:
        """-> its digest, which the run's history is to have."""
        data = cell.model_dump_json(by_alias=True, indent=2).encode() + b"\n"
        write(self.directory / PLAN, data)
        return _digest(data)

    def write_history(self, history: History) -> None:
        """The history, and for reading what the planes decided."""
        write(self.directory / HISTORY, written(history))
        decided = [event for event in history.events if event.kind in _DECIDED]
        lines = to_jsonl(history._replace(events=tuple(decided)))
        write(self.directory / DECISIONS, "".join(f"{line}\n" for line in lines).encode())

    def write_verdicts(self, judgement: Judgement) -> None:
        write(self.directory / VERDICTS, _json(plain(judgement)))

    def write_traceback(self, error: Exception) -> Path | None:
        """-> where it is, None if it could not be kept either."""
        path = self.directory / TRACEBACK
        try:
            write(path, "".join(traceback.format_exception(error)).encode("utf-8", "backslashreplace"))
        except OSError:
            return None
        return path


class Store:
    """The folders of one command's runs, one per scenario, all of one time. Safe to use from several threads."""

    def __init__(self, root: Path, time: str) -> None:
        """`time` names the runs: sortable and fit for a file name, such as 2026-11-24T16-30-00."""
        self.root = root
        self.due: Mapping[str, Due] = {}
        """What the runs are to have, by scenario."""
        self._time = time
        self._runs: dict[str, Path] = {}
        self._lock = Lock()

    def run(self, scenario: str) -> Path:
        """The folder of this scenario's run; made at the first call, never one that was there before."""
        with self._lock:
            if scenario not in self._runs:
                self._runs[scenario] = _make(self.root / scenario_folder(scenario), self._time)
            return self._runs[scenario]

    def try_out(self, scenarios: Iterable[str]) -> None:
        """Raises OSError, which names the place, if the runs of these cannot be kept."""
        for scenario in scenarios:
            try_folder(self.root / scenario_folder(scenario))

    def begin(self) -> None:
        """Say in the folders of the runs which cells are due."""
        for scenario, wanted in self.due.items():
            write(self.run(scenario) / DUE, wanted.model_dump_json(indent=2).encode() + b"\n")

    def folder(self, task: Task) -> Path:
        """Where this run of a cell is kept; see CellStore. The run's own folder is made for it."""
        return self.run(task.cell.scenario) / cell_folder(tuple(task.cell.axes.values()), task.repeat)

    def finish(self, summaries: dict[str, Any]) -> None:
        """Write each scenario's summary.json, and let `latest` name this run."""
        for scenario, summary in summaries.items():
            directory = self.run(scenario)
            write(directory / SUMMARY, _json(summary))
            point(directory.parent / LATEST, directory.name)


def write(path: Path, data: bytes | Iterable[bytes]) -> None:
    """The whole file or none: written beside it, then renamed. Raises OSError, which names the file."""
    beside = path.with_name(f".{path.name[:BESIDE]}.{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            file.writelines([data] if isinstance(data, bytes) else data)
        os.replace(beside, path)
    except OSError as error:
        raise OSError(error.errno, f"it cannot be written: {error.strerror or error}", str(path)) from error
    finally:
        _remove(beside)


def _remove(beside: Path) -> None:
    try:
        beside.unlink(missing_ok=True)
    except OSError:
        pass  # what made the folder fail is told already


def point(link: Path, name: str) -> None:
    """Make `link` name its sibling `name`; a text file where the system refuses symbolic links to this user."""
    beside = link.with_name(f".{link.name}.{os.getpid()}.part")
    beside.unlink(missing_ok=True)
    try:
        beside.symlink_to(name, target_is_directory=True)
        os.replace(beside, link)
    except (OSError, NotImplementedError):
        beside.unlink(missing_ok=True)
        write(link.with_suffix(".txt"), f"{name}\n".encode())


def settled(path: Path) -> Path:
    """`path` by the names of runs: `latest` in it soon means another one. Raises StoreError."""
    found = Path()
    for part in meant(path).parts:
        found /= part
        if part == LATEST and found.is_symlink():
            found = found.parent / found.readlink()
    return found


def stored_cells(path: Path) -> list[Path]:
    """The cells' folders at or below `path` (a cell's, a run's, a history file). Raises StoreError if none."""
    path = meant(path)
    if path.is_file():
        read_history(path)  # a file that is none says so
        return [path.parent]
    found = having(path, HISTORY)
    if not found and (path / PLAN).exists():
        raise StoreError(f"{path}: no {HISTORY} in it: the run of this cell ended before its evidence was collected")
    if not found and not having(path, DUE):
        raise StoreError(f"{path}: no {HISTORY} in it; expected a run's folder, such as results/demo/latest")
    return found


def having(path: Path, name: str) -> list[Path]:
    """The folders at or below `path` that have it, be it only a link that leads nowhere: reading it says so. Those that
    are links are not looked into, nor are cells' logs. Raises StoreError for one that cannot be read."""

    def refuse(error: OSError) -> None:
        raise StoreError(f"{error.filename}: cannot be read: {error.strerror}; expected the folder of a run")

    found = []
    for parent, folders, files in os.walk(path, onerror=refuse):
        if name in files or name in folders:
            found.append(Path(parent))
        if PLAN in files and LOGS in folders:
            folders.remove(LOGS)
    return sorted(found)


def meant(path: Path) -> Path:
    """The folder that `path` means, or the file. Raises StoreError if there is neither."""
    if path.is_file() and path.name == f"{LATEST}.txt":
        return meant(_latest(path))
    if not path.exists():
        raise StoreError(
            f"{path}: there is no such folder or file; expected a run's folder, such as results/demo/latest"
        )
    if not path.is_dir() and not path.is_file():
        raise StoreError(f"{path}: it is {sort_of(path)}; expected a run's folder, such as results/demo/latest")
    return path


def _latest(pointer: Path) -> Path:
    """The run that a text file names, where a link could not be made."""
    try:
        name = read(pointer, POINTER_BYTES).decode().strip()
    except OSError as error:
        raise StoreError(f"{pointer}: cannot be read: {error.strerror or error}; expected a run's name") from None
    except UnicodeDecodeError:
        raise StoreError(f"{pointer}: it is not UTF-8; expected a run's name") from None
    if not name or name != Path(name).name or name == pointer.name:
        raise StoreError(f"{pointer}: {name!r:.80} is not the name of a run beside it")
    return pointer.parent / name


def read_run(directory: Path) -> Recorded:
    """Raises StoreError."""
    data = _bytes(directory / PLAN, _PLAN)
    cell = _parsed(directory / PLAN, data, Cell, _PLAN)
    _check_place(directory, cell)
    return Recorded(cell, read_history(directory / HISTORY), _digest(data))


def read_cell(directory: Path) -> Cell:
    """The cell that a run was made from. Raises StoreError."""
    cell = _read(directory / PLAN, Cell, _PLAN)
    _check_place(directory, cell)
    return cell


def read_wanted(run: Path) -> Due | Ended | None:
    """What a run's folder says of the cells that it is to have; None if it says nothing. Raises StoreError."""
    if os.path.lexists(run / DUE):
        return _read(run / DUE, Due, "what a run was to have")
    if os.path.lexists(run / SUMMARY):
        return _read(run / SUMMARY, Ended, "what a run came to")
    return None


def _check_place(directory: Path, cell: Cell) -> None:
    """In a run's folder each cell has its own; out of it that may be called anything. Raises StoreError."""
    name = directory.absolute().name
    folder = cell_folder(tuple(cell.axes.values()), repeat_of(name))
    if folder != name and (wanted := read_wanted(directory.absolute().parent)) is not None:
        due = next((f"{told}, whose folder this is" for told, its in wanted.runs() if its == name), f"it in {folder}")
        raise StoreError(f"{directory}: it holds the cell {cell.cell}; expected {due}")


def _digest(plan: bytes) -> str:
    """Of the bytes as they are kept: another version may write the same cell with more fields."""
    return sha256(plan).hexdigest()


def _read(path: Path, kind: type[Kept], what: str) -> Kept:
    return _parsed(path, _bytes(path, what), kind, what)


def _bytes(path: Path, what: str) -> bytes:
    try:
        return read(path, STORED_BYTES)
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror or error}; expected {what}") from None


def _parsed(path: Path, data: bytes, kind: type[Kept], what: str) -> Kept:
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        raise StoreError(f"{path}: {place or 'it'}: {first['msg']}; expected {what}") from None


def whose(directory: Path) -> dict[str, Any]:
    """What tells a cell's run from all others: scenario, cell, repeat and folder. Raises StoreError.

    A history that was taken out of its run has its folder alone.
    """
    if not (directory / PLAN).exists():
        return {"folder": str(directory)}
    cell = read_cell(directory)
    repeat = repeat_of(directory.name)
    return {"scenario": cell.scenario, "cell": cell.cell, "repeat": repeat, "folder": str(directory)}


def read_history(path: Path) -> History:
    """Raises StoreError for a file that is missing, cut off, foreign or of another version."""
    try:
        with ExitStack() as stack:
            history = load(stack.enter_context(opened(path, HISTORY_BYTES)), str(path))
            if not isinstance(history.events, tuple):  # they are read whenever they are asked for
                weakref.finalize(history.events, stack.pop_all().close)
            return history
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror or error}") from None
    except HistoryError as error:
        raise StoreError(str(error)) from None


def _make(parent: Path, time: str) -> Path:
    parent.mkdir(parents=True, exist_ok=True)
    for name in _names(time):
        try:
            (parent / name).mkdir()
        except FileExistsError:
            continue
        return parent / name
    raise AssertionError("the names never end")


def _names(time: str) -> Iterable[str]:
    yield time
    number = 2
    while True:
        yield f"{time}.{number}"
        number += 1


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"
