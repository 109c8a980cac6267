"""The probes' registry: one file per row of the table of multiplexer behaviour, found by its name.

A probe's module has a `PROBE` (`nodes/probes/common/probe.py`): its row, what it is about, which engines it can be done
on, and its steps. A probe's name is its file's, with hyphens. Adding a probe is adding that file, and what is expected
of it. What probes share is in the package `common`. The subject is an engine's own poller or ring, never a driver.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from nodes.probes.common.kinds import kind
from nodes.probes.common.probe import Kind, Probe
from nodes.registry import modules

_MODULES = {module.replace("_", "-"): module for module in modules(__path__)}


def probe(name: str) -> Probe:
    """Raises KeyError for an unknown name."""
    found: Probe = import_module(f"{__name__}.{_MODULES[name]}").PROBE
    return found


def _place(name: str) -> tuple[int, str]:
    row = probe(name).row
    return (int(row) if row.isdecimal() else 1000), name


def names() -> tuple[str, ...]:
    """Every probe, in the order of the table's rows; those that have no row come last."""
    return tuple(sorted(_MODULES, key=_place))


def broken() -> Mapping[str, Any]:
    """Pollers that are wrong on purpose, by their names (nodes/probes/common/broken.py)."""
    found: Mapping[str, Any] = import_module(f"{__name__}.common.broken").BROKEN
    return found


def refusal(name: str, engine: str) -> str | None:
    """Why this probe cannot be done on this engine, wherever that can run; None if it can."""
    wanted, found = probe(name), kind(engine)
    if isinstance(found, str):
        return found
    if engine in wanted.without:
        return wanted.without[engine]
    if wanted.only and engine not in wanted.only:
        return wanted.only_because
    if found is Kind.COMPLETION and wanted.completion is None:
        return wanted.not_of_rings
    if found is Kind.READINESS and wanted.readiness is None:
        return "it is about requests that complete, and this engine tells what is ready"
    if found is Kind.BLOCKING and wanted.blocking is None:
        return "a call that blocks is about one descriptor, and tells nothing but its end"
    return None


def offered(engine: str) -> str:
    """How many probes can be done on it, or why none: as `faultbed doctor` and the documents say it."""
    reasons = [why for name in names() if (why := refusal(name, engine))]
    if isinstance(kind(engine), str):
        return f"no probes: {reasons[0]}"
    return f"{len(names()) - len(reasons)} probes"
