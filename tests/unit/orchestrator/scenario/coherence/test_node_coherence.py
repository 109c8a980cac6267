"""What does not fit among nodes and their links, and where."""

from __future__ import annotations

from typing import Any

import pytest
from history_builder import cell

from chaos.faults.fault import Fault
from chaos.faults.packets import Loss
from chaos.problem import Path
from orchestrator.scenario.cell import AnyLink, Cell, Client, Link, Retry, Server, SocketLink
from orchestrator.scenario.coherence.nodes import called, gates, links, problems

SERVER, CLIENT = Server(service="counter"), Client(workload="add", calls=8)


def link(source: str = "client", target: str = "server", **more: Any) -> Link:
    return Link.model_validate({"from": source, "to": target, "semantics": "maybe", **more})


def socket(protocol: str, transport: str = "tcp", **more: Any) -> SocketLink:
    said = {"from": "client", "to": "server", "protocol": protocol, "transport": transport, **more}
    return SocketLink.model_validate(said)


def echoing(*chosen: AnyLink) -> Cell:
    return made(*chosen, server=Server(service="echo"), client=Client(workload="echo", calls=8))


def retrying(**how: Any) -> Client:
    return Client(workload="echo", calls=8, retry=Retry(**how))


def made(*chosen: AnyLink, **nodes: Server | Client) -> Cell:
    found = {"server": SERVER, "client": CLIENT, **nodes}
    return cell().model_copy(update={"nodes": found, "links": chosen or (link(),)})


@pytest.mark.parametrize(
    ("one", "path", "said"),
    [
        (made().model_copy(update={"nodes": {"client": CLIENT}}), ("nodes",), "no server; expected"),
        (made().model_copy(update={"nodes": {"server": SERVER}}), ("nodes",), "no client; expected"),
        (made(relay=SERVER), ("nodes", "relay"), "'relay' is the name of one of the testbed's own"),
        (
            made(orchestrator=SERVER),
            ("nodes", "orchestrator"),
            "'orchestrator' is the name of one of the testbed's own",
        ),
        (made(link("other")), ("links", 0, "from"), "no client 'other'; expected one of client"),
        (made(link("server")), ("links", 0, "from"), "no client 'server'"),
        (made(link(), link(target="other")), ("links", 1, "to"), "no server 'other'; expected one of server"),
        (made(link(), link()), ("links", 1), "a second link client -> server"),
        (made(idle=CLIENT), ("links",), "client 'idle' has 0 links"),
    ],
)
def test_every_name_is_somebodys_and_every_client_calls(one: Cell, path: Path, said: str) -> None:
    assert any(problem.path == path and said in problem.message for problem in called(one))


@pytest.mark.parametrize(
    ("one", "path", "said"),
    [
        (made(server=Server(service="counter", engine="steam")), ("nodes", "server", "engine"), "no engine 'steam'"),
        (
            made(client=Client(workload="add", calls=3, after_heal=4)),
            ("nodes", "client", "after_heal"),
            "4 calls after",
        ),
        (made(server=Server(service="echo")), ("links", 0), "add over a link to a service echo; add calls a counter"),
        (made(socket("lines")), ("links", 0, "protocol"), "a service counter takes calls, which have semantics"),
        (
            echoing(socket("lines", "udp")),
            ("links", 0, "protocol"),
            "udp carries no lines; expected transport: tcp or ",
        ),
        (echoing(socket("lengths", "udp")), ("links", 0, "protocol"), "udp carries no lengths; expected"),
        (echoing(socket("datagrams")), ("links", 0, "protocol"), "tcp carries no datagrams; expected transport: udp"),
        (echoing(socket("lines", "unix-stream")), ("links", 0, "via"), "no plane stands in the way of unix-stream"),
        (echoing(socket("datagrams", "udp", via="toxiproxy")), ("links", 0, "via"), "Toxiproxy carries TCP only"),
        (
            made(socket("lines"), server=Server(service="echo"), client=retrying(jitter=0.1, patience=9)),
            ("nodes", "client", "retry", "jitter"),
            "messages of a protocol are sent once, and no call is made again; expected patience alone",
        ),
        (made(link(via="toxiproxy", transport="udp")), ("links", 0, "via"), "Toxiproxy carries TCP only"),
    ],
)
def test_what_a_node_and_a_link_cannot_be(one: Cell, path: Path, said: str) -> None:
    [problem] = [*problems(one), *links(one)]
    assert problem.path == path
    assert said in problem.message


@pytest.mark.parametrize(
    "calling",
    [
        made(socket("lines"), server=Server(service="echo"), client=retrying(patience=9)),
        made(link(), server=Server(service="echo"), client=retrying(attempts=5, first=50, connection="same")),
        made(socket("lines"), link(target="other"), client=retrying(first=50)),
    ],
    ids=["messages", "calls", "both"],
)
def test_what_counts_of_how_a_client_tries_again(calling: Cell) -> None:
    named = {"server": Server(service="echo"), "other": Server(service="echo")}
    assert not list(links(calling.model_copy(update={"nodes": {**calling.nodes, **named}})))


def to_group(client: Client, *vias: str, faults: tuple[Fault, ...] = ()) -> Cell:
    members = [f"m{number}" for number in range(len(vias))]
    several = [socket("datagrams", "multicast", to=to, via=via) for to, via in zip(members, vias, strict=True)]
    one = made(*several, **dict.fromkeys(members, Server(service="echo")), client=client)
    return one.model_copy(update={"faults": faults})


SENDER = Client(workload="echo", calls=8, outstanding=4, after_heal=2, gates={3: "m0 ready 1"})


@pytest.mark.parametrize(
    ("one", "path", "said"),
    [
        (SENDER.model_copy(update={"calls": 9}), "calls", "9 deliveries to 2 members; expected a multiple of 2"),
        (SENDER.model_copy(update={"outstanding": 1}), "outstanding", "1 deliveries to 2 members"),
        (SENDER.model_copy(update={"after_heal": 3}), "after_heal", "3 deliveries to 2 members"),
        (SENDER.model_copy(update={"gates": {2: "m0 ready 1"}}), "gates", "a gate within a message"),
    ],
)
def test_the_deliveries_of_a_message_are_together(one: Client, path: str, said: str) -> None:
    [problem] = links(to_group(one, "relay", "relay"))
    assert problem.path[:3] == ("nodes", "client", path)
    assert said in problem.message


def test_of_a_group_every_link_of_its_client_leads_to_a_member_in_one_way() -> None:
    assert [*links(to_group(SENDER, "relay", "relay"))] == [*links(to_group(SENDER, "direct", "direct"))] == []
    assert [*links(to_group(SENDER, "direct"))] == [], "a group of one"
    [problem] = links(to_group(SENDER, "relay", "direct"))
    assert (problem.path, "with via: relay" in problem.message) == (("links", 1, "via"), True)
    mixed = to_group(SENDER, "relay", "relay")
    udp = mixed.links[1].model_copy(update={"transport": "udp"})
    [problem] = links(mixed.model_copy(update={"links": (mixed.links[0], udp)}))
    assert (problem.path, problem.message.endswith("expected multicast")) == (("links", 1, "transport"), True)


def test_packets_to_a_group_have_no_faults() -> None:
    loss = Loss(link="client -> m0", loss="request", every=1)
    found = [*links(to_group(SENDER, "direct", "direct", faults=(loss,)))]
    assert [problem.path for problem in found] == [("links", 0, "transport"), ("links", 1, "transport")]


@pytest.mark.parametrize("number", [0, 9])
def test_a_gate_is_before_one_of_the_calls(number: int) -> None:
    one = made(client=Client(workload="add", calls=8, gates={number: "server ready 1"}))
    assert [problem.path for problem in gates(one)] == [("nodes", "client", "gates", str(number))]


def test_what_fits() -> None:
    both = made(link(), link(target="other"), other=SERVER, client=Client(workload="add", after_heal=8))
    for one in (made(), both, made(client=Client(workload="add", gates={1: "server ready 1", 8: "healed"}))):
        assert [*called(one), *problems(one), *links(one), *gates(one)] == []


@pytest.mark.parametrize(
    ("transport", "given", "said"),
    [
        ("udp", {"backlog": 5}, "udp has no connections that wait to be accepted; expected backlog left out"),
        ("udp", {"variant": "accepts-on"}, "udp has no connections to accept; expected another variant"),
        ("tcp", {"variant": "accepts-on"}, None),
        ("udp", {}, None),
        ("tcp", {"backlog": 5}, None),
    ],
)
def test_datagrams_have_nothing_to_accept(transport: str, given: dict[str, Any], said: str | None) -> None:
    one = made(link(transport=transport), server=Server(service="counter", **given))
    found = {problem.path: problem.message for problem in links(one)}
    assert found == ({} if said is None else {("nodes", "server", *given): said})
