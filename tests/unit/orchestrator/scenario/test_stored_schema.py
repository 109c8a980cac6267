"""The schema of scenario files says what it said: `schema.txt`, a line for each key, with what its value may be.

`make stored` writes it anew; the difference is to be read then.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orchestrator.scenario.schema import schema

FILE = Path(__file__).with_name("schema.txt")
PROSE = {"title", "description"}
GROUPS = {"properties", "$defs", "anyOf", "oneOf"}
"""Their members have lines of their own."""
ANYWHERE = [{"$ref": "#/$defs/selection"}, {"$ref": "#/$defs/substitution"}]
"""What every value may be instead."""


def lines(place: str, value: dict[str, Any]) -> Iterator[str]:
    own = {key: each for key, each in value.items() if key not in PROSE | GROUPS and not isinstance(each, dict)}
    alternatives = value.get("anyOf", value.get("oneOf", []))
    either = " ..." * (alternatives[-2:] == ANYWHERE)
    yield f"{place}{either} {json.dumps(own, sort_keys=True)}"
    for number, each in enumerate(alternatives[:-2] if either else alternatives):
        yield from lines(place if len(alternatives) == 3 and either else f"{place}|{number}", each)
    for key, each in value.items():
        if key in ("properties", "$defs"):
            for name, inner in each.items():
                yield from lines(f"{place}.{name}", inner)
        elif isinstance(each, dict):
            yield from lines(f"{place}:{key}", each)


def text() -> str:
    return "\n".join(lines("", schema())) + "\n"


def test_the_schema_says_what_it_said() -> None:
    assert text() == FILE.read_text(), "if that is meant: make stored"


if __name__ == "__main__":
    FILE.write_text(text())
