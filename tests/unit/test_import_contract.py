"""The import contract of pyproject.toml holds, sees every module, and convicts a violation of each kind."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("faultbed", "nodes", "chaos", "orchestrator")

VIOLATIONS = {
    "nodes/rpc/retry.py": ("import nodes.engines", "Inside nodes: "),
    "nodes/probes/undrained.py": ("import nodes.sockets", "Inside nodes: "),
    "nodes/ops.py": ("import chaos.faults", "Imports go one way"),
    "nodes/journal.py": ("import nodes.witness", "Journal, ledger, failpoints and clock"),
    "nodes/workload.py": ("import yaml", "A node needs the standard library"),
    "chaos/hop/path.py": ("import nodes.workload", "Of nodes, chaos knows only"),
    "orchestrator/scenario/triggers.py": ("import nodes.engines.epoll", "The orchestrator talks to running nodes"),
    "orchestrator/probes/performed.py": ("import nodes.probes.common.bench", "The orchestrator talks to running nodes"),
    "orchestrator/run/agenda.py": ("import orchestrator.checkers.setting", "The road is"),
    "orchestrator/supervisor.py": ("import psutil", "The supervisor is started"),
    "chaos/hop/outlet.py": ("import chaos.faults", "The hop carries out decisions"),
    "chaos/hop/alter.py": ("import chaos.hop.hop", "No circle of imports"),
}


def lint(root: Path) -> str:
    """-> what lint-imports prints about the packages in `root`, which come before the installed ones."""
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    run = subprocess.run(
        [sys.executable, "-c", program, "--no-cache", "--no-logo"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return run.stdout + run.stderr


def broken(line: str, output: str) -> bool:
    return any(text.startswith(line) and text.endswith("BROKEN") for text in output.splitlines())


def test_the_contract_holds() -> None:
    output = lint(ROOT)
    assert " 0 broken." in output, output


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_with_modules_is_a_package(package: str) -> None:
    """A folder without __init__.py is invisible to the contract (and to mypy)."""
    folders = {path.parent for path in (ROOT / package).rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_a_violation_of_each_kind_is_caught(tmp_path: Path) -> None:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for file, (statement, _) in VIOLATIONS.items():
        with (tmp_path / file).open("a") as module:
            module.write(f"\n{statement}\n")
    output = lint(tmp_path)
    for file, (_, contract) in VIOLATIONS.items():
        assert broken(contract, output), f"{file} was not caught:\n{output}"
        assert f".{Path(file).stem}" in output


def _shadowed(package: Path) -> set[str]:
    """What its __init__.py defines or imports under the name of one of its modules, which it loses once that is
    imported."""
    body = ast.parse((package / "__init__.py").read_text()).body
    defined = {node.name for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    froms = [node for node in body if isinstance(node, ast.ImportFrom)]
    others = [node for node in froms if (node.module or "").rpartition(".")[2] != package.name]
    imported = {alias.asname or alias.name for node in others for alias in node.names}
    modules = {path.stem for path in package.glob("*.py")} | {path.parent.name for path in package.glob("*/*.py")}
    return (defined | imported) & modules


@pytest.mark.parametrize("package", PACKAGES)
def test_no_package_calls_something_as_it_calls_a_module(package: str) -> None:
    found = {path.parent: _shadowed(path.parent) for path in (ROOT / package).rglob("__init__.py")}
    assert {str(path): names for path, names in found.items() if names} == {}


def test_who_does_is_caught(tmp_path: Path) -> None:
    (tmp_path / "real.py").touch()
    (tmp_path / "__init__.py").write_text("def real(): ...\ndef other(): ...\n")
    assert _shadowed(tmp_path) == {"real"}
