"""PURE: a scenario's axes, and what a document says for one combination of their values.

Two transformations, anywhere in the document: `${axis}` inside a string, and a selection, a mapping
`{by: AXIS, value: ..., else: ...}` (or `by: [a, b]` with keys such as "maybe tcp") that stands for what it has
under the combination's value. What selects to null disappears.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from itertools import product
from math import prod

from chaos.faults.window import A_DURATION
from orchestrator.scenario.document import BadScenario, Mistakes, Node, join

MAX_CELLS = 10_000
"""Of one command, unless it is said that so many are wanted: a matrix multiplies sooner than one thinks."""
MOST_CELLS = 100_000
"""Of one command in any case: each takes some kilobytes of memory, and a second of somebody's patience."""

Axes = dict[str, Node]  # one combination: each axis with its value
Partial = Mapping[str, Node]  # some axes of it
Values = tuple[Node, ...]

_AXIS = re.compile(r"[a-z][a-z0-9_-]*")
_PAIR = re.compile(r'\s*([a-z][a-z0-9_-]*)\s*=\s*("(?:[^"\\]|\\.)*"|[^",]*)\s*(,|$)')
_SUBSTITUTION = re.compile(r"\$\{([^}]*)\}")


def text(value: object) -> str:
    """A scalar as the scenario writes it: the form in cells' names and in selections' keys."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def label(axes: Axes) -> str:
    """The cell's name: "semantics=maybe,transport=udp", or "-" without a matrix; no two cells of a matrix share one."""
    return ",".join(f"{axis}={_quoted(text(node.value))}" for axis, node in axes.items()) or "-"


def _quoted(value: str) -> str:
    """As it is, but where one could not tell its end: "a,b" in quotes, as JSON has them."""
    plain = value.isprintable() and value == value.strip() and not {",", '"'} & set(value)
    return value if plain else json.dumps(value)


def values_of(written: str) -> dict[str, str]:
    """The inverse of `label`, for any of its axes. Raises ValueError: it is no such text."""
    found: dict[str, str] = {}
    rest = written
    while pair := _PAIR.match(rest):
        found[pair[1]] = json.loads(pair[2]) if pair[2].startswith('"') else pair[2].strip()
        if not pair[3]:
            return found
        rest = rest[pair.end() :]
    raise ValueError(f"{rest!r} is no AXIS=VALUE")


def combinations(matrix: Node | None, most: int = MAX_CELLS) -> list[Axes]:
    """The product of the axes, without what `exclude` matches, then with what `include` adds, in the file's order.

    An `include` entry gives some axes a value, which the matrix need not list, and combines it with every listed
    value of the axes that it does not name. Raises BadScenario, also for more than `most`, before they are made.
    """
    if matrix is None:
        return [{}]
    if matrix.mapping is None:
        raise matrix.bad("expected a mapping of axes to lists of values")
    axes = {axis: node for axis, node in matrix.mapping.items() if axis not in ("include", "exclude")}
    if not axes:
        raise matrix.bad("no axis; expected at least one, such as transport: [udp, tcp]")
    values = _axes(axes)
    excluded, included = _partials(matrix, values)
    if (size := sum(map(_size, [values, *included]))) > MOST_CELLS:
        raise _too_many(size, min(most, MOST_CELLS), matrix)
    wanted = [cell for cell in _product(values) if not any(matches(cell, some) for some in excluded)]
    for some in included:
        wanted += _product(some)
    found = {tuple(text(node.value) for node in cell.values()): cell for cell in wanted}
    if not found:
        raise matrix.bad("nothing is left of the matrix", "exclude")
    if len(found) > most:
        raise _too_many(len(found), most, matrix)
    return list(found.values())


def matches(cell: Axes, some: Mapping[str, Node]) -> bool:
    """Whether the cell has each of these axis values; a list names alternatives."""
    return all(
        text(cell[axis].value) in [text(value.value) for value in node.items or (node,)] for axis, node in some.items()
    )


def _size(axes: Mapping[str, tuple[Node, ...]]) -> int:
    return prod(len(values) for values in axes.values())


def _too_many(size: int, most: int, matrix: Node) -> BadScenario:
    rule = f"a command has at most {MAX_CELLS} in all, {MOST_CELLS} with `run --yes`"
    return matrix.bad(f"{size} cells; expected at most {most}: {rule}")


def _product(axes: Mapping[str, tuple[Node, ...]]) -> list[Axes]:
    return [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]


def _axes(axes: Mapping[str, Node]) -> dict[str, tuple[Node, ...]]:
    mistakes = Mistakes()
    values = {axis: mistakes.attempt(partial(_values, node, axis)) or () for axis, node in axes.items()}
    mistakes.check()
    return values


def _values(node: Node, axis: str) -> tuple[Node, ...]:
    if not _AXIS.fullmatch(axis):
        raise node.bad("expected an axis name of small letters, digits, - and _")
    if not node.items:
        raise node.bad("expected a list with at least one value")
    seen: set[str] = set()
    for value in node.items:
        if isinstance(value.value, (tuple, dict)) or value.value is None:
            raise _of_list(node, value, "expected plain values: words, numbers, true, false")
        if text(value.value) in seen:
            raise _of_list(node, value, f"value {text(value.value)!r} twice")
        seen.add(text(value.value))
    return node.items


def _of_list(node: Node, item: Node, message: str) -> BadScenario:
    """The list's name, and the item's line."""
    return replace(item, path=node.path).bad(message)


def _partials(matrix: Node, axes: Mapping[str, tuple[Node, ...]]) -> tuple[list[Partial], list[dict[str, Values]]]:
    """-> what `exclude` matches, and the axes of what `include` adds."""
    mistakes = Mistakes()
    excluded = mistakes.attempt(lambda: _partial(matrix, "exclude", axes)) or []
    included = mistakes.attempt(lambda: _partial(matrix, "include", axes)) or []
    mistakes.check()
    return excluded, [dict(axes) | {axis: (node,) for axis, node in some.items()} for some in included]


def _partial(matrix: Node, key: str, axes: Mapping[str, tuple[Node, ...]]) -> list[Partial]:
    assert matrix.mapping is not None
    entries = matrix.mapping.get(key)
    if entries is None:
        return []
    if entries.items is None:
        raise entries.bad("expected a list of mappings of axes to values")
    mistakes = Mistakes()
    found = []
    for entry in entries.items:
        if not entry.mapping:
            mistakes.add(entry.bad("expected a mapping of axes to values"))
            continue
        for axis, value in entry.mapping.items():
            mistakes.attempt(partial(check_axis_value, axis, value, axes, listed=key == "exclude"))
        found.append(entry.mapping)
    mistakes.check()
    return found


def check_axis_value(axis: str, value: Node, axes: Mapping[str, tuple[Node, ...]], *, listed: bool) -> None:
    """Refuse an axis that does not exist, and, if `listed`, a value that it does not have."""
    if axis not in axes:
        raise value.bad(f"no such axis; {hint(axis, axes)}")
    for node in (value.items or (value,)) if listed else (value,):
        if isinstance(node.value, (tuple, dict)) or node.value is None:
            raise _of_list(value, node, "expected a plain value")
        known = [text(one.value) for one in axes[axis]]
        if listed and text(node.value) not in known:
            raise _of_list(value, node, f"axis {axis} has no value {text(node.value)!r}: {hint('', known)}")


def hint(word: str, known: Mapping[str, object] | list[str]) -> str:
    """What was expected, and the nearest to what was written."""
    near = nearest(word, known)
    expected = "expected " + (", ".join(known) if known else "nothing")
    return f"{expected} (did you mean {near}?)" if near else expected


def nearest(word: str, known: Iterable[str]) -> str | None:
    """What may have been meant by a word that is misspelt."""
    return next(iter(get_close_matches(word, list(known), n=1)), None)


class Every:
    """What is so for all cells of a matrix, found once: the keys that a selection by some of its axes may have, and
    which parts of the document have none in them."""

    def __init__(self, cells: list[Axes]) -> None:
        self._cells = cells
        self._keys: dict[tuple[str, ...], dict[str, None]] = {}
        self._fixed: dict[int, bool] = {}

    def keys(self, axes: tuple[str, ...]) -> Mapping[str, None]:
        if axes not in self._keys:
            self._keys[axes] = dict.fromkeys(" ".join(text(cell[axis].value) for axis in axes) for cell in self._cells)
        return self._keys[axes]

    def fixed(self, node: Node) -> bool:
        """Whether it says the same for every cell. It is one of the document's, which live as long as this."""
        found = self._fixed.get(id(node))
        if found is None:
            found = self._fixed[id(node)] = self._is_fixed(node)
        return found

    def _is_fixed(self, node: Node) -> bool:
        if node.items is not None:
            return all(self.fixed(item) for item in node.items)
        if node.mapping is not None:
            return selection_axes(node) is None and all(self.fixed(item) for item in node.mapping.values())
        return not isinstance(node.value, str) or "${" not in node.value


class Selector:
    """Says what the document has for one cell. `every` is all cells of the matrix, to recognise a misspelt key.

    What is wrong with some of a list's items is among the `mistakes`, and the rest of the list is resolved.
    """

    def __init__(self, cell: Axes, every: Every, mistakes: Mistakes) -> None:
        self.cell = cell
        self.every = every
        self.mistakes = mistakes

    def resolve(self, node: Node, path: str) -> Node:
        """The node with every selection and substitution done; `path` is its place then. Raises BadScenario."""
        if node.path == path and self.every.fixed(node):
            return node
        if node.items is not None:
            return self._list(node, node.items, path)
        if node.mapping is not None:
            axes = selection_axes(node)
            return self._map(node, node.mapping, path) if axes is None else self._select(node, axes, path)
        return self._substitute(node, path)

    def _list(self, node: Node, items: tuple[Node, ...], path: str) -> Node:
        """Without those that are bad, which are among the mistakes."""
        found: list[Node] = []
        left_out = 0
        for item in items:
            resolved = self.mistakes.attempt(partial(self.resolve, item, join(path, len(found) + left_out)))
            if resolved is None:
                left_out += 1
            elif resolved.value is not None or item.value is None:
                found.append(resolved)
        return Node(tuple(found), node.line, file=node.file, path=path)

    def _map(self, node: Node, mapping: Mapping[str, Node], path: str) -> Node:
        mistakes = Mistakes()
        found: dict[str, Node] = {}
        for key, item in mapping.items():
            try:
                resolved = self.resolve(item, join(path, key))
            except BadScenario as error:
                mistakes.add(error)
                continue
            if resolved.value is not None or item.value is None:
                found[key] = resolved
        mistakes.check()
        return Node(found, node.line, file=node.file, path=path)

    def _select(self, node: Node, axes: list[str], path: str) -> Node:
        assert node.mapping is not None
        for axis in axes:
            self._known(axis, node.mapping["by"], f", nor {A_DURATION}" if "delay" in node.mapping else "")
        possible = self.every.keys(tuple(axes))
        mistakes = Mistakes()
        for key, item in node.mapping.items():
            if key not in ("by", "else") and key not in possible:
                mistakes.add(item.bad(f"no value of {' '.join(axes)}: {hint(key, list(possible))}"))
        mistakes.check()
        wanted = " ".join(text(self.cell[axis].value) for axis in axes)
        key = wanted if wanted in node.mapping else "else"
        if key not in node.mapping:
            raise node.bad(f"nothing is said for {wanted!r}, and there is no else")
        return self.resolve(node.mapping[key], path)

    def _substitute(self, node: Node, path: str) -> Node:
        if not isinstance(node.value, str) or "${" not in node.value:
            return node if node.path == path else Node(node.value, node.line, node.size, node.file, path)
        whole = _SUBSTITUTION.fullmatch(node.value)
        if whole:
            self._known(whole[1], node)
            return Node(self.cell[whole[1]].value, node.line, file=node.file, path=path)
        for axis in _SUBSTITUTION.findall(node.value):
            self._known(axis, node)
        value = _SUBSTITUTION.sub(lambda found: text(self.cell[found[1]].value), node.value)
        return Node(value, node.line, file=node.file, path=path)

    def _known(self, axis: str, node: Node, nor: str = "") -> None:
        if axis not in self.cell:
            raise node.bad(f"{axis!r} is no axis of the matrix{nor}; {hint(axis, list(self.cell))}")


def selection_axes(node: Node) -> list[str] | None:
    """The axes that a mapping selects by, None for an ordinary mapping (a delay's `by: 20ms` is a duration)."""
    by = node.mapping.get("by") if node.mapping else None
    if by is None:
        return None
    names = [name.value for name in by.items or (by,)]
    words = [name for name in names if isinstance(name, str) and _AXIS.fullmatch(name)]
    return words if words and len(words) == len(names) else None
