"""A relay's configuration is checked before anything is opened."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.faults.fault import RelayFault
from chaos.faults.messages import Cut, Delay, Drop, Duplicate
from chaos.faults.paths import Partition, Rate
from chaos.links import plans, rule_of
from chaos.rules import BadConfiguration, address

LINK = "client -> server"


def note(*args: Any, **detail: Any) -> None:
    """These tests read no evidence."""


def wire(fault: RelayFault, index: int = 0, **changes: Any) -> dict[str, Any]:
    """A rule as it comes out of a control frame."""
    value = {"index": index, "kind": type(fault).__name__, "active": True, **asdict(fault), **changes}
    unpacked: dict[str, Any] = msgpack.unpackb(msgpack.packb(value))
    return unpacked


def configure(*rules: dict[str, Any], **changes: Any) -> dict[str, Any]:
    link = {"name": LINK, "transport": "udp", "codec": "xdr", "upstream": ["127.0.0.1", 9], "epoch": 1}
    return {"type": "configure", "seed": 7, "links": [{**link, "rules": list(rules), **changes}]}


@pytest.mark.parametrize(
    "fault",
    [
        Drop(link=LINK, drop="request", operations=(5, 11), clients=(1,), attempt="all"),
        Duplicate(link=LINK, duplicate="request", copy="after-trim", probability=0.25),
        Delay(link=LINK, delay="reply", by=20, jitter=5, when="client gate 3", lasts=100),
        Cut(link=LINK, cut="within", of="request"),
        Partition(link=LINK, partition="both", name="split"),
        Rate(link=LINK, rate="reply", bytes_per_second=1000),
    ],
)
def test_a_rule_survives_its_way_through_a_control_frame(fault: RelayFault) -> None:
    rule, active = rule_of(wire(fault, 3), LINK)
    assert (rule.index, rule.fault, active) == (3, fault, True)


def test_a_configuration_becomes_hops_by_link() -> None:
    made = plans(configure(wire(Drop(link=LINK, drop="reply")), upstream=None), note)
    assert list(made) == [LINK]
    assert (made[LINK].transport, made[LINK].upstream, made[LINK].epoch) == ("udp", None, 1)
    assert made[LINK].hop.rules == (0,)


DROP = Drop(link=LINK, drop="request")


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ({"type": "configure"}, "configure: 'seed' must be of type int, got None"),
        ({"seed": 1, "links": 3}, "configure: 'links' must be of type list"),
        ({"seed": 1, "links": [3]}, "a link must be a map"),
        (configure(transport="sctp"), "transport is 'sctp', expected one of udp, tcp"),
        (configure(codec=["xdr"]), "codec is .*, expected one of .*msgpack, .*xdr"),
        (configure(upstream="localhost"), "an address must be"),
        (configure(3), "a rule of link 'client -> server' must be a map"),
        (configure(wire(DROP, kind="Explode")), "rule 0: no fault of a relay is called 'Explode'"),
        (configure(wire(DROP, kind="Kill")), "rule 0: no fault of a relay is called 'Kill'"),
        (configure(wire(DROP, link="a -> b")), "rule 0: belongs to link 'a -> b'"),
        (configure(wire(DROP, drop="sideways")), "rule 0: drop is 'sideways', expected"),
        (configure(wire(DROP, operations=["x"])), "rule 0: operations is"),
        (configure(wire(DROP, wings=2)), "rule 0: Drop has no field 'wings'"),
        (configure(wire(DROP, every=0)), "rule 0: every is 0"),
        (configure(wire(DROP), wire(DROP)), "rule indexes must differ"),
        (configure(wire(Cut(link=LINK, cut="after", of="reply"))), "'cut' .* not possible in its protocol"),
        (configure(wire(Rate(link=LINK, rate="both", bytes_per_second=0))), "bytes_per_second is 0"),
    ],
)
def test_a_bad_configuration_says_where_and_what(command: dict[str, Any], text: str) -> None:
    with pytest.raises(BadConfiguration, match=text):
        plans(command, note)


def test_a_fault_without_what_it_does_is_refused() -> None:
    value = wire(DROP)
    del value["drop"]
    with pytest.raises(BadConfiguration, match="drop"):
        plans(configure(value), note)


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats()
    | st.text(max_size=8)
    | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
known = st.sampled_from([*configure(), *configure()["links"][0], *wire(DROP)])


@given(known, plain, st.sampled_from(["command", "link", "rule"]))
@settings(deadline=None, max_examples=150)
def test_whatever_comes_in_is_obeyed_or_refused(name: str, value: Any, place: str) -> None:
    command = configure(wire(DROP))
    link = command["links"][0]
    {"command": command, "link": link, "rule": link["rules"][0]}[place][name] = value
    try:
        made = plans(command, note)
    except BadConfiguration:
        return
    assert all(plan.transport in ("udp", "tcp") for plan in made.values())


def test_an_address_is_a_host_and_a_port() -> None:
    assert address(None) is None
    assert address(["127.0.0.1", 80]) == ("127.0.0.1", 80)
    with pytest.raises(BadConfiguration):
        address(["127.0.0.1", True])
