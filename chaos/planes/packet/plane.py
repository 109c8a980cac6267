"""The packet plane: faults of the kernel on the packets of direct links, in the nodes' network namespaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chaos.planes.commands import Command, CommandedPlane
from chaos.planes.loop import Loop
from chaos.planes.packet.configuration import (
    Configuration,
    ContainerPlace,
    NamedPlace,
    check_places,
    configuration,
    places,
)
from chaos.planes.packet.entering import NamedNamespace
from chaos.planes.packet.mechanism import Flow, Mechanism, Place, Rule
from chaos.planes.packet.namespace import Namespace, NamespaceError
from chaos.planes.packet.netfilter import Netfilter
from chaos.planes.packet.shaping import Shaping
from chaos.rules import BadConfiguration, address, field
from nodes.log import say
from nodes.wire.addresses import internet
from nodes.wire.errors import shown
from nodes.wire.record import Kind, Note


class PacketPlane(CommandedPlane):
    """Obeys the commands of chaos.planes. The kernel has a rule before its "on" is noted, and until its "off" was."""

    def __init__(self, note: Note) -> None:
        super().__init__("packet plane", note)
        self._configuration: Configuration | None = None
        self._places: dict[str, Place] = {}
        self._rules: dict[int, Rule] = {}
        self._active: set[int] = set()
        self._healed = False
        self._mechanisms: dict[type, Mechanism] = {}

    def obey(self, command: Command) -> Command:
        """-> the body of the answer. Raises BadConfiguration."""
        try:
            return super().obey(command)
        except NamespaceError as error:
            raise BadConfiguration(str(error)) from error

    def close(self) -> None:
        """What heal did not take away goes now. What cannot be taken away is told on standard error."""
        for undo in (self._all_off, *(mechanism.close for mechanism in set(self._mechanisms.values()))):
            try:
                undo()
            except NamespaceError as error:
                say(f"packet plane: left behind: {error}")

    @property
    def _configured(self) -> bool:
        return self._configuration is not None

    def _open(self, command: Command) -> dict[str, list[Any]]:
        config, found = configuration(command), places(command)
        check_places(config, found)
        self._places |= _entered(found)
        performing = mechanisms(config, self._places)
        for mechanism in set(performing.values()):
            mechanism.check([rule for rule in config.rules if performing[type(rule.fault)] is mechanism])
        self._configuration, self._mechanisms = config, performing
        self._rules = {rule.index: rule for rule in config.rules}
        for index in config.active:
            self._on(self._rules[index])
        return {flow.link: [self._places[flow.server].address, flow.port] for flow in config.links}

    def _upstream(self, command: Command) -> Command:
        flow = self._flow(command)
        epoch = field(command, "epoch", int, f"upstream of link {flow.link!r}")
        target = address(command.get("address"))
        found = places(command)
        if flow.server not in found:
            raise BadConfiguration(f"no place is given for {flow.server}, the server of link {flow.link!r}")
        expected = internet(found[flow.server].address, flow.port)
        if target not in (None, expected):
            raise BadConfiguration(f"link {flow.link!r} is direct: its server must stay at {expected}, not {target}")
        self._places |= _entered(found)
        if target is not None:
            for mechanism in set(self._mechanisms.values()):
                mechanism.again(flow.server)
        self._note(Kind.UPSTREAM, detail={"link": flow.link, "up": target is not None, "epoch": epoch})
        return {}

    def _rule(self, command: Command) -> Command:
        index, active = field(command, "index", int, "rule"), field(command, "active", bool, "rule")
        if index not in self._rules:
            raise BadConfiguration(f"no rule has the index {index}; there are {sorted(self._rules)}")
        if active and index not in self._active and not self._healed:
            self._on(self._rules[index])
        elif not active and index in self._active:
            self._off(self._rules[index])
        return {}

    def _waiting(self) -> int:
        return sum(mechanism.waiting() for mechanism in set(self._mechanisms.values()))

    def _all_off(self) -> None:
        self._healed = True
        for index in sorted(self._active):
            self._off(self._rules[index])

    def _on(self, rule: Rule) -> None:
        self._mechanisms[type(rule.fault)].on(rule)
        self._active.add(rule.index)
        self._note(Kind.RULE, detail={"rule": rule.index, "active": True})

    def _off(self, rule: Rule) -> None:
        self._active.discard(rule.index)
        self._note(Kind.RULE, detail={"rule": rule.index, "active": False})
        for count in self._mechanisms[type(rule.fault)].off(rule):
            self._note(Kind.COUNTER, detail={"rule": rule.index, **count._asdict()})

    def _flow(self, command: Command) -> Flow:
        flows = self._configuration.links if self._configuration else []
        for flow in flows:
            if flow.link == command.get("link"):
                return flow
        raise BadConfiguration(
            f"no link {shown(command.get('link'))}; there are {', '.join(flow.link for flow in flows)}"
        )


def _entered(found: Mapping[str, NamedPlace | ContainerPlace]) -> dict[str, Place]:
    return {node: Place(place.address, namespace(place)) for node, place in found.items()}


def namespace(place: NamedPlace | ContainerPlace) -> Namespace:
    if isinstance(place, NamedPlace):
        return NamedNamespace(place.netns)
    return container_namespace(place.container, place.helper)


def container_namespace(container: str, helper: str) -> Namespace:
    """Importing the engine's SDK takes longer than all else here, and most places need none."""
    from chaos.planes.packet.container import ContainerNamespace

    return ContainerNamespace(container, helper)


def mechanisms(config: Configuration, places: Mapping[str, Place]) -> dict[type, Mechanism]:
    """What performs each kind of fault."""
    netfilter, shaping = Netfilter(places, config.links), Shaping(places, config.seed)
    return {**dict.fromkeys(netfilter.KINDS, netfilter), **dict.fromkeys(shaping.KINDS, shaping)}


def make(loop: Loop, note: Note) -> PacketPlane:
    """A plane that needs no loop: the kernel does everything between two commands."""
    return PacketPlane(note)
