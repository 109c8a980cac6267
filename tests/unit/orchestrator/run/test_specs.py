"""What each process of a cell is told: every value of its own part, and whose failpoints, rules and reports are its."""

from __future__ import annotations

from typing import Any

import pytest

from chaos.faults.fault import Fault
from chaos.faults.messages import Drop
from chaos.faults.packets import Split
from chaos.faults.processes import Kill, Pause
from chaos.supports import PlaneName
from nodes.wire.addresses import IPv4
from nodes.wire.header import client_number
from orchestrator.run.specs import client_spec, failpoints, ordinal, plane_of, plane_spec, planes, rules_of, server_spec
from orchestrator.scenario.cell import Cell, Client, Expect, Link, Retry, Server, SocketLink

AT, DIRECT = "caller -> store", "caller -> far"
KILL = Kill(kill="store", at="after-commit", operation=3, client=3, attempt=4, epoch=2)
PAUSE = Pause(pause="store", at="received", nth=5)
DROP = Drop(drop="reply", link=AT, operations=(1,), when="caller ok 2")
SPLIT = Split(split="isolate", nodes=("caller", "far"))


def cell(*faults: Fault) -> Cell:
    retry = Retry(attempts=5, first=11, maximum=12, jitter=0.25, connection="same", patience=13)
    nodes = {
        "store": Server(
            service="register",
            yields=21,
            durability="power",
            lease=22,
            port=23,
            workers=4,
            backlog=24,
            variant="accepts-on",
        ),
        "idle": Client(workload="add"),
        "caller": Client(
            workload="write",
            calls=9,
            clients=3,
            workers=2,
            outstanding=2,
            after_heal=4,
            retry=retry,
            gates={3: "store ready 2"},
        ),
        "far": Server(service="counter", port=24),
    }
    links = (
        {"from": "caller", "to": "store", "semantics": "maybe", "codec": "xdr", "variant": "fence-ignored"},
        {"from": "caller", "to": "far", "semantics": "exactly-once", "transport": "udp", "via": "direct"},
        {"from": "idle", "to": "far", "semantics": "at-least-once", "via": "direct"},
    )
    return Cell(
        scenario="s",
        about="",
        cell="-",
        axes={},
        seed=31,
        nodes=nodes,
        links=tuple(Link.model_validate(link) for link in links),
        faults=faults,
        expect={},  # type: ignore[arg-type]
    )


def test_a_server_is_told_its_service_and_an_endpoint_for_each_link() -> None:
    assert server_spec(cell(), "store", 1, "h") == {
        "role": "server",
        "seed": 31,
        "service": "register",
        "yields": 21,
        "durability": "power",
        "lease": 22,
        "workers": 4,
        "backlog": 24,
        "accepts_on": True,
        "host": "h",
        "fenced": False,
        "endpoints": [
            {
                "link": AT,
                "transport": "tcp",
                "codec": "xdr",
                "semantics": "maybe",
                "variant": "fence-ignored",
                "member": 0,
                "port": 23,
            }
        ],
        "failpoints": [],
        "samples": False,
    }
    far = server_spec(cell(), "far", 1, "h")
    assert [part["link"] for part in far["endpoints"]] == [DIRECT, "idle -> far"]
    assert far["fenced"]


@pytest.mark.parametrize(
    "expect", [{"strained": ["numbers-reused"]}, {"quiescent": "holds"}, {"convicted_by": ["quiescent"]}]
)
def test_a_server_is_told_to_sample_what_it_uses_where_that_is_looked_at(expect: dict[str, Any]) -> None:
    looked_at = cell().model_copy(update={"expect": Expect(**expect)})
    assert server_spec(looked_at, "store", 1, "h")["samples"]
    assert not server_spec(cell().model_copy(update={"expect": Expect(fair="holds")}), "store", 1, "h")["samples"]


def test_a_fault_whose_bite_shows_there_has_it_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Drop, "samples", True)
    assert server_spec(cell(DROP), "store", 1, "h")["samples"]
    assert not server_spec(cell(PAUSE), "store", 1, "h")["samples"]


def test_a_later_epoch_keeps_the_address_that_a_direct_link_knows() -> None:
    before = {AT: ("h", 7), DIRECT: ("h", 8), "idle -> far": ("h", 9)}
    ports = [
        part["port"] for name in ("store", "far") for part in server_spec(cell(), name, 2, "h", before)["endpoints"]
    ]
    assert ports == [0, 8, 9]


def test_a_client_is_told_its_workload_and_where_to_call() -> None:
    spec = client_spec(cell(DROP), "caller", 1, "h", {AT: ("a", 7), DIRECT: ("b", 8)})
    links = spec.pop("links")
    assert spec == {
        "role": "client",
        "seed": 31,
        "ordinal": 2,
        "workload": "write",
        "calls": 9,
        "members": 1,
        "clients": 3,
        "workers": 2,
        "outstanding": 2,
        "after_heal": 4,
        "retry": {
            "attempts": 5,
            "first": 11,
            "maximum": 12,
            "jitter": 0.25,
            "connection": "same",
            "patience": 13,
        },
        "gates": [3],
        "crowds": [],
        "failpoints": [],
        "report": [("ok", 2)],
    }
    local = {"local": "h"}
    assert links == [
        {
            "name": AT,
            "transport": "tcp",
            "codec": "xdr",
            "semantics": "maybe",
            "variant": "fence-ignored",
            "target": ["a", 7],
            "service": "register",
            **local,
        },
        {
            "name": DIRECT,
            "transport": "udp",
            "codec": "msgpack",
            "semantics": "exactly-once",
            "variant": None,
            "target": ["b", 8],
            "service": "counter",
            **local,
        },
    ]
    assert [ordinal(cell(), name) for name in ("idle", "caller")] == [1, 2]


def test_a_plane_is_told_its_links_and_their_rules() -> None:
    one = cell(PAUSE, DROP, SPLIT)
    told = plane_spec(one, "relay", {AT: ("a", 7), DIRECT: ("b", 8)})
    [link] = told["links"]
    [rule] = link.pop("rules")
    assert (rule["index"], rule["kind"], rule["active"], rule["link"]) == (1, "Drop", False, AT)
    assert (told["seed"], told["rules"]) == (31, [])
    assert link == {
        "name": AT,
        "transport": "tcp",
        "codec": "xdr",
        "source": "caller",
        "target": "store",
        "member": 0,
        "upstream": ["a", 7],
        "epoch": 1,
    }
    packets = plane_spec(one, "packet", {AT: ("a", 7), DIRECT: ("b", 8), "idle -> far": ("b", 9)})
    assert [(rule["index"], rule["kind"], rule["active"]) for rule in packets["rules"]] == [(2, "Split", True)]
    assert [link["name"] for link in packets["links"]] == [DIRECT, "idle -> far"]
    assert rules_of(one, DIRECT) == []


def of_group(via: str) -> Cell:
    said = {"from": "caller", "protocol": "datagrams", "transport": "multicast", "via": via}
    links = tuple(SocketLink.model_validate({**said, "to": name}) for name in ("store", "far"))
    nodes = {**cell().nodes, "store": Server(service="echo"), "far": Server(service="echo")}
    return cell().model_copy(update={"nodes": nodes, "links": links})


def test_the_members_of_a_group_know_their_place_and_whoever_joins_it_where_the_first_did() -> None:
    group = IPv4("239.192.0.1", 9)
    for via, first, second in (
        ("relay", {"port": 0}, {"port": 0}),
        ("direct", {"group": None}, {"group": ["239.192.0.1", 9]}),
    ):
        one = of_group(via)
        [endpoint] = server_spec(one, "store", 1, "h")["endpoints"]
        [other] = server_spec(one, "far", 1, "h", None, {AT: group})["endpoints"]
        assert ({**endpoint, **first, "member": 0}, {**other, **second, "member": 1}) == (endpoint, other)
        [again] = server_spec(one, "store", 2, "h", {AT: group}, {AT: group})["endpoints"]
        assert again == {**endpoint, **second}
        assert client_spec(one, "caller", 1, "h", {AT: group, DIRECT: group})["members"] == 2
    assert [link["member"] for link in plane_spec(of_group("relay"), "relay", {AT: group, DIRECT: group})["links"]] == [
        0,
        1,
    ]


@pytest.mark.parametrize(("faults", "needed"), [((), ["relay"]), ((KILL,), ["relay"]), ((SPLIT,), ["relay", "packet"])])
def test_which_planes_a_cell_needs(faults: tuple[Fault, ...], needed: list[PlaneName]) -> None:
    assert sorted(planes(cell(*faults))) == sorted(needed)


def test_who_performs_a_fault() -> None:
    assert [plane_of(cell(), fault) for fault in (KILL, DROP, SPLIT)] == [None, "relay", "packet"]


@pytest.mark.parametrize(
    ("node", "epoch", "armed"),
    [
        (
            "store",
            2,
            {
                "name": "after-commit",
                "client": client_number(2, 3, 1),
                "seq": 3,
                "attempt": 4,
                "nth": None,
                "act": "die",
                "fault": 0,
            },
        ),
        ("store", 1, {"name": "received", "client": 0, "seq": 0, "attempt": 1, "nth": 5, "act": "stop", "fault": 1}),
        (
            "caller",
            1,
            {
                "name": "before-send",
                "client": client_number(2, 1, 1),
                "seq": 6,
                "attempt": 1,
                "nth": None,
                "act": "stop",
                "fault": 3,
            },
        ),
        ("store", 3, None),
        ("far", 1, None),
    ],
)
def test_failpoints_are_armed_in_their_nodes_epoch(node: str, epoch: int, armed: dict[str, Any] | None) -> None:
    one = cell(KILL, PAUSE, Kill(kill="store", after=1), Pause(pause="caller", at="before-send", operation=6))
    assert failpoints(one, node, epoch) == ([] if armed is None else [armed])
