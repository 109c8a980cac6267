"""PURE: whether what a cell expects can be judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from chaos.problem import Problem, names, repeated
from nodes.services import WITH_EFFECT
from orchestrator.scenario.cell import LEVELS, Cell, Delivery
from orchestrator.scenario.properties import PROPERTIES


def problems(cell: Cell) -> Iterator[Problem]:
    expect = cell.expect
    said = (expect.bitten, expect.others, expect.delivery, *expect.seen, *expect.strained, *expect.properties)
    if not any(said):
        keys = ", ".join(("bitten", "others", "seen", "strained", "delivery", *PROPERTIES))
        yield Problem(("expect",), f"expects nothing; expected at least one of {keys}")
    if not cell.faults:
        if expect.bitten is not None:
            yield Problem(("expect", "bitten"), "no fault can bite; expected a fault, or bitten left out")
        if expect.seen:
            yield Problem(("expect", "seen"), "nothing is bitten without a fault; expected a fault, or seen left out")
    for name, claim in expect.properties.items():
        if claim == "violated" and not cell.faults:
            yield Problem(("expect", name), "a violation's witness is bitten, so expected a fault")
        if name in expect.convicted_by:
            yield Problem(("expect", name), "it is expected already, by convicted_by; expected one of the two")
    if expect.convicted_by and not any(one.variant for one in (*cell.links, *cell.servers.values())):
        message = "only a broken mechanism is to be convicted; expected a link with a variant, or a server"
        yield Problem(("expect", "convicted_by"), message)
    if "backlog-full" in expect.strained and not any(link.transport == "tcp" for link in cell.links):
        message = "the kernel drops nobody at other listeners than those of TCP; expected a link over tcp"
        yield Problem(("expect", "strained"), message)
    for key in ("seen", "strained", "convicted_by"):
        listed: tuple[str, ...] = getattr(expect, key)
        yield from repeated(("expect", key), listed)
    if expect.delivery is not None:
        yield from _delivery(cell, expect.delivery)


def of_all(cells: Sequence[Cell]) -> Iterator[Problem]:
    """What is wrong with all cells of a scenario together: of one cell nobody needs to say that its level has no such
    property, where that of another has."""
    deliveries = [cell.expect.delivery for cell in cells if cell.expect.delivery is not None]
    levels = dict.fromkeys(delivery.holds for delivery in deliveries if delivery.holds is not None)
    parts = {part for level in levels for part in LEVELS[level]}
    for name in dict.fromkeys(chain.from_iterable(delivery.untried for delivery in deliveries)):
        if levels and name not in parts:
            message = f"{name} is no property of {' or '.join(levels)}; expected {names(parts - {'valid'})}"
            yield Problem(("expect", "delivery", "untried"), message)


def _delivery(cell: Cell, delivery: Delivery) -> Iterator[Problem]:
    path = ("expect", "delivery")
    if (delivery.holds is None) == (delivery.violated is None):
        yield Problem(path, "expected exactly one of holds and violated")
    if not delivery.under:
        yield Problem((*path, "under"), "a level is stated with its failure model; expected at least one")
    for key, listed in (("under", delivery.under), ("untried", delivery.untried)):
        yield from repeated((*path, key), listed)
    if delivery.untried and delivery.holds is None:
        yield Problem((*path, "untried"), "only of a level that holds can a property be untried")
    if delivery.witness is not None and delivery.violated is None:
        yield Problem((*path, "witness"), "only a violation has a witness")
    if delivery.violated is not None and not cell.faults:
        yield Problem((*path, "violated"), "a violation's witness is bitten, so expected a fault")
    if cell.system is not None:
        return
    services = {cell.servers[link.target].service for link in cell.links if link.target in cell.servers}
    if services.isdisjoint(WITH_EFFECT):
        expected = " or ".join(f"a {name}" for name in WITH_EFFECT)
        yield Problem(path, f"service {names(services)} has no effect to count; expected {expected}")
