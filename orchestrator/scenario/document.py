"""PURE: a YAML document as a tree of values that know where they stand, and the error that a bad one gives.

Rules of this file:

1. Only what JSON could say comes out: mappings with string keys, lists, strings, numbers, booleans, null.
2. Plain scalars follow YAML 1.2's core schema, so `on`, `no` and `1:30` are strings.
3. Size is bounded with aliases counted as often as they are used, so an alias bomb is refused, not expanded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple, TypeVar

import yaml

MAX_BYTES = 4 << 20
"""Of a file, before it is read: a hundred times the largest scenario that anybody writes by hand."""
MAX_VALUES = 50_000
"""As written, and with aliases expanded: what parses in seconds."""
MAX_DEPTH = 40

MOST_TOLD = 20
MOST_CHARACTERS = 20_000
"""Of the mistakes of a command's files that are told; who has more looks again after mending these."""
MOST_KEPT = 200
"""Mistakes after which nobody looks for others."""

Scalar = str | int | float | bool | None
T = TypeVar("T")

_INTEGER = re.compile(r"[-+]?[0-9]{1,19}")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_CONSTANTS: dict[str, Scalar] = {"": None, "~": None, "null": None, "true": True, "false": False}
_PLAIN_TAGS = {None, "!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}


class Mistake(NamedTuple):
    """One thing that is wrong, and what was expected.

    `path` is the place inside the document ("faults[0].link"), empty for the whole; `line` counts from 1, 0 if unknown.
    """

    file: str
    line: int
    path: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"


class BadScenario(Exception):
    """A file that cannot be run as written: everything that is wrong with it, at least one thing."""

    def __init__(self, *mistakes: Mistake) -> None:
        self.mistakes = mistakes

    def __str__(self) -> str:
        """A line for each, but no more of them than one reads."""
        lines = [str(self.first)]
        for mistake in self.mistakes[1:MOST_TOLD]:
            lines.append(str(mistake))
            if sum(map(len, lines)) > MOST_CHARACTERS:
                del lines[-1]
                break
        if more := len(self.mistakes) - len(lines):
            lines.append(f"and {more} more" if len(self.mistakes) < MOST_KEPT else "and many more")
        return "\n".join(lines)

    @property
    def first(self) -> Mistake:
        return self.mistakes[0]


def bad_file(file: str, message: str, path: str = "") -> BadScenario:
    """What is wrong with all of a file, on no line of it."""
    return BadScenario(Mistake(file, 0, path, message))


class Mistakes:
    """Gathers what is wrong with the parts of a file, which do not depend on one another."""

    def __init__(self) -> None:
        self._found: dict[Mistake, None] = {}

    def __len__(self) -> int:
        return len(self._found)

    def add(self, error: BadScenario) -> None:
        """Each once. Raises BadScenario, with all, when there are as many as are worth looking for."""
        for mistake in error.mistakes:
            self._found[mistake] = None
            if len(self._found) >= MOST_KEPT:
                raise self.error()

    def attempt(self, act: Callable[[], T]) -> T | None:
        """What comes of it, None if it is bad; see `add`."""
        try:
            return act()
        except BadScenario as error:
            self.add(error)
            return None

    def error(self) -> BadScenario:
        """All of it, file by file, in the order of the lines."""
        files = list(dict.fromkeys(mistake.file for mistake in self._found))
        return BadScenario(*sorted(self._found, key=lambda mistake: (files.index(mistake.file), mistake.line)))

    def check(self) -> None:
        """Raises BadScenario if anything was wrong."""
        if self._found:
            raise self.error()


@dataclass(frozen=True, eq=False)
class Node:
    """A value, and where it stands. `size` counts the values in it, aliases expanded."""

    value: Scalar | tuple[Node, ...] | dict[str, Node]
    line: int
    size: int = 1
    file: str = ""
    path: str = ""

    @property
    def mapping(self) -> Mapping[str, Node] | None:
        return self.value if isinstance(self.value, dict) else None

    @property
    def items(self) -> tuple[Node, ...] | None:
        return self.value if isinstance(self.value, tuple) else None

    def bad(self, message: str, *below: str | int) -> BadScenario:
        """What is wrong here, or at a key below that is not there."""
        path = self.path
        for step in below:
            path = join(path, step)
        return BadScenario(Mistake(self.file, self.line, path, message))

    def nearest(self, path: Iterable[str | int]) -> Node:
        """What is there, or the last on the way that is."""
        node = self
        for step in path:
            inner = node.items if isinstance(step, int) else node.mapping
            try:
                node = inner[step]  # type: ignore[index]
            except (TypeError, LookupError):
                break
        return node

    def plain(self) -> object:
        """The value as JSON's types."""
        if isinstance(self.value, tuple):
            return [item.plain() for item in self.value]
        if isinstance(self.value, dict):
            return {key: item.plain() for key, item in self.value.items()}
        return self.value

    def at(self, path: str) -> Node:
        """The same, told of as at another place."""
        value = self.value
        if isinstance(value, tuple):
            value = tuple(item.at(join(path, index)) for index, item in enumerate(value))
        elif isinstance(value, dict):
            value = {key: item.at(join(path, key)) for key, item in value.items()}
        return Node(value, self.line, self.size, self.file, path)

    def as_value(self, value: Scalar | tuple[Node, ...] | dict[str, Node]) -> Node:
        """Another one in the same place."""
        return Node(value, self.line, self.size, self.file, self.path)


def parse(text: str, file: str, expected: str = "a scenario (`faultbed schema` prints the format)") -> Node:
    """The only document in `text`. Raises BadScenario, never anything else."""
    if len(text) > MAX_BYTES:
        raise bad_file(file, f"larger than {MAX_BYTES} characters; expected a page or two")
    try:
        return _Builder(file, yaml.parse(text, Loader=yaml.BaseLoader), expected).document().at("")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        raise BadScenario(Mistake(file, line, "", f"not YAML: {error.problem or error.context}")) from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # an escape such as "\\UFFFFFFFF" is a ValueError
        raise bad_file(file, f"not YAML: {' '.join(str(error).split())}") from None


def scalar(text: str) -> Scalar:
    """A plain scalar's value by YAML 1.2's core schema (section 10.3.2), without octal, hexadecimal and infinity."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def join(path: str, key: str | int) -> str:
    """The path of a key or an index below `path`."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key


def path_text(path: Iterable[str | int]) -> str:
    """As errors name it, such as nodes.server.limits."""
    return reduce(join, path, "")


class _Builder:
    """Makes nodes from the parser's events, which are flat, so that no input can exhaust the stack."""

    def __init__(self, file: str, events: Iterator[yaml.Event], expected: str) -> None:
        self.file = file
        self.events = events
        self.expected = expected
        self.anchors: dict[str, Node] = {}
        self.depth = 0
        self.made = 0

    def document(self) -> Node:
        next(self.events)  # the stream's start
        if isinstance(next(self.events), yaml.StreamEndEvent):
            raise BadScenario(Mistake(self.file, 1, "", f"empty; expected {self.expected}"))
        root = self.node(next(self.events))
        next(self.events)  # the document's end
        after = next(self.events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise self.bad(after, "a second document; expected one per file")
        return root

    def node(self, event: yaml.Event) -> Node:
        self.made += 1
        if self.made > MAX_VALUES:
            raise self.bad(event, f"more than {MAX_VALUES} values")
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event)
        assert isinstance(event, yaml.NodeEvent)
        if getattr(event, "tag", None) not in _PLAIN_TAGS:
            raise self.bad(event, f"tag {getattr(event, 'tag', None)}; expected plain values without tags")
        built = self.collection(event) if isinstance(event, yaml.CollectionStartEvent) else self.leaf(event)
        if event.anchor:
            self.anchors[event.anchor] = built
        return built

    def alias(self, event: yaml.AliasEvent) -> Node:
        if event.anchor not in self.anchors:
            raise self.bad(event, f"alias *{event.anchor} names no anchor that is complete before it")
        return self.anchors[event.anchor]

    def leaf(self, event: yaml.Event) -> Node:
        assert isinstance(event, yaml.ScalarEvent)
        value = scalar(self.text(event)) if event.style is None else self.text(event)
        return Node(value, _line(event), file=self.file)

    def text(self, event: yaml.ScalarEvent) -> str:
        if any("\ud800" <= character <= "\udfff" for character in event.value):
            raise self.bad(event, f"{event.value!r} is not a text: it has half a surrogate pair")
        return str(event.value)

    def collection(self, event: yaml.CollectionStartEvent) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.bad(event, f"nested more than {MAX_DEPTH} levels deep")
        built = self.map(event) if isinstance(event, yaml.MappingStartEvent) else self.sequence(event)
        self.depth -= 1
        if built.size > MAX_VALUES:
            raise self.bad(event, f"more than {MAX_VALUES} values, aliases counted as often as they are used")
        return built

    def sequence(self, start: yaml.Event) -> Node:
        found: list[Node] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            found.append(self.node(event))
        return Node(tuple(found), _line(start), 1 + sum(item.size for item in found), self.file)

    def map(self, start: yaml.Event) -> Node:
        found: dict[str, Node] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise self.bad(event, "a key that is not a plain word or a string")
            key = self.text(event)
            if key in found:
                raise self.bad(event, f"key {key!r} twice in one mapping")
            found[key] = self.node(next(self.events))
        return Node(found, _line(start), 1 + sum(item.size for item in found.values()), self.file)

    def bad(self, event: yaml.Event, message: str) -> BadScenario:
        return BadScenario(Mistake(self.file, _line(event), "", message))


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0
