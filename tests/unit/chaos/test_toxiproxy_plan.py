"""Stream faults in the words of Toxiproxy's API, and a configuration checked before anything is started."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.faults.fault import ToxicFault
from chaos.faults.streams import Bandwidth, Down, Latency, LimitData, ResetPeer, Slicer, SlowClose, Timeout, Toxic
from chaos.faults.vocabulary import kinds
from chaos.planes.toxiproxy.plan import planned
from chaos.planes.toxiproxy.toxics import KINDS, Spec, spec
from chaos.rules import BadConfiguration
from chaos.supports import SUPPORTS

LINK = "client -> server"

TOXICS: list[tuple[Toxic, Spec]] = [
    (
        Latency(link=LINK, latency=20, jitter=5, stream="upstream", toxicity=0.5),
        Spec("latency", "upstream", 0.5, {"latency": 20, "jitter": 5}),
    ),
    (Bandwidth(link=LINK, bandwidth=100), Spec("bandwidth", "downstream", 1.0, {"rate": 100})),
    (SlowClose(link=LINK, slow_close=30), Spec("slow_close", "downstream", 1.0, {"delay": 30})),
    (Timeout(link=LINK, timeout=0), Spec("timeout", "downstream", 1.0, {"timeout": 0})),
    (ResetPeer(link=LINK, reset_peer=10), Spec("reset_peer", "downstream", 1.0, {"timeout": 10})),
    (
        Slicer(link=LINK, slicer=9, variation=3, gap=50),
        Spec("slicer", "downstream", 1.0, {"average_size": 9, "size_variation": 3, "delay": 50}),
    ),
    (LimitData(link=LINK, limit_data=60), Spec("limit_data", "downstream", 1.0, {"bytes": 60})),
]
FAULTS: list[ToxicFault] = [*(toxic for toxic, _ in TOXICS), Down(link=LINK, down=True)]


def wire(fault: ToxicFault, index: int = 0, **changes: Any) -> dict[str, Any]:
    return {"index": index, "kind": type(fault).__name__, "active": True, **asdict(fault), **changes}


def configure(*rules: Any, **changes: Any) -> dict[str, Any]:
    """A command as it comes out of a control frame. `changes` are to its link."""
    link = {"name": LINK, "transport": "tcp", "codec": "xdr", "source": "client", "target": "server"}
    link |= {"upstream": ["127.0.0.1", 9], "epoch": 1, "rules": list(rules), **changes}
    command = {"type": "configure", "seed": 7, "listen": "127.0.0.1", "links": [link], "rules": []}
    unpacked: dict[str, Any] = msgpack.unpackb(msgpack.packb(command))
    return unpacked


@pytest.mark.parametrize(("fault", "expected"), TOXICS, ids=[expected.type for _, expected in TOXICS])
def test_a_fault_is_a_toxic_of_the_api(fault: Toxic, expected: Spec) -> None:
    assert spec(fault) == expected


def test_every_stream_fault_is_known_here_and_tested() -> None:
    assert set(KINDS.values()) == SUPPORTS["toxiproxy"] == {type(fault) for fault in FAULTS}
    assert len(TOXICS) == len(kinds(ToxicFault)) - 1


def test_a_configuration_becomes_links() -> None:
    made = planned(configure(*(wire(fault, index) for index, fault in enumerate(FAULTS))))
    assert (made.seed, made.listen, made.api) == (7, "127.0.0.1", None)
    (link,) = made.links
    assert (link.name, link.upstream) == (LINK, ("127.0.0.1", 9))
    assert [(rule.index, rule.fault, rule.active) for rule in link.rules] == [
        (index, fault, True) for index, fault in enumerate(FAULTS)
    ]
    shared = planned({**configure(port=80), "api": "http://toxiproxy:8474"})
    assert (shared.api, shared.links[0].port) == ("http://toxiproxy:8474", 80)


LATENCY = Latency(link=LINK, latency=20)
SLICER = Slicer(link=LINK, slicer=10, gap=5)


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ({**configure(), "seed": None}, "configure: 'seed' must be of type int"),
        ({**configure(), "listen": 3}, "configure: 'listen' must be of type str"),
        ({**configure(), "api": 3}, "configure: 'api' must be of type str"),
        ({**configure(), "links": [3]}, "a link must be a map"),
        ({**configure(), "links": configure()["links"] * 2}, "link names must differ"),
        ({**configure(), "rules": [{}]}, "it has no rules that belong to none"),
        (configure(port=80), "a server of our own takes free ports"),
        (configure(port="80"), "link 'client -> server': 'port' must be of type int"),
        (configure(transport="udp"), "transport is 'udp', expected one of tcp"),
        (configure(upstream=None), "link 'client -> server': Toxiproxy needs the server's address"),
        (configure(wire(LATENCY), wire(LATENCY)), "rule indexes must differ"),
        (
            configure(wire(LATENCY, kind="Drop")),
            "rule 0: no fault of a Toxiproxy plane is called 'Drop'; known are Lat",
        ),
        (configure(wire(LATENCY, link="a -> b")), "rule 0: belongs to link 'a -> b'"),
        (configure(wire(LATENCY, stream="sideways")), "rule 0: stream is 'sideways', expected"),
        (configure(wire(LATENCY, latency=0.5)), "rule 0: latency is 0.5, expected int"),
        (configure(wire(LATENCY, latency=-1)), "rule 0: latency is -1, expected at least 1"),
        (
            configure(wire(LATENCY, toxicity=0)),
            "rule 0: toxicity is 0, a share of the connections; expected more",
        ),
        (configure(wire(LATENCY, toxicity=1.5)), "rule 0: toxicity is 1.5"),
        (configure(wire(LATENCY, toxicity=float("nan"))), "rule 0: toxicity is nan"),
        (configure(wire(Bandwidth(link=LINK, bandwidth=0))), "rule 0: bandwidth is 0, expected at least 1"),
        (configure(wire(SLICER, slicer=0)), "rule 0: slicer is 0, expected at least 1"),
        (configure(wire(SLICER, variation=10)), "variation is 10, expected less than the 10 bytes of a slice"),
    ],
)
def test_a_bad_configuration_says_where_and_what(command: dict[str, Any], text: str) -> None:
    with pytest.raises(BadConfiguration, match=text):
        planned(command)


plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.lists(st.integers())
fields = sorted({name for fault in FAULTS for name in wire(fault)} | {*configure(), *configure()["links"][0]})


@given(st.sampled_from(FAULTS), st.sampled_from(fields), plain, st.sampled_from(["command", "link", "rule"]))
@settings(deadline=None, max_examples=200)
def test_whatever_comes_in_is_planned_or_refused(fault: ToxicFault, name: str, value: Any, place: str) -> None:
    command = configure(wire(fault))
    link = command["links"][0]
    {"command": command, "link": link, "rule": link["rules"][0]}[place][name] = value
    try:
        made = planned(command)
    except BadConfiguration:
        return
    for rule in (rule for link_plan in made.links for rule in link_plan.rules):
        assert isinstance(rule.fault, Down) or all(number >= 0 for number in spec(rule.fault).attributes.values())
