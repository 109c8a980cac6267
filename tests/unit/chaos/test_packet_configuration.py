"""A packet plane's configuration is checked before anything is touched."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.faults.fault import PacketFault
from chaos.faults.messages import Drop
from chaos.faults.packets import Blackhole, Loss, Netem, Reject, Shape, Split
from chaos.faults.paths import Partition, Rate
from chaos.planes.packet.configuration import (
    ContainerPlace,
    NamedPlace,
    check_places,
    configuration,
    places,
)
from chaos.planes.packet.mechanism import Flow
from chaos.rules import BadConfiguration

LINK = "client -> server"
PLACES = {
    "server": {"address": "10.0.0.1", "netns": "/run/netns/server"},
    "client": {"address": "10.0.0.2", "container": "abc", "helper": "image"},
}


def wire(fault: Any, index: int = 0, **changes: Any) -> dict[str, Any]:
    return {"index": index, "kind": type(fault).__name__, "active": index % 2 == 1, **asdict(fault), **changes}


def configure(*rules: dict[str, Any], whole: tuple[dict[str, Any], ...] = (), **changes: Any) -> dict[str, Any]:
    """The command as it comes out of a control frame."""
    link = {"name": LINK, "transport": "udp", "codec": "xdr", "source": "client", "target": "server", "epoch": 1}
    link |= {"upstream": ["10.0.0.1", 7000], "rules": list(rules), **changes}
    command = {"type": "configure", "seed": 7, "links": [link], "rules": list(whole), "places": PLACES}
    unpacked: dict[str, Any] = msgpack.unpackb(msgpack.packb(command))
    return unpacked


@pytest.mark.parametrize(
    "fault",
    [
        Loss(link=LINK, loss="both", every=3, when="client attempt 2"),
        Partition(link=LINK, partition="reply", name="split", after=5, lasts=100),
        Reject(link=LINK, reject="icmp"),
        Blackhole(link=LINK, blackhole=2),
        Netem(link=LINK, of="request", netem=Shape(delay=40, jitter=5, distribution="normal", loss=0.1)),
        Rate(link=LINK, rate="reply", bytes_per_second=1000),
    ],
)
def test_a_rule_of_a_link_survives_its_way(fault: PacketFault) -> None:
    config = configuration(configure(wire(fault, 3)))
    (rule,) = config.rules
    assert (rule.index, rule.fault, rule.flow) == (3, fault, Flow(LINK, "udp", "client", "server", 7000))
    assert (config.seed, config.active) == (7, [3])


def test_a_split_survives_its_way() -> None:
    fault = Split(split="groups", groups=(("client",), ("server",)))
    config = configuration(configure(whole=(wire(fault, 2),)))
    (rule,) = config.rules
    assert (rule.index, rule.fault, rule.flow, config.active) == (2, fault, None, [])


def test_places_are_namespaces_or_containers() -> None:
    found = places(configure())
    assert found == {
        "server": NamedPlace("10.0.0.1", "/run/netns/server"),
        "client": ContainerPlace("10.0.0.2", "abc", "image"),
    }
    check_places(configuration(configure()), found)


LOSS = Loss(link=LINK, loss="request", every=2)


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ({"type": "configure"}, "configure: 'links' must be of type list"),
        (configure(transport="sctp"), "transport is 'sctp', expected one of udp, tcp"),
        (configure(upstream=None), "'upstream' must be the server's"),
        (configure(source=3), "'source' must be of type str"),
        (configure(wire(LOSS), wire(LOSS)), "rule indexes must differ"),
        (configure(wire(LOSS, kind="Kill")), "rule 0: no fault of a packet plane is called 'Kill'"),
        (configure(wire(Drop(link=LINK, drop="request"))), "no fault of a packet plane is called 'Drop'"),
        (configure(wire(LOSS, link="a -> b")), "belongs to link 'a -> b'"),
        (configure(wire(LOSS, loss="sideways")), "loss is 'sideways', expected"),
        (configure(wire(Netem(link=LINK, netem=Shape()), netem={"wings": 2})), "netem: Shape has no field 'wings'"),
        (configure(wire(Netem(link=LINK, netem=Shape()), netem={"delay": "x"})), "netem: delay is 'x'"),
        (configure(whole=(wire(LOSS),)), f"rule 0: belongs to link '{LINK}', not to None"),
        (configure(wire(Loss(link=LINK, loss="both"))), "rule 0: loss is 'both', which packets"),
        (configure(wire(Loss(link=LINK, loss="both", every=0))), "rule 0: every is 0, expected 1 or more"),
        (configure(wire(Loss(link=LINK, loss="both", probability=float("nan")))), "rule 0: probability is nan"),
        (configure(wire(Blackhole(link=LINK, blackhole=0))), "rule 0: blackhole is 0, open connections count from 1"),
        (configure(wire(Netem(link=LINK, netem=Shape(delay=0)))), "rule 0: netem.delay is 0, expected at least 1"),
        (configure(whole=(wire(Split(split="ring"), split="star"),)), "split is 'star', expected"),
        (configure(whole=(wire(Split(split="groups"), groups=[["a", 3]]),)), "groups is "),
    ],
)
def test_a_bad_configuration_says_where_and_what(command: dict[str, Any], text: str) -> None:
    with pytest.raises(BadConfiguration, match=text):
        configuration(command)


@pytest.mark.parametrize(
    ("given_places", "text"),
    [
        (None, "'places' must be a map"),
        ({"server": 3}, "the place of 'server' must be a map"),
        ({"server": {"netns": "/x"}}, "the place of 'server': 'address' must be of type str"),
        ({"server": {"address": "elsewhere", "netns": "/x"}}, "'address' must be an IPv4 address"),
        ({"server": {"address": "10.0.0.1; flush ruleset", "netns": "/x"}}, "'address' must be an IPv4 address"),
        ({"server": {"address": "10.0.0.1"}}, "'container' must be of type str"),
        ({"server": {"address": "10.0.0.1", "container": "abc"}}, "'helper' must be of type str"),
    ],
)
def test_a_bad_place_is_refused(given_places: Any, text: str) -> None:
    with pytest.raises(BadConfiguration, match=text):
        places({"places": given_places})


@pytest.mark.parametrize(
    ("command", "missing"),
    [
        (configure(source="ghost"), "ghost"),
        (configure(target="ghost"), "ghost"),
        (configure(whole=(wire(Split(split="majority", nodes=("client", "server", "third"))),)), "third"),
        (configure(whole=(wire(Split(split="groups", groups=(("client",), ("fourth",)))),)), "fourth"),
    ],
)
def test_every_node_that_packets_run_between_needs_a_place(command: dict[str, Any], missing: str) -> None:
    with pytest.raises(BadConfiguration, match=f"no place is given for {missing}; there are server, client"):
        check_places(configuration(command), PLACES)


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
known = st.sampled_from([*configure(), *configure()["links"][0], *wire(LOSS), "netns", "address"])


@given(known, plain, st.sampled_from(["command", "link", "rule", "place"]))
@settings(deadline=None, max_examples=150)
def test_whatever_comes_in_is_obeyed_or_refused(name: str, value: Any, where: str) -> None:
    command = configure(wire(LOSS))
    link = command["links"][0]
    {"command": command, "link": link, "rule": link["rules"][0], "place": command["places"]["server"]}[where][name] = (
        value
    )
    try:
        config = configuration(command)
        check_places(config, places(command))
    except BadConfiguration:
        return
    assert all(flow.transport in ("udp", "tcp") for flow in config.links)
