"""PURE: the relay as programs of the simulator: the same hop as the real relay's, on simulated sockets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chaos.hop import Effect, End, Finish, Forward, Hop, Inject
from chaos.hop.effects import joined
from chaos.identity import Direction
from chaos.links import LinkPlan
from nodes.ops import (
    Accept,
    Address,
    Bind,
    Close,
    Connect,
    Get,
    Listen,
    Now,
    Program,
    Put,
    Queue,
    Recv,
    RecvFrom,
    Send,
    SendTo,
    Shutdown,
    Socket,
    Spawn,
)
from nodes.wire.addresses import group, internet, written
from nodes.wire.messages import STREAMED
from nodes.wire.transports import TRANSPORTS

READ_SIZE = 65536
LISTEN = internet("127.0.0.1", 0)
GROUP_PORT = 20_000
INJECTION_LIMIT = 1_000_000_000
"""Nanoseconds after which the answer to an injected request is no longer waited for."""

FINISH = object()
END = object()


class Alarm:
    """Has the hop ticked when it wants to be."""

    def __init__(self, hop: Hop, perform: Callable[[list[Effect]], Program]) -> None:
        self._hop = hop
        self._perform = perform
        self._changed = Queue()

    def check(self) -> Program:
        """After any input: the hop may want another time now."""
        if self._hop.next_time() is not None:
            yield Put(self._changed, None)

    def run(self) -> Program:
        while True:
            try:
                yield Get(self._changed, self._hop.next_time())
            except TimeoutError:
                now = yield Now()
                yield from self._perform(self._hop.tick(now))


class Side:
    """One socket of a connection through the relay, and what is still to be sent on it."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.outbox = Queue()

    def write(self) -> Program:
        while True:
            item = yield Get(self.outbox)
            try:
                if item is END:
                    yield Close(self.socket)
                    return
                if item is FINISH:
                    yield Shutdown(self.socket)
                else:
                    yield Send(self.socket, item)
            except OSError:
                yield Close(self.socket)
                return


class StreamLink:
    """A TCP link. `upstream` None: the server is down, and nobody listens here."""

    def __init__(self, hop: Hop, upstream: Address) -> None:
        self.hop = hop
        self.upstream: Address | None = upstream
        self.address: Address = LISTEN
        self.injecting = 0
        self._listener: Socket | None = None
        self._ordinal = 0
        self._sides: dict[int, dict[Direction, Side]] = {}
        self._alarm = Alarm(hop, self.perform)

    def start(self) -> Program:
        yield from self._listen()
        yield Spawn(self._alarm.run(), "alarm")

    def set_upstream(self, address: Address | None, epoch: int) -> Program:
        self.upstream = address
        if address is None and self._listener is not None:
            yield Close(self._listener)
            self._listener = None
        yield from self.perform(self.hop.upstream(address is not None, epoch))
        if address is not None and self._listener is None:
            yield from self._listen()

    def perform(self, effects: list[Effect]) -> Program:
        for effect in effects:
            match effect:
                case Forward(connection, direction, data):
                    yield from self._put(connection, direction, data)
                case Finish(connection, direction):
                    yield from self._put(connection, direction, FINISH)
                case End(connection):
                    yield from self._put(connection, "request", END)
                    yield from self._put(connection, "reply", END)
                    self._sides.pop(connection, None)
                case Inject(data):
                    yield Spawn(self._inject(data), "injection")
        yield from self._alarm.check()

    def _listen(self) -> Program:
        self._listener = yield Listen(self.address)
        self.address = self._listener.local
        yield Spawn(self._accept(self._listener), "accept")

    def _accept(self, listener: Socket) -> Program:
        while True:
            try:
                socket = yield Accept(listener)
            except OSError:
                return
            yield Spawn(self._connection(socket), "connection")

    def _connection(self, client: Socket) -> Program:
        self._ordinal += 1
        connection = self._ordinal
        self.hop.opened(connection)
        try:
            if self.upstream is None:
                raise ConnectionRefusedError
            server = yield Connect(self.upstream)
        except OSError:
            self.hop.lost(connection)
            yield Close(client)
            return
        sides: dict[Direction, Side] = {"request": Side(server), "reply": Side(client)}
        self._sides[connection] = sides
        for side in sides.values():
            yield Spawn(side.write(), "writer")
        yield Spawn(self._read(connection, server, "reply"), "reader")
        yield from self._read(connection, client, "request")

    def _read(self, connection: int, socket: Socket, direction: Direction) -> Program:
        recv = Recv(socket, READ_SIZE)
        while True:
            try:
                data = yield recv
            except OSError:
                yield from self._lost(connection)
                return
            now = yield Now()
            if not data:
                yield from self.perform(self.hop.ended(connection, direction, now))
                return
            yield from self.perform(self.hop.received(connection, direction, data, now))

    def _lost(self, connection: int) -> Program:
        """A reset of one side ends the other."""
        self.hop.lost(connection)
        for side in self._sides.pop(connection, {}).values():
            yield Put(side.outbox, END)

    def _put(self, connection: int, direction: Direction, item: object) -> Program:
        sides = self._sides.get(connection)
        if sides is not None:
            yield Put(sides[direction].outbox, item)

    def _inject(self, data: bytes) -> Program:
        self.injecting += 1
        now = yield Now()
        try:
            if self.upstream is not None:
                socket = yield Connect(self.upstream)
                yield Send(socket, data)
                yield Recv(socket, READ_SIZE, now + INJECTION_LIMIT)
                yield Close(socket)
        except OSError:
            pass  # the server died, or does not answer: what it did about the copy is in its journal
        self.injecting -= 1


class JoiningLink(StreamLink):
    """What goes to one side without a break goes at once. Of calls that makes no difference to who reads them, and each
    goes by itself, so that runs that were recorded come out as they did; where messages end shows then."""

    def perform(self, effects: list[Effect]) -> Program:
        return super().perform(joined(effects))


class DatagramLink:
    """A UDP link. Clients are told apart by their addresses, each has a socket of its own towards the server. `front`
    is where they call it at, which may be a group."""

    def __init__(self, hop: Hop, upstream: Address, front: Address = LISTEN) -> None:
        self.hop = hop
        self.upstream: Address | None = upstream
        self.address: Address = front
        self.injecting = 0
        self._socket: Socket | None = None
        self._connections: dict[Address, int] = {}
        self._clients: dict[int, Address] = {}
        self._upstreams: dict[int, Socket] = {}
        self._alarm = Alarm(hop, self.perform)

    def start(self) -> Program:
        self._socket = yield Bind(self.address)
        self.address = self._socket.local
        yield Spawn(self._read_requests(self._socket), "requests")
        yield Spawn(self._alarm.run(), "alarm")

    def set_upstream(self, address: Address | None, epoch: int) -> Program:
        self.upstream = address
        yield from self.perform(self.hop.upstream(address is not None, epoch))

    def perform(self, effects: list[Effect]) -> Program:
        for effect in effects:
            match effect:
                case Forward(connection, "reply", data):
                    yield SendTo(self._socket_of_link(), data, self._clients[connection])
                case Forward(connection, _, data):
                    yield from self._send_up(self._upstreams[connection], data)
                case Inject(data):
                    socket = yield Bind(LISTEN)
                    yield from self._send_up(socket, data)
        yield from self._alarm.check()

    def _send_up(self, socket: Socket, data: bytes) -> Program:
        if self.upstream is not None:
            yield SendTo(socket, data, self.upstream)

    def _socket_of_link(self) -> Socket:
        assert self._socket is not None
        return self._socket

    def _read_requests(self, socket: Socket) -> Program:
        recv = RecvFrom(socket, READ_SIZE)
        while True:
            data, address = yield recv
            if address not in self._connections:
                yield from self._open(address)
            now = yield Now()
            yield from self.perform(self.hop.received(self._connections[address], "request", data, now))

    def _open(self, address: Address) -> Program:
        connection = self._connections[address] = len(self._connections) + 1
        self._clients[connection] = address
        self._upstreams[connection] = yield Bind(LISTEN)
        self.hop.opened(connection)
        yield Spawn(self._read_replies(connection), "replies")

    def _read_replies(self, connection: int) -> Program:
        recv = RecvFrom(self._upstreams[connection], READ_SIZE)
        while True:
            data, _ = yield recv
            now = yield Now()
            yield from self.perform(self.hop.received(connection, "reply", data, now))


Link = StreamLink | DatagramLink


class SimRelay:
    """Obeys what the real relay obeys. `plans(command)` checks a configure command and makes its links' hops."""

    def __init__(self, plans: Callable[[dict[str, Any]], dict[str, LinkPlan]]) -> None:
        self._plans = plans
        self._links: dict[str, Link] = {}
        self._rules: dict[int, Link] = {}
        self._groups: dict[str, int] = {}

    def obey(self, command: dict[str, Any]) -> Program:
        match command["type"]:
            case "configure":
                return (yield from self._configure(command))
            case "upstream":
                address = command["address"]
                link = self._links[command["link"]]
                yield from link.set_upstream(internet(*address) if address else None, command["epoch"])
            case "rule":
                link = self._rules[command["index"]]
                yield from link.perform(link.hop.rule(command["index"], command["active"]))
            case "release":
                link = self._rules[command["index"]]
                yield from link.perform(link.hop.release(command["index"]))
            case "heal":
                for link in self._links.values():
                    yield from link.perform(link.hop.heal())
            case "status":
                return self._status()
        return {}

    def _configure(self, command: dict[str, Any]) -> Program:
        for name, plan in self._plans(command).items():
            assert plan.upstream is not None
            link = self._links[name] = self._link(plan, internet(*plan.upstream))
            self._rules |= dict.fromkeys(plan.hop.rules, link)
            yield from link.start()
            yield from link.perform(plan.hop.upstream(True, plan.epoch))
        return {"addresses": {name: written(link.address) for name, link in self._links.items()}}

    def _link(self, plan: LinkPlan, upstream: Address) -> Link:
        if TRANSPORTS[plan.transport].connected:
            return (JoiningLink if plan.codec in STREAMED else StreamLink)(plan.hop, upstream)
        return DatagramLink(plan.hop, upstream, self._group(plan.group) if plan.group else LISTEN)

    def _group(self, source: str) -> Address:
        """One of its own for whoever sends to it, all at one port."""
        number = self._groups.setdefault(source, len(self._groups))
        return group(number, GROUP_PORT, "127.0.0.1")

    def _status(self) -> dict[str, Any]:
        total: dict[str, Any] = {"held": 0, "pending": 0, "connections": 0, "passed": {}}
        for name, link in self._links.items():
            status = link.hop.status()
            total["held"] += status.held
            total["pending"] += status.pending + link.injecting
            if isinstance(link, StreamLink):
                total["connections"] += status.connections
            total["passed"][name] = {str(epoch): count for epoch, count in status.passed.items()}
        return total
