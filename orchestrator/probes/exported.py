"""PURE: a comparison as a file: JSON, CSV or Markdown, by the file's ending."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence

from orchestrator.probes.columns import blocks, markdown
from orchestrator.probes.compared import Cell
from orchestrator.probes.told import absences, deviations, summary, unknowns

Export = Callable[[Sequence[Cell], Mapping[str, str], str], str]
"""Cells, the probes' titles, and what the cells were observed on."""

COLUMNS = ("probe", "engine", "verdict", "step", "observed", "expected", "source", "why", "host")


def as_json(cells: Sequence[Cell], titles: Mapping[str, str], host: str) -> str:
    """Everything, traces too."""
    made = [{**cell._asdict(), "verdict": cell.verdict.value, "trace": list(cell.trace)} for cell in cells]
    return json.dumps({"host": host, "probes": dict(titles), "cells": made}, indent=1) + "\n"


def as_csv(cells: Sequence[Cell], _titles: Mapping[str, str], host: str) -> str:
    """A line for each step of a probe on an engine; one without steps has one line."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(COLUMNS)
    for cell in cells:
        steps = dict.fromkeys([*(cell.observed or {}), *(cell.expected or {})]) or {"": None}
        for step in steps:
            observed, expected = ((of or {}).get(step, "") for of in (cell.observed, cell.expected))
            row = (cell.probe, cell.engine, cell.verdict.value, step, observed, expected, cell.source, cell.why, host)
            writer.writerow(row)
    return written.getvalue()


def as_markdown(cells: Sequence[Cell], titles: Mapping[str, str], host: str) -> str:
    """What was observed, engines side by side, and what deviates."""
    text = [
        "# What multiplexers do",
        "",
        f"Observed on {host}: {summary(cells)}. What differs between engines is bold.",
        "",
    ]
    for probe, title in titles.items():
        seen = {cell.engine: cell.observed for cell in cells if cell.probe == probe and cell.observed is not None}
        if seen:
            text += [f"## {title}", ""]
            for block in blocks(seen):
                text += [*markdown(block), ""]
    rest = [*deviations(cells), *unknowns(cells), *absences(cells)]
    return "\n".join([*text, *(["```text", *rest, "```"] if rest else [])]).rstrip("\n") + "\n"


FORMATS: Mapping[str, Export] = {".json": as_json, ".csv": as_csv, ".md": as_markdown}
