"""docs/engines.md, `faultbed doctor` and `faultbed probe --list` say the same of what each engine offers."""

from __future__ import annotations

from pathlib import Path

import engines_page
import pytest
from engines_page import BEGIN, END, PAGE
from multiplexers_page import replaced
from running import in_process

from nodes import engines
from orchestrator.backends.local.findings import findings
from orchestrator.report.engines import row

TEXT = PAGE.read_text("utf-8")


def test_the_page_has_the_table_as_it_is() -> None:
    assert engines_page.page(TEXT) == TEXT, "stale: make stored"


def test_a_page_without_its_marks_is_told() -> None:
    with pytest.raises(ValueError, match="expected the marks"):
        replaced("nothing", BEGIN, END, "a table")


def test_doctor_says_of_each_engine_what_it_offers_or_why_it_cannot_run() -> None:
    found = {one.subject.removeprefix("engine "): one for one in findings() if one.subject.startswith("engine ")}
    assert tuple(found) == engines.NAMES
    for name, finding in found.items():
        reason = engines.availability(name)
        assert finding[1:3] == ((True, f"available: {row(name).line}") if reason is None else (False, reason))


def test_probe_lists_the_same(tmp_path: Path) -> None:
    code, out, _ = in_process(tmp_path, "probe", "--list")
    assert code == 0
    assert [line.split(maxsplit=1) for line in out.split("\n\n")[1].splitlines()] == [
        [name, row(name).line] for name in engines.NAMES
    ]
