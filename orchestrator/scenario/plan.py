"""PURE: from a scenario file to cells. A file that cannot be run as written gives exactly one BadScenario."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.scenario.cell import UNTIL_DONE, AnyNode, Cell, Client, Expect, Link, Load, Server
from orchestrator.scenario.coherence import problems
from orchestrator.scenario.coherence.system import problems as system_problems
from orchestrator.scenario.document import MAX_BYTES, BadScenario, Node, join, parse
from orchestrator.scenario.fault_choice import fault
from orchestrator.scenario.inputs import read
from orchestrator.scenario.matrix import (
    MAX_CELLS,
    Axes,
    Every,
    Selector,
    check_axis_value,
    combinations,
    hint,
    label,
    matches,
    text,
)
from orchestrator.scenario.system_plan import check_keys, system
from orchestrator.scenario.system_plan import nodes as system_nodes
from orchestrator.scenario.typed import locate, typed
from orchestrator.scenario.written import change, milliseconds, spaced

KEYS = (
    "scenario",
    "about",
    "seed",
    "matrix",
    "not_applicable",
    "nodes",
    "system",
    "links",
    "driver",
    "oracle",
    "faults",
    "expect",
    "load",
    "settle",
)
REQUIRED = ("scenario", "links", "expect")
DURATIONS = frozenset({"first", "maximum", "patience", "yields", "lease", "load", "settle", "timeout", "start"})
"""Keys whose value may be written as 200ms or 5s; a bare integer is milliseconds. Faults say theirs themselves."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_LEVELS = {"at-most-once-incarnation": "at-most-once"}
"""Mechanisms whose level has another name than they have."""


@dataclass(frozen=True)
class Plan:
    """A scenario's cells in the order of its matrix, those that are declared not applicable included.

    `named`: the user named it, and did not find it in a folder.
    """

    scenario: str
    about: str
    path: Path
    cells: tuple[Cell, ...]
    named: bool = True


def load(path: Path, most: int = MAX_CELLS) -> Plan:
    """Raises BadScenario, also for a file that cannot be read, and for more than `most` cells."""
    try:
        content = read(path, MAX_BYTES)
    except OSError as error:
        raise BadScenario(str(path), 0, "", f"cannot be read: {error.strerror or error}") from None
    try:
        return expand(content.decode("utf-8-sig"), str(path), most)
    except UnicodeDecodeError as error:
        raise BadScenario(str(path), 0, "", f"byte {error.start} is not UTF-8; expected a text file") from None


def expand(content: str, name: str, most: int = MAX_CELLS) -> Plan:
    """The plan of a scenario's text; `name` stands for the file in errors."""
    root = parse(content, name)
    top = _top(root, name)
    scenario = _text(top["scenario"], "scenario", name)
    if not _NAME.fullmatch(scenario):
        message = "expected a name of small letters, digits and -, at most 64 characters"
        raise BadScenario(name, top["scenario"].line, "scenario", message)
    about = _text(top["about"], "about", name) if "about" in top else ""
    every = combinations(top.get("matrix"), name, most)
    reasons = _not_applicable(top.get("not_applicable"), every, name)
    known = Every(every)
    body = {key: node for key, node in top.items() if key not in ("scenario", "about", "matrix", "not_applicable")}
    cells = []
    for axes in every:
        reason = next((reason for some, reason in reasons if matches(axes, some)), None)
        builder = _CellBuilder(name, root, body, axes, known)
        cells.append(builder.cell(scenario, about, reason))
    return Plan(scenario, about, Path(name), tuple(cells))


def _top(root: Node, file: str) -> Mapping[str, Node]:
    if root.mapping is None:
        raise BadScenario(file, root.line, "", "expected a mapping with keys such as scenario, nodes, links, expect")
    for key, node in root.mapping.items():
        if key not in KEYS:
            raise BadScenario(file, node.line, key, f"unknown key; {hint(key, list(KEYS))}")
    for key in REQUIRED if "system" in root.mapping else ("nodes", *REQUIRED):
        if key not in root.mapping:
            raise BadScenario(file, root.line, "", f"key {key!r} is missing")
    check_keys(root.mapping, file)
    return root.mapping


def _text(node: Node, path: str, file: str) -> str:
    if not isinstance(node.value, str) or not node.value.strip():
        raise BadScenario(file, node.line, path, "expected a text")
    return " ".join(node.value.split())


def _not_applicable(node: Node | None, every: list[Axes], file: str) -> list[tuple[Mapping[str, Node], str]]:
    """-> which axis values are not run, and why."""
    if node is None:
        return []
    if node.items is None:
        raise BadScenario(file, node.line, "not_applicable", "expected a list of axis values, each with a reason")
    axes = {axis: tuple(cell[axis] for cell in every) for axis in every[0]}
    found: list[tuple[Mapping[str, Node], str]] = []
    for index, entry in enumerate(node.items):
        path = f"not_applicable[{index}]"
        if entry.mapping is None or "reason" not in entry.mapping or len(entry.mapping) < 2:
            raise BadScenario(file, entry.line, path, "expected axis values and a reason")
        some = {axis: value for axis, value in entry.mapping.items() if axis != "reason"}
        for axis, value in some.items():
            check_axis_value(axis, value, axes, join(path, axis), file, listed=True)
        found.append((some, _text(entry.mapping["reason"], join(path, "reason"), file)))
    return found


class _CellBuilder:
    """Makes one cell of the document's body; every error of it names the cell, if there is more than one."""

    def __init__(self, file: str, root: Node, body: Mapping[str, Node], axes: Axes, every: Every) -> None:
        self.file = file
        self.root = root
        self.body = body
        self.axes = axes
        self.selector = Selector(file, axes, every)

    def cell(self, scenario: str, about: str, reason: str | None) -> Cell:
        try:
            return self._cell(scenario, about, reason)
        except BadScenario as error:
            if not self.axes:
                raise
            message = f"{error.message} (in cell {label(self.axes)})"
            raise BadScenario(self.file, error.line, error.path, message) from None

    def _cell(self, scenario: str, about: str, reason: str | None) -> Cell:
        # What is expected of a cell that is not run need not be said.
        keys = [key for key in self.body if key != "expect" or reason is None]
        parts = {key: _durations(self.selector.resolve(self.body[key], key), key) for key in keys}
        document = Node(parts, self.root.line)
        links = self._list(parts, "links")
        foreign = system(parts, links, self.file) if "system" in parts else None
        nodes = system_nodes(parts, foreign, self.file) if foreign else self._nodes(parts["nodes"])
        cell = Cell(
            scenario=scenario,
            about=about,
            cell=label(self.axes),
            axes={axis: text(node.value) for axis, node in self.axes.items()},
            seed=self._integer(parts, "seed", 1),
            nodes=nodes,
            links=() if foreign else tuple(typed(Link, node, path, self.file) for path, node in links),
            faults=tuple(fault(node, path, self.file) for path, node in self._list(parts, "faults")),
            expect=self._expect(parts.get("expect")),
            load=self._load(parts),
            settle=self._integer(parts, "settle", 5_000),
            not_applicable=reason,
            system=foreign,
        )
        if reason is None:
            self._check(cell, document)
        return cell

    def _check(self, cell: Cell, document: Node) -> None:
        for location, message in (problems if cell.system is None else system_problems)(cell):
            node, path, rest = locate(document, location, "")
            for step in rest:  # a default is wrong with what stands beside it
                path = join(path, step)
            raise BadScenario(self.file, node.line, path, message)

    def _nodes(self, nodes: Node) -> dict[str, AnyNode]:
        if not nodes.mapping:
            raise BadScenario(self.file, nodes.line, "nodes", "expected a mapping of names to nodes")
        found: dict[str, AnyNode] = {}
        for name, node in nodes.mapping.items():
            path = join("nodes", name)
            kinds = [key for key in ("service", "workload") if key in (node.mapping or {})]
            if not _NAME.fullmatch(name):
                raise BadScenario(self.file, node.line, path, "expected a name of small letters, digits and -")
            if kinds == ["service"]:
                found[name] = typed(Server, node, path, self.file)
            elif kinds == ["workload"]:
                found[name] = typed(Client, _client(node), path, self.file)
            else:
                raise BadScenario(self.file, node.line, path, "expected a node with either a service or a workload")
        return found

    def _expect(self, node: Node | None) -> Expect:
        if node is None:
            return Expect()
        for key in ("holds", "violated"):
            node = change(node, "delivery", lambda delivery, key=key: change(delivery, key, _level))  # type: ignore[misc]
        return typed(Expect, node, "expect", self.file)

    def _list(self, parts: Mapping[str, Node], key: str) -> list[tuple[str, Node]]:
        node = parts.get(key)
        if node is None or node.value is None:
            return []
        if node.items is None:
            raise BadScenario(self.file, node.line, key, "expected a list")
        return [(join(key, index), item) for index, item in enumerate(node.items)]

    def _load(self, parts: Mapping[str, Node]) -> Load:
        node = parts.get("load")
        if node is None or node.value == UNTIL_DONE:
            return UNTIL_DONE
        return self._integer(parts, "load", 0, f"{UNTIL_DONE}, or a duration")

    def _integer(self, parts: Mapping[str, Node], key: str, default: int, expected: str = "") -> int:
        if key not in parts:
            return default
        value = parts[key].value
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
            expected = expected or "an integer from 0, or a duration if it is a time"
            raise BadScenario(self.file, parts[key].line, key, f"expected {expected}")
        return value


def _durations(node: Node, key: str) -> Node:
    """200ms and 5s as milliseconds, under the keys that are durations."""
    if key == "environment":
        return node  # its keys are the user's
    if node.items is not None:
        return Node(tuple(_durations(item, "") for item in node.items), node.line)
    if node.mapping is not None:
        return Node({name: _durations(item, name) for name, item in node.mapping.items()}, node.line)
    return milliseconds(node) if key in DURATIONS else node


def _client(node: Node) -> Node:
    node = change(node, "retry", lambda retry: Node({}, retry.line) if retry.value == "until-settle" else retry)
    return change(node, "gates", spaced)


def _level(node: Node) -> Node:
    return Node(_LEVELS[node.value], node.line) if isinstance(node.value, str) and node.value in _LEVELS else node
