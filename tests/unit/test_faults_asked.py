"""A fault is asked what it is: its class is looked at where its words are, where it is performed, and at its bite."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.faults import vocabulary
from chaos.faults.fault import Fault, PacketFault, RelayFault, ToxicFault
from chaos.faults.messages import MessageFault
from chaos.faults.processes import ProcessFault, Restart
from chaos.faults.streams import Toxic

ROOT = Path(__file__).parents[2]
ROOMS = ("chaos/faults", "chaos/planes", "orchestrator/checkers/bites")
BASES = (Fault, PacketFault, RelayFault, ToxicFault, MessageFault, ProcessFault, Restart, Toxic)
CLASSES = {kind.__name__ for kind in (*vocabulary.FAULTS.values(), *BASES)}


def looked_at(source: str) -> Iterator[str]:
    """The classes from chaos.faults that an isinstance() names."""
    if "isinstance(" not in source or "chaos.faults" not in source:
        return
    tree = ast.parse(source)
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    ours = {
        name.asname or name.name
        for node in imports
        if (node.module or "").startswith("chaos.faults")
        for name in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance":
            named = {one.id for one in ast.walk(node.args[1]) if isinstance(one, ast.Name)}
            yield from sorted(named & ours & CLASSES)


def test_elsewhere_nobody_looks_at_a_faults_class() -> None:
    paths = [path for part in ("nodes", "chaos", "orchestrator") for path in (ROOT / part).rglob("*.py")]
    elsewhere = [path for path in paths if not str(path.relative_to(ROOT)).startswith(ROOMS)]
    assert len(elsewhere) > 100
    found = {str(path.relative_to(ROOT)): list(looked_at(path.read_text())) for path in elsewhere}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize("tested", ["Drop", "(Kill, Drop)", "Kill | Drop"])
def test_one_who_does_is_seen(tested: str) -> None:
    assert "Drop" in list(looked_at(f"from chaos.faults.messages import Drop\nisinstance(fault, {tested})"))
