from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.scenario.folder_names import cell_folder, repeat_of, scenario_folder

LONGEST_NAME = 255
"""Bytes, on ext4, APFS and NTFS alike."""

REPEATS = 100_000
"""The most that `--repeat` takes."""

NASTY = st.one_of(
    st.text(),
    st.text(alphabet="aA0._-+@= ~/\\:r2", max_size=6),
    st.sampled_from(["0", "0.2", "0.2_repeat=2", "cell", "cell_repeat=2", "nul", "NUL.txt", "con", "..", ".", "", "é"]),
    st.text(alphabet="ab", min_size=200, max_size=300),
)
VALUES = st.lists(NASTY, min_size=1, max_size=12)
RUN = st.tuples(VALUES, st.integers(1, REPEATS))


@given(st.lists(RUN, min_size=2, max_size=8))
def test_runs_of_cells_never_share_a_folder_whatever_case_means(runs: list[tuple[list[str], int]]) -> None:
    different = {(tuple(values), repeat) for values, repeat in runs}
    folders = {cell_folder(values, repeat).casefold() for values, repeat in different}
    assert len(folders) == len(different)


@given(RUN)
def test_a_name_is_one_short_file_name(run: tuple[list[str], int]) -> None:
    name = cell_folder(*run)
    assert Path("runs", name).resolve().parent == Path("runs").resolve()
    assert len(name.encode("ascii")) <= LONGEST_NAME
    assert not set(name) & set('<>:"/\\|?* ')
    assert name[0] != "-"
    assert name[-1] != "."
    assert name.split(".")[0].lower() not in ("con", "prn", "aux", "nul", "com1", "lpt1")


@given(RUN)
def test_a_name_says_its_repeat(run: tuple[list[str], int]) -> None:
    assert repeat_of(cell_folder(*run)) == run[1]


@given(st.sets(NASTY))
def test_scenarios_never_share_a_folder(scenarios: set[str]) -> None:
    assert len({scenario_folder(scenario).casefold() for scenario in scenarios}) == len(scenarios)


@pytest.mark.parametrize(
    ("values", "repeat", "name"),
    [
        (["maybe", "udp", "xdr"], 1, "maybe_udp_xdr"),
        (["at-most-once-incarnation", "0.2"], 1, "at-most-once-incarnation_0.2"),
        (["request lost", "maybe"], 1, "request+lost_maybe"),
        (["0"], 2, "0_repeat=2"),
        ([], 1, "cell"),
        ([], 3, "cell_repeat=3"),
    ],
)
def test_plain_values_stay_readable(values: list[str], repeat: int, name: str) -> None:
    assert cell_folder(values, repeat) == name


def test_what_is_not_plain_is_told_and_marked() -> None:
    assert cell_folder(["TCP", "a/b"]).startswith("TCP_a-b@")
    assert scenario_folder("01-request-lost") == "01-request-lost"
