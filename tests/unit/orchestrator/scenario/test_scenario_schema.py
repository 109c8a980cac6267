from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from chaos.faults.vocabulary import FAULTS
from orchestrator.scenario.plan import DURATIONS, KEYS, REQUIRED
from orchestrator.scenario.schema import schema
from orchestrator.scenario.value import Value


def walk(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for below in value.values():
            yield from walk(below)
    elif isinstance(value, list):
        for below in value:
            yield from walk(below)


def test_it_is_json_and_knows_every_key() -> None:
    made = schema()
    assert json.loads(json.dumps(made)) == made
    assert set(made["properties"]) == set(KEYS)
    assert made["required"] == list(REQUIRED)


def test_every_reference_leads_somewhere() -> None:
    made = schema()
    references = {one["$ref"] for one in walk(made) if isinstance(one.get("$ref"), str)}
    assert {"#/$defs/selection", "#/$defs/duration", "#/$defs/Retry"} <= references
    assert references <= {f"#/$defs/{name}" for name in made["$defs"]}


def test_every_time_may_be_written_as_a_duration() -> None:
    kinds: list[type] = [Value]
    for kind in kinds:
        kinds += kind.__subclasses__()
    times = {name for kind in kinds for name, of in kind.__annotations__.items() if "Milliseconds" in str(of)}
    assert {"start", "timeout"} <= times <= DURATIONS


def test_every_fault_is_found_by_its_verb() -> None:
    required = [set(one["required"]) for one in walk(schema()["properties"]["faults"]) if "required" in one]
    for verb in FAULTS:
        assert any(verb in keys for keys in required)
