"""The documents name files, commands, options, scenarios and targets that are there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from orchestrator.cli import main
from orchestrator.scenario import shipped

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PARTS = ("faultbed", "nodes", "chaos", "orchestrator", "tests", "benchmarks")
NAMED = re.compile(r"`([a-z_0-9/]+(?:\.py|/))`")
"""`path/of/a_file.py` and `path/of/a_folder/`; what has a NAME in capitals stands for many."""
COMMAND = re.compile(r"(?:^ *|`)(?:\.venv/bin/)?faultbed ([a-z]+)([^`\n#]*)", re.MULTILINE)
TARGET = re.compile(r"(?:^(?:    )?|`)(?:[A-Z_]+=\w+ )?make ([a-z-]+)(?:`|$| {3})", re.MULTILINE)
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
SHIPPED = set(shipped.names())


def known() -> Iterator[str]:
    """Every file and folder of ours, as "/path/of/a_file.py" and "/path/of/a_folder/"."""
    for part in PARTS:
        yield f"/{part}/"
        for path in (ROOT / part).rglob("*"):
            yield f"/{path.relative_to(ROOT).as_posix()}" + "/" * path.is_dir()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_it_names_is_there(document: Path) -> None:
    """By its whole path, or by the end of it where the sentence says where it lies."""
    endings = {path[at:] for path in known() for at, mark in enumerate(path[:-1]) if mark == "/"}
    named = {name for name in NAMED.findall(document.read_text("utf-8")) if f"/{name}" not in endings}
    assert {name for name in named if name.endswith(".py") or name.startswith(PARTS)} == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_that_it_gives_is_one(document: Path) -> None:
    for name, arguments in COMMAND.findall(document.read_text("utf-8")):
        command: click.Command = main.commands[name]
        if isinstance(command, click.Group):
            command = command.commands[arguments.split()[0]]
        options = {option for parameter in command.params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", arguments)) <= options, f"faultbed {name}{arguments}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_scenario_that_it_runs_is_shipped(document: Path) -> None:
    rooms = {name.partition("/")[0] for name in SHIPPED}
    said = {word for _, arguments in COMMAND.findall(document.read_text("utf-8")) for word in arguments.split()}
    assert {word for word in said if word.partition("/")[0] in rooms and "/" in word} <= SHIPPED


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_target_that_it_gives_is_one(document: Path) -> None:
    assert set(TARGET.findall(document.read_text("utf-8"))) <= TARGETS
