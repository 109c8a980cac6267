"""PURE: from a scenario file to cells. A file that cannot be run as written gives one BadScenario.

It says all that is wrong with the file, but not what is so only because something else is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from operator import is_
from pathlib import Path
from typing import Any, TypeVar, cast

from chaos.faults.window import A_DURATION
from chaos.problem import Problem
from orchestrator.scenario.cell import (
    SETTLE,
    UNTIL_DONE,
    AnyLink,
    AnyNode,
    Cell,
    Client,
    Expect,
    Link,
    Load,
    Server,
    SocketLink,
)
from orchestrator.scenario.coherence import problems
from orchestrator.scenario.coherence.expectations import of_all
from orchestrator.scenario.coherence.system import problems as system_problems
from orchestrator.scenario.document import MAX_BYTES, BadScenario, Mistake, Mistakes, Node, bad_file, parse, path_text
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
    nearest,
    text,
)
from orchestrator.scenario.system import Driver, System
from orchestrator.scenario.system_plan import check_keys, system
from orchestrator.scenario.system_plan import nodes as system_nodes
from orchestrator.scenario.typed import integer, locate, typed
from orchestrator.scenario.written import change, milliseconds, retrying, spaced

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
BODY = frozenset(KEYS) - {"scenario", "about", "matrix", "not_applicable"}
"""What differs by cell."""
REQUIRED = ("scenario", "links", "expect")
DURATIONS = frozenset({"first", "maximum", "patience", "yields", "lease", "load", "settle", "timeout", "start"})
"""Keys whose value may be written as 200ms or 5s; a bare integer is milliseconds. Faults say theirs themselves."""

T = TypeVar("T")
NOBODY: dict[str, AnyNode] = {}
DEFAULT_LOAD: Load = UNTIL_DONE
Reason = tuple[Mapping[str, Node], str]

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
    return expand(_written(path), str(path), most)


def mistakes(path: Path, problems: Iterable[Problem]) -> BadScenario:
    """What is wrong with a file that was loaded, each with its line, if that can still be said."""
    try:
        root = parse(_written(path), str(path))
    except BadScenario:
        root = Node({}, 0)
    places = [(root.nearest(problem.path).line, problem) for problem in problems]
    return BadScenario(*(Mistake(str(path), line, path_text(one.path), one.message) for line, one in places))


def _written(path: Path) -> str:
    try:
        content = read(path, MAX_BYTES)
    except OSError as error:
        raise bad_file(str(path), f"cannot be read: {error.strerror or error}") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise bad_file(str(path), f"byte {error.start} is not UTF-8; expected a text file") from None


def expand(content: str, name: str, most: int = MAX_CELLS) -> Plan:
    """The plan of a scenario's text; `name` stands for the file in errors."""
    root = parse(content, name)
    if root.mapping is None:
        raise root.bad("expected a mapping with keys such as scenario, nodes, links, expect")
    top = root.mapping
    mistakes = Mistakes()
    mistakes.attempt(lambda: _check_keys(root, top))
    scenario = mistakes.attempt(lambda: _name(top["scenario"])) if "scenario" in top else ""
    about = mistakes.attempt(lambda: _text(top["about"])) if "about" in top else ""
    every = mistakes.attempt(lambda: combinations(top.get("matrix"), most))
    reasons = mistakes.attempt(lambda: _not_applicable(top.get("not_applicable"), every or []))
    cells = [] if every is None or reasons is None else _cells(root, every, reasons, mistakes)
    mistakes.check()
    for location, message in of_all(cells):
        node, rest = locate(root, location)
        mistakes.add(node.bad(message, *rest))
    mistakes.check()
    told = {"scenario": scenario, "about": about}
    return Plan(scenario or "", about or "", Path(name), tuple(cell.model_copy(update=told) for cell in cells))


def _check_keys(root: Node, top: Mapping[str, Node]) -> None:
    """A key that is misspelt is told as unknown, and not as missing too."""
    mistakes = Mistakes()
    given = set(top)
    for key, node in top.items():
        if key not in KEYS:
            mistakes.add(node.bad(f"unknown key; {hint(key, list(KEYS))}"))
            given.add(nearest(key, KEYS) or key)
    for key in REQUIRED if "system" in given else ("nodes", *REQUIRED):
        if key not in given:
            mistakes.add(root.bad(f"key {key!r} is missing"))
    mistakes.attempt(lambda: check_keys(top, given))
    mistakes.check()


def _name(node: Node) -> str:
    name = _text(node)
    if not _NAME.fullmatch(name):
        raise node.bad("expected a name of small letters, digits and -, at most 64 characters")
    return name


def _text(node: Node) -> str:
    if not isinstance(node.value, str) or not node.value.strip():
        raise node.bad("expected a text")
    return " ".join(node.value.split())


def _not_applicable(node: Node | None, every: list[Axes]) -> list[Reason]:
    """-> which axis values are not run, and why."""
    if node is None or not every:
        return []
    if node.items is None:
        raise node.bad("expected a list of axis values, each with a reason")
    axes = {axis: tuple(cell[axis] for cell in every) for axis in every[0]}
    mistakes = Mistakes()
    found = [mistakes.attempt(partial(_reason, entry, axes)) for entry in node.items]
    mistakes.check()
    return [reason for reason in found if reason is not None]


def _reason(entry: Node, axes: Mapping[str, tuple[Node, ...]]) -> Reason:
    if entry.mapping is None or "reason" not in entry.mapping or len(entry.mapping) < 2:
        raise entry.bad("expected axis values and a reason")
    mistakes = Mistakes()
    some = {axis: value for axis, value in entry.mapping.items() if axis != "reason"}
    for axis, value in some.items():
        mistakes.attempt(partial(check_axis_value, axis, value, axes, listed=True))
    reason = mistakes.attempt(partial(_text, entry.mapping["reason"]))
    mistakes.check()
    return some, reason or ""


def _cells(root: Node, every: list[Axes], reasons: list[Reason], mistakes: Mistakes) -> list[Cell]:
    """What is wrong with several cells alike is told of the first; so is a key that is unknown, whichever value of it
    a cell has."""
    known = _Every(every)
    cells: list[Cell] = []
    told: set[Mistake] = set()

    def same(mistake: Mistake) -> Mistake:
        return mistake._replace(line=0) if mistake.message.startswith("unknown key") else mistake

    for axes in every:
        reason = next((reason for some, reason in reasons if matches(axes, some)), None)
        try:
            cells.append(_CellBuilder(root, axes, known).cell(reason))
        except BadScenario as error:
            fresh = [mistake for mistake in error.mistakes if same(mistake) not in told]
            told.update(map(same, fresh))
            where = f" (in cell {label(axes)})" if axes else ""
            mistakes.add(BadScenario(*(one._replace(message=one.message + where) for one in fresh)))
    return cells


class _Every(Every):
    """Also the parts of the document that are the same for all cells, and their values, read once."""

    def __init__(self, cells: list[Axes]) -> None:
        super().__init__(cells)
        self.parts: dict[str, Node] = {}
        self.values: dict[str, Any] = {}


class _CellBuilder:
    """Makes one cell of the document's body."""

    def __init__(self, root: Node, axes: Axes, every: _Every) -> None:
        self._root = root
        self._axes = axes
        self._mistakes = Mistakes()
        self._every = every
        self._selector = Selector(axes, every, self._mistakes)
        self._unread: set[str] = set()
        self._parts: dict[str, Node] = {}

    def cell(self, reason: str | None) -> Cell:
        """Raises BadScenario: whatever is wrong with it, but not what is so only because of that."""
        for key, node in (self._root.mapping or {}).items():
            # What is expected of a cell that is not run need not be said.
            if key in BODY and (key != "expect" or reason is None):
                resolved = self._read(key, partial(self._resolve, key, node))
                if resolved is not None:
                    self._parts[key] = resolved
        self._unread |= {"links", "nodes", "expect"} - self._parts.keys()
        cell = self._cell(reason)
        if reason is None:
            self._check(cell)
        self._mistakes.check()
        return cell

    def _resolve(self, key: str, node: Node) -> Node:
        if key in self._every.parts:
            return self._every.parts[key]
        before = len(self._mistakes)
        resolved = _durations(self._selector.resolve(node, key), key)
        if len(self._mistakes) > before:
            self._unread.add(key)
        elif self._every.fixed(node):
            self._every.parts[key] = resolved
        return resolved

    def _read(self, key: str, act: Callable[[], T]) -> T | None:
        """What comes of a part of the document; None, noted, if it is bad."""
        try:
            return act()
        except BadScenario as error:
            self._mistakes.add(error)
            self._unread.add(key)
            return None

    def _part(self, key: str, act: Callable[[Node], T], default: T) -> T:
        if key not in self._parts:
            return default
        values: dict[str, Any] = self._every.values
        if key in values:
            return cast(T, values[key])
        read = self._read(key, lambda: act(self._parts[key]))
        if read is not None and key in self._every.parts and key not in self._unread:
            values[key] = read
        return default if read is None else read

    def _items(self, key: str) -> tuple[Node, ...]:
        nothing: tuple[Node, ...] = ()
        return self._part(key, _items, nothing)

    def _each(self, key: str, act: Callable[[Node], T]) -> tuple[T, ...]:
        read = [self._read(key, partial(act, item)) for item in self._items(key)]
        return tuple(one for one in read if one is not None)

    def _cell(self, reason: str | None) -> Cell:
        is_system = "system" in (self._root.mapping or {})
        foreign = self._system() if is_system else None
        return Cell(
            scenario="",
            about="",
            cell=label(self._axes),
            axes={axis: text(node.value) for axis, node in self._axes.items()},
            seed=self._part("seed", partial(integer, expected="an integer from 0"), 1),
            nodes=self._system_nodes(foreign) if is_system else self._part("nodes", self._nodes, NOBODY),
            links=self._each("links", _link) if "nodes" in self._parts and not is_system else (),
            faults=self._each("faults", fault),
            expect=self._part("expect", _expect, Expect()),
            load=self._part("load", _load, DEFAULT_LOAD),
            settle=self._part("settle", integer, SETTLE),
            not_applicable=reason,
            system=foreign,
        )

    def _system(self) -> System | None:
        if not {"system", "oracle"} <= self._parts.keys():
            return None
        return self._read("links", lambda: system(self._parts, self._items("links")))

    def _system_nodes(self, foreign: System | None) -> dict[str, AnyNode]:
        driver = self._part("driver", _driver, None)
        return {} if foreign is None or driver is None else system_nodes(driver, foreign)

    def _check(self, cell: Cell) -> None:
        asked = system_problems if "system" in (self._root.mapping or {}) else problems
        document = Node(self._parts, self._root.line, file=self._root.file)
        for location, message in asked(cell, self._unread):
            node, rest = locate(document, location)
            self._mistakes.add(node.bad(message, *rest))  # a default is wrong with what stands beside it

    def _nodes(self, nodes: Node) -> dict[str, AnyNode]:
        if not nodes.mapping:
            raise nodes.bad("expected a mapping of names to nodes")
        read = {name: self._read("nodes", partial(_node, name, node)) for name, node in nodes.mapping.items()}
        return {name: node for name, node in read.items() if node is not None}


def _node(name: str, node: Node) -> Server | Client:
    if not _NAME.fullmatch(name):
        raise node.bad("expected a name of small letters, digits and -")
    match [key for key in ("service", "workload") if key in (node.mapping or {})]:
        case ["service"]:
            return typed(Server, node)
        case ["workload"]:
            return typed(Client, _client(node))
        case _:
            raise node.bad("expected a node with either a service or a workload")


def _link(node: Node) -> AnyLink:
    kind: type[AnyLink] = SocketLink if "protocol" in (node.mapping or {}) else Link
    return typed(kind, node)


def _driver(node: Node) -> Driver | None:
    return typed(Driver, node)


def _expect(node: Node) -> Expect:
    for key in ("holds", "violated"):
        node = change(node, "delivery", lambda delivery, key=key: change(delivery, key, _level))  # type: ignore[misc]
    return typed(Expect, node)


def _items(node: Node) -> tuple[Node, ...]:
    if node.value is None:
        return ()
    if node.items is None:
        raise node.bad("expected a list")
    return node.items


def _load(node: Node) -> Load:
    return UNTIL_DONE if node.value == UNTIL_DONE else integer(node, f"{UNTIL_DONE}, or {A_DURATION}")


def _durations(node: Node, key: str) -> Node:
    """200ms and 5s as milliseconds, under the keys that are durations."""
    if key == "environment":
        return node  # its keys are the user's
    if isinstance(node.value, tuple):
        items = tuple([_durations(item, "") for item in node.value])
        return node if all(map(is_, items, node.value)) else node.as_value(items)
    if isinstance(node.value, dict):
        below = {name: _durations(item, name) for name, item in node.value.items()}
        return node if all(map(is_, below.values(), node.value.values())) else node.as_value(below)
    return milliseconds(node) if key in DURATIONS else node


def _client(node: Node) -> Node:
    return change(change(node, "retry", retrying), "gates", spaced)


def _level(node: Node) -> Node:
    return node.as_value(_LEVELS[node.value]) if isinstance(node.value, str) and node.value in _LEVELS else node
