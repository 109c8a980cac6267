"""Which probe convicts which broken poller: runs them, and holds what they show against what their engine is to show.

`python tests/conformance/broken_pollers.py` does every probe on every broken poller and writes broken_pollers.yaml.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import probing
import yaml

from nodes import probes
from nodes.probes.common.broken import BROKEN
from orchestrator.commands.probe import JOBS, catalogue, expected
from orchestrator.probes.compared import Verdict, judged
from orchestrator.probes.performed import Work

MATRIX = Path(__file__).with_suffix(".yaml")
HEAD = """\
# Who convicts whom: each poller that is wrong on purpose (nodes/probes/common/broken.py), and the probes that deviate
# on it. `named` is the one that has to; the rest is what `make probe-matrix` found.
"""


class Row(NamedTuple):
    broken: str
    engine: str
    named: str
    convicted_by: tuple[str, ...]


def applicable(broken: str) -> list[str]:
    """Every probe that its engine takes; one that needs root, and takes seconds, only where it is named."""
    named = BROKEN[broken].probe
    taken = [name for name in catalogue() if not probes.refusal(name, BROKEN[broken].engine)]
    return [name for name in taken if not catalogue()[name].root or name == named]


def run(asked: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    """By broken poller the probes to be done -> those that deviate."""
    known, found = expected(), {name: dict.fromkeys(names, False) for name, names in asked.items()}
    works = [
        Work(BROKEN[name].engine, {one: catalogue()[one].deadline for one in names}, name)
        for name, names in found.items()
    ]
    for done in probing.done(works, JOBS):
        cell = judged(done.probe, done.engine, done.outcome, known.get((done.probe, done.engine)))
        found[done.broken][done.probe] = cell.verdict is Verdict.DEVIATES
    return {name: tuple(one for one, convicts in several.items() if convicts) for name, several in found.items()}


def computed() -> tuple[Row, ...]:
    found = run({name: applicable(name) for name in BROKEN})
    return tuple(Row(name, one.engine, one.probe, found[name]) for name, one in BROKEN.items())


def stored() -> tuple[Row, ...]:
    return tuple(
        Row(**{**row, "convicted_by": tuple(row["convicted_by"])}) for row in yaml.safe_load(MATRIX.read_text())
    )


def text(rows: Iterable[Row]) -> str:
    plain = [{**row._asdict(), "convicted_by": list(row.convicted_by)} for row in rows]
    return HEAD + "".join(
        "\n" + yaml.safe_dump([row], sort_keys=False, default_flow_style=None, width=120) for row in plain
    )


if __name__ == "__main__":
    MATRIX.write_text(text(computed()))
    print(MATRIX.read_text())
