"""Two agents on this machine, each an own process, and a Toxiproxy, for tests of what runs on agents."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from requirements import need

from chaos.planes.toxiproxy.child import OwnServer


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The file that names them."""
    need("toxiproxy-server", "toxiproxy")
    toxiproxy = OwnServer("127.0.0.1", 1)
    folder = tmp_path_factory.mktemp("agents")
    (folder / "token").write_text(secrets.token_hex(32))
    agents = [_start(folder), _start(folder)]
    entries = "".join(f"  {name}: {{address: '{_address(agent)}'}}\n" for name, agent in zip("ab", agents, strict=True))
    path = folder / "agents.yaml"
    shared = f"toxiproxy: {{api: '{toxiproxy.url}', host: 127.0.0.1}}"
    path.write_text(f"token_file: token\nagents:\n{entries}{shared}\n")
    yield path
    toxiproxy.close()
    for agent in agents:
        agent.terminate()
        agent.communicate()


def _start(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-I", "-c", "from orchestrator.cli import main; main()", "agent"]
    options = ["--listen", "127.0.0.1:0", "--token-file", str(folder / "token")]
    return subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def _address(agent: subprocess.Popen[str]) -> str:
    """It says where it listens in its first line."""
    assert agent.stdout is not None
    return agent.stdout.readline().split()[1]
