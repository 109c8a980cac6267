"""PURE: what a plane says of its rules, its messages and its servers hangs together, and is what its faults do."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import cast, get_args

from chaos.decide import Rule, decision
from chaos.decisions import parameters
from chaos.faults.fault import Fault, RelayFault
from chaos.identity import Direction, Key
from chaos.supports import PLANE_OF
from nodes.wire.record import Kind
from orchestrator.checkers.gate.names import attempt_name
from orchestrator.checkers.views import Views
from orchestrator.history.merged import Event
from orchestrator.run.specs import plane_of

DIRECTIONS = frozenset(get_args(Direction))
UNRULED = frozenset({"pass", "lost"})
"""What becomes of a message without a fault: it goes on, or its connection was gone by then."""


def rules_are_switched(setting: Views) -> Iterator[str]:
    """Each rule on and off in turn, and off in the end. A relay journals no beginning of what is on at first."""
    switched: dict[int, list[bool]] = defaultdict(list)
    for event in setting.index.of_kind(Kind.RULE):
        switched[event.detail["rule"]].append(bool(event.detail.get("active")))
    for index, fault in enumerate(setting.cell.faults):
        on, begins = switched[index], fault.starts_on and plane_of(setting.cell, fault) == "relay"
        if (begins and not on) or (on and on[-1]) or any(one == other for one, other in pairwise((begins, *on))):
            steps = ", ".join("on" if active else "off" for active in on) or "nothing"
            yield f"rule {index} is on record as {steps}; it was {'on' if begins else 'off'} at first"


def servers_are_known(setting: Views) -> Iterator[str]:
    """A link leads to one epoch of its server after another, each being up once."""
    known: dict[str, list[Event]] = defaultdict(list)
    for event in setting.index.of_kind(Kind.UPSTREAM):
        known[event.detail["link"]].append(event)
    epochs = setting.index.servers
    for link in setting.cell.links:
        if PLANE_OF[link.via] != "relay":
            continue
        up = [event.detail["epoch"] for event in known[link.name] if event.detail.get("up")]
        lasting = [epoch for epoch in epochs.get(link.target, ()) if not setting.index.killed((link.target, epoch))]
        counted = up == list(range(1, len(up) + 1)) and set(up).issuperset(lasting)
        if not up or not counted or not known[link.name][0].detail.get("up"):
            yield f"{link.name} is on record as leading to the epochs {up} of its server"
        for before, event in pairwise(known[link.name]):
            died = _died_before(setting, (link.target, before.detail["epoch"]), event)
            if event.detail.get("up") and before.detail.get("up") and died:
                yield f"{link.name} is on record as leading to another epoch at once, though the one before had died"
            if not event.detail.get("up") and not (before.detail.get("up") and _same_epoch(before, event)):
                yield f"{link.name} is on record as leading nowhere twice, or from another epoch"


def _died_before(setting: Views, life: tuple[str, int], event: Event) -> bool:
    """One that was stopped, and killed when it went on, had been followed by its successor meanwhile."""
    index, successor = setting.index, (life[0], event.detail["epoch"])
    followed = next(iter(index.acts.get(("restart", successor), ())), event)
    return index.killed(life) and index.reaped[life].order < followed.order


def _same_epoch(one: Event, other: Event) -> bool:
    return bool(one.detail["epoch"] == other.detail["epoch"])


def decisions_are_their_faults(setting: Views) -> Iterator[str]:
    """A fault decides as its word says, on its link and in its directions; copies of one message are counted."""
    faults = setting.cell.faults
    seen: Counter[tuple[object, ...]] = Counter()
    for event in setting.suspected(Kind.DECISION):
        if not event.client:
            continue
        if event.client not in setting.callers:
            yield f"{event.node} decided on {attempt_name(event)}, which is of no client of the plan's"
        detail = event.detail
        rule, link, direction = detail["rule"], detail["link"], detail["direction"]
        key = (link, direction, event.client, event.seq, event.attempt)
        seen[key] += 1
        if detail["occurrence"] != seen[key]:
            yield f"{attempt_name(event)}: copy {detail['occurrence']} of its {direction} was the {seen[key]}. to come"
        if rule is None:
            fits = detail["act"] in UNRULED and direction in DIRECTIONS
        else:
            fits = 0 <= rule < len(faults) and _does(setting, faults[rule], detail["act"], link, direction)
            if fits and detail["act"] != "lost" and setting.cell.log is None and setting.index.history.plan:
                yield from _otherwise(setting, event, cast(RelayFault, faults[rule]))
        if not fits:
            yield f"{attempt_name(event)}: {event.node} did {detail['act']} to its {direction}, which no fault does"


def _does(setting: Views, fault: Fault, act: str, link: str, direction: str) -> bool:
    here = fault.on_link == link and plane_of(setting.cell, fault) == "relay"
    return here and act == fault.act and direction in fault.directions


def _otherwise(setting: Views, event: Event, fault: RelayFault) -> Iterator[str]:
    """Chance has no memory: what it drew for a message, it draws again. Older versions did not write that down."""
    detail = event.detail
    key = Key(detail["link"], detail["direction"], event.client, event.seq, event.attempt, detail["occurrence"])
    decided = parameters(decision(setting.cell.seed, Rule(detail["rule"], fault), key))
    told = {name: detail.get(name) for name in decided}
    if told != decided:
        yield f"{attempt_name(event)}: {event.node} did {detail['act']} to its {key.direction} by {told}, not {decided}"


def releases_were_decided(setting: Views) -> Iterator[str]:
    """What goes on later was kept before, by the same fault, or had a copy made of it."""
    kept: Counter[tuple[object, ...]] = Counter()
    for event in setting.suspected(Kind.DECISION):
        if event.detail["rule"] is not None:
            kept[_message(event, event.detail["act"] == "duplicate")] += 1
    for event in setting.suspected(Kind.RELEASE):
        key, rule = _message(event), event.detail["rule"]
        kept[key] -= 1
        if kept[key] < 0 or event.detail["act"] not in (setting.cell.faults[rule].act, "lost"):
            yield f"{attempt_name(event)}: its {event.detail['direction']} went on later, and was not kept"


def _message(event: Event, copied: bool = False) -> tuple[object, ...]:
    """Its copy is the next one; bytes without an identity are not counted."""
    detail = event.detail
    of = event.client, event.seq, event.attempt, detail["direction"], detail["link"], detail["rule"]
    return *of, detail["occurrence"] + (copied and "chunk" not in detail)
