"""What a user names is read whole or refused: its kind and its size are looked at first."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from orchestrator.backends.attach import inventory
from orchestrator.scenario import plan, shipped
from orchestrator.scenario.document import MAX_BYTES, BadScenario
from orchestrator.scenario.inputs import read
from orchestrator.scenario.matrix import MAX_CELLS, MOST_CELLS
from orchestrator.sweep import store
from orchestrator.sweep.store import StoreError


def sparse(path: Path, size: int = 5 << 30) -> Path:
    """A file of this size that takes no room."""
    with path.open("wb") as file:
        file.truncate(size)
    return path


def fifo(path: Path) -> Path:
    """Whoever opens it for reading, without O_NONBLOCK, waits for ever: nobody writes to it."""
    os.mkfifo(path)
    return path


def test_a_file_is_read_up_to_its_most(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    assert read(file, 5) == b"12345"
    with pytest.raises(OSError, match="it has 5 bytes, expected at most 4 bytes") as caught:
        read(file, 4)
    assert caught.value.filename == str(file)


def test_a_file_whose_size_is_not_told_is_bounded_too() -> None:
    """Those of proc(5) have none."""
    with pytest.raises(OSError, match="it has more than that, expected at most 4 bytes"):
        read(Path("/proc/self/status"), 4)


@pytest.mark.parametrize("kind", ["a FIFO", "a folder", "a device", "a socket"])
def test_what_is_no_regular_file_is_named(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "it"
    with socket.socket(socket.AF_UNIX) as listener:
        if kind == "a FIFO":
            fifo(path)
        elif kind == "a folder":
            path.mkdir()
        elif kind == "a device":
            path.symlink_to("/dev/zero")
        else:
            listener.bind(str(path))
        with pytest.raises(OSError, match=f"it is {kind}, expected a regular file"):
            read(path, 4)


@pytest.mark.parametrize("make", [sparse, fifo])
def test_every_file_that_the_command_is_given(tmp_path: Path, make: object) -> None:
    assert callable(make)
    path = make(tmp_path / "it")
    for load in (plan.load, inventory.load):
        with pytest.raises(BadScenario, match=r"cannot be read: it (has|is) "):
            load(path)
    with pytest.raises(inventory.ControlError, match=r"cannot be read: it (has|is) "):
        inventory.read_token(path)
    with pytest.raises(StoreError, match=r"cannot be read: it (has|is) "):
        store.read_history(path)
    for name, load in (
        (store.PLAN, store.read_cell),
        ("latest.txt", lambda folder: store.stored_cells(folder / "latest.txt")),
    ):
        folder = tmp_path / name.replace(".", "-")
        folder.mkdir()
        make(folder / name)
        with pytest.raises(StoreError, match=r"cannot be read: it (has|is) |no history.msgpack in it|it is a"):
            load(folder)


def test_a_scenario_may_have_four_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    path.write_bytes(b" " * (MAX_BYTES + 1))
    with pytest.raises(BadScenario, match="it has 4194305 bytes, expected at most 4194304"):
        plan.load(path)


@pytest.mark.parametrize("content", [b"latest.txt", b"../elsewhere", b"\xff", b""])
def test_a_pointer_to_no_run_beside_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "latest.txt").write_bytes(content)
    with pytest.raises(StoreError, match=r"latest\.txt: "):
        store.stored_cells(tmp_path / "latest.txt")


@pytest.mark.parametrize("name", ["n" * 5000, "file.yaml/below", "loop/x.yaml"])
def test_a_name_that_cannot_be_looked_for(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.yaml").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(BadScenario, match=r"cannot be looked for|no such scenario"):
        shipped.plans([name])


MANY = """\
scenario: many{name}
matrix: {{{axes}}}
nodes: {{server: {{service: counter}}, client: {{workload: add, calls: 4}}}}
links: [{{from: client, to: server, semantics: maybe}}]
expect: {{others: {{client: ok, executions: 1}}}}
"""


def many(path: Path, *sizes: int, more: str = "") -> str:
    axes = ", ".join(f"a{number}: [{', '.join(map(str, range(size)))}]" for number, size in enumerate(sizes))
    path.write_text(MANY.format(name=path.stem, axes=axes + more))
    return str(path)


def test_too_many_cells_are_counted_and_not_made(tmp_path: Path) -> None:
    """10^9 would take all memory and a day."""
    path = many(tmp_path / "a.yaml", *[10] * 9)
    for most in (MAX_CELLS, MOST_CELLS):
        with pytest.raises(BadScenario, match=f"matrix: 1000000000 cells; expected at most {most}: "):
            shipped.plans([path], most)


def test_the_cells_of_a_command_are_those_of_all_its_files(tmp_path: Path) -> None:
    paths = [many(tmp_path / f"{name}.yaml", 3, 3) for name in "abc"]
    assert len(shipped.plans(paths, 27)) == 3
    with pytest.raises(BadScenario, match=r"c\.yaml:2: matrix: 9 cells; expected at most 8: a command has at most"):
        shipped.plans(paths, 26)


def test_what_is_excluded_does_not_count(tmp_path: Path) -> None:
    path = many(tmp_path / "a.yaml", 9, 9, more=", exclude: [{a0: [0, 1, 2, 3, 4, 5, 6, 7]}]")
    assert len(shipped.plans([path], 9)[0].cells) == 9
