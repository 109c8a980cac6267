"""PURE: the JSON Schema (2020-12) of scenario files, made from the same types that validate them.

Anything below the top may also be a selection (`{by: AXIS, value: ..., else: ...}`) or hold `${axis}`, so every
subschema of `nodes`, `links`, `faults` and `expect` admits these two; what they come to is checked by cell.
"""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from chaos.faults.vocabulary import FAULTS
from chaos.faults.window import DURATION, marked
from orchestrator.scenario.cell import ABOUT_LOAD, UNTIL_DONE, Client, Expect, Link, Server, SocketLink
from orchestrator.scenario.fault_choice import PARTS
from orchestrator.scenario.plan import DURATIONS, REQUIRED
from orchestrator.scenario.system import ORACLES, Driver, Project, SystemLink

_SELECTION = {"$ref": "#/$defs/selection"}
_SUBSTITUTION = {"$ref": "#/$defs/substitution"}
_DURATION = {"$ref": "#/$defs/duration"}
_PARTS = {kind.__name__: kind for kind in PARTS.values()}
_AXIS_VALUE = {"type": ["string", "number", "boolean"]}
_PARTIAL = {"type": "array", "items": {"type": "object", "additionalProperties": {**_AXIS_VALUE}}}


def schema() -> dict[str, Any]:
    """-> a JSON Schema as JSON values."""
    definitions: dict[str, Any] = {
        "selection": {
            "type": "object",
            "description": "by: an axis, or a list of axes; then one key per value, and else",
            "required": ["by"],
            "properties": {"by": {"type": ["string", "array"], "items": {"type": "string"}}},
        },
        "substitution": {"type": "string", "pattern": r"\$\{[a-z][a-z0-9_-]*\}"},
        "duration": {"type": "string", "pattern": "^[0-9]{1,9}(ms|s)$"},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A Faultbed scenario",
        "type": "object",
        "additionalProperties": False,
        "required": list(REQUIRED),
        "oneOf": [{"required": ["nodes"]}, {"required": ["system", "driver", "oracle"]}],
        "properties": _properties(definitions),
        "$defs": definitions,
    }


def _properties(definitions: dict[str, Any]) -> dict[str, Any]:
    """Of a scenario's top; what they are made of goes to `definitions`."""
    link = {"anyOf": [_of(kind, definitions) for kind in (Link, SocketLink, SystemLink)]}
    node = {"oneOf": [_of(Server, definitions), _of(Client, definitions)]}
    faults = {"anyOf": [_verb(verb, _of(kind, definitions)) for verb, kind in FAULTS.items()]}
    return {
        "scenario": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,63}$"},
        "about": {"type": "string"},
        "seed": {"type": "integer", "minimum": 0, "default": 1},
        "matrix": _matrix(),
        "not_applicable": _not_applicable(),
        "nodes": {"type": "object", "minProperties": 1, "additionalProperties": _or_selected(node)},
        "system": _or_selected(_of(Project, definitions)),
        "links": _or_selected({"type": "array", "items": _or_selected(link)}),
        "driver": _or_selected(_of(Driver, definitions)),
        "oracle": _or_selected({"oneOf": [_of(kind, definitions) for kind in ORACLES.values()]}),
        "faults": _or_selected({"type": "array", "items": _or_selected(faults)}),
        "expect": _or_selected(_of(Expect, definitions)),
        "load": _or_selected(_load()),
        "settle": _or_selected(_time("cap of settling, and of draining")),
    }


def _matrix() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"include": _PARTIAL, "exclude": _PARTIAL},
        "additionalProperties": {"type": "array", "minItems": 1, "items": {**_AXIS_VALUE}},
    }


def _not_applicable() -> dict[str, Any]:
    value = {"type": ["string", "number", "boolean", "array"]}
    entry = {
        "type": "object",
        "required": ["reason"],
        "properties": {"reason": {"type": "string"}},
        "additionalProperties": value,
    }
    return {"type": "array", "items": entry}


def _time(description: str) -> dict[str, Any]:
    return {"anyOf": [{"type": "integer", "minimum": 0}, _DURATION], "description": description}


def _load() -> dict[str, Any]:
    time = _time(ABOUT_LOAD)
    return {**time, "anyOf": [*time["anyOf"], {"const": UNTIL_DONE}], "default": UNTIL_DONE}


def _of(kind: type, definitions: dict[str, Any]) -> dict[str, Any]:
    """The type's schema; the definitions it needs are added to the document's."""
    made = TypeAdapter(kind).json_schema(by_alias=True)
    for name, definition in made.pop("$defs", {}).items():
        definitions[name] = _open(definition, _durations(_PARTS.get(name)))
    return _open(made, _durations(kind))


def _durations(kind: type | None) -> frozenset[str]:
    """Faults and their parts say which of their keys are durations."""
    return marked(kind, DURATION) if kind in (*FAULTS.values(), *PARTS.values()) else DURATIONS


def _open(made: dict[str, Any], durations: frozenset[str]) -> dict[str, Any]:
    """An object's schema whose values may be selected, substituted, and, where they are times, durations."""
    if "properties" in made:
        properties = made["properties"].items()
        made["properties"] = {name: _value(name, value, name in durations) for name, value in properties}
        made["additionalProperties"] = False
    return made


def _value(name: str, value: dict[str, Any], duration: bool) -> dict[str, Any]:
    durations = [_DURATION] if duration else []
    retry = [{"const": "until-settle"}] if name == "retry" else []
    if "items" in value:
        value = {**value, "items": _or_selected(value["items"])}
    return {"anyOf": [value, *durations, *retry, _SELECTION, _SUBSTITUTION]}


def _or_selected(value: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [value, _SELECTION, _SUBSTITUTION]}


def _verb(verb: str, made: dict[str, Any]) -> dict[str, Any]:
    return {**made, "required": sorted({verb, *made.get("required", [])})}
