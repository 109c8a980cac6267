"""The packet plane's commands, with mechanisms that only say what they are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pytest

from chaos.faults.packets import Loss
from chaos.faults.paths import Partition
from chaos.planes.packet import plane as plane_module
from chaos.planes.packet.configuration import Configuration
from chaos.planes.packet.mechanism import Count, Place, Rule
from chaos.planes.packet.namespace import NamespaceError
from chaos.planes.packet.plane import PacketPlane
from chaos.rules import BadConfiguration
from nodes.wire.record import Kind

LINK = "client -> server"
FAULTS = (Partition(link=LINK, partition="both"), Loss(link=LINK, loss="request", every=2))
PLACES = {
    "server": {"address": "10.0.0.1", "netns": "/run/netns/server"},
    "client": {"address": "10.0.0.2", "netns": "/run/netns/client"},
}


class Told:
    """A Mechanism."""

    def __init__(self, log: list[Any]) -> None:
        self._log = log
        self.failing = False

    def check(self, rules: Sequence[Rule]) -> None:
        self._act("check", [rule.index for rule in rules])

    def on(self, rule: Rule) -> None:
        self._act("on", rule.index)

    def off(self, rule: Rule) -> list[Count]:
        self._act("off", rule.index)
        return [Count(LINK, "request", 3, 90)]

    def again(self, node: str) -> None:
        self._act("again", node)

    def waiting(self) -> int:
        return 3

    def close(self) -> None:
        self._act("close", None)

    def _act(self, act: str, what: Any) -> None:
        if self.failing:
            raise NamespaceError("nft said no")
        self._log.append((act, what))


class Rig:
    """A plane whose mechanism and journal write into one log, so that their order shows."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, active: tuple[int, ...] = ()) -> None:
        self.log: list[Any] = []
        self.mechanism = Told(self.log)
        self.places: Mapping[str, Place] = {}
        monkeypatch.setattr(plane_module, "mechanisms", self._mechanisms)
        self.plane = PacketPlane(self._note)
        rules = [
            {"index": n, "kind": type(fault).__name__, "active": n in active, **asdict(fault)}
            for n, fault in enumerate(FAULTS)
        ]
        link = {"name": LINK, "transport": "udp", "codec": "xdr", "source": "client", "target": "server", "epoch": 1}
        link |= {"upstream": ["10.0.0.1", 7000], "rules": rules}
        self.configure = {"type": "configure", "seed": 7, "links": [link], "rules": [], "places": PLACES}
        self.answer = self.plane.obey(self.configure)

    def tell(self, type_: str, **fields: Any) -> list[Any]:
        """-> what a command led to."""
        before = len(self.log)
        assert self.plane.obey({"type": type_, **fields}) == {}
        return self.log[before:]

    def _mechanisms(self, config: Configuration, places: Mapping[str, Place]) -> dict[type, Told]:
        self.places = places
        return dict.fromkeys((Partition, Loss), self.mechanism)

    def _note(self, kind: Kind, *numbers: int, detail: dict[str, Any]) -> None:
        self.log.append((kind, detail))


def switched(rule: int, active: bool) -> tuple[Kind, dict[str, Any]]:
    return Kind.RULE, {"rule": rule, "active": active}


COUNTED = {"link": LINK, "direction": "request", "packets": 3, "bytes": 90}


def test_what_is_on_from_the_beginning_is_on_before_it_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(monkeypatch, active=(1,))
    addresses = {LINK: ["10.0.0.1", 7000]}
    assert rig.answer == {"addresses": addresses}
    assert rig.log == [("check", [0, 1]), ("on", 1), switched(1, True), (Kind.READY, {"addresses": addresses})]


def test_the_noted_window_is_inside_the_true_one(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(monkeypatch)
    assert rig.tell("rule", index=0, active=True) == [("on", 0), switched(0, True)]
    assert rig.tell("rule", index=0, active=True) == []
    counter = (Kind.COUNTER, {"rule": 0, **COUNTED})
    assert rig.tell("rule", index=0, active=False) == [switched(0, False), ("off", 0), counter]
    assert rig.tell("rule", index=0, active=False) == []


def test_heal_is_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(monkeypatch, active=(0, 1))
    healed = rig.tell("heal")
    assert [entry for entry in healed if entry[0] == "off"] == [("off", 0), ("off", 1)]
    assert rig.tell("rule", index=0, active=True) == []
    assert rig.tell("heal") == []


def test_a_server_that_is_back_meets_what_is_on(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(monkeypatch, active=(0,))
    moved = {**PLACES, "server": {"address": "10.0.0.1", "netns": "/run/netns/another"}}
    down = rig.tell("upstream", link=LINK, address=None, epoch=1, places=PLACES)
    assert down == [(Kind.UPSTREAM, {"link": LINK, "up": False, "epoch": 1})]
    up = rig.tell("upstream", link=LINK, address=["10.0.0.1", 7000], epoch=2, places=moved)
    assert up == [("again", "server"), (Kind.UPSTREAM, {"link": LINK, "up": True, "epoch": 2})]
    with pytest.raises(NamespaceError, match="/run/netns/another is gone"):
        rig.places["server"].namespace.run(["true"])


def test_closing_takes_away_what_is_on_and_tells_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(monkeypatch, active=(0,))
    before = len(rig.log)
    rig.plane.close()
    assert rig.log[before:] == [switched(0, False), ("off", 0), (Kind.COUNTER, {"rule": 0, **COUNTED}), ("close", None)]


def test_closing_never_fails(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    rig = Rig(monkeypatch, active=(0,))
    rig.mechanism.failing = True
    rig.plane.close()
    assert "packet plane: left behind: nft said no" in capfd.readouterr().err


def test_a_rule_that_the_kernel_refuses_was_never_on(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(monkeypatch)
    rig.mechanism.failing = True
    with pytest.raises(BadConfiguration, match="nft said no"):
        rig.tell("rule", index=0, active=True)
    assert switched(0, True) not in rig.log


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ({"type": "release", "index": 0}, "a packet plane has no command 'release'; it has configure, upstream"),
        ({"type": "rule", "index": 9, "active": True}, r"no rule has the index 9; there are \[0, 1\]"),
        ({"type": "rule", "index": [], "active": True}, "'index' must be of type int"),
        ({"type": "rule", "index": 0, "active": 1}, "'active' must be of type bool"),
        ({"type": "upstream", "link": "x", "address": None, "epoch": 1}, "no link 'x'; there are client -> server"),
        ({"type": "upstream", "link": LINK, "address": None}, "'epoch' must be of type int"),
        (
            {"type": "upstream", "link": LINK, "address": ["10.0.0.1", 7001], "epoch": 2, "places": PLACES},
            "its server must stay at 10.0.0.1:7000, not 10.0.0.1:7001",
        ),
    ],
)
def test_a_command_that_makes_no_sense_is_refused(
    monkeypatch: pytest.MonkeyPatch, command: dict[str, Any], text: str
) -> None:
    rig = Rig(monkeypatch)
    before = list(rig.log)
    with pytest.raises(BadConfiguration, match=text):
        rig.plane.obey(command)
    assert rig.log == before


def test_it_is_configured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(monkeypatch)
    with pytest.raises(BadConfiguration, match="configured already"):
        rig.plane.obey(rig.configure)


def test_what_the_kernel_keeps_back_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    status = Rig(monkeypatch).plane.obey({"type": "status"})
    assert status == {"held": 0, "pending": 3, "connections": 0, "passed": {}}
