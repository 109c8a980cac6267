"""Whatever a scenario may wait for is told by whom it waits for; places are found in the types, as the schema is."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from chaos.faults.processes import Restart
from chaos.faults.vocabulary import FAULTS
from chaos.faults.window import TRIGGER, marked
from orchestrator.run.specs import client_spec, driver_spec, reports
from orchestrator.scenario.cell import Cell, Client
from orchestrator.scenario.document import BadScenario
from orchestrator.scenario.fault_choice import PARTS
from orchestrator.scenario.plan import expand
from orchestrator.scenario.system import Driver
from orchestrator.scenario.triggers import triggers

TOLD = {"client attempt 4": ("attempt", 4), "client ok 4": ("ok", 4), "client  end  4": ("end", 4)}
SCENARIO = """
scenario: heard
nodes:
  server: {service: counter}
  client: {workload: add}
links:
  - {from: client, to: server, semantics: exactly-once}
faults:
  - {pause: server, at: received, operation: 3, name: stop, restart: {when: client ok 4}}
  - {FAULT}
expect:
  others: {client: ok, executions: 1}
"""


def made(kind: type, **given: Any) -> Any:
    """One of the kind, with something in every field that has no default."""
    hints = get_type_hints(kind)
    needed = [field for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING]
    return kind(**{**{field.name: anything(hints[field.name]) for field in needed}, **given})


def anything(hint: Any) -> Any:
    if get_origin(hint) is Literal:
        return get_args(hint)[0]
    return hint() if isinstance(hint, type) else None


def cell(**given: Any) -> Cell:
    text = SCENARIO.replace("  - {FAULT}\n", "")
    return expand(text, "heard.yaml").cells[0].model_copy(update={"faults": (), **given})


def places(text: str) -> dict[str, Cell]:
    """Every place that takes a trigger, by the types that the schema is made of -> a cell with this one there."""
    found = {}
    for verb, kind in FAULTS.items():
        for name in marked(kind, TRIGGER):
            found[f"{verb}.{name}"] = cell(faults=(made(kind, **{name: text}),))
        for part in {field.name for field in fields(kind)} & set(PARTS):
            for name in marked(PARTS[part], TRIGGER):
                below = made(PARTS[part], **{name: text})
                found[f"{verb}.{part}.{name}"] = cell(faults=(made(kind, **{part: below}),))
    for name in marked(Client, TRIGGER):
        found[f"client.{name}"] = cell(nodes={"client": Client(workload="add", **{name: {3: text}})})
    return found


def test_the_walk_finds_the_places_that_are_known() -> None:
    known = {"drop.when", "hold.until", "kill.restart.when", "pause.restart.when", "netem.when", "client.gates"}
    assert known <= places("client ok 4").keys()
    assert marked(Driver, TRIGGER) == {"gates"}
    assert marked(Restart, TRIGGER) == {"when"}


@pytest.mark.parametrize("text", TOLD)
def test_a_client_is_asked_for_whatever_waits_for_it(text: str) -> None:
    for place, one in places(text).items():
        assert list(triggers(one)) == [text], place
        assert reports(one, "client") == {TOLD[text]}, place
        assert reports(one, "other") == set()
    spec = client_spec(places(text)["pause.restart.when"], "client", 1, "h", {"client -> server": ("h", 1)})
    assert spec["report"] == [TOLD[text]]


SYSTEM = """
scenario: heard
system: {compose: compose.yml}
links:
  - {from: driver, to: "orders:80", framer: http1}
driver: {exec: ./drive.py, gates: {GATES}}
oracle: {http: "orders:80/booked"}
faults:
  - {FAULT}
expect:
  others: {client: ok, executions: 1}
"""


def test_so_is_a_driver() -> None:
    text = SYSTEM.replace("GATES", "3: driver ok 2").replace(
        "FAULT", "kill: orders, when: driver end 3, restart: {when: driver ok 4}"
    )
    made = expand(text, "heard.yaml").cells[0]
    assert made.system is not None
    assert driver_spec(made, "/", "h:1")["report"] == [("end", 3), ("ok", 2), ("ok", 4)]


@pytest.mark.parametrize(
    ("gates", "fault"),
    [
        ("3: driver attempt 2", "kill: orders, after: 10ms"),
        ("", "kill: orders, when: driver attempt 2"),
        ("", "kill: orders, after: 10ms, restart: {when: driver attempt 2}"),
        ("", 'hold: reply, link: "driver -> orders:80", until: driver attempt 2'),
    ],
)
def test_a_driver_s_attempts_are_refused_wherever_they_are_waited_for(gates: str, fault: str) -> None:
    with pytest.raises(BadScenario, match="a driver's attempts are its own affair"):
        expand(SYSTEM.replace("GATES", gates).replace("FAULT", fault), "heard.yaml")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("kill: server, when: healed", "no fault begins after heal"),
        ("kill: server, when: stop off", "stop is on until heal"),
        ("kill: server, name: crash, after: 1ms, restart: {when: crash off}", "a kill has no end"),
    ],
)
def test_what_can_never_come_is_refused(fault: str, said: str) -> None:
    with pytest.raises(BadScenario, match=said):
        expand(SCENARIO.replace("FAULT", fault), "heard.yaml")


def test_no_end_is_asked_for_of_what_can_have_none() -> None:
    """One problem has one remedy, and a kill takes no `lasts`."""
    with pytest.raises(BadScenario) as told:
        expand(SCENARIO.replace("FAULT", "kill: server, name: crash, when: crash off"), "heard.yaml")
    assert "a kill has no end" in str(told.value)
    assert "give it lasts" not in str(told.value)
