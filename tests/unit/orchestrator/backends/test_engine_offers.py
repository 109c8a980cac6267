"""A scenario that asks more of an engine than it can do is refused, with the engines that can."""

from __future__ import annotations

from nodes.engines import NAMES, offer
from nodes.engines.common.offer import Offer
from nodes.wire.transports import LINKS, TRANSPORTS
from orchestrator.backends.refusals import offers
from orchestrator.scenario.plan import expand

SCENARIO = """
scenario: two-links
nodes:
  server: {service: counter, engine: threads}
  client: {workload: add, engine: epoll}
links:
  - {from: client, to: server, semantics: maybe, transport: udp}
expect:
  others: {client: ok, executions: 1}
"""


def of_streams(name: str) -> Offer:
    return Offer(frozenset({"tcp"})) if name == "threads" else Offer()


def test_a_transport_that_an_engine_does_not_serve_is_a_problem_of_that_node() -> None:
    (cell,) = expand(SCENARIO, "two-links.yaml").cells
    (problem,) = offers(cell, of_streams)
    assert problem.path == ("nodes", "server", "engine")
    able = ", ".join(name for name in NAMES if name != "threads")
    assert problem.message == f"engine threads does not serve udp; expected one of {able}"


def test_an_engine_offers_everything_on_one_loop_unless_it_says_otherwise() -> None:
    assert offer("epoll") == Offer(frozenset(TRANSPORTS), workers=1, post=True)
    assert offer("sim") == Offer(frozenset(LINKS), workers=1, post=False)


def test_every_engine_serves_what_links_can_have() -> None:
    (cell,) = expand(SCENARIO, "two-links.yaml").cells
    assert list(offers(cell)) == []
