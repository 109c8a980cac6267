"""What is said of scenarios with one value altered: `altered.txt`. Of a few shipped files, each reduced to one cell.

`python tests/unit/orchestrator/scenario/altered.py` writes it anew; the difference is to be read then.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from orchestrator.scenario.document import BadScenario
from orchestrator.scenario.plan import expand

ROOT = Path(__file__).parents[4]
FILE = Path(__file__).with_suffix(".txt")
TITLE = "=== "
WHOLE = ("scenarios/rpc/05-duplicate-after-trim", "examples/orders/crash")
"""Whose every value is altered; of the others it is their faults."""
FAULTS = (
    *(f"scenarios/faults/{name}" for name in ("delay-jitter", "drop-one-client", "hold-until-trigger", "kill-archive")),
    *(f"scenarios/faults/{name}" for name in ("partition-by-time", "pause", "rate", "cut-after-reply")),
    *(f"scenarios/containers/{name}" for name in ("toxics", "tcp-repairs", "rate-packets")),
    "examples/orders/slow-answers",
)
VALUES: tuple[Any, ...] = (0, -1, "x", None, True, [], {"x": 1})
Place = tuple[str | int, ...]


def told(name: str) -> str:
    given = _reduced(yaml.safe_load((ROOT / f"{name}.yaml").read_text()))
    places = [place for place in _places(given) if name in WHOLE or place[:1] == ("faults",)]
    return "\n".join(line for place in places for line in _lines(given, place))


def _reduced(given: dict[str, Any]) -> dict[str, Any]:
    """To the first value of each axis."""
    axes = {axis: values[0] for axis, values in given.get("matrix", {}).items() if axis not in ("include", "exclude")}
    given.pop("not_applicable", None)
    made: dict[str, Any] = _selected(given, axes)
    return {**made, "matrix": {axis: [value] for axis, value in axes.items()}} if axes else made


def _selected(value: Any, axes: dict[str, Any]) -> Any:
    if isinstance(value, list):
        return [_selected(inner, axes) for inner in value]
    if not isinstance(value, dict):
        return value
    by = [value["by"]] if isinstance(value.get("by"), str) else value.get("by") or ["by"]
    if set(by) <= set(axes):
        chosen = " ".join(str(axes[axis]) for axis in by)
        return _selected(value.get(chosen, value.get("else")), axes)
    return {key: _selected(inner, axes) for key, inner in value.items()}


def _places(value: Any, place: Place = ()) -> Iterator[Place]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*place, key)
        yield from _places(inner, (*place, key))


def _lines(given: dict[str, Any], place: Place) -> Iterator[str]:
    """The alterations of one value, those together of which the same is said."""
    said: dict[str, list[str]] = {}
    for alteration, altered in _alterations(given, place):
        said.setdefault(_said(altered), []).append(alteration)
    yield ".".join(map(str, place))
    for message, alterations in said.items():
        yield f"  {', '.join(alterations)}: {message}"


def _alterations(given: dict[str, Any], place: Place) -> Iterator[tuple[str, dict[str, Any]]]:
    for value in VALUES:
        yield repr(value), _with(given, place, value)
    now = _at(given, place)
    match now:
        case bool():
            yield "other", _with(given, place, not now)
        case int() | float():
            yield "more", _with(given, place, now + 1)
            yield "much more", _with(given, place, now + 1_000_000)
        case str():
            yield "longer", _with(given, place, f"{now}x")
        case list():
            yield "doubled", _with(given, place, now + now)
        case dict():
            yield "with more", _with(given, place, {**now, "more": 1})
    without = copy.deepcopy(given)
    del _at(without, place[:-1])[place[-1]]
    yield "without", without


def _at(value: Any, place: Place) -> Any:
    for key in place:
        value = value[key]
    return value


def _with(given: dict[str, Any], place: Place, value: Any) -> dict[str, Any]:
    altered = copy.deepcopy(given)
    _at(altered, place[:-1])[place[-1]] = value
    return altered


def _said(given: dict[str, Any]) -> str:
    try:
        expand(yaml.safe_dump(given, sort_keys=False), "altered.yaml")
    except BadScenario as problem:
        return " | ".join(str(problem).splitlines())
    return "accepted"


def stored() -> dict[str, str]:
    parts = FILE.read_text().split(TITLE)[1:]
    return {name: text.strip("\n") for name, _, text in (part.partition("\n") for part in parts)}


if __name__ == "__main__":
    FILE.write_text("\n".join(f"{TITLE}{name}\n{told(name)}\n" for name in (*WHOLE, *FAULTS)))
