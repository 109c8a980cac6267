from __future__ import annotations

from sample_results import CELLS

from orchestrator.report.due import Due, due, shortfall
from orchestrator.scenario.folder_names import cell_folder

WANTED = [one for one in CELLS if not one.not_applicable]
RUNS = [(one, repeat) for repeat in (1, 2) for one in WANTED]


def test_what_is_due_is_what_was_asked_for_and_reads_as_it_was_written() -> None:
    (wanted,) = due(WANTED, 2).values()
    assert len(wanted) == len(RUNS)
    assert Due.model_validate_json(wanted.model_dump_json()) == wanted
    folders = [cell_folder(tuple(one.axes.values()), repeat) for one, repeat in RUNS]
    assert [folder for _, folder in wanted.runs()] == folders
    assert shortfall("run", wanted, folders, folders) is None


def test_what_left_no_history_and_what_was_never_begun_are_told_apart() -> None:
    (wanted,) = due(WANTED, 2).values()
    (first, lost), *_, (second, absent) = wanted.runs()
    kept = [folder for _, folder in wanted.runs() if folder not in (lost, absent)]
    found = shortfall("run", wanted, kept, [*kept, lost])
    assert found is not None
    assert (found.there, found.lost, found.absent) == (len(RUNS) - 2, (first,), (second,))
    assert second.endswith(" repeat=2")
