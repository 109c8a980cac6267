"""The vocabulary is what its rooms have; whoever knows faults knows each of them."""

from __future__ import annotations

from dataclasses import fields
from typing import get_args

import pytest

from chaos.faults.fault import Fault, PacketFault, RelayFault, ToxicFault
from chaos.faults.packets import Split
from chaos.faults.peers import Crowd
from chaos.faults.processes import ProcessFault
from chaos.faults.vocabulary import FAULTS, AnyFault, kinds


def test_every_class_with_a_verb_is_a_word() -> None:
    below: list[type[Fault]] = [Fault]
    for kind in below:
        below += kind.__subclasses__()
    assert {kind for kind in below if "verb" in vars(kind)} == set(FAULTS.values()) == set(get_args(AnyFault))


@pytest.mark.parametrize("kind", FAULTS.values(), ids=FAULTS)
def test_a_verb_is_the_first_key_of_its_own_and_the_name(kind: type[Fault]) -> None:
    assert next(iter(vars(kind)["__annotations__"])) == kind.verb
    assert kind.__name__.lower() == kind.verb.replace("_", "")


def test_each_is_performed_by_a_plane_or_a_client_or_done_to_a_process() -> None:
    performed = {**kinds(RelayFault), **kinds(ToxicFault), **kinds(PacketFault)}
    by_clients = {kind for kind in FAULTS.values() if kind.by_client}
    assert set(performed.values()) | set(kinds(ProcessFault).values()) | by_clients == set(FAULTS.values())
    assert by_clients == {Crowd}
    assert not by_clients & set(performed.values())
    assert not set(performed) & set(kinds(ProcessFault))
    assert set(kinds(RelayFault)) & set(kinds(PacketFault)) == {"Partition", "Rate"}


@pytest.mark.parametrize("kind", FAULTS.values(), ids=FAULTS)
def test_each_is_on_a_link_on_a_process_or_a_split(kind: type[Fault]) -> None:
    keys = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    assert ("link" in keys) + issubclass(kind, ProcessFault) + issubclass(kind, Split) == 1
