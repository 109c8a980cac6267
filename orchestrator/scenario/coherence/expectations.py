"""PURE: whether what a cell expects can be judged."""

from __future__ import annotations

from collections.abc import Iterator

from chaos.problem import Problem, names
from nodes.services import WITH_EFFECT
from orchestrator.scenario.cell import Cell, Delivery
from orchestrator.scenario.properties import PROPERTIES


def problems(cell: Cell) -> Iterator[Problem]:
    expect = cell.expect
    said = (expect.bitten, expect.others, expect.delivery, *expect.seen, *expect.properties)
    if not any(said):
        keys = ", ".join(("bitten", "others", "seen", "delivery", *PROPERTIES))
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
    if expect.convicted_by and not any(link.variant for link in cell.links):
        message = "only a broken mechanism is to be convicted; expected a link with a variant"
        yield Problem(("expect", "convicted_by"), message)
    if expect.delivery is not None:
        yield from _delivery(cell, expect.delivery)


def _delivery(cell: Cell, delivery: Delivery) -> Iterator[Problem]:
    path = ("expect", "delivery")
    if (delivery.holds is None) == (delivery.violated is None):
        yield Problem(path, "expected exactly one of holds and violated")
    if not delivery.under:
        yield Problem((*path, "under"), "a level is stated with its failure model; expected at least one")
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
