"""PURE: the scenario of one cell, as plain validated values. `plan.py` makes these from a scenario file."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import (
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    create_model,
    model_serializer,
    model_validator,
)

from chaos.faults.models import Model
from chaos.faults.vocabulary import AnyFault
from chaos.faults.window import TriggerText
from chaos.supports import PLANE_OF
from nodes.accepting import ACCEPTS_ON
from nodes.engines import variants
from nodes.ops import BACKLOG
from nodes.rpc import codecs
from nodes.services import SERVICES, WORKLOADS
from nodes.sockets.variants import VARIANTS
from nodes.wire.header import turn
from nodes.wire.messages import ProtocolName
from nodes.wire.transports import LINKS, OF_ONE_HOST, TO_GROUPS
from orchestrator.scenario.log import Log
from orchestrator.scenario.properties import PROPERTIES
from orchestrator.scenario.recorded import as_nodes
from orchestrator.scenario.system import DRIVER, Driver, ProjectService, System, SystemLink
from orchestrator.scenario.triggers import last_before_heal
from orchestrator.scenario.value import Milliseconds, Value

Semantics = Literal["maybe", "at-least-once", "at-most-once", "at-most-once-incarnation", "exactly-once"]
Level = Literal["maybe", "at-least-once", "at-most-once", "exactly-once"]
LEVELS: dict[Level, tuple[str, ...]] = {
    "maybe": ("valid",),
    "at-least-once": ("valid", "complete"),
    "at-most-once": ("valid", "once"),
    "exactly-once": ("valid", "complete", "once"),
}
"""What each consists of (docs/semantics.md)."""
Triable = Literal["complete", "once"]
"""The properties of levels that need an opportunity; *valid* needs an operation that was bitten."""
Opportunity = Literal[
    "request-unseen",
    "reply-unseen",
    "died-before-commit",
    "repeat-while-executing",
    "repeat-after-commit",
    "repeat-in-later-epoch",
    "died-after-commit",
    "repeat-after-trim",
    "seen-out-of-order",
    "repeat-out-of-order",
    "cut-while-open",
    "repeat-after-cut",
    "answered-late",
    "repeat-after-history-loss",
    "reply-received-twice",
    "invoked-while-down",
    "budget-spent",
]
Variant = Literal[
    "no-duplicate-filter",
    "high-water-filter",
    "forgets-too-early",
    "newest-answer-only",
    "answer-of-another-operation",
    "answer-of-another-client",
    "no-join",
    "join-answers-newest",
    "join-answers-elsewhere",
    "hello-resets",
    "hello-not-durable",
    "trim-mark-forgotten",
    "record-before-effect",
    "effect-before-record",
    "incarnation-ignored",
    "incarnation-restarted",
    "fence-ignored",
    "cold-replica",
    "static-arguments",
    "lost-update",
    "rebinds",
    "argument-changed",
    "intent-forgotten",
    "unknown-as-fail",
]
if TYPE_CHECKING:
    ServiceName = str
    WorkloadName = str
    TransportName = str
    CodecName = str
    SocketTransport = str
    SocketVariant = str
    EngineVariant = str
    Via = str
else:
    ServiceName = Literal[tuple(SERVICES)]
    WorkloadName = Literal[tuple(WORKLOADS)]
    TransportName = Literal[LINKS]
    CodecName = Literal[codecs.NAMES]
    SocketTransport = Literal[(*LINKS, *TO_GROUPS, *OF_ONE_HOST)]
    SocketVariant = Literal[VARIANTS]
    EngineVariant = Literal[(*variants.NAMES, ACCEPTS_ON)]
    Via = Literal[tuple(PLANE_OF)]
UNTIL_DONE: Literal["until-done"] = "until-done"
Workers = Annotated[int, Field(ge=1, description="loops that share the node's work, where its engine has several")]
Load = Milliseconds | Literal["until-done"]
SETTLE = 5_000
ABOUT_LOAD = "cap of the load phase; until-done is until every call before heal is completed, or kept open by a fault"
Implicit = Literal["valid", "replies", "reference", "staleness"]
"""The checkers that judge every cell of our own nodes, whatever its scenario expects: *staleness* where calls read."""
Convicting = Literal[Implicit, "boundaries", "delivered", "unrepeated", "fifo", "agreement", "quiescent", "fair"]
"""What can be asked to convict a broken variant: these too, of messages of sockets, and of engines."""
Strain = Literal["descriptors-spent", "buffers-full", "backlog-full", "numbers-reused", "peers-vanished"]
"""What servers can have gone through."""
Claim = Literal["holds", "violated"]


def _count(value: object) -> object:
    """A bare number of executions is an exact one; text goes without blanks."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return "".join(value.split()) if isinstance(value, str) else value


Count = Annotated[
    str, BeforeValidator(_count, json_schema_input_type=int | str), Field(pattern=r"^(>=|<=)?[0-9]{1,6}$")
]


class Retry(Value):
    """Retransmission. `attempts` None is until-settle; times in milliseconds; jitter is a share of the wait."""

    attempts: int | None = Field(default=None, ge=1)
    first: Milliseconds = 60
    maximum: Milliseconds = 240
    jitter: float = Field(default=0.2, ge=0, le=1)
    connection: Literal["new", "same"] = "new"
    patience: Milliseconds = Field(default=150, description="how long `maybe` waits for its one reply")


class Limits(Value):
    """What a node may use; None is the backend's own choice.

    `cpus` counts processors, `memory` bytes, `files` open descriptors, `processes` processes and threads together.
    """

    cpus: float | None = Field(default=None, gt=0, le=1024)
    memory: int | None = Field(default=None, ge=16_000_000)
    files: int | None = Field(default=None, ge=32, le=1_000_000)
    processes: int | None = Field(default=None, ge=8, le=1_000_000)


NO_LIMITS = Limits()


class Place(Value):
    """Which agent runs a node, with --backend attach: the inventory's name of it, or what its host must offer."""

    host: str | None = None
    os: str | None = Field(default=None, description="linux, macos, windows, freebsd, ...")
    engine: str | None = None


class Server(Value):
    """A node that offers a service. `yields`: the procedure pauses this long in its middle.

    `variant`: it is written in this wrong way (docs/negative-controls.md).
    """

    role: ClassVar[Literal["server"]] = "server"

    service: ServiceName
    engine: str = "epoll"
    workers: Workers = 1
    yields: Milliseconds = 0
    durability: Literal["process", "power"] = "process"
    lease: Milliseconds = 60_000
    port: int = Field(default=0, ge=0, le=65535)
    backlog: int = Field(default=BACKLOG, ge=1, le=65535, description="connections that may wait to be accepted")
    variant: EngineVariant | None = None
    limits: Limits = NO_LIMITS
    place: Place | None = None

    @property
    def launched(self) -> str:
        """What its process is told to run on, and says of itself: its engine, and what is wrong with it."""
        return f"{self.engine}:{self.variant}" if self.variant in variants.NAMES else self.engine


class Client(Value):
    """A node whose processes each make `calls` calls; the last `after_heal` of them wait for heal.

    `gates` maps an operation number to the trigger that it waits for.
    """

    role: ClassVar[Literal["client"]] = "client"

    workload: WorkloadName
    calls: int = Field(default=8, ge=1, le=100_000)
    clients: int = Field(default=1, ge=1, le=99)
    outstanding: int = Field(default=1, ge=1, le=16)
    after_heal: int = Field(default=2, ge=1)
    engine: str = "epoll"
    workers: Workers = 1
    retry: Retry = Retry()
    gates: dict[int, TriggerText] = Field(default={})
    limits: Limits = NO_LIMITS
    place: Place | None = None

    @property
    def launched(self) -> str:
        """What its process is told to run on, as of a server."""
        return self.engine

    @property
    def last_before_heal(self) -> int:
        return last_before_heal(self.calls, self.after_heal, self.gates)


AnyNode = Server | Client | Driver | ProjectService
"""By their roles: a server is called, a client runs a workload of ours, a program is somebody's own and calls."""


class Between(Value):
    """A link of ours, from a client to a server."""

    source: str = Field(alias="from")
    target: str = Field(alias="to")

    @cached_property
    def name(self) -> str:
        return f"{self.source} -> {self.target}"

    @property
    def server(self) -> str:
        """The node that it goes to."""
        return self.target


class Link(Between):
    """Of calls."""

    semantics: Semantics
    transport: TransportName = "tcp"
    codec: CodecName = "msgpack"
    via: Via = Field(
        default="relay", description="what it goes through: faults on messages, on byte streams, or on packets"
    )
    variant: Variant | None = None


class SocketLink(Between):
    """Of messages on sockets, each sent once and echoed: calls of which nobody promises anything.

    Those of one client that go to a group (`transport: multicast`) lead to its members, and their order is theirs.
    """

    semantics: ClassVar[Literal["maybe"]] = "maybe"

    protocol: ProtocolName = Field(description="where a message ends: at a line feed, by a length in front, by itself")
    transport: SocketTransport = "tcp"
    via: Via = Field(default="relay", description="what it goes through, as for calls")
    variant: SocketVariant | None = None

    @property
    def codec(self) -> str:
        """What those read who look for messages in it."""
        return self.protocol


AnyLink = Link | SocketLink


class Outcome(Value):
    """What one operation's client learnt, and how often it ran: `executions` is "1", ">=2" and the like."""

    client: Literal["ok", "info", "fail"]
    executions: Count
    status: Literal["executed", "cached", "joined", "stale", "refused", "busy"] | None = None


class Delivery(Value):
    """Exactly one of `holds` and `violated`; a violation may name the outcome its witness must have."""

    holds: Level | None = None
    violated: Level | None = None
    under: tuple[Model, ...]
    untried: tuple[Triable, ...] = Field(
        default=(), description="properties of the level that these faults give no opportunity to fail; not claimed"
    )
    witness: Outcome | None = None


class Expected(Value):
    """`seen`: opportunities that every bitten operation must have made. `strained`: what a server must have gone
    through.

    `convicted_by`: the checkers that here must find a violation, of a broken variant.
    """

    bitten: Outcome | None = None
    others: Outcome | None = None
    seen: tuple[Opportunity, ...] = ()
    strained: tuple[Strain, ...] = ()
    delivery: Delivery | None = None
    convicted_by: tuple[Convicting, ...] = ()

    @cached_property
    def properties(self) -> dict[str, Claim]:
        """What is expected of single properties, by name."""
        return {name: claim for name in PROPERTIES if (claim := getattr(self, name)) is not None}

    @model_serializer(mode="wrap")
    def _without_what_is_unsaid(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in serialize(self).items() if value or key not in (*PROPERTIES, "strained")}


if TYPE_CHECKING:
    Expect = Expected
else:
    _CLAIM = (Claim | None, Field(default=None, description="a property, as its checker judges it"))
    Expect = create_model("Expect", __base__=Expected, __module__=__name__, **dict.fromkeys(PROPERTIES, _CLAIM))


class Cell(Value):
    """One combination of a scenario's matrix, with everything decided: what a run executes and `check` judges by."""

    scenario: str
    about: str
    cell: str = Field(description='"semantics=maybe,transport=udp", or "-" without a matrix')
    axes: dict[str, str]
    seed: int = Field(ge=0, lt=2**63)
    nodes: dict[str, AnyNode]
    links: tuple[AnyLink, ...]
    faults: tuple[AnyFault, ...]
    expect: Expect
    load: Load = Field(default=UNTIL_DONE, description=ABOUT_LOAD)
    settle: Milliseconds = Field(default=SETTLE, description="cap of settling, and of draining")
    not_applicable: str | None = Field(default=None, description="why this cell is not run")
    system: System | None = Field(
        default=None, description="one that is not ours, whose nodes are its driver and services"
    )
    log: Log | None = Field(default=None, description="what is done again, of a replay")

    @model_validator(mode="before")
    @classmethod
    def _recorded(cls, given: Any) -> Any:
        return as_nodes(given)

    def on_engine(self, engine: str) -> Cell:
        """The same with that engine under every node of ours."""
        changed = {
            name: node.model_copy(update={"engine": engine}) for name, node in (self.servers | self.clients).items()
        }
        return self.model_copy(update={"nodes": {name: changed.get(name, node) for name, node in self.nodes.items()}})

    @cached_property
    def servers(self) -> dict[str, Server]:
        """Nodes of ours that are called."""
        return {name: node for name, node in self.nodes.items() if isinstance(node, Server)}

    @cached_property
    def clients(self) -> dict[str, Client]:
        """Nodes of ours that call."""
        return {name: node for name, node in self.nodes.items() if isinstance(node, Client)}

    @property
    def called(self) -> dict[str, Server | ProjectService]:
        """Whoever is called."""
        return {name: node for name, node in self.nodes.items() if node.role == "server"}

    @cached_property
    def callers(self) -> dict[str, Client | Driver]:
        """Whoever calls; their places here are their ordinals, from 1."""
        return {name: node for name, node in self.nodes.items() if node.role != "server"}

    @property
    def driver(self) -> Driver:
        """A system's."""
        node = self.nodes[DRIVER]
        assert isinstance(node, Driver), "a system's cell has the driver under its name"
        return node

    def links_of(self, client: str) -> tuple[AnyLink, ...]:
        """The links of a client of ours, in the order in which its operations take them."""
        return tuple(link for link in self.links if link.source == client)

    def link_of(self, client: str, seq: int) -> AnyLink | None:
        """The link of an operation of a client's; None for a driver's, and for nobody's."""
        links = self.links_of(client)
        return links[turn(seq, len(links))] if links else None

    def group(self, client: str) -> tuple[AnyLink, ...]:
        """The client's links to the members of its group, in their order; none where it has no group."""
        return tuple(link for link in self.links_of(client) if link.transport in TO_GROUPS)

    def members(self, client: str) -> int:
        """To how many servers each of the client's messages goes."""
        return max(1, len(self.group(client)))

    def member(self, link: AnyLink) -> int:
        """Which member of its source's group the link goes to, from 0; 0 where there is none."""
        return self.group(link.source).index(link) if link.transport in TO_GROUPS else 0

    @property
    def paths(self) -> tuple[AnyLink | SystemLink, ...]:
        """Every link, whoever's."""
        return self.links if self.system is None else self.system.links
