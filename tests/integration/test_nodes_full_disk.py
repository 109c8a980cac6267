"""A disk that is full in the middle of a run: one message with the file's name, and no traceback anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from requirements import need, need_root
from running import COMMAND, Running

MANY = """
scenario: many
nodes:
  server: {service: counter}
  client: {workload: add, calls: 2000, clients: 4}
links:
  - {from: client, to: server, semantics: exactly-once, transport: tcp}
faults:
  - {drop: reply, link: client -> server, operations: [2]}
expect:
  others: {client: ok, executions: 1}
"""
ON_A_SMALL_DISK = 'mount -t tmpfs -o size=$0 none out && "$@"; code=$?; cp -r out kept; exit $code'


@pytest.mark.parametrize("size", ["180k", "300k", "600k"])
def test_a_disk_that_is_full_is_told_with_the_file(tmp_path: Path, size: str) -> None:
    """A journal's record, the log of the ledger's transactions, or the history: whatever comes first."""
    need_root()
    (tmp_path / "many.yaml").write_text(MANY)
    (tmp_path / "out").mkdir()
    disk = (need("unshare", "root"), "--mount", "sh", "-c", ON_A_SMALL_DISK, size)
    with Running(tmp_path, "run", "many.yaml", "--out", "out", command=[*disk, *COMMAND]) as run:
        code, out, err = run.end()
        run.all_gone()
    logs = "".join(path.read_text() for path in (tmp_path / "kept").rglob("*.log"))
    assert code == 3, (out, err)
    assert "Traceback" not in out + err + logs
    assert any(ending in out + err for ending in (".journal", ".ledger", "history", ".log")), (out, err)
