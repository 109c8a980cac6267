"""The table of docs/engines.md: `python tests/conformance/engines_page.py` writes it anew."""

from __future__ import annotations

from multiplexers_page import PAGE as MULTIPLEXERS
from multiplexers_page import replaced

from nodes import engines
from orchestrator.report.engines import markdown, row

PAGE = MULTIPLEXERS.with_name("engines.md")
BEGIN, END = "<!-- engines: written by make stored -->", "<!-- end of engines -->"


def page(text: str) -> str:
    """The same with this table."""
    return replaced(text, BEGIN, END, "\n".join(markdown(map(row, engines.NAMES))))


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
