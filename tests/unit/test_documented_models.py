"""Every fault has one failure model over each transport, and the documents tell the same."""

from __future__ import annotations

import itertools
import re
from dataclasses import MISSING, fields
from typing import Any, get_args

import pytest
from documented import DOCUMENT, needed

from chaos.faults.fault import Fault, PacketFault, RelayFault
from chaos.faults.models import Model
from chaos.faults.packets import Netem, Shape
from chaos.faults.processes import Kill, Pause, Restart
from chaos.faults.vocabulary import FAULTS
from orchestrator.checkers.delivery import NEEDED

VALUES = {"netem": Shape(delay=1), "reject": "rst", "split": "ring"}
"""Of words whose values are looked at."""


def made(kind: type[Fault]) -> Fault:
    needed = [field.name for field in fields(kind) if field.default is MISSING]  # type: ignore[arg-type]
    return kind(**dict.fromkeys(needed, "x") | {name: VALUES[name] for name in needed if name in VALUES})


def told(fault: Fault, packets: bool = False) -> tuple[str, str]:
    models = (fault.models(datagrams=datagrams, packets=packets) for datagrams in (True, False))
    first, second = (", ".join(found) or "n/a" for found in models)
    return first, second


def rows() -> dict[str, tuple[str, str]]:
    table = DOCUMENT.read_text("utf-8").partition("| fault | of datagrams |")[2].partition("\n\n")[0]
    found = (re.findall(r"[^|]+", line) for line in table.splitlines()[2:])
    return {name.strip(): (first.strip(), second.strip()) for name, first, second in found}


def expected() -> dict[str, tuple[str, str]]:
    plain: dict[str, Any] = {verb: made(kind) for verb, kind in FAULTS.items()}
    shapes = {"loss, corrupt": Shape(loss=0.1), "duplicate": Shape(duplicate=0.1), "delay, reorder": Shape(delay=1)}
    shapes["bytes_per_second"] = Shape(bytes_per_second=1)
    netem = {f"netem: {key}": told(Netem(netem=shape, link="x"), True) for key, shape in shapes.items()}
    found = {verb: told(fault, not isinstance(fault, RelayFault)) for verb, fault in plain.items() if verb != "netem"}
    restarted = {
        "partition (packets)": told(plain["partition"], True),
        "kill, restart with state: archive": told(Kill(kill="x", restart=Restart(state="archive"))),
        "pause with restart": told(Pause(pause="x", restart=Restart())),
    }
    return found | netem | restarted


def test_the_table_is_what_the_faults_say() -> None:
    assert rows() == expected()


@pytest.mark.parametrize("kind", FAULTS.values(), ids=FAULTS)
def test_every_fault_has_a_model_wherever_it_can_be_done(kind: type[Fault]) -> None:
    places = itertools.product((True, False), {not issubclass(kind, RelayFault), issubclass(kind, PacketFault)})
    found = [made(kind).models(datagrams=datagrams, packets=packets) for datagrams, packets in places]
    assert any(found)
    assert {model for models in found for model in models} <= set(get_args(Model))


def test_every_model_but_the_trim_is_brought_by_some_fault() -> None:
    brought = {model for pair in expected().values() for models in pair for model in models.split(", ")}
    assert brought - {"n/a"} == set(get_args(Model)) - {"history-trim"}


def test_what_a_claim_needs_is_what_the_documents_say() -> None:
    assert {key: frozenset(names) for key, names in NEEDED.items()} == needed()
