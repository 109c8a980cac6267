"""Placing nodes on agents: by name, by what their hosts offer, and else dealt out."""

from __future__ import annotations

import pytest
from history_builder import cell as made
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.backends.attach.inventory import AgentEntry
from orchestrator.backends.attach.placement import (
    Misplaced,
    Offer,
    data_address,
    misfit,
    place,
    relay_agent,
    unreachable,
)
from orchestrator.scenario.cell import Cell, Client, Limits, Place, Server, SocketLink

LINUX = Offer(
    "0.1.0", "linux", {"epoll": None, "threads": None, "iocp": "Windows only"}, {"relay": None}, "d", "10.0.0.1"
)
WINDOWS = LINUX._replace(os="windows", engines={"threads": None, "iocp": None})


def entries(*names: str, **changed: AgentEntry) -> dict[str, AgentEntry]:
    return {name: AgentEntry(address=f"{name}:7400") for name in names} | changed


def cell(server: Place | None = None, client: Place | None = None, engine: str = "epoll") -> Cell:
    nodes = {
        "server": Server(service="counter", place=server, engine=engine),
        "client": Client(workload="add", place=client),
    }
    return made().model_copy(update={"nodes": nodes})


def test_nodes_without_a_place_are_dealt_out() -> None:
    offers = {"alpha": LINUX, "beta": LINUX}
    assert place(cell(), entries("alpha", "beta"), offers) == {"server": "alpha", "client": "beta"}


def test_by_name_and_by_capability() -> None:
    offers = {"alpha": LINUX, "beta": WINDOWS, "gamma": LINUX}
    agents = entries("alpha", "beta", "gamma")
    placed = place(cell(Place(os="windows"), Place(host="gamma"), engine="threads"), agents, offers)
    assert placed == {"server": "beta", "client": "gamma"}
    assert place(cell(Place(engine="iocp"), engine="threads"), agents, offers)["server"] == "beta"


def joined(client: Place | None = None) -> Cell:
    """With a node that is no end of a Unix socket between the two that are."""
    link = SocketLink.model_validate(
        {"from": "client", "to": "server", "protocol": "lines", "transport": "unix-stream", "via": "direct"}
    )
    made = cell(client=client)
    nodes = {"server": made.nodes["server"], "apart": Client(workload="add"), "client": made.nodes["client"]}
    return made.model_copy(update={"nodes": nodes, "links": (link,)})


def test_the_ends_of_a_unix_socket_are_on_one_agent() -> None:
    offers, agents = {"alpha": LINUX, "beta": LINUX}, entries("alpha", "beta")
    assert place(joined(), agents, offers) == {"server": "alpha", "client": "alpha", "apart": "beta"}
    placed = place(joined(Place(host="beta")), agents, offers)
    assert placed == {"server": "beta", "client": "beta", "apart": "beta"}


def test_ends_of_a_unix_socket_that_are_wanted_apart_are_refused_with_the_reason() -> None:
    cell = joined(Place(host="beta"))
    cell = cell.model_copy(
        update={"nodes": {**cell.nodes, "server": Server(service="echo", place=Place(host="alpha"))}}
    )
    reason = (
        "and client beside it, which Unix sockets join to it "
        r"\(alpha: client: the scenario wants beta; beta: the scenario wants alpha\)"
    )
    with pytest.raises(Misplaced, match=reason) as caught:
        place(cell, entries("alpha", "beta"), {"alpha": LINUX, "beta": LINUX})
    assert caught.value.path == "nodes.server"


def test_an_agent_may_be_kept_free_of_nodes() -> None:
    agents = entries("alpha", beta=AgentEntry(address="beta:7400", nodes=False, relay=True))
    assert set(place(cell(), agents, {"alpha": LINUX, "beta": LINUX}).values()) == {"alpha"}
    assert relay_agent(agents) == "beta"
    assert relay_agent(entries("alpha", "beta")) == "alpha"


def test_what_nobody_can_run_says_why_of_each() -> None:
    with pytest.raises(Misplaced, match=r"alpha: engine iocp: Windows only; beta: it does not know the engine epoll"):
        place(cell(Place(engine="iocp"), engine="epoll"), entries("alpha", "beta"), {"alpha": LINUX, "beta": WINDOWS})


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        (Server(service="counter", place=Place(host="beta")), "the scenario wants beta"),
        (Server(service="counter", place=Place(os="macos")), "it is linux, the scenario wants macos"),
        (Server(service="counter", engine="kqueue"), "it does not know the engine kqueue"),
        (Server(service="counter", limits=Limits(cpus=1.0)), "need --backend docker"),
        (Server(service="counter", limits=Limits(files=64)), None),
    ],
)
def test_misfits(node: Server, reason: str | None) -> None:
    found = misfit(node, "alpha", LINUX)
    assert found is None if reason is None else reason in (found or "")


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from("abcd"), st.sampled_from([LINUX, WINDOWS]), min_size=1))
def test_whoever_is_chosen_fits(offers: dict[str, Offer]) -> None:
    """The server needs Windows' engine, the client Linux's."""
    wanted = cell(Place(engine="iocp"), engine="threads")
    if not {"linux", "windows"} <= {offer.os for offer in offers.values()}:
        with pytest.raises(Misplaced):
            place(wanted, entries(*offers), offers)
        return
    placed = place(wanted, entries(*offers), offers)
    assert {name: offers[agent].os for name, agent in placed.items()} == {"server": "windows", "client": "linux"}


def test_loopback_and_other_addresses_do_not_meet() -> None:
    assert unreachable({"alpha": "127.0.0.1", "beta": "127.0.0.1"}) is None
    assert unreachable({"alpha": "10.0.0.1", "beta": "10.0.0.2"}) is None
    reason = unreachable({"alpha": "127.0.0.1", "beta": "10.0.0.2"})
    assert reason is not None
    assert "nodes of alpha would be bound to the loopback address, which nodes of beta at 10.0.0.2 cannot" in reason


def test_the_data_address_is_the_inventorys_or_where_the_agent_was_reached() -> None:
    assert data_address(AgentEntry(address="alpha:7400"), LINUX) == "10.0.0.1"
    assert data_address(AgentEntry(address="alpha:7400", data="10.9.9.9"), LINUX) == "10.9.9.9"
