from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.backends import named
from orchestrator.commands.surroundings import cpu
from orchestrator.run.session import SessionError
from orchestrator.scenario.plan import load
from orchestrator.scenario.shipped import find


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (
            "processor\t: 0\nmodel name\t: A Processor @ 2.60GHz\n\nprocessor\t: 1\nmodel name\t: Another\n",
            "A Processor @ 2.60GHz",
        ),
        ("processor\t: 0\nBogoMIPS\t: 108.00\n\nModel\t\t: A Board Rev 1.4\n", "A Board Rev 1.4"),
    ],
)
def test_the_processor_has_the_name_that_linux_tells(tmp_path: Path, content: str, name: str) -> None:
    (tmp_path / "cpuinfo").write_text(content)
    assert cpu(tmp_path / "cpuinfo") == name


def test_a_processor_has_some_name_on_every_system(tmp_path: Path) -> None:
    assert cpu(tmp_path / "absent")


def test_an_engine_that_cannot_be_asked_is_told_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> None:
        raise SessionError("no Docker engine can be used here")

    monkeypatch.setattr("orchestrator.backends.docker.engine.answering", absent)
    cell = load(find("rpc/02-reply-lost")[0]).cells[0]
    assert named("docker").engine([cell]) == {"error": "no Docker engine can be used here"}
    assert named("local").engine([cell]) is None, "it uses none"
