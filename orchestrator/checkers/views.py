"""PURE: what a run shows of itself, before any property of it is judged."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property

from nodes.services import SERVICES, WITH_EFFECT
from orchestrator.checkers.bites import foreign
from orchestrator.checkers.bites.bite import bite
from orchestrator.checkers.bites.values import NOTHING_BITTEN
from orchestrator.checkers.modelled import Modelled, Timeline, modelled, timelines
from orchestrator.checkers.opportunities import offered
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Index, Trace
from orchestrator.history.merged import Operation
from orchestrator.scenario.cell import Cell, SocketLink


class View(StrEnum):
    """What only some runs show beside calls and effects (the first three), and what is worked out for every run."""

    JOURNALS = "what our own servers and clients wrote down of every attempt"
    ORACLE = "what an oracle tells of a system that is not ours"
    MESSAGES = "messages of sockets, each sent once and echoed"
    GROUPS = "messages to a group, each delivered to every member by itself"
    SAMPLES = "what our own servers say that they used"
    TURNS = "in which turn our own servers took what came, where that is asked"
    READS = "calls that answer from what others did, and change nothing"
    BITES = "which operations the faults bit"
    OPPORTUNITIES = "which operations a weaker mechanism would have failed"


class Views(Setting):
    """The setting of checkers. `offered`: opportunity -> the operations that made it.

    `plan` is the digest of the plan that the cell was read from, "" where it was not read. `failed` says why bites or
    opportunities are not known; they are empty then.
    """

    def __init__(self, cell: Cell, index: Index, plan: str = "") -> None:
        super().__init__(cell, index)
        self.plan = plan
        nothing: Mapping[str, frozenset[Operation]] = {}
        bites = bite if cell.system is None else foreign.bite
        self.bite, no_bite = self.guard(lambda: bites(self), NOTHING_BITTEN)
        self.offered, no_opportunities = self.guard(lambda: offered(self), nothing)
        crashes = {View.BITES: no_bite, View.OPPORTUNITIES: no_opportunities}
        self.failed = {view: crash for view, crash in crashes.items() if crash}

    @cached_property
    def shown(self) -> frozenset[View]:
        ours = View.JOURNALS if self.cell.system is None else View.ORACLE
        reads = {View.READS} if self.reads else set()
        messages = {View.MESSAGES} if any(isinstance(link, SocketLink) for link in self.cell.links) else set()
        groups = {View.GROUPS} if max(self.members.values(), default=1) > 1 else set()
        samples = {View.SAMPLES} if self.index.usage else set()
        turns = {View.TURNS} if self.cell.system is None and "fair" in self.asked_for else set()
        return frozenset({ours, *reads, *messages, *groups, *samples, *turns, View.BITES, View.OPPORTUNITIES})

    @property
    def asked_for(self) -> frozenset[str]:
        """The properties that the scenario names."""
        expect = self.cell.expect
        return frozenset({*expect.properties, *expect.convicted_by})

    @cached_property
    def reads(self) -> list[Trace]:
        """The calls without an effect of servers whose other procedures have one, in the order of their invokes."""
        effectless = self.index.invoked if self.even[False] else self.odd_invoked
        return [trace for trace in effectless.values() if not trace.has_effect and self._has_effects(trace)]

    def _has_effects(self, trace: Trace) -> bool:
        server = self.cell.servers.get(self.server_of(trace))
        return server is not None and server.service in WITH_EFFECT

    @cached_property
    def modelled(self) -> list[Modelled]:
        """The ledgers of our own servers, through the models of their services."""
        services = {name: SERVICES[server.service] for name, server in self.cell.servers.items()}
        return modelled(self, services)

    @cached_property
    def timelines(self) -> dict[str, Timeline]:
        """Server -> its states, where its ledgers can be followed."""
        return timelines(self.modelled)
