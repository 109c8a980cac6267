"""What surprised, as a file: shrunk as far as it came, and able to do it again."""

from __future__ import annotations

import errno
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from orchestrator.explore.attempt import RUN, attempt
from orchestrator.explore.found import kept
from orchestrator.explore.hunt import Find, Hunt
from orchestrator.explore.limited import OutOfTime, limited
from orchestrator.explore.subject import Subject
from orchestrator.explore.told import shrunk_to
from orchestrator.explore.workers import hunt
from orchestrator.scenario.plan import load

SUBJECT = Subject("no-duplicate-filter")


@pytest.fixture(scope="module")
def find() -> Find:
    state = Hunt(1, 64, 1)
    hunt(SUBJECT, state, 1, lambda: False)
    (found,) = state.finds.values()
    return found


def test_what_is_kept_is_small_and_does_it_again(find: Find, tmp_path: Path) -> None:
    found = kept(find, tmp_path / "finds", lambda: False)
    name = f"no-duplicate-filter-{find.surprise.checks[0]}"
    assert found.path == tmp_path / "finds" / f"{name}.yaml"
    assert shrunk_to(found.shrunk) == f"shrunk in {found.shrunk.runs} runs to 1 fault, 2 calls of 1 client"
    plan = load(found.path)
    assert plan.about == f"Found by exploring, {found.cell.links[0].semantics}: {found.surprise.told}."
    (cell,) = plan.cells
    assert attempt(cell).surprise == found.surprise
    assert kept(find, found.path.parent, lambda: False).path.stem == f"{name}-2"


def test_what_was_reached_is_kept_when_shrinking_is_over(find: Find, tmp_path: Path) -> None:
    found = kept(find, tmp_path, lambda: True)
    assert (found.shrunk.runs, found.cell) == (0, find.cell)
    assert shrunk_to(found.shrunk).startswith("shrinking was cut short after 0 runs, at ")
    (cell,) = load(found.path).cells
    assert attempt(cell).surprise == found.surprise == find.surprise


def test_of_two_that_keep_one_of_the_same_name_each_has_a_file(find: Find, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        paths = {found.path for found in pool.map(lambda _: kept(find, tmp_path, lambda: True), range(8))}
    assert len(paths) == 8
    kept_cells = [cell for path in paths for cell in load(path).cells]
    assert [(cell.seed, cell.nodes, cell.faults) for cell in kept_cells] == [
        (find.cell.seed, find.cell.nodes, find.cell.faults)
    ] * 8


def test_what_could_not_be_written_leaves_no_file(find: Find, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("orchestrator.explore.found.write", full)
    with pytest.raises(OSError, match="No space left"):
        kept(find, tmp_path, lambda: True)
    assert list(tmp_path.iterdir()) == []


SWALLOWED = "ignore::pytest.PytestUnraisableExceptionWarning"
"""Where the first strike falls into a callback of the garbage collector, nobody hears of it but this warning."""


@pytest.mark.filterwarnings(SWALLOWED)
def test_a_run_or_its_judging_that_takes_too_long_is_told(find: Find) -> None:
    """Of many seconds: whatever the process does just when the time is over, it is told once more a second later."""
    client = find.cell.clients["client"].model_copy(update={"calls": 20_000})
    long = find.cell.model_copy(update={"nodes": {**find.cell.nodes, "client": client}})
    surprise = attempt(long, 0.1).surprise
    assert surprise is not None
    assert "it takes more than 0.1 s of CPU time" in surprise.told
    assert attempt(find.cell).surprise == find.surprise


def spin() -> None:
    with limited(0.01):
        while True:
            pass


@pytest.mark.filterwarnings(SWALLOWED)
def test_what_never_ends_is_ended() -> None:
    with pytest.raises(OutOfTime, match=r"more than 0\.01 s"):
        spin()


@pytest.mark.filterwarnings(SWALLOWED)
def test_what_fails_because_it_was_struck_is_told_as_that() -> None:
    with pytest.raises(OutOfTime, match=r"more than 0\.01 s"):
        stumble()


def stumble() -> None:
    with limited(0.01):
        try:
            while True:
                pass
        except OutOfTime:
            raise ValueError("in the midst of something") from None


def test_a_cell_that_cannot_be_run_is_told(find: Find) -> None:
    surprise = attempt(find.cell.model_copy(update={"links": ()})).surprise
    assert surprise is not None
    assert surprise.checks == (RUN,)
