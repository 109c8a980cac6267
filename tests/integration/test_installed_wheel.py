"""What an installer makes of this repository: one package, in which the parts lie, among strangers of their names."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import pytest
from running import Running

from orchestrator.backends.code_digest import EVERYTHING, digest
from orchestrator.image.wheel import make_wheel

ROOT = Path(__file__).parents[2]
DEPENDENCIES = sysconfig.get_path("purelib")
METADATA = f"faultbed-{version('faultbed')}.dist-info"
STRANGERS = ("nodes", "chaos", "orchestrator")
pytestmark = pytest.mark.xdist_group("installed-wheel")

BUILD = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
IMPORTABLE = """
import json, sys
from importlib.util import find_spec
sys.path.append(sys.argv[1])
print(json.dumps([name for name in sys.argv[2:] if find_spec(name)]))
"""
AGAIN = """
import sys
from pathlib import Path
from faultbed import PARTS
sys.path.insert(0, PARTS)
from orchestrator.image import wheel
assert wheel.__file__.startswith(PARTS)
wheel.make_wheel(Path(sys.argv[1]))
from orchestrator.backends.code_digest import EVERYTHING, digest
print(digest(EVERYTHING))
"""
CELL = """
scenario: short
nodes:
  server: {service: counter}
  client: {workload: add, calls: 6, retry: {first: 100ms}}
links:
  - {from: client, to: server, semantics: exactly-once, transport: udp}
faults:
  - {drop: reply, link: client -> server, operations: [2]}
expect:
  bitten: {client: ok, executions: 1}
"""


class Installation(NamedTuple):
    """A virtual environment with the wheel in it; the dependencies are those of this one."""

    wheel: Path
    binaries: Path
    site: Path


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    folder = tmp_path_factory.mktemp("installed")
    name = run(sys.executable, "-c", BUILD, folder, cwd=ROOT).splitlines()[-1]
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv")
    binaries = folder / "venv" / Path(sysconfig.get_path("scripts")).name
    python = binaries / Path(sys.executable).name
    install = ("install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", folder / name)
    run(sys.executable, "-m", "pip", "--python", python, *install)
    site = Path(run(python, "-I", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (site / "dependencies.pth").write_text(DEPENDENCIES)
    return Installation(folder / name, binaries, site)


def run(*command: str | Path, cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def content(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.startswith(METADATA)}


def test_one_package_is_all_that_it_brings(installed: Installation) -> None:
    assert {path.name for path in installed.site.iterdir()} == {"faultbed", METADATA, "dependencies.pth"}
    every = run(sys.executable, "-I", "-S", "-c", IMPORTABLE, installed.site, "faultbed", *STRANGERS, "scenarios")
    assert json.loads(every) == ["faultbed"]


def test_the_image_gets_the_same_files_from_a_working_copy_and_from_an_installation(
    installed: Installation, tmp_path: Path
) -> None:
    again = tmp_path / "again"
    again.mkdir()
    code = run(installed.binaries / "python", "-I", "-B", "-c", AGAIN, again).strip()
    assert content(make_wheel(tmp_path)) == content(installed.wheel) == content(again / installed.wheel.name)
    assert digest(EVERYTHING) == code


@pytest.fixture
def among_strangers(installed: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of a user's, who has packages of our names there, on PYTHONPATH, and in the environment itself."""
    for folder in (tmp_path, installed.site):
        for name in STRANGERS:
            (folder / f"{name}.py").write_text("raise RuntimeError('a stranger')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    yield tmp_path
    for name in STRANGERS:
        (installed.site / f"{name}.py").unlink()


@pytest.mark.parametrize("command", [["faultbed"], ["python", "-m", "faultbed"]], ids=["script", "module"])
def test_a_cell_runs_among_strangers(installed: Installation, among_strangers: Path, command: list[str]) -> None:
    (among_strangers / "short.yaml").write_text(CELL)
    program = [str(installed.binaries / command[0]), *command[1:]]
    with Running(among_strangers, "run", "short.yaml", command=program) as running:
        code, out, err = running.end()
    assert (code, err) == (0, "")
    assert "met          short" in out


def test_what_it_brings_is_found_in_it(installed: Installation, among_strangers: Path) -> None:
    program = installed.binaries / "faultbed"
    assert version("faultbed") in run(program, "--version", cwd=among_strangers)
    assert run(program, "show", "rpc/demo", cwd=among_strangers).startswith(
        (ROOT / "scenarios/rpc/demo.yaml").read_text()
    )
    assert json.loads(run(program, "schema", cwd=among_strangers))["title"]
    assert "loopback" in run(program, "doctor", cwd=among_strangers)
    told = run(program, "probe", "--engine", "select", "--probe", "undrained", cwd=among_strangers)
    assert told.endswith("1 as expected\n")
