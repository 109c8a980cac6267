"""What is to be written is tried before a run, nothing that is there is harmed, and what fails at the end is told."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from junitparser import JUnitXml
from running import COMMAND, Running, in_process, long

SHORT = long().replace("calls: 5000", "calls: 6").replace("first: 60s", "first: 60ms").replace("[4000]", "[2]")


def faultbed(folder: Path, *arguments: str) -> tuple[int, str, str]:
    (folder / "short.yaml").write_text(SHORT)
    return in_process(folder, "run", "short.yaml", "--backend", "sim", *arguments)


def test_a_folder_that_is_a_link_to_nothing(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/long").symlink_to("nowhere")
    code, out, err = faultbed(tmp_path, "--out", "out")
    assert (code, out) == (4, "")
    assert "--out out: out/long: it is a link to nothing, expected a folder" in err
    assert os.listdir(tmp_path / "out") == ["long"]


@pytest.mark.parametrize("out", ["/proc/x/y", "file", "file/below", "loop"])
def test_where_runs_cannot_be_kept(tmp_path: Path, out: str) -> None:
    (tmp_path / "file").write_text("of the user")
    (tmp_path / "loop").symlink_to("loop")
    code, told, err = faultbed(tmp_path, "--out", out)
    assert (code, told) == (4, ""), err
    assert "--out" in err
    assert (tmp_path / "file").read_text() == "of the user"


@pytest.mark.parametrize("junit", ["/proc/x/y", "file/below", "loop", "fifo", "to-a-fifo"])
def test_a_junit_file_that_cannot_be_written(tmp_path: Path, junit: str) -> None:
    """What is no regular file would be replaced by one: as root even a device. A FIFO stands for it here."""
    (tmp_path / "file").write_text("of the user")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "to-a-fifo").symlink_to("fifo")
    os.mkfifo(tmp_path / "fifo")
    before = sorted(os.listdir(tmp_path))
    code, told, err = faultbed(tmp_path, "--junit", junit)
    assert (code, told) == (4, ""), err
    assert f"--junit {junit}" in err.replace("Invalid value for '--junit': File", "--junit").replace("'", "")
    assert sorted(os.listdir(tmp_path)) == sorted([*before, "short.yaml"]), "nothing was begun"
    assert (tmp_path / "fifo").is_fifo()


def test_a_junit_file_is_written_at_the_end_of_its_link(tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "junit.xml").symlink_to("reports/mine.xml")
    assert faultbed(tmp_path, "--junit", "junit.xml")[0] == 0
    assert (tmp_path / "junit.xml").is_symlink()
    assert (tmp_path / "reports/mine.xml").read_text().startswith("<testsuites")


def test_an_earlier_file_stays_until_there_is_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "junit.xml").write_text("of the run before")
    (tmp_path / "results").write_text("a file")
    code, _, _ = faultbed(tmp_path, "--out", "results/below", "--junit", "/proc/x")
    assert code == 4
    assert (tmp_path / "junit.xml").read_text() == "of the run before"


@pytest.mark.parametrize("name", ["j" * 255, "\N{SNOWMAN}" * 85])
def test_a_name_as_long_as_the_system_allows_is_written(tmp_path: Path, name: str) -> None:
    code, _, err = faultbed(tmp_path, "--junit", name)
    assert (code, err) == (0, "")
    assert (tmp_path / name).read_text().startswith("<testsuites")


@pytest.mark.parametrize(
    ("name", "before", "code", "told"),
    [
        ("absent/token", [], 4, "absent/token: No such file or directory; expected a place where a file can be made"),
        (
            "token",
            ["sh", "-c", 'ulimit -f 0; exec "$@"', "sh"],
            3,
            "token: the token cannot be written: File too large",
        ),
    ],
)
def test_a_token_that_cannot_be_written_leaves_no_file(
    tmp_path: Path, name: str, before: list[str], code: int, told: str
) -> None:
    with Running(tmp_path, "token", name, command=[*before, *COMMAND]) as command:
        ended, out, err = command.end()
    assert (ended, out) == (code, "")
    assert told in err
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("arguments", [("--repeat", "0"), ("--backend", "moon"), ("--inventory", "."), ("--jobs", "x")])
def test_an_earlier_file_does_not_stand_for_a_command_that_never_began(
    tmp_path: Path, arguments: tuple[str, str]
) -> None:
    (tmp_path / "junit.xml").write_text("of the run before")
    assert faultbed(tmp_path, *arguments, "--junit", "junit.xml")[0] == 4
    (case,) = JUnitXml.fromfile(str(tmp_path / "junit.xml"))
    (error,) = next(iter(case)).result
    assert (error.type, arguments[0] in error.message) == ("usage", True)


LOST = """
import orchestrator.sweep.store as store
kept = store.write
def write(path, data):
    if path.name == {name!r}:
        path = path.parent / "gone" / path.name
    kept(path, data)
store.write = write
import orchestrator.commands.junit_file
orchestrator.commands.junit_file.write = write
from orchestrator.cli import main
main()
"""


@pytest.mark.parametrize("name", ["junit.xml", "summary.json"])
def test_what_cannot_be_written_at_the_end_swallows_no_report(tmp_path: Path, name: str) -> None:
    """Its folder is gone by then."""
    (tmp_path / "short.yaml").write_text(SHORT)
    arguments = ("run", "short.yaml", "--backend", "sim", "--junit", "junit.xml")
    with Running(tmp_path, *arguments, command=[sys.executable, "-I", "-c", LOST.format(name=name)]) as command:
        code, out, err = command.end()
    assert code == 3
    assert "1 cell runs: 1 met" in out
    assert err.count("\n") == 1
    assert f"{name}: it cannot be written: No such file or directory" in err


def test_ten_thousand_cells_want_a_yes(tmp_path: Path) -> None:
    many = ", ".join(map(str, range(101)))
    text = SHORT.replace("nodes:", f"matrix: {{a: [{many}], b: [{many}]}}\nnodes:")
    (tmp_path / "many.yaml").write_text(text)
    code, out, err = in_process(tmp_path, "run", "many.yaml", "--backend", "sim")
    assert (code, out) == (4, "")
    assert "10201 cells; expected at most 10000: a command has at most 10000 in all, 100000 with `run --yes`" in err
    code, out, err = in_process(tmp_path, "run", "many.yaml", "--backend", "sim", "--yes", "--only", "a=7,b=9")
    assert (code, err) == (0, "")
    assert "1 cell runs: 1 met" in out
