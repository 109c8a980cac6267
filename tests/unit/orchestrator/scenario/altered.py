"""What is said of scenarios with one value altered: `altered.txt`. Of a few shipped files, each reduced to one cell.

`make stored` writes it anew; the difference is to be read then.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from alterations import lines, places_of

from orchestrator.scenario.document import BadScenario
from orchestrator.scenario.plan import expand

ROOT = Path(__file__).parents[4]
FILE = Path(__file__).with_suffix(".txt")
TITLE = "=== "
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""Libyaml's, where it is there: it writes the same."""
WHOLE = ("scenarios/rpc/05-duplicate-after-trim", "examples/orders/crash")
"""Whose every value is altered; of the others it is their faults."""
FAULTS = (
    *(f"scenarios/faults/{name}" for name in ("delay-jitter", "drop-one-client", "hold-until-trigger", "kill-archive")),
    *(f"scenarios/faults/{name}" for name in ("partition-by-time", "pause", "rate", "cut-after-reply")),
    *(f"scenarios/containers/{name}" for name in ("toxics", "tcp-repairs", "rate-packets")),
    "examples/orders/slow-answers",
)


def told(name: str) -> str:
    given = _reduced(yaml.safe_load((ROOT / f"{name}.yaml").read_text()))
    places = [place for place in places_of(given) if name in WHOLE or place[:1] == ("faults",)]
    return "\n".join(line for place in places for line in lines(given, place, _said))


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


def _said(given: dict[str, Any]) -> str:
    try:
        expand(yaml.dump(given, Dumper=DUMPER, sort_keys=False), "altered.yaml")
    except BadScenario as problem:
        return " | ".join(str(problem).splitlines())
    return "accepted"


def stored() -> dict[str, str]:
    parts = FILE.read_text().split(TITLE)[1:]
    return {name: text.strip("\n") for name, _, text in (part.partition("\n") for part in parts)}


if __name__ == "__main__":
    FILE.write_text("\n".join(f"{TITLE}{name}\n{told(name)}\n" for name in (*WHOLE, *FAULTS)))
