"""PURE: what a scenario says of a system that is not ours: its project, links, driver and oracle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from chaos.faults.window import TriggerText
from chaos.framers import FOREIGN
from orchestrator.scenario.triggers import last_before_heal
from orchestrator.scenario.value import Milliseconds, Value

DRIVER = "driver"
"""The name under which links, triggers and journals know the driver."""

PROXY = "faultbed-proxy"
"""The proxy's service in the project."""

Endpoint = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}:[1-9][0-9]{0,4}$")]
"""A service of the project and the port at which others call it, "redis:6379"."""


if TYPE_CHECKING:
    Framer = str
else:
    Framer = Literal[FOREIGN]


class Project(Value):
    """`compose` is the user's file, by its path from the scenario's `folder`. `ready`: when a service counts as up.

    `environment` is what the file may refer to. `start` caps the time in which everything must be up. `shares` are the
    paths of this machine, from the compose file's folder, that a run may write though they are not its own.
    """

    compose: str = Field(min_length=1)
    ready: Literal["healthy", "running"] = "healthy"
    environment: dict[str, str] = Field(default={})
    start: Milliseconds = Field(
        default=120_000, description="cap of the project's start, images' download and building included"
    )
    shares: tuple[str, ...] = Field(default=(), description="paths of this machine that the run may write")
    keep_images: bool = Field(default=False, description="what the run builds stays")
    folder: str = Field(default="", description="set when the scenario is read")


class SystemLink(Value):
    """What goes to a service under its name, through a proxy that has taken the name over."""

    source: str = Field(alias="from", pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$")
    target: Endpoint = Field(alias="to")
    framer: Framer = Field(description="the protocol, in which the relay finds messages")
    via: Literal["relay", "toxiproxy"] = "relay"

    @property
    def name(self) -> str:
        return f"{self.source} -> {self.target}"

    @property
    def transport(self) -> Literal["tcp"]:
        return "tcp"

    @property
    def server(self) -> str:
        """The service that it goes to."""
        return self.target.rpartition(":")[0]

    @property
    def port(self) -> int:
        return int(self.target.rpartition(":")[2])


class Driver(Value):
    """A program that calls the system (nodes/drivers/exec.py), once for each of `clients`, each with `calls` calls.

    `timeout` is what it is given for one call; `patience` on top of it, it hangs.
    """

    role: ClassVar[Literal["program"]] = "program"

    exec: str | tuple[str, ...]
    clients: int = Field(default=1, ge=1, le=99)
    calls: int = Field(default=8, ge=1, le=100_000)
    after_heal: int = Field(default=2, ge=1)
    timeout: Milliseconds = 2_000
    patience: Milliseconds = 5_000
    gates: dict[int, TriggerText] = Field(default={})

    @property
    def last_before_heal(self) -> int:
        return last_before_heal(self.calls, self.after_heal, self.gates)

    @property
    def argv(self) -> list[str]:
        return [self.exec] if isinstance(self.exec, str) else list(self.exec)


class ProjectService(Value):
    """A service of a system's project that a link names. The project's file has all that there is to say of it."""

    role: ClassVar[Literal["server"]] = "server"


class RedisOracle(Value):
    """The reply of one command: HGETALL's pairs are intent and number of effects, LRANGE's items one effect each."""

    redis: str = Field(pattern=r"^(?i:hgetall|lrange) \S")
    at: Endpoint


class SqlOracle(Value):
    """Rows of intent and number of effects, or of intent, number and value."""

    sql: str = Field(min_length=1)
    dsn: str = Field(pattern=r"^(sqlite|postgresql|mysql):")


class HttpOracle(Value):
    """A GET whose body is a JSON list of effects, {"intent": ..., "n": 1, "value": ...}; the last two are optional."""

    http: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}:[1-9][0-9]{0,4}/\S*$")


class ProgramOracle(Value):
    """A program that prints effects, one JSON object a line."""

    program: str | tuple[str, ...]


Oracle = RedisOracle | SqlOracle | HttpOracle | ProgramOracle
ORACLES: dict[str, type[Oracle]] = {
    "redis": RedisOracle,
    "sql": SqlOracle,
    "http": HttpOracle,
    "program": ProgramOracle,
}
"""By the key that says which it is."""


class System(Value):
    """What a cell has of its system, besides the nodes."""

    project: Project
    links: tuple[SystemLink, ...]
    oracle: Oracle

    @property
    def entry(self) -> SystemLink:
        """The link that the driver calls."""
        return next(link for link in self.links if link.source == DRIVER)

    @property
    def services(self) -> list[str]:
        """Those that links name, in their order."""
        named = [name for link in self.links for name in (link.source, link.server) if name != DRIVER]
        return list(dict.fromkeys(named))
