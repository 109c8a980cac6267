"""Puts a run's tables into a page, between two lines of comment; what stood there before goes."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from pathlib import Path

BEGIN, END = "<!-- figures: written by benchmarks/engines --page -->", "<!-- end of figures -->"


def around(page: Path) -> tuple[str, str]:
    """What stands before and after the figures. Raises ValueError where the page has no place for them."""
    before, begin, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} lacks a line {BEGIN} with a line {END} after it")
    return before, after


def write(page: Path, tables: list[str]) -> None:
    before, after = around(page)
    linux, python = platform.release().partition("-")[0], platform.python_version()
    where = f"Measured on {datetime.now(UTC):%Y-%m-%d}, Linux {linux}, Python {python}."
    told = "\n\n".join([where, *(f"```text\n{table}\n```" for table in tables)])
    page.write_text(f"{before}{BEGIN}\n\n{told}\n\n{END}{after}")
