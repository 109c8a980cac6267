"""The plane's process side: one proxy a link, whose toxics follow the rules."""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import Any

from chaos.faults.streams import Down, Toxic
from chaos.planes.commands import Command, CommandedPlane
from chaos.planes.loop import Loop
from chaos.planes.ports import ReservedPort
from chaos.planes.toxiproxy.api import Proxy, Server, ToxiproxyError
from chaos.planes.toxiproxy.child import Guard, OwnServer
from chaos.planes.toxiproxy.plan import LinkPlan, Plan, ToxicRule, planned
from chaos.planes.toxiproxy.toxics import spec
from chaos.rules import BadConfiguration, address, field
from nodes.wire.addresses import Internet
from nodes.wire.errors import shown
from nodes.wire.record import Kind, Note


class Link:
    """One link's proxy. It listens while the server is up and no `Down` is on, as the relay and a server itself do.

    A rule is noted as on once Toxiproxy has it, and as off before it is taken away, so that what is noted lies inside
    what was.
    """

    def __init__(self, plan: LinkPlan, proxy: Proxy, note: Note) -> None:
        self.name = plan.name
        self.rules = {rule.index: rule for rule in plan.rules}
        self._proxy = proxy
        self._note = note
        self._upstream = plan.upstream
        self._up = True
        self._on: set[int] = set()

    @property
    def port(self) -> int:
        return self._proxy.port

    def upstream(self, upstream: Internet | None, epoch: int) -> None:
        """The server is ready there, or down; the connections that are left of its predecessor end."""
        self._up = upstream is not None
        self._upstream = upstream or self._upstream
        self._update()
        self._note(Kind.UPSTREAM, detail={"link": self.name, "up": self._up, "epoch": epoch})

    def switch(self, index: int, active: bool) -> None:
        if active and index not in self._on:
            self._add(self.rules[index])
            self._note(Kind.RULE, detail={"rule": index, "active": True})
        elif not active and index in self._on:
            self._note(Kind.RULE, detail={"rule": index, "active": False})
            self._remove(self.rules[index])

    def heal(self) -> None:
        for index in sorted(self._on):
            self.switch(index, False)

    def close(self) -> None:
        self._proxy.delete()

    def _add(self, rule: ToxicRule) -> None:
        if isinstance(rule.fault, Toxic):
            self._proxy.add(_toxic_name(rule), spec(rule.fault))
            self._on.add(rule.index)
        else:
            self._on.add(rule.index)
            self._update()

    def _remove(self, rule: ToxicRule) -> None:
        self._on.remove(rule.index)
        if isinstance(rule.fault, Down):
            self._update()
        else:
            self._proxy.remove(_toxic_name(rule))

    def _update(self) -> None:
        down = any(isinstance(self.rules[index].fault, Down) for index in self._on)
        self._proxy.update(str(self._upstream), enabled=self._up and not down)


class ToxiproxyPlane(CommandedPlane):
    """Obeys the orchestrator's commands. Refusals are BadConfiguration or ToxiproxyError."""

    def __init__(self, note: Note) -> None:
        super().__init__("Toxiproxy plane", note)
        self._own: OwnServer | None = None
        self._guard: Guard | None = None
        self._server: Server | None = None
        self._reserved: list[ReservedPort] = []
        self._links: dict[str, Link] = {}

    def obey(self, command: Command) -> Command:
        """-> the body of the answer. Raises ValueError."""
        if self._own is not None:
            self._own.check()
        return super().obey(command)

    def close(self) -> None:
        """Delete what we made on the server, or end the server that is ours."""
        if self._own is None:
            self._delete()
        for port in self._reserved:
            port.close()
        self._reserved.clear()
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._own is not None:
            self._own.close()
            self._own = None

    def _delete(self) -> None:
        for name, link in list(self._links.items()):
            with suppress(ToxiproxyError):  # that server has gone, or the guard will do it once we have
                link.close()
                del self._links[name]
        if self._guard is not None and not self._links:
            self._guard.dismiss()
            self._guard = None

    @property
    def _configured(self) -> bool:
        return self._server is not None

    def _open(self, command: Command) -> dict[str, list[Any]]:
        wanted = planned(command)
        try:
            return self._proxies(wanted)
        except OSError as error:
            self.close()
            problem = f"Toxiproxy cannot listen at {wanted.listen}: {error.strerror}; name an address of this machine"
            raise ToxiproxyError(problem) from error
        except ToxiproxyError:
            self.close()
            raise

    def _proxies(self, wanted: Plan) -> dict[str, list[Any]]:
        ports = self._ports(wanted)
        server = self._server = Server(wanted.api or self._start(wanted))
        prefix = f"faultbed-{secrets.token_hex(8)}-"  # several runs may share a server
        if wanted.api is not None:
            self._guard = Guard(wanted.api, prefix)
        for number, (link_plan, port) in enumerate(zip(wanted.links, ports, strict=True), 1):
            listen, upstream = f"{wanted.listen}:{port}", "{}:{}".format(*link_plan.upstream)
            proxy = server.create(f"{prefix}{number}", listen, upstream)
            self._links[link_plan.name] = Link(link_plan, proxy, self._note)
        for link in self._links.values():
            for rule in link.rules.values():
                link.switch(rule.index, rule.active)
        return {name: [wanted.listen, link.port] for name, link in self._links.items()}

    def _ports(self, wanted: Plan) -> list[int]:
        """Where our own server shall listen; another one finds free ports, in a network that may not be ours."""
        if wanted.api is not None:
            return [link.port for link in wanted.links]
        for _ in wanted.links:
            self._reserved.append(ReservedPort(wanted.listen))
        return [reserved.address[1] for reserved in self._reserved]

    def _start(self, wanted: Plan) -> str:
        self._own = OwnServer(wanted.listen, wanted.seed)
        return self._own.url

    def _upstream(self, command: Command) -> Command:
        name = field(command, "link", str, "upstream")
        if name not in self._links:
            raise BadConfiguration(f"no link {shown(name)}; there are {', '.join(self._links)}")
        epoch = field(command, "epoch", int, "upstream")
        self._links[name].upstream(address(command.get("address")), epoch)
        return {}

    def _rule(self, command: Command) -> Command:
        index, active = field(command, "index", int, "rule"), field(command, "active", bool, "rule")
        for link in self._links.values():
            if index in link.rules:
                link.switch(index, active)
                return {}
        raise BadConfiguration(f"no rule has the index {index}")

    def _all_off(self) -> None:
        for link in self._links.values():
            link.heal()


def _toxic_name(rule: ToxicRule) -> str:
    return f"rule-{rule.index}"


def make(loop: Loop, note: Note) -> ToxiproxyPlane:
    return ToxiproxyPlane(note)
