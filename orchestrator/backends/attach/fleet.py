"""The agents of an inventory, connected for one `faultbed run`."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from orchestrator.backends.attach.agent import Agent
from orchestrator.backends.attach.inventory import Inventory
from orchestrator.backends.attach.placement import Offer, data_address, unreachable
from orchestrator.backends.processes import Supervisor
from orchestrator.run.session import SessionError


class Fleet(NamedTuple):
    """`supervisor` is for what runs beside the orchestrator."""

    inventory: Inventory
    agents: dict[str, Agent]
    supervisor: Supervisor

    @property
    def offers(self) -> dict[str, Offer]:
        return {name: agent.offer for name, agent in self.agents.items()}


@contextmanager
def connected(inventory: Inventory) -> Iterator[Fleet]:
    """Every agent of the inventory. Raises SessionError for the first that cannot be had."""
    with ExitStack() as stack:
        agents: dict[str, Agent] = {}
        for name, entry in inventory.agents.items():
            agents[name] = Agent(name, entry, inventory.token)
            stack.callback(agents[name].close)
        addresses = {name: data_address(agent.entry, agent.offer) for name, agent in agents.items()}
        if (reason := unreachable(addresses)) is not None:
            raise SessionError(f"{inventory.path}: {reason}")
        yield Fleet(inventory, agents, stack.enter_context(Supervisor(secrets.token_hex(8))))
