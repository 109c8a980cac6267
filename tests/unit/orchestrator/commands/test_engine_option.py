"""`faultbed run --engine`: every server and client has it, and where nothing has one that is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from orchestrator.cli import main
from orchestrator.scenario.shipped import plans


def faultbed(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["run", *arguments])


def test_every_server_and_client_has_it() -> None:
    for cell in plans(["rpc/demo"])[0].cells:
        changed = cell.on_engine("poll")
        assert {node.engine for node in (*changed.servers.values(), *changed.clients.values())} == {"poll"}
        assert changed.model_copy(update={"nodes": cell.nodes}) == cell


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("rpc/demo", "--engine", "no-such"), "'no-such' is not one of"),
        (
            ("rpc/demo", "--engine", "poll", "--backend", "sim"),
            "--engine poll: with --backend sim no node has an engine",
        ),
        (("examples/orders/crash.yaml", "--engine", "poll"), "--engine poll: no node of ours"),
    ],
)
def test_it_is_refused_with_the_reason(
    arguments: tuple[str, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = faultbed(*arguments, "--out", str(tmp_path / "out"))
    assert result.exit_code == 4
    assert says in result.output
    assert not (tmp_path / "out").exists()
