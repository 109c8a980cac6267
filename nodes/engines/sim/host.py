"""A simulated host: the programs and sockets of one process at a time, which can be killed, stopped and started.

A host's address is its name; "127.0.0.1" and "localhost" mean itself. Its kernel outlives its process: it
refuses connections to a dead one and takes data for a stopped one.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import NoReturn, Protocol

from nodes.engines.sim.datagram import Datagrams
from nodes.engines.sim.errors import Crash, Killed
from nodes.engines.sim.fiber import Fiber
from nodes.engines.sim.listener import Listener
from nodes.engines.sim.stream import Stream
from nodes.ops import Address, Program, Transaction
from nodes.wire.addresses import Group, IPv4, UnixPath

OWN = ("127.0.0.1", "localhost", "0.0.0.0", "")
_FIRST_EPHEMERAL = 32_768  # ip_local_port_range, ip(7)
_LAST_EPHEMERAL = 60_999
_LAST_PORT = 65_535

Endpoint = Stream | Listener | Datagrams


class Lives(Protocol):
    """The part of the world that a host needs."""

    def start(
        self, host: Host, program: Program, name: str, commit: Callable[[Transaction], int], random: Callable[[], float]
    ) -> Fiber: ...

    def expire(self, fiber: Fiber) -> None: ...

    def abandon(self, fiber: Fiber) -> None: ...

    def proceed(self, fiber: Fiber) -> None: ...

    def bury(self, program: Program) -> None: ...


class Host:
    """`error` is what ended its last life, if a program's error did; `on_exit` is told of every end and its reason."""

    def __init__(self, world: Lives, name: str, random: Callable[[], float]) -> None:
        self.name = name
        self.up = False
        self.paused = False
        self.error: BaseException | None = None
        self.on_exit: Callable[[Host, str], None] | None = None
        self.listeners: dict[int, Listener] = {}
        self.datagrams: dict[int, Datagrams] = {}
        self.fibers: dict[Fiber, None] = {}
        self.parked: list[Fiber] = []
        self.expired: list[tuple[Fiber, int]] = []
        self._sockets: dict[Endpoint, None] = {}
        self._next_port = _FIRST_EPHEMERAL
        self._world = world
        self._random = random

    @property
    def note(self) -> str:
        """What a report of waiting tasks says of the host."""
        return " (paused)" if self.paused else ""

    def spawn(
        self,
        program: Program,
        name: str = "",
        commit: Callable[[Transaction], int] | None = None,
        random: Callable[[], float] | None = None,
    ) -> Fiber:
        """Run `program`; starts the host if it is down. What it spawns has the same `commit` and `random`.

        Without `commit` a Commit fails with OSError (EROFS). Without `random` the world's chance is drawn from.
        """
        if not self.up:
            self.up = True
            self.error = None
        return self._world.start(self, program, name, commit or _no_ledger, random or self._random)

    def crash(self) -> None:
        """SIGKILL: its programs are never resumed, its kernel closes its sockets. Nothing if it is down."""
        self.end("killed", None)

    def die(self) -> NoReturn:
        """`crash` for a witness of this host: also ends the program that called it. Raises Crash."""
        self.crash()
        raise Crash(self.name)

    def exit(self) -> None:
        """The process ends: the same as `crash` to its peers, with the reason "exited"."""
        self.end("exited", None)

    def end(self, reason: str, error: BaseException | None) -> None:
        """End this life; `on_exit` may start the next one."""
        if not self.up:
            return
        self.up = self.paused = False
        self.error = error
        self.parked.clear()
        self.expired.clear()
        for socket in list(self._sockets):
            socket.close()
        fibers, self.fibers = self.fibers, {}
        for fiber in fibers:
            self._world.abandon(fiber)
            fiber.done = True
        for fiber in fibers:
            fiber.end(None, Killed(f"host {self.name}: {reason}"))
            self._world.bury(fiber.program)
        if self.on_exit is not None:
            self.on_exit(self, reason)

    def pause(self) -> None:
        """SIGSTOP: its programs stop at their next yield, before that operation is performed."""
        self.paused = self.up

    def resume(self) -> None:
        """SIGCONT: operations are completed by what came meanwhile, then by the timers that passed."""
        if not self.paused:
            return
        self.paused = False
        for socket in list(self._sockets):
            socket.poke()
        expired, self.expired = self.expired, []
        for fiber, waits in expired:
            if fiber.waits == waits and not fiber.done:
                self._world.expire(fiber)
        parked, self.parked = self.parked, []
        for fiber in parked:
            if fiber.deferred is None:
                fiber.ready.append(fiber)
            else:
                self._world.proceed(fiber)

    def own(self, socket: Endpoint) -> None:
        """Its process holds `socket`."""
        self._sockets[socket] = None

    def forget(self, socket: Endpoint) -> None:
        """`socket` is closed; its port is free."""
        self._sockets.pop(socket, None)
        ports: dict[int, Listener] | dict[int, Datagrams]
        if isinstance(socket, Stream):
            return
        ports = self.listeners if isinstance(socket, Listener) else self.datagrams
        _, port = place(socket.local)
        if ports.get(port) is socket:
            del ports[port]

    def bound(self, address: Address, taken: dict[int, Listener] | dict[int, Datagrams]) -> IPv4:
        """`address` with this host's name and a port that is free. Raises OSError as bind(2) does."""
        name, port = place(address)
        if name not in OWN and name != self.name:
            raise OSError(errno.EADDRNOTAVAIL, f"{name} is not an address of host {self.name}")
        if port in taken:
            raise OSError(errno.EADDRINUSE, f"port {port} of host {self.name} is in use")
        return IPv4(self.name, port or self.free_port(taken))

    def free_port(self, taken: dict[int, Listener] | dict[int, Datagrams]) -> int:
        """An ephemeral port. They go round, so that a late segment seldom meets a new socket."""
        for _ in range(_FIRST_EPHEMERAL, _LAST_EPHEMERAL + 1):
            port = self._next_port
            self._next_port = _FIRST_EPHEMERAL if port == _LAST_EPHEMERAL else port + 1
            if port not in taken:
                return port
        raise OSError(errno.EADDRINUSE, f"host {self.name} has no free port")


def place(address: Address) -> tuple[str, int]:
    """-> host, port. Raises OSError for an address of another kind, OverflowError for a port that is no port."""
    if isinstance(address, (Group, UnixPath)):
        raise OSError(errno.EAFNOSUPPORT, f"a simulated host has no socket at {address}")
    if not 0 <= address[1] <= _LAST_PORT:
        raise OverflowError(f"port must be 0-{_LAST_PORT}")
    return address[:2]


def _no_ledger(transaction: Transaction) -> int:
    raise OSError(errno.EROFS, "this host was started without a ledger")
