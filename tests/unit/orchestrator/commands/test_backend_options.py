"""What backends have to be told is asked for on the command line, of the chosen one alone."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from orchestrator.backends import choices, named
from orchestrator.cli import main
from orchestrator.commands.backend_options import options_of
from orchestrator.scenario.document import BadScenario

NOTHING = {"image": None, "toxiproxy_image": None, "seccomp": None, "inventory": None}


def test_every_backend_and_every_option_is_in_the_help() -> None:
    page = " ".join(CliRunner().invoke(main, ["run", "--help"]).output.split())
    for backend in choices():
        assert str(backend.about) in page.replace("Real", "real")
        for option in backend.options:
            assert f"--{option.name.replace('_', '-')}" in page
            assert option.variable is None or f"[env: {option.variable}]" in page


def test_a_backend_is_given_its_own_options() -> None:
    given = {**NOTHING, "image": "mine:1", "inventory": Path("absent")}
    assert options_of(named("docker"), given) == {"image": "mine:1", "toxiproxy_image": None, "seccomp": None}
    assert options_of(named("sim"), given) == {}


def test_one_that_it_needs_is_asked_for() -> None:
    with pytest.raises(click.UsageError, match="--backend attach needs --inventory FILE"):
        options_of(named("attach"), NOTHING)


def test_a_file_is_read_where_it_is_needed(tmp_path: Path) -> None:
    with pytest.raises(BadScenario, match="absent"):
        options_of(named("attach"), {**NOTHING, "inventory": tmp_path / "absent"})
