"""PURE: what is expected of every engine at every probe, and which it takes, as tables of docs/multiplexers.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from nodes.probes import offered
from nodes.probes.common.probe import Probe
from orchestrator.probes.columns import blocks, markdown
from orchestrator.probes.expectations import Expectations

Refusal = Callable[[str, str], str | None]
"""Why a probe (first) cannot be done on an engine."""


def tables(
    engines: Sequence[str], catalogue: Mapping[str, Probe], refusal: Refusal, expectations: Expectations
) -> Iterator[str]:
    """Lines of Markdown."""
    yield "## Which probes an engine takes"
    yield ""
    yield from _offers(engines, catalogue, refusal)
    yield ""
    yield "## What is expected on Linux"
    for name, probe in catalogue.items():
        yield ""
        yield f"### {heading(name, probe)}"
        yield ""
        yield from _expected(name, engines, expectations)
        yield from _absent(name, engines, refusal)


def heading(name: str, probe: Probe) -> str:
    """Such as "1* undrained: ..."; a probe that has no row of the table has no number."""
    star = r"\*" * probe.starred
    number = f"{probe.row}{star} " if probe.row.isdecimal() else ""
    return f"{number}`{name}`: {probe.title}"


def _offers(engines: Sequence[str], catalogue: Mapping[str, Probe], refusal: Refusal) -> Iterator[str]:
    yield "| engine | takes | not |"
    yield "| --- | --- | --- |"
    for engine in engines:
        told = offered(engine)
        absent = [name for name in catalogue if refusal(name, engine)] if not told.startswith("no ") else []
        yield f"| `{engine}` | {told} | {', '.join(absent)} |"


def _expected(name: str, engines: Sequence[str], expectations: Expectations) -> Iterator[str]:
    known = {engine: expectations[name, engine] for engine in engines if (name, engine) in expectations}
    for block in blocks({engine: one.steps for engine, one in known.items() if one.steps is not None}):
        yield from markdown(block)
        yield ""
    by_source: dict[str, list[str]] = {}
    for engine, one in known.items():
        by_source.setdefault(one.source if one.steps is not None else f"unknown: {one.source}", []).append(engine)
    for source, several in by_source.items():
        yield f"- {', '.join(several)}: {source}"


def _absent(name: str, engines: Sequence[str], refusal: Refusal) -> Iterator[str]:
    """Engines that take other probes, but not this one."""
    reasons: dict[str, list[str]] = {}
    for engine in engines:
        if why := refusal(name, engine):
            reasons.setdefault(why, []).append(engine)
    for why, several in reasons.items():
        if not {"busy", "fork", "threads"} & set(several):
            yield f"- not {', '.join(several)}: {why}"
