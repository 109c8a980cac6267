"""docs/multiplexers.md and `faultbed probe` say the same of which probes an engine takes."""

from __future__ import annotations

import re

import multiplexers_page
import pytest
from multiplexers_page import PAGE

from nodes import engines, probes
from orchestrator.commands.probe import catalogue, titles

TEXT = PAGE.read_text("utf-8")


def test_the_page_has_the_tables_as_they_are() -> None:
    assert multiplexers_page.page(TEXT) == TEXT, "stale: make stored"


@pytest.mark.parametrize("engine", engines.NAMES)
def test_it_says_how_many_an_engine_takes(engine: str) -> None:
    assert f"| `{engine}` | {probes.offered(engine)} |" in TEXT


def test_the_page_and_the_command_have_the_same_probes() -> None:
    assert re.findall(r"^### .*`([a-z-]+)`: ", TEXT, re.MULTILINE) == list(catalogue()) == list(titles())
