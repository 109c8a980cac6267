"""The socket operations, performed in memory between the hosts of one world.

Each method takes the task and its operation, and returns the result or WAIT; then the task is woken later.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

from nodes import ops
from nodes.engines.sim.datagram import Datagrams
from nodes.engines.sim.fiber import Fiber
from nodes.engines.sim.host import OWN, Host, place
from nodes.engines.sim.listener import Listener
from nodes.engines.sim.medium import Medium
from nodes.engines.sim.stream import Stream
from nodes.wire.addresses import Group, IPv4

WAIT: Any = object()
_SYN_RETRY = 1_000_000_000  # nanoseconds, RFC 6298 section 2.1


class Network:
    """Knows every host by name."""

    def __init__(self, medium: Medium, hosts: dict[str, Host]) -> None:
        self._medium = medium
        self._hosts = hosts
        self._groups: dict[tuple[object, ...], list[Datagrams]] = {}

    def listen(self, fiber: Fiber, operation: ops.Listen) -> Listener:
        host = fiber.host
        _check(operation)
        local = host.bound(operation.address, host.listeners)
        listener = Listener(host, local, operation.backlog)
        host.listeners[local[1]] = listener
        host.own(listener)
        return listener

    def bind(self, fiber: Fiber, operation: ops.Bind) -> Datagrams:
        host = fiber.host
        if isinstance(operation.address, Group):
            return self._join(host, operation.address)
        local = host.bound(operation.address, host.datagrams)
        socket = Datagrams(host, local)
        host.datagrams[local[1]] = socket
        host.own(socket)
        return socket

    def _join(self, host: Host, group: Group) -> Datagrams:
        """One more member, beside those that its host has there."""
        local = IPv4(group.host, group.port or host.free_port(host.datagrams))
        socket = Datagrams(host, local)
        members = self._groups.setdefault(local, [])
        members[:] = [member for member in members if not member.closed] + [socket]
        host.own(socket)
        return socket

    def accept(self, fiber: Fiber, operation: ops.Accept) -> Any:
        listener: Any = operation.socket
        stream = listener.accept()
        if stream is not None:
            return stream
        _occupy(listener, fiber)
        return WAIT

    def connect(self, fiber: Fiber, operation: ops.Connect) -> Any:
        host = fiber.host
        _check(operation)
        target, port = self._target(host, operation.address)
        local = IPv4(host.name, host.free_port(host.listeners))
        stream = Stream(self._medium, host, local, IPv4(target.name, port))
        host.own(stream)
        fiber.connecting = stream
        stream.waiting = fiber
        self._medium.timeline.at(self._medium.arrival(), self._arrive_syn, stream)
        return WAIT

    def _arrive_syn(self, client: Stream) -> None:
        """The first segment of a connection reaches its target's kernel."""
        if client.closed or client.peer is None:
            return
        name, port = place(client.peer)
        listener = self._hosts[name].listeners.get(port)
        timeline = self._medium.timeline
        if listener is None:
            timeline.at(self._medium.arrival(), _refuse, client)
        elif listener.full:
            timeline.at(timeline.now + _SYN_RETRY, self._arrive_syn, client)
        else:
            server = Stream(self._medium, listener.host, listener.local, client.local)
            server.other, client.other = client, server
            timeline.at(server.next_arrival(), _establish, client)
            listener.enqueue(server)

    def recv(self, fiber: Fiber, operation: ops.Recv | ops.RecvFrom) -> Any:
        stream: Any = operation.socket
        data = stream.receive(operation.size)
        if data is not None:
            return data
        _occupy(stream, fiber)
        return WAIT

    def send(self, fiber: Fiber, operation: ops.Send) -> Any:
        stream: Any = operation.socket
        if stream.writer is not None:
            raise RuntimeError("a Send is outstanding on this socket")
        if stream.send(bytes(operation.data)):
            return None
        stream.writer = fiber
        return WAIT

    def send_to(self, fiber: Fiber, operation: ops.SendTo) -> None:
        socket: Any = operation.socket
        socket.check(operation.data)
        if (members := self._groups.get(operation.address[:2])) is not None:
            for member in members:
                self._send(socket, member, self._arrive_at_member, operation.data)
            return
        target, port = self._target(fiber.host, operation.address)
        self._send(socket, (target.name, port), self._arrive_datagram, operation.data)

    def _send(self, socket: Datagrams, to: Any, arrive: Callable[[Any], None], data: bytes) -> None:
        time = self._medium.arrival(socket.sent.get(to, 0))
        socket.sent[to] = time
        self._medium.timeline.at(time, arrive, (to, bytes(data), socket.source))

    def _arrive_at_member(self, datagram: tuple[Datagrams, bytes, IPv4]) -> None:
        member, data, source = datagram
        if not member.closed:
            member.deliver(data, source)

    def _arrive_datagram(self, datagram: tuple[tuple[str, int], bytes, IPv4]) -> None:
        (name, port), data, source = datagram
        socket = self._hosts[name].datagrams.get(port)
        if socket is not None:  # otherwise it is lost: the sender's socket is not connected, udp(7)
            socket.deliver(data, source)

    def shutdown(self, fiber: Fiber, operation: ops.Shutdown) -> None:
        stream: Any = operation.socket
        stream.shutdown()

    def has_ended(self, fiber: Fiber, operation: ops.HasEnded) -> bool:
        stream: Any = operation.socket
        return bool(stream.ended)

    def close(self, fiber: Fiber, operation: ops.Close) -> None:
        socket: Any = operation.socket
        if operation.reset:
            socket.abort()
        else:
            socket.close()

    def _target(self, host: Host, address: ops.Address) -> tuple[Host, int]:
        name, port = place(address)
        if name in OWN:
            return host, port
        if name not in self._hosts:
            raise OSError(errno.EHOSTUNREACH, f"there is no host {name}")
        return self._hosts[name], port


def _check(operation: ops.Listen | ops.Connect) -> None:
    if operation.bounded:
        raise OSError(errno.ESOCKTNOSUPPORT, "simulated connections carry bytes, not messages")


def _occupy(socket: Any, fiber: Fiber) -> None:
    if socket.waiting is not None:
        raise RuntimeError("a Recv, RecvFrom or Accept is outstanding on this socket")
    socket.waiting = fiber


def _refuse(client: Stream) -> None:
    fiber, client.waiting = client.waiting, None
    client.close()
    if fiber is not None:
        fiber.connecting = None
        fiber.fail(ConnectionRefusedError(errno.ECONNREFUSED, f"nobody listens at {client.peer}"))


def _establish(client: Stream) -> None:
    """The answer reaches the client's kernel. A client that gave up has reset the connection already."""
    fiber = client.waiting
    if client.closed or fiber is None:
        return
    client.waiting = None
    fiber.connecting = None
    fiber.wake(client)
