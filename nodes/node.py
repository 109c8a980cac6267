"""A node, made from its spec: what it offers or does, and the commands that it obeys.

The same node runs in a process of its own (nodes/__main__.py) and in the simulator; what differs comes in as its
Environment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple, Protocol

from nodes.crowd import Crowd, Questions
from nodes.drivers import Driver
from nodes.drivers.rpc import RpcDriver
from nodes.drivers.variants import DRIVERS
from nodes.ops import Address, Bind, Listen, Program, Queue, ReplyRecord, Spawn
from nodes.reports import Reports
from nodes.rpc.calls import Numbers, Session
from nodes.rpc.codecs import Codec, codec
from nodes.rpc.interface import Interface, skeleton
from nodes.rpc.retry import Retry, maybe
from nodes.rpc.semantics import Identity, mechanism
from nodes.rpc.serve import Endpoint
from nodes.rpc.variants import SKELETONS
from nodes.samples import Meter, Sampler, Tally
from nodes.services import SERVICES
from nodes.sockets.codec import SocketCodec
from nodes.sockets.endpoint import CountingCodec, SocketEndpoint
from nodes.sockets.variants import CODECS, ENDPOINTS
from nodes.wire.addresses import Group, UnixPath, group, internet, read, written
from nodes.wire.header import client_number
from nodes.wire.messages import SPLITTERS
from nodes.wire.record import Kind, Witness
from nodes.wire.transports import TRANSPORTS, Transport
from nodes.workload import HEAL, Harness

Command = dict[str, Any]


class BadCommand(Exception):
    """A command that this node cannot obey; the text says what was expected."""


class Memory(Protocol):
    """What a server reads of its ledger when it starts."""

    history_id: int

    def state(self) -> dict[str, Any]: ...

    def records(self) -> Iterable[ReplyRecord]: ...


class Environment(NamedTuple):
    """What a node is given: who it is, its evidence, its durable memory (None for a client), its random incarnation.

    `outbox` takes control messages for the orchestrator. `sockets` is the folder of its Unix sockets; "" where their
    names need to be in no file system (unix(7)), so that nobody leaves one behind. `meter` measures what its process
    uses; None where it is in none of its own.
    """

    name: str
    epoch: int
    witness: Witness
    ledger: Memory | None
    incarnation: int
    outbox: Queue
    sockets: str = ""
    meter: Meter | None = None


class ServerNode:
    """Offers one service at one endpoint per link."""

    def __init__(self, spec: dict[str, Any], environment: Environment) -> None:
        if environment.ledger is None:
            raise BadCommand("a server needs a ledger")
        self._spec = spec
        self._environment = environment
        ledger = environment.ledger
        self._identity = Identity(environment.incarnation, ledger.history_id, spec["lease"])
        service = SERVICES[spec["service"]]
        made = service.make(ledger.state())
        broken = next((SKELETONS[name] for name in SKELETONS if _has(spec, name)), None)
        self._skeleton = broken(service, made) if broken else skeleton(service.interface, made)
        self._tally = Tally(environment.meter)
        self._sampler: Sampler | None = None
        self._endpoints = {part["link"]: self._endpoint(part, service.interface) for part in spec["endpoints"]}

    def _endpoint(self, part: dict[str, Any], interface: Any) -> Endpoint:
        environment = self._environment
        assert environment.ledger is not None

        def trimmed(client: int, mark: int) -> None:
            environment.witness.note(Kind.TRIM, client, detail={"mark": mark})

        policy = mechanism(part["semantics"], part["variant"], self._identity, environment.ledger.records(), trimmed)
        kind, spoken = _serving(part, interface)
        return kind(
            part["link"],
            spoken,
            self._skeleton,
            policy,
            self._identity,
            environment.witness,
            variant=part["variant"],
            yields=self._spec["yields"],
            tally=self._tally,
        )

    def start(self) -> Program:
        """-> {"addresses": {link: [host, port]}}, once everything listens."""
        addresses: dict[str, list[Any]] = {}
        for part in self._spec["endpoints"]:
            endpoint = self._endpoints[part["link"]]
            row = TRANSPORTS[part["transport"]]
            connected, wanted = row.connected, self._wanted(row, part)
            try:
                socket = yield self._listen(wanted, row) if connected else Bind(wanted)
            except OSError as error:
                where = f"{wanted} ({part['transport']})"
                raise BadCommand(f"{part['link']}: cannot listen at {where}: {error.strerror}") from error
            if connected:
                self._tally.listeners.append(socket)
                for worker in range(self._spec["workers"]):
                    accepting = endpoint.accept(socket, bounded=row.bounded, accepts_on=self._spec["accepts_on"])
                    yield Spawn(accepting, "accept", worker)
            else:
                yield Spawn(endpoint.datagrams(socket), "datagrams")
            addresses[part["link"]] = written(socket.local)
        self._environment.witness.note(Kind.READY, detail={"addresses": addresses})
        yield from self._sample()
        return {"addresses": addresses}

    def _sample(self) -> Program:
        """From now on, where its spec says so and there is a process to measure."""
        meter = self._environment.meter
        if meter is not None and self._spec["samples"]:
            self._sampler = Sampler(self._environment.witness, meter, self._tally)
            yield Spawn(self._sampler.program(), "samples")

    def end(self) -> None:
        if self._sampler is not None:
            self._sampler.end()

    def _listen(self, address: Address, row: Transport) -> Listen:
        return Listen(address, self._spec["backlog"], bounded=row.bounded)

    def _wanted(self, row: Transport, part: dict[str, Any]) -> Address:
        if row.address == "path":
            return UnixPath(part["path"] or self._path(part["link"]))
        if "group" in part:  # else a relay's hop is the member
            name, port = part["group"] or group(self._identity.incarnation, 0, "")[:2]
            return Group(name, port, self._spec["host"])
        return internet(self._spec["host"], part["port"])

    def _path(self, link: str) -> str:
        if folder := self._environment.sockets:
            return f"{folder}/{self._identity.incarnation:016x}-{list(self._endpoints).index(link)}"  # of 107 bytes
        return f"\0faultbed-{self._identity.incarnation:016x} {link}"

    def obey(self, command: Command) -> Program:
        if command["type"] != "status":
            raise BadCommand(f"a server does not know the command {command['type']!r}")
        yield from ()
        names = ("received", "broken", "executing", "connections")
        return {
            "links": {
                link: {name: getattr(endpoint, name) for name in names} for link, endpoint in self._endpoints.items()
            }
        }


class ClientNode:
    """Runs one workload: over its links, or by a program of the user's."""

    def __init__(self, spec: dict[str, Any], environment: Environment) -> None:
        self._spec = spec
        self._environment = environment
        self._reports = Reports(environment.outbox, [(event, number) for event, number in spec["report"]])
        driver = self._program if "exec" in spec else self._caller
        self._crowds = {rule["index"]: self._crowd(rule) for rule in spec["crowds"]}
        self._harness = Harness(spec, environment.epoch, environment.witness, self._reports, driver)

    def _program(self, process: int) -> Driver:
        from nodes.drivers.exec import ExecDriver  # only where it is needed: what it imports is a tenth of a start

        told = self._spec["exec"]
        return ExecDriver(told["argv"], told["folder"], process, told["target"], told["timeout"], told["patience"])

    def _caller(self, process: int) -> Driver:
        numbers, links = Numbers(), self._spec["links"]
        if self._spec["members"] > 1:
            from nodes.drivers.multicast import MulticastDriver  # only where it is needed

            return self._on(links[0], process, numbers, partial(MulticastDriver, self._spec["members"]))
        drivers = [self._on(link, process, numbers, DRIVERS.get(link["variant"] or "", RpcDriver)) for link in links]
        if len(drivers) == 1:
            return drivers[0]
        from nodes.drivers.turns import Turns  # only where it is needed

        return Turns(drivers)

    def _on(self, link: dict[str, Any], process: int, numbers: Numbers, made: Callable[..., RpcDriver]) -> RpcDriver:
        number = client_number(self._spec["ordinal"], process, self._environment.epoch)
        interface = SERVICES[link["service"]].interface
        of_sockets = link["codec"] in SPLITTERS
        return made(
            Session(number, link["semantics"], numbers, introduces=not of_sockets),
            interface,
            SocketCodec(link["codec"], interface) if of_sockets else codec(link["codec"], interface),
            link["transport"],
            read(link["target"]),
            link["local"],
            once(self._spec["retry"]) if of_sockets else retry_of(link["semantics"], self._spec["retry"]),
            self._environment.witness,
            self._reports,
            process,
        )

    def _crowd(self, rule: dict[str, Any]) -> Crowd:
        link = next(link for link in self._spec["links"] if link["name"] == rule["link"])
        interface, name = SERVICES[link["service"]].interface, link["codec"]
        spoken: Codec = SocketCodec(name, interface) if name in SPLITTERS else codec(name, interface)
        plainly, members = name not in SPLITTERS, rule["connections"]
        questions = Questions(spoken, interface.procedures[0], plainly=plainly, members=members)
        return Crowd(rule, read(link["target"]), questions, self._environment.witness)

    def start(self) -> Program:
        self._environment.witness.note(Kind.READY, detail={"addresses": {}})
        yield from ()
        return {"addresses": {}}

    def obey(self, command: Command) -> Program:
        match command["type"]:
            case "go":
                yield Spawn(self._harness.main(), "workload")
            case "release":
                yield from self._harness.gates.release(command["gate"])
            case "rule":
                yield from self._crowds[command["index"]].switch(command["active"])
            case "healed":
                yield from self._harness.gates.release(HEAL)
            case "finish":
                yield from self._harness.finish()
            case "status":
                harness = self._harness
                return {"open": harness.open, "completed": harness.completed, "done": harness.done}
            case other:
                raise BadCommand(f"a client does not know the command {other!r}")
        return {}

    def end(self) -> None:
        """Nothing is left to be said."""


Node = ServerNode | ClientNode
ROLES: dict[str, Callable[[dict[str, Any], Environment], Node]] = {"server": ServerNode, "client": ClientNode}


def retry_of(semantics: str, retry: dict[str, Any]) -> Retry:
    """The client's policy; *maybe* has no choice but how long it waits."""
    if semantics == "maybe":
        return maybe(retry["patience"])
    return Retry(retry["attempts"], retry["first"], retry["maximum"], retry["jitter"], retry["connection"] == "same")


def once(retry: dict[str, Any]) -> Retry:
    """The policy of who sends a message: on a stream that is late the others go on."""
    return maybe(retry["patience"], same_connection=True)


def _serving(part: dict[str, Any], interface: Interface) -> tuple[type[Endpoint], Codec]:
    """What serves a link, and the codec or the protocol that it speaks."""
    name, variant = part["codec"], part["variant"]
    if name not in SPLITTERS:
        return Endpoint, codec(name, interface)
    spoken = CODECS.get(variant, CountingCodec)(name, interface, part["member"])
    return ENDPOINTS.get(variant, SocketEndpoint), spoken


def make(spec: dict[str, Any], environment: Environment) -> Node:
    """A node from its spec. Raises BadCommand for a spec that does not fit."""
    try:
        return ROLES[spec["role"]](spec, environment)
    except (KeyError, TypeError, ValueError) as error:
        raise BadCommand(f"the spec of node {environment.name} does not fit: {type(error).__name__} {error}") from error


def needs_ledger(spec: dict[str, Any]) -> bool:
    return spec.get("role") == "server"


def incarnation(spec: dict[str, Any], ledger: Memory | None, drawn: int) -> int:
    """What a process that starts calls itself: the random number that was drawn for it. The broken variant counts, and
    begins again where it finds no state."""
    restarts = ledger is not None and not ledger.state() and _has(spec, "incarnation-restarted")
    return 1 if restarts else drawn


def _has(spec: dict[str, Any], variant: str) -> bool:
    return any(part["variant"] == variant for part in spec.get("endpoints", ()))
