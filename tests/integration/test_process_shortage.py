"""Nearly no process, thread or descriptor left: what cannot be started is told at once, and everything is undone."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from limited import anybodys_folder, descriptors, processes
from running import COMMAND, Running

from orchestrator.backends.threads import NoThread, start, translated, workers

TWO = """
scenario: two
matrix: {n: [1, 2]}
nodes:
  server: {service: counter}
  client: {workload: add, calls: 4}
links:
  - {from: client, to: server, semantics: exactly-once, transport: tcp}
faults:
  - {drop: reply, link: client -> server, operations: [2]}
expect:
  others: {client: ok, executions: 1}
"""


@pytest.mark.parametrize("number", [2, 3, 4, 5, 7, 9, 11, 13])
def test_a_run_without_enough_processes_ends_with_one_message_a_cell_and_leaves_nothing(number: int) -> None:
    """2: no supervisor; 3: no thread that reads it; 4: none for the cells; then no node, or none for its control."""
    with anybodys_folder() as folder:
        (folder / "two.yaml").write_text(TWO)
        with Running(folder, "run", "two.yaml", "--jobs", "2", command=[*processes(number), *COMMAND]) as run:
            code, out, err = run.end()
            run.all_gone()
    assert code == 3, (out, err)
    assert "Traceback" not in out + err
    assert "ulimit -u" in out + err


def test_a_run_without_enough_descriptors_says_which_limit_it_was(tmp_path: Path) -> None:
    """Enough for each node, and not for the supervisor of many cells at once."""
    (tmp_path / "many.yaml").write_text(TWO.replace("[1, 2]", str([*range(16)])))
    with Running(tmp_path, "run", "many.yaml", "--jobs", "8", command=[*descriptors(17), *COMMAND]) as run:
        code, out, err = run.end()
        run.all_gone()
    assert code == 3, (out, err)
    assert "Traceback" not in out + err
    assert "ulimit -n" in out + err
    assert "ulimit -u" not in out + err


@pytest.mark.parametrize("number", [12, 16])
def test_a_run_whose_nodes_would_lack_descriptors_is_refused(tmp_path: Path, number: int) -> None:
    (tmp_path / "two.yaml").write_text(TWO)
    with Running(tmp_path, "run", "two.yaml", command=[*descriptors(number), *COMMAND]) as run:
        code, out, err = run.end()
    assert code == 4, (out, err)
    assert f"nodes.client: it may need 17 open files, and {number} are allowed here" in err
    assert "ulimit -n 17" in err
    assert not (tmp_path / "results").exists()


def test_a_pool_has_all_of_its_threads_or_none(tmp_path: Path) -> None:
    with workers(3, "three") as pool:
        assert sorted(pool.map(abs, [-1, -2, -3])) == [1, 2, 3]
    script = (
        "from orchestrator.backends.threads import *\ntry:\n  workers(9, 'nine')\nexcept NoThread as e:\n  print(e)"
    )
    with (
        anybodys_folder() as folder,
        Running(folder, command=[*processes(4), sys.executable, "-I", "-c", script]) as run,
    ):
        code, out, err = run.end()
    assert (code, err) == (0, "")
    assert out.startswith("the system has no thread for nine: end other processes of this user")
    assert "(ulimit -u)" in out


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="another"), translated("nothing"):
        raise RuntimeError("another")
    assert not issubclass(NoThread, OSError)
    done: list[int] = []
    start(done.append, "one", os.getpid()).join()
    assert done == [os.getpid()]
