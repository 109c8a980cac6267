"""PURE: a cell as the text of a scenario file, which says nothing that is a default."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

import yaml

from chaos.faults.fault import Fault
from orchestrator.scenario.cell import UNTIL_DONE, AnyLink, Cell, SocketLink
from orchestrator.scenario.value import Value

WIDTH = 116


def written(cell: Cell, name: str, about: str) -> str:
    """A scenario of this one cell. What is expected of it is the cell's own."""
    body = {
        "scenario": name,
        "about": about,
        "seed": cell.seed,
        **({} if cell.load == UNTIL_DONE else {"load": cell.load}),
        "settle": cell.settle,
        "nodes": {each: _plain(node) for each, node in cell.nodes.items()},
        "links": [_link(link) for link in cell.links],
        "faults": [_fault(fault) for fault in cell.faults],
        "expect": _plain(cell.expect),
    }
    return str(yaml.safe_dump(body, sort_keys=False, width=WIDTH, default_flow_style=None, allow_unicode=True))


def _link(link: AnyLink) -> dict[str, Any]:
    """With what a reader wants to know in any case."""
    spoken = {"protocol": link.protocol} if isinstance(link, SocketLink) else {"codec": link.codec}
    return {"from": link.source, "to": link.target, **_plain(link), "transport": link.transport, **spoken}


def _fault(fault: Fault) -> dict[str, Any]:
    """Its verb first."""
    told = dict(_fields(fault))
    return {fault.verb: told.pop(fault.verb), **told}


def _plain(value: Any) -> Any:
    if isinstance(value, Value):
        return _listed(value.model_dump(by_alias=True, exclude_defaults=True))
    if is_dataclass(value):
        return dict(_fields(value))
    return _listed(value)


def _fields(value: Any) -> Iterator[tuple[str, Any]]:
    """Of a dataclass. One that is all defaults has its first all the same: a mapping of nothing says nothing."""
    told = [field for field in fields(value) if field.default is MISSING or getattr(value, field.name) != field.default]
    for field in told or fields(value)[:1]:
        yield field.name, _plain(getattr(value, field.name))


def _listed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, (tuple, list)) else value
