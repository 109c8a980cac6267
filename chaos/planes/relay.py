"""The relay plane: every link's messages go through here, over real sockets, and meet the rules of the cell."""

from __future__ import annotations

import os
from typing import Any

from chaos.links import LinkPlan, plans
from chaos.planes.commands import Command, CommandedPlane
from chaos.planes.loop import Loop
from chaos.planes.room import sockets_of_a_link
from chaos.planes.tcp_link import TcpLink
from chaos.planes.udp_link import UdpLink
from chaos.rules import BadConfiguration, address
from nodes.wire.addresses import Group, group
from nodes.wire.errors import shown
from nodes.wire.record import Note
from nodes.wire.transports import TRANSPORTS

Link = TcpLink | UdpLink


class Relay(CommandedPlane):
    """Obeys the orchestrator's commands. Refusals are BadConfiguration, after which nothing has changed."""

    COMMANDS = ("configure", "upstream", "rule", "release", "heal", "status")

    def __init__(self, loop: Loop, note: Note) -> None:
        super().__init__("relay", note)
        self._loop = loop
        self._links: dict[str, Link] = {}
        self._groups: dict[str, Group] = {}
        """By who sends to it."""

    def close(self) -> None:
        """Its sockets end with the process, and what it did ends with them; what bounds cut off is told to the end."""
        for link in self._links.values():
            link.hop.notes.close()

    @property
    def _configured(self) -> bool:
        return bool(self._links)

    def _open(self, command: Command) -> dict[str, list[Any]]:
        listen = command.get("listen")
        if not isinstance(listen, str):
            raise BadConfiguration(f"'listen' must be the host to listen at, not {shown(listen)}")
        made = plans(command, self._note)
        sockets = sockets_of_a_link(len(made))
        for name, plan in made.items():
            self._links[name] = self._link(plan, listen, sockets)
        return {name: list(link.address) for name, link in self._links.items()}

    def _link(self, plan: LinkPlan, listen: str, sockets: int) -> Link:
        link: Link
        if TRANSPORTS[plan.transport].connected:
            link = TcpLink(self._loop, plan.hop, listen, plan.port, sockets)
        else:
            link = UdpLink(self._loop, plan.hop, listen, sockets, self._group(plan, listen))
            if plan.group:
                self._groups[plan.group] = Group(*link.address[:2], listen)
        link.upstream(plan.upstream, plan.epoch)
        self._loop.tickers.append(link)
        return link

    def _group(self, plan: LinkPlan, listen: str) -> Group | None:
        """The first of its members chooses it, and has the system choose the port."""
        if not plan.group:
            return None
        return self._groups.get(plan.group) or group(int.from_bytes(os.urandom(3), "big"), 0, listen)

    def _upstream(self, command: Command) -> Command:
        name = command.get("link")
        link = self._links.get(name) if isinstance(name, str) else None
        if link is None:
            raise BadConfiguration(f"no link {shown(command.get('link'))}; there are {', '.join(self._links)}")
        epoch = command.get("epoch")
        if type(epoch) is not int:
            raise BadConfiguration(f"the epoch must be a number, not {shown(epoch)}")
        link.upstream(address(command.get("address")), epoch)
        return {}

    def _rule(self, command: Command) -> Command:
        if type(command.get("active")) is not bool:
            raise BadConfiguration(f"'active' must be true or false, not {shown(command.get('active'))}")
        link = self._link_of_rule(command)
        link.perform(link.hop.rule(command["index"], command["active"]))
        return {}

    def _release(self, command: Command) -> Command:
        link = self._link_of_rule(command)
        link.perform(link.hop.release(command["index"]))
        return {}

    def _all_off(self) -> None:
        for link in self._links.values():
            link.perform(link.hop.heal())

    def _status(self, command: Command) -> Command:
        """What is on its way into this process is taken first, so that nothing counts as absent that was sent."""
        for link in self._links.values():
            link.drain()
        states = {name: link.hop.status() for name, link in self._links.items()}
        return {
            "held": sum(state.held for state in states.values()),
            "pending": sum(state.pending for state in states.values())
            + sum(link.unsent() for link in self._links.values()),
            "connections": sum(state.connections for state in states.values()),
            "passed": {name: {str(epoch): n for epoch, n in state.passed.items()} for name, state in states.items()},
        }

    def _link_of_rule(self, command: Command) -> Link:
        index = command.get("index")
        for link in self._links.values():
            if index in link.hop.rules:
                return link
        raise BadConfiguration(f"no rule has the index {shown(index)}")


def make(loop: Loop, note: Note) -> Relay:
    return Relay(loop, note)
