"""A fault is three entries: whoever adds a word is told here what of its mechanism or its bite is missing."""

from __future__ import annotations

from typing import get_args

from chaos.decide import DECISIONS
from chaos.faults.fault import PacketFault, RelayFault, ToxicFault
from chaos.faults.peers import Behaviour, Crowd
from chaos.faults.processes import ProcessFault
from chaos.faults.streams import Down
from chaos.faults.vocabulary import FAULTS, kinds
from chaos.framers import message
from chaos.planes.packet import configuration
from chaos.planes.packet.netfilter import Netfilter
from chaos.planes.packet.shaping import Shaping
from chaos.planes.toxiproxy import toxics
from chaos.planes.toxiproxy.toxics import TYPES
from nodes.crowd import BEHAVIOURS
from orchestrator.checkers.bites import messages, processes, windows


def test_on_messages() -> None:
    words = set(kinds(RelayFault).values())
    assert set(DECISIONS) == words
    assert set(messages.EFFECTS) == words


def test_on_streams_and_packets() -> None:
    toxics, packets = set(kinds(ToxicFault).values()), set(kinds(PacketFault).values())
    assert {*TYPES, Down} == toxics
    assert {*Netfilter.KINDS, *Shaping.KINDS} == packets
    assert set(windows.BITES) == toxics | packets
    assert {kind for kind in packets if kind.discipline} == set(Shaping.KINDS)


def test_each_plane_knows_all_that_is_its_own() -> None:
    assert kinds(RelayFault) == message.KINDS
    assert kinds(ToxicFault) == toxics.KINDS
    assert kinds(PacketFault) == configuration.KINDS


def test_on_peers() -> None:
    assert set(BEHAVIOURS) == set(get_args(Behaviour))
    assert [kind for kind in FAULTS.values() if kind.by_client] == [Crowd]


def test_on_processes() -> None:
    assert set(processes.BITES) == set(kinds(ProcessFault).values())
