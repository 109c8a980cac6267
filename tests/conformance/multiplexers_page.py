"""The tables of docs/multiplexers.md: `python tests/conformance/multiplexers_page.py` writes them anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import broken_pollers

from nodes import engines, probes
from nodes.probes.common.broken import BROKEN
from orchestrator.commands.probe import catalogue, expected
from orchestrator.probes.page import tables

PAGE = Path(__file__).resolve().parents[2] / "docs" / "multiplexers.md"
BEGIN, END = "<!-- tables: written by make stored -->", "<!-- end of tables -->"


def generated() -> str:
    lines = [*tables(engines.NAMES, catalogue(), probes.refusal, expected("linux")), "", *_broken()]
    return "\n".join(lines)


def _broken() -> Iterator[str]:
    yield "## Pollers that are wrong on purpose"
    yield ""
    yield "| broken | of | what is wrong | convicted by |"
    yield "| --- | --- | --- | --- |"
    for row in broken_pollers.stored():
        by = ", ".join(f"**{name}**" if name == row.named else name for name in row.convicted_by)
        yield f"| `{row.broken}` | `{row.engine}` | {BROKEN[row.broken].about} | {by} |"


def page(text: str) -> str:
    """The same with these tables."""
    return replaced(text, BEGIN, END, generated())


def replaced(text: str, begin: str, end: str, tables: str) -> str:
    """With these between two marks. Raises ValueError: a mark is not there."""
    if begin not in text or end not in text:
        raise ValueError(f"expected the marks {begin} and {end}")
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n\n{tables}\n\n{end}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
