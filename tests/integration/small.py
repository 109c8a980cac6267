"""A small scenario of two cells, a run of which is recorded to be harmed."""

from __future__ import annotations

from pathlib import Path

from running import in_process

MET = "  bitten: {client: {by: semantics, maybe: info, else: ok}, executions: {by: semantics, maybe: 0, else: 1}}"
SCENARIO = f"""\
scenario: small
matrix: {{semantics: [maybe, exactly-once]}}
nodes:
  server: {{service: counter}}
  client: {{workload: add, calls: 4}}
links:
  - {{from: client, to: server, semantics: "${{semantics}}"}}
faults:
  - {{drop: request, link: client -> server, operations: [1]}}
expect:
{MET}
"""


def recorded(folder: Path, scenario: str = SCENARIO, *options: str) -> Path:
    """-> the folder of its run, in the simulator, under `runs`."""
    (folder / "small.yaml").write_text(scenario)
    in_process(folder, "run", "small.yaml", "--backend", "sim", "--out", "runs", *options)
    return (folder / "runs" / "small" / "latest").resolve()
