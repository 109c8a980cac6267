"""docs/multiplexers.md, `faultbed doctor` and `faultbed probe` say the same of what each engine offers."""

from __future__ import annotations

import re

import multiplexers_page
import pytest
from multiplexers_page import PAGE

from nodes import engines, probes
from orchestrator.backends.local.findings import findings
from orchestrator.commands.probe import catalogue, titles

TEXT = PAGE.read_text("utf-8")


def test_the_page_has_the_tables_as_they_are() -> None:
    assert multiplexers_page.page(TEXT) == TEXT, "stale: make stored"


@pytest.mark.parametrize("engine", engines.NAMES)
def test_doctor_says_what_the_page_says(engine: str) -> None:
    (finding,) = (one for one in findings() if one.subject == f"engine {engine}")
    told = probes.offered(engine)
    assert f"| `{engine}` | {told} |" in TEXT
    assert not finding.works or finding.detail == f"available, {told}"


def test_the_page_and_the_command_have_the_same_probes() -> None:
    assert re.findall(r"^### .*`([a-z-]+)`: ", TEXT, re.MULTILINE) == list(catalogue()) == list(titles())
