"""PURE: from a scenario's document to its system."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from orchestrator.scenario.cell import AnyNode
from orchestrator.scenario.document import Mistakes, Node
from orchestrator.scenario.matrix import hint
from orchestrator.scenario.system import DRIVER, ORACLES, Driver, Oracle, Project, ProjectService, System, SystemLink
from orchestrator.scenario.typed import typed

KEYS = ("system", "driver", "oracle")
REQUIRED = ("driver", "oracle")


def check_keys(top: Mapping[str, Node], given: Collection[str]) -> None:
    """A scenario is about a system or about nodes of ours. `given` has the keys that were meant too.

    Raises BadScenario.
    """
    mistakes = Mistakes()
    if "system" not in given:
        for key in KEYS:
            if key in top:
                mistakes.add(top[key].bad(f"{key} belongs to a system; expected a key system"))
    elif "system" in top and "nodes" in top:
        mistakes.add(top["nodes"].bad("a scenario with a system has no nodes; expected one of the two"))
    elif "system" in top:
        for key in REQUIRED:
            if key not in given:
                mistakes.add(replace(top["system"], path="").bad(f"key {key!r} is missing: a system needs it"))
    mistakes.check()


def system(parts: Mapping[str, Node], links: Sequence[Node]) -> System:
    """Raises BadScenario."""
    mistakes = Mistakes()
    project = mistakes.attempt(lambda: _project(parts["system"]))
    found = [mistakes.attempt(partial(typed, SystemLink, node)) for node in links]
    oracle = mistakes.attempt(lambda: _oracle(parts["oracle"]))
    mistakes.check()
    assert project is not None
    assert oracle is not None
    return System(project=project, links=tuple(link for link in found if link), oracle=oracle)


def _project(node: Node) -> Project:
    project = typed(Project, node)
    if project.folder:
        raise node.bad("paths are taken from the scenario's own folder", "folder")
    return project.model_copy(update={"folder": str(Path(node.file).parent)})


def nodes(driver: Driver, system: System) -> dict[str, AnyNode]:
    """It, and the services that links name."""
    return {DRIVER: driver, **{name: ProjectService() for name in system.services}}


def _oracle(node: Node) -> Oracle:
    known = list(ORACLES)
    if node.mapping is None:
        raise node.bad(f"expected a mapping with one of the keys {', '.join(known)}")
    kinds = [key for key in node.mapping if key in ORACLES]
    if len(kinds) > 1:
        raise node.bad(f"{' and '.join(kinds)} in one oracle; expected one")
    if not kinds:
        first = next(iter(node.mapping), "")
        raise node.bad(hint(first, known), first)
    oracle: Oracle = typed(ORACLES[kinds[0]], node)
    return oracle
