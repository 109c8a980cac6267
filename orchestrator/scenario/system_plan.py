"""PURE: from a scenario's document to its system."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from orchestrator.scenario.cell import AnyNode
from orchestrator.scenario.document import BadScenario, Node, join
from orchestrator.scenario.matrix import hint
from orchestrator.scenario.system import DRIVER, ORACLES, Driver, Oracle, Project, ProjectService, System, SystemLink
from orchestrator.scenario.typed import typed

KEYS = ("system", "driver", "oracle")
REQUIRED = ("links", "driver", "oracle")


def check_keys(top: Mapping[str, Node], file: str) -> None:
    """A scenario is about a system or about nodes of ours. Raises BadScenario."""
    if "system" in top:
        if "nodes" in top:
            message = "a scenario with a system has no nodes; expected one of the two"
            raise BadScenario(file, top["nodes"].line, "nodes", message)
        for key in REQUIRED:
            if key not in top:
                raise BadScenario(file, top["system"].line, "", f"key {key!r} is missing: a system needs it")
        return
    for key in KEYS:
        if key in top:
            raise BadScenario(file, top[key].line, key, f"{key} belongs to a system; expected a key system")


def system(parts: Mapping[str, Node], links: list[tuple[str, Node]], file: str) -> System:
    """Raises BadScenario."""
    project = typed(Project, parts["system"], "system", file)
    if project.folder:
        raise BadScenario(file, parts["system"].line, "system.folder", "paths are taken from the scenario's own folder")
    return System(
        project=project.model_copy(update={"folder": str(Path(file).parent)}),
        links=tuple(typed(SystemLink, node, path, file) for path, node in links),
        oracle=_oracle(parts["oracle"], file),
    )


def nodes(parts: Mapping[str, Node], system: System, file: str) -> dict[str, AnyNode]:
    """Its driver, and the services that links name. Raises BadScenario."""
    driver = typed(Driver, parts["driver"], "driver", file)
    return {DRIVER: driver, **{name: ProjectService() for name in system.services}}


def _oracle(node: Node, file: str) -> Oracle:
    known = list(ORACLES)
    if node.mapping is None:
        raise BadScenario(file, node.line, "oracle", f"expected a mapping with one of the keys {', '.join(known)}")
    kinds = [key for key in node.mapping if key in ORACLES]
    if len(kinds) != 1:
        first = next(iter(node.mapping), "")
        said = f"{' and '.join(kinds)} in one oracle; expected one" if kinds else hint(first, known)
        raise BadScenario(file, node.line, join("oracle", first) if not kinds else "oracle", said)
    oracle: Oracle = typed(ORACLES[kinds[0]], node, "oracle", file)
    return oracle
