"""PURE: engines side by side. Those that showed the same stand in one column; where columns differ, that is marked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import NamedTuple

from orchestrator.probes.compared import ABSENT
from orchestrator.probes.expectations import Texts

DIFFERS = "*"
_GAP = "  "


class Column(NamedTuple):
    engines: tuple[str, ...]
    steps: Texts


class Block(NamedTuple):
    """Columns that have the same steps, in their order."""

    steps: tuple[str, ...]
    columns: tuple[Column, ...]

    def row(self, step: str) -> list[str]:
        return [column.steps.get(step, ABSENT) for column in self.columns]

    def differs(self, step: str) -> bool:
        return len(set(self.row(step))) > 1


def blocks(seen: Mapping[str, Texts]) -> list[Block]:
    """By engine what it showed -> blocks, engines in their order. Requests that complete have steps of their own."""
    columns: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for engine, steps in seen.items():
        columns.setdefault(tuple(steps.items()), []).append(engine)
    made: dict[tuple[str, ...], list[Column]] = {}
    for items, engines in columns.items():
        steps = dict(items)
        made.setdefault(tuple(steps), []).append(Column(tuple(engines), steps))
    return [Block(steps, tuple(several)) for steps, several in made.items()]


def lines(block: Block, width: int) -> list[str]:
    """As plain text, as wide as its columns need: engines in as many lines as keep within `width` characters."""
    first = max(len(step) for step in block.steps) if block.steps else 0
    values = [max((len(column.steps.get(step, ABSENT)) for step in block.steps), default=0) for column in block.columns]
    room = max(16, (width - first - 6) // len(block.columns) - len(_GAP))
    heads = [wrapped(column.engines, max(room, value)) for column, value in zip(block.columns, values, strict=True)]
    widths = [max(value, *map(len, head)) for value, head in zip(values, heads, strict=True)]
    said = [_line("", "", head, first, widths) for head in zip_longest(*heads, fillvalue="")]
    for step in block.steps:
        said.append(_line(DIFFERS if block.differs(step) else "", step, block.row(step), first, widths))
    return said


def _line(mark: str, name: str, values: Sequence[str], first: int, widths: Sequence[int]) -> str:
    cells = [value.ljust(width) for value, width in zip(values, widths, strict=True)]
    return f"  {mark:<1} {name:<{first}}{_GAP}{_GAP.join(cells)}".rstrip()


def wrapped(words: Iterable[str], width: int) -> list[str]:
    """In lines of at most so many characters, if no word is longer."""
    found: list[str] = []
    for word in words:
        if found and len(found[-1]) + 1 + len(word) <= width:
            found[-1] += f" {word}"
        else:
            found.append(word)
    return found


def markdown(block: Block) -> list[str]:
    """As a table of Markdown; what differs is bold."""
    heads = [" ".join(f"`{engine}`" for engine in column.engines) for column in block.columns]
    rows = [["step", *heads], ["---"] * (1 + len(heads))]
    for step in block.steps:
        strong = "**" if block.differs(step) else ""
        rows.append([step, *(f"{strong}{value}{strong}" for value in block.row(step))])
    return [f"| {' | '.join(row)} |" for row in rows]
