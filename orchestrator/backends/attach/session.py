"""One cell's run on agents: nodes where they were placed, the relay where the inventory has it."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from chaos.supports import PlaneName
from nodes.clock import clock_domain
from orchestrator.backends.attach.agent import Agent
from orchestrator.backends.attach.fleet import Fleet
from orchestrator.backends.attach.host import AgentHost
from orchestrator.backends.attach.inventory import ToxiproxyEntry
from orchestrator.backends.attach.placement import place, relay_agent
from orchestrator.backends.host import Host
from orchestrator.backends.processes import Supervisor
from orchestrator.backends.real import RealSession
from orchestrator.backends.this_machine import LocalHost, command_line
from orchestrator.history.clocks import Clock, Exchange, estimate
from orchestrator.history.collected import Collected
from orchestrator.run.session import Role, SessionError
from orchestrator.scenario.cell import Cell


class ToxiproxyHost(LocalHost):
    """The Toxiproxy plane beside the orchestrator, for a Toxiproxy that runs elsewhere."""

    def __init__(self, supervisor: Supervisor, home: Path, entry: ToxiproxyEntry) -> None:
        super().__init__(supervisor, home, command_line)
        self._entry = entry

    def plane(self, name: PlaneName) -> dict[str, Any]:
        try:
            listen = socket.gethostbyname(self._entry.host)
        except OSError as error:
            message = f"toxiproxy.host {self._entry.host!r} of the inventory cannot be resolved: {error}"
            raise SessionError(message) from None
        return {"listen": listen, "api": self._entry.api}


class AttachSession(RealSession):
    """Every process of one cell's run on the agents of a fleet.

    Their clocks are compared with the orchestrator's before the first process starts and after the last has ended.
    Raises SessionError: an agent is gone.
    """

    def __init__(self, fleet: Fleet, cell: Cell, home: Path) -> None:
        super().__init__(home, self._host_of)
        self._fleet = fleet
        self._placed = place(cell, fleet.inventory.agents, fleet.offers)
        self._relay = relay_agent(fleet.inventory.agents)
        self._at: dict[str, AgentHost] = {}
        self._probed: dict[str, list[Exchange]] = {}
        self._clocks: dict[str, Clock] = {}

    def _host_of(self, name: str, role: Role) -> Host:
        if role == "toxiproxy":
            return self._toxiproxy()
        if role == "packet":
            raise SessionError("packet faults need the nodes' network namespaces: they need --backend docker")
        return self._agent_host(self._relay if role == "relay" else self._placed[name])

    def _agent_host(self, agent: str) -> AgentHost:
        if agent not in self._at:
            self._probe(self._fleet.agents[agent])
            self._at[agent] = AgentHost(self._fleet.agents[agent], self.home)
        return self._at[agent]

    def _toxiproxy(self) -> Host:
        entry = self._fleet.inventory.toxiproxy
        if entry is None:
            raise SessionError("links through Toxiproxy need `toxiproxy: {api: ..., host: ...}` in the inventory")
        return ToxiproxyHost(self._fleet.supervisor, self.home, entry)

    def _probe(self, agent: Agent) -> None:
        """One that shares the orchestrator's clock needs no comparison."""
        if agent.offer.domain != clock_domain():
            self._probed[agent.name] = agent.probe()

    def close(self) -> None:
        try:
            self._compare()
        finally:
            super().close()

    def _compare(self) -> None:
        """Processes may still run here, which does no harm; afterwards the agents are left."""
        for name, before in self._probed.items():
            agent = self._fleet.agents[name]
            if name not in self._clocks:
                self._clocks[name] = estimate(agent.offer.domain, name, before, agent.probe())

    def collect(self) -> Collected:
        return super().collect()._replace(clocks=tuple(self._clocks.values()))
