"""The operations that programs yield.

Rules of this file:

1. A program is a generator. It yields an operation and is resumed with its result, or the error is
   thrown in at the yield. It does no I/O, reads no clock and draws no random number itself.
2. Times are absolute, in nanoseconds of the engine's monotonic clock. A `deadline` of None is never.
   When it passes, TimeoutError is thrown in.
3. Between two yields a program runs alone in its node, on every engine.
4. At most one `Recv`/`RecvFrom`/`Accept` and one `Send` are outstanding per socket; of a listener one `Accept` in each
   worker. `SendTo` is as often as programs like, in no order among them. `Close` by another program ends them with
   ConnectionAbortedError.
5. Operations are mutable and slotted so that a connection may reuse its own (a frozen dataclass here
   costs a sixth of the throughput). An engine never keeps one after resuming its program.

Errors are OSError and its subclasses as the operating system reports them (ConnectionRefusedError,
ConnectionResetError, BrokenPipeError, TimeoutError), and `Cancelled`. An address that no system could be asked for is
refused as Python's sockets do: OSError for a path that is too long, OverflowError for a port that is no port.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from typing import Any, NamedTuple

from nodes.wire import addresses

Program = Generator[Any, Any, Any]
Address = addresses.Address


BACKLOG = 128
"""Connections that wait to be accepted, where nobody says how many."""


class Cancelled(BaseException):
    """Thrown into a program at its `Get` or `Sleep` after another program yielded `Cancel` for it."""


class Exhausted(Exception):
    """Thrown in at `Spawn` where a task is a thread and the system has no more. It is no OSError: whoever takes errors
    of a connection must not take this for one."""


class Socket:
    """An engine's handle on one endpoint; programs only pass it back. `local` and `peer` are addresses."""

    __slots__ = ("local", "peer")

    local: Address
    peer: Address | None


class Task:
    """A spawned program. `Join` waits for `done`; then `result` or `error` is set."""

    __slots__ = ("__weakref__", "done", "error", "name", "program", "result")

    def __init__(self, program: Program, name: str = "") -> None:
        self.program = program
        self.name = name
        self.done = False
        self.result: Any = None
        self.error: BaseException | None = None


class Queue:
    """An unbounded first-in first-out queue between programs of one node.

    `waiters` belongs to the engine. Code that is not a program (a control thread, a signal handler) must
    not touch it; engines offer their own thread-safe entry.
    """

    __slots__ = ("items", "waiters")

    def __init__(self) -> None:
        self.items: deque[Any] = deque()
        self.waiters: deque[Any] = deque()


class Effect(NamedTuple):
    """One execution's lasting change, as the ledger records it (the ledger adds `n` and the epoch)."""

    client: int
    seq: int
    intent: int
    attempt: int
    result: Any


class ReplyRecord(NamedTuple):
    """What a durable reply history keeps for one operation; `first` is the client's first incomplete seq."""

    client: int
    seq: int
    first: int
    result: Any


class Transaction(NamedTuple):
    """One atomic set of writes: the service's new state, the effect, and perhaps the reply record.

    `identity` is (client, seq, attempt) of the call, for the failpoints that the ledger passes.
    """

    identity: tuple[int, int, int]
    state: dict[str, Any] | None
    effect: Effect | None
    record: ReplyRecord | None


class Listen:
    """-> Socket that listens at `address`.

    `bounded`: its connections keep the boundaries of messages (SOCK_SEQPACKET): a `Recv` gives one, cut to its size.
    """

    __slots__ = ("address", "backlog", "bounded")

    def __init__(self, address: Address, backlog: int = BACKLOG, *, bounded: bool = False) -> None:
        self.address = address
        self.backlog = backlog
        self.bounded = bounded


class Bind:
    """-> datagram Socket bound to `address`; at a Group, one more that receives what is sent to it."""

    __slots__ = ("address",)

    def __init__(self, address: Address) -> None:
        self.address = address


class Accept:
    """-> Socket of the next connection."""

    __slots__ = ("deadline", "socket")

    def __init__(self, socket: Socket, deadline: int | None = None) -> None:
        self.socket = socket
        self.deadline = deadline


class Connect:
    """-> Socket connected to `address`, with TCP_NODELAY where that exists. `bounded`: as its listener is."""

    __slots__ = ("address", "bounded", "deadline")

    def __init__(self, address: Address, deadline: int | None = None, *, bounded: bool = False) -> None:
        self.address = address
        self.deadline = deadline
        self.bounded = bounded


class Recv:
    """-> bytes, between 1 and `size` of them; b"" at end of file."""

    __slots__ = ("deadline", "size", "socket")

    def __init__(self, socket: Socket, size: int, deadline: int | None = None) -> None:
        self.socket = socket
        self.size = size
        self.deadline = deadline


class Send:
    """-> None once all of `data` was handed to the transport. `data` must not change until then.

    Any bytes-like object will do. Where messages keep their boundaries none at all is a message too.
    """

    __slots__ = ("data", "deadline", "socket")

    def __init__(self, socket: Socket, data: bytes | bytearray | memoryview[Any], deadline: int | None = None) -> None:
        self.socket = socket
        self.data = data
        self.deadline = deadline


class RecvFrom:
    """-> (bytes, Address): one datagram, cut to `size`."""

    __slots__ = ("deadline", "size", "socket")

    def __init__(self, socket: Socket, size: int, deadline: int | None = None) -> None:
        self.socket = socket
        self.size = size
        self.deadline = deadline


class SendTo:
    """-> None once the datagram was handed to the transport. After TimeoutError it was not, and will not be."""

    __slots__ = ("address", "data", "deadline", "socket")

    def __init__(self, socket: Socket, data: bytes, address: Address, deadline: int | None = None) -> None:
        self.socket = socket
        self.data = data
        self.address = address
        self.deadline = deadline


class Shutdown:
    """-> None. No more will be sent on this stream; the peer reads end of file."""

    __slots__ = ("socket",)

    def __init__(self, socket: Socket) -> None:
        self.socket = socket


class HasEnded:
    """-> bool: the peer's end of this connection, or a reset, has come, whether or not a Recv was told of it yet.

    It answers at once and takes no data (recv(2), MSG_PEEK); what came before the end and is not yet read hides it, and
    so does a message of no bytes, which a Recv by itself cannot tell from the end. A socket tells of a reset once:
    after this, a Recv may find the end of file instead.
    """

    __slots__ = ("socket",)

    def __init__(self, socket: Socket) -> None:
        self.socket = socket


class Close:
    """-> None. Closing twice is allowed.

    `reset`: a stream of TCP ends with a reset, and what was not sent never is (SO_LINGER of 0, socket(7)).
    """

    __slots__ = ("reset", "socket")

    def __init__(self, socket: Socket, *, reset: bool = False) -> None:
        self.socket = socket
        self.reset = reset


class Sleep:
    """-> None at `until` (absolute nanoseconds)."""

    __slots__ = ("until",)

    def __init__(self, until: int) -> None:
        self.until = until


class Spawn:
    """-> Task that runs `program` beside its spawner, in the loop of that number where there are several (`worker`;
    None: in its spawner's). Raises Exhausted.

    `connection`: the socket that it alone uses from now on. An engine with a process for each connection runs it in
    one, where what it changes nobody else sees; its result is None then.

    A task that ends with an error while nobody joins it ends the whole engine run with that error:
    programs handle the errors they expect.
    """

    __slots__ = ("connection", "name", "program", "worker")

    def __init__(
        self, program: Program, name: str = "", worker: int | None = None, connection: Socket | None = None
    ) -> None:
        self.program = program
        self.name = name
        self.worker = worker
        self.connection = connection


class Join:
    """-> the task's result; the task's error is thrown in."""

    __slots__ = ("deadline", "task")

    def __init__(self, task: Task, deadline: int | None = None) -> None:
        self.task = task
        self.deadline = deadline


class Cancel:
    """-> None. `Cancelled` is thrown into the task at its current or next `Get` or `Sleep`."""

    __slots__ = ("task",)

    def __init__(self, task: Task) -> None:
        self.task = task


class Get:
    """-> the queue's next item."""

    __slots__ = ("deadline", "queue")

    def __init__(self, queue: Queue, deadline: int | None = None) -> None:
        self.queue = queue
        self.deadline = deadline


class Put:
    """-> None. The queue is unbounded, so this never waits."""

    __slots__ = ("item", "queue")

    def __init__(self, queue: Queue, item: Any) -> None:
        self.queue = queue
        self.item = item


class Now:
    """-> int, monotonic nanoseconds."""

    __slots__ = ()


class Random:
    """-> float in [0, 1) from the node's own seeded generator."""

    __slots__ = ()


class Commit:
    """-> int, the ledger's number of the effect (0 without one). Runs whole inside the node's lock."""

    __slots__ = ("transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self.transaction = transaction
