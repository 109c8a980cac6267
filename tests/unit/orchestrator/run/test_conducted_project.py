"""How a project of somebody else's is conducted: its services come in waves, die and come back, behind a plane that is
told so. Its session is simulated: services are names, the driver says what it is told to."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest
from transcripts import MILLISECOND, Transcript

from chaos.faults.fault import Fault
from chaos.faults.processes import Kill, Pause, Restart
from chaos.supports import PlaneName
from nodes.ops import Program, Sleep
from orchestrator.backends.sim.session import run
from orchestrator.run.attention import RunFailed
from orchestrator.run.conductor import Conductor
from orchestrator.run.readiness import Need
from orchestrator.run.session import Answer, Exited, NodeEvent, Role, SignalName, Started, Stopped
from orchestrator.run.waves import Services, Wave
from orchestrator.scenario.cell import NO_LIMITS, Cell, Limits
from orchestrator.scenario.plan import expand
from orchestrator.scenario.system import PROXY

SCENARIO = """
scenario: orders
system: {compose: docker-compose.yml, start: 5s}
links:
  - {from: driver, to: "orders:8080", framer: http1}
  - {from: orders, to: "redis:6379", framer: resp}
driver: {exec: [./drive.py, -v], clients: 2, calls: 9, after_heal: 3, timeout: 70, patience: 80, gates: {GATES}}
oracle: {redis: HGETALL booked, at: "redis:6379"}
expect: {others: {client: ok, executions: 1}}
"""
FRONT, BACK = "driver -> orders:8080", "orders -> redis:6379"
START = [
    *("start relay 1", "start driver 1", "configure relay"),
    *("upstream relay 0", "upstream relay 0", "up redis", "upstream relay 1", "up orders", "upstream relay 1"),
    *("configure driver", "go driver", "release driver 4"),
]
END = ["heal relay", "release driver 4", "healed driver", "stop driver", "stop relay"]


def cell(*faults: Fault) -> Cell:
    return (
        expand(SCENARIO.replace("GATES", "4: driver ok 1"), "orders.yaml")
        .cells[0]
        .model_copy(update={"faults": faults})
    )


class Project(Transcript):
    """The driver's calls before heal take 50 ms."""

    folder = "/scenario"
    services: Services = MappingProxyType({"orders": {"depends_on": {"redis": {}}}, "redis": {}})

    def start(self, name: str, role: Role, epoch: int, engine: str | None = None, limits: Limits = NO_LIMITS) -> None:
        if name != "driver":
            return super().start(name, role, epoch, engine, limits)
        assert role == "node"
        self._say("start", name, epoch)
        self._tell(Started(name, epoch))
        return None

    def up(self, wave: Wave) -> None:
        self._say("up", *wave.services)
        for name in wave.services:
            self._tell(Started(name, 1))

    def proxy(self) -> None:
        raise AssertionError("nothing here goes through a proxy")

    def service(self, name: str) -> str:
        return f"10.0.0.{sorted(self.services).index(name)}"

    def restart(self, name: str, epoch: int, need: Need) -> None:
        self._say("restart", name, epoch, need.state, need.stays)
        self._tell(Started(name, epoch))

    def signal(self, name: str, signal: SignalName, epoch: int | None = None) -> None:
        self._say("signal", signal, name, epoch)
        if signal == "kill":
            self._tell(Exited(name, epoch or 0, 9, 0))
        elif signal == "stop":
            self._tell(Stopped(name, epoch or 0))

    def command(self, name: str, command: dict[str, Any], epoch: int | None = None) -> int:
        if name != "driver":
            return super().command(name, command, epoch)
        self.commands.append((name, command))
        self._say(command["type"], name, *filter(None, [command.get("gate")]))
        self._last_id += 1
        self._tell(Answer(name, self._last_id, {"addresses": {}} if command["type"] == "configure" else {}))
        if command["type"] == "go":
            self.world.host(name).spawn(self._load())
        elif command["type"] == "healed":
            self._tell(NodeEvent(name, "done", 0, 0))
        elif command["type"] == "stop":
            self._tell(Exited(name, 1, 0, 0))
        return self._last_id

    def _load(self) -> Program:
        self._tell(NodeEvent("driver", "ok", 1, 101))
        yield Sleep(self.world.now + 50 * MILLISECOND)
        self._tell(NodeEvent("driver", "heal-gate", 0, 0))

    def _tell(self, event: Any) -> None:
        self.world.put(self.events, event)


def conducted(*faults: Fault) -> Project:
    made = cell(*faults)
    with Project(made.seed) as session:
        run(Conductor(made, session, session).program(), session)
    return session


def between(session: Project) -> list[str]:
    assert session.said[: len(START)] == START
    assert session.said[-len(END) :] == END
    return session.said[len(START) : -len(END)]


def upstreams(session: Project) -> list[tuple[str, Any, int]]:
    told = (command for _, command in session.commands if command["type"] == "upstream")
    return [(command["link"], command["address"], command["epoch"]) for command in told]


UP = [(FRONT, None, 0), (BACK, None, 0), (BACK, ["10.0.0.1", 6379], 1), (FRONT, ["10.0.0.0", 8080], 1)]


def test_services_come_in_waves_and_the_plane_hears_of_each() -> None:
    session = conducted()
    assert between(session) == []
    assert upstreams(session) == UP
    assert session.acts == [("ready", "redis", 1, None, None), ("ready", "orders", 1, None, None)]
    assert session.phases == ["start", "load", "heal", "settle", "drain", "stop", "end"]


def test_its_plane_stands_at_the_services_ports_before_anybody_is_behind_it() -> None:
    [links] = [told["links"] for name, told in conducted().commands if name == "relay" and "links" in told]
    assert [(link["name"], link["port"], link["upstream"], link["epoch"], link["codec"]) for link in links] == [
        (FRONT, 8080, ["192.0.2.1", 8080], 0, "http1"),
        (BACK, 6379, ["192.0.2.1", 6379], 0, "resp"),
    ]


def test_the_driver_is_told_what_to_run_and_where_to_call() -> None:
    [spec] = [told["spec"] for name, told in conducted().commands if name == "driver" and "spec" in told]
    host, _, port = spec["exec"].pop("target").partition(":")
    assert (host, int(port) > 0) == ("127.0.0.1", True)
    assert spec == {
        "role": "client",
        "seed": 1,
        "ordinal": 1,
        "workload": "call",
        "calls": 9,
        "members": 1,
        "clients": 2,
        "workers": 1,
        "outstanding": 1,
        "after_heal": 3,
        "gates": [4],
        "exec": {"argv": ["./drive.py", "-v"], "folder": "/scenario", "timeout": 70, "patience": 80},
        "crowds": [],
        "failpoints": [],
        "report": [("ok", 1)],
    }


def test_a_service_that_is_killed_comes_back_and_is_called_again() -> None:
    session = conducted(Kill(kill="redis", after=5, restart=Restart(after=20)))
    assert between(session) == [
        *("signal kill redis 1", "upstream relay 1", "restart redis 2 healthy True", "upstream relay 2"),
    ]
    assert upstreams(session)[len(UP) :] == [(BACK, None, 1), (BACK, ["10.0.0.1", 6379], 2)]
    assert session.acts[2:] == [
        ("kill", "redis", 1, 0, None),
        ("restart", "redis", 2, None, None),
        ("ready", "redis", 2, None, None),
    ]
    assert 20 <= session.span("signal kill redis 1", "restart redis 2 healthy True") <= 22


def test_a_service_that_stays_away_is_started_at_heal() -> None:
    session = conducted(Kill(kill="orders", after=5))
    assert between(session)[-2:] == ["restart orders 2 healthy True", "upstream relay 2"]
    assert session.span("go driver", "restart orders 2 healthy True") >= 50


def test_a_service_that_is_stopped_goes_on() -> None:
    session = conducted(Pause(pause="orders", after=5, lasts=10))
    assert between(session) == ["signal stop orders 1", "signal continue orders 1"]
    assert session.acts[2:] == [("pause", "orders", 1, 0, None), ("resume", "orders", 1, None, None)]


class Silent(Project):
    """Its services start, and are never ready."""

    def up(self, wave: Wave) -> None:
        self._say("up", *wave.services)


def test_a_service_that_is_never_ready_is_named_after_the_projects_own_time() -> None:
    made = cell()
    with Silent(made.seed) as session, pytest.raises(RunFailed, match="waited 95000 ms for redis to be ready"):
        run(Conductor(made, session, session).program(), session)


class Proxied(Project):
    """Its links go through Toxiproxy: the server is a service of the project, the plane a process."""

    def proxy(self) -> None:
        self._say("proxy")
        self._tell(Started(PROXY, 1))

    def plane(self, name: PlaneName) -> dict[str, Any]:
        return {}

    def start(self, name: str, role: Role, epoch: int, engine: str | None = None, limits: Limits = NO_LIMITS) -> None:
        if name != "toxiproxy":
            return super().start(name, role, epoch, engine, limits)
        self._say("start", name, epoch)
        self._tell(Started(name, epoch))
        return None

    def command(self, name: str, command: dict[str, Any], epoch: int | None = None) -> int:
        if name != "toxiproxy":
            return super().command(name, command, epoch)
        self._say(command["type"], name)
        self._last_id += 1
        places = {FRONT: ["127.0.0.1", 7001], BACK: ["127.0.0.1", 7002]}
        self._tell(
            Answer(name, self._last_id, {"addresses": places, "held": 0, "pending": 0, "connections": 0, "passed": {}})
        )
        if command["type"] == "stop":
            self._tell(Exited(name, 1, 0, 0))
        return self._last_id


def test_the_server_of_toxiproxy_runs_before_its_plane() -> None:
    text = SCENARIO.replace("GATES", "4: driver ok 1")
    for framer in ("http1", "resp"):
        text = text.replace(f"framer: {framer}", f"framer: {framer}, via: toxiproxy")
    made = expand(text, "orders.yaml").cells[0]
    with Proxied(made.seed) as session:
        run(Conductor(made, session, session).program(), session)
    assert session.said[:4] == ["proxy", "start toxiproxy 1", "start driver 1", "configure toxiproxy"]
