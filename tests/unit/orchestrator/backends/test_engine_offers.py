"""A scenario that asks more of an engine than it can do is refused, with the engines that can."""

from __future__ import annotations

import pytest

from nodes.engines import LAUNCHED, NAMES, offer
from nodes.engines.common.offer import Offer
from nodes.engines.variants import OF
from nodes.wire.transports import LINKS, TO_GROUPS, TRANSPORTS
from orchestrator.backends.refusals import offers
from orchestrator.backends.sim.backend import BACKEND
from orchestrator.scenario.cell import Cell, Server
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

FORKED = """
scenario: forked
nodes:
  server: {service: echo, engine: fork}
  client: {workload: echo, engine: epoll}
links:
  - {from: client, to: server, semantics: maybe, transport: tcp}
faults:
  - {kill: server, at: received, operation: 2, restart: {after: 0ms}}
expect:
  others: {client: ok, executions: 0}
"""


def of_streams(name: str) -> Offer:
    return Offer(frozenset({"tcp"})) if name == "threads" else Offer()


def test_a_transport_that_an_engine_does_not_serve_is_a_problem_of_that_node() -> None:
    (cell,) = expand(SCENARIO, "two-links.yaml").cells
    (problem,) = offers(cell, of_streams)
    assert problem.path == ("nodes", "server", "engine")
    able = ", ".join(name for name in NAMES if name != "threads")
    assert problem.message == f"engine threads does not serve udp, which has no connections; expected one of {able}"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("", "", None),
        ("service: echo", "service: counter", "one for the state of a counter"),
        ("maybe", "exactly-once", "one for the history of calls of exactly-once"),
        ("at: received, operation: 2", "at: received, nth: 2", "one for the count of an nth passage"),
    ],
)
def test_what_all_connections_have_together_needs_one_memory(old: str, new: str, why: str | None) -> None:
    text = FORKED.replace(old, new).replace("workload: echo", "workload: add" if "counter" in new else "workload: echo")
    (cell,) = expand(text, "forked.yaml").cells
    found = [problem.message for problem in offers(cell) if problem.path == ("nodes", "server", "engine")]
    able = ", ".join(name for name in NAMES if name != "fork")
    assert found == [f"engine fork gives each connection a memory of its own, not {why}; expected {able}"][: bool(why)]


IDLE = """\
scenario: idle
nodes:
  server: {service: echo, engine: ENGINE}
  client: {workload: echo, calls: 4}
links:
  - {from: client, to: server, semantics: maybe, transport: tcp}
expect:
  KEY: CLAIM
"""


def idle(engine: str, key: str, claim: str) -> Cell:
    (cell,) = expand(IDLE.replace("ENGINE", engine).replace("KEY", key).replace("CLAIM", claim), "idle.yaml").cells
    return cell


def test_who_never_waits_is_not_quiescent() -> None:
    (problem,) = offers(idle("busy", "quiescent", "holds"))
    able = ", ".join(name for name in NAMES if name != "busy")
    assert problem.path == ("nodes", "server", "engine")
    assert problem.message == f"engine busy never waits, and quiescent is not to use CPU for nothing; expected {able}"
    assert list(offers(idle("epoll", "quiescent", "holds"))) == []
    assert list(offers(idle("busy", "fair", "holds"))) == []


@pytest.mark.parametrize("strain", ["buffers-full", "peers-vanished"])
def test_where_connections_share_no_memory_nobody_tells_what_became_of_them(strain: str) -> None:
    (problem,) = offers(idle("fork", "strained", f"[descriptors-spent, {strain}]"))
    assert problem.path == ("expect", "strained")
    said = f"an engine with a process for each connection does not tell of {strain}; expected asyncio"
    assert problem.message.startswith(said)
    assert list(offers(idle("fork", "strained", "[descriptors-spent]"))) == []
    assert list(offers(idle("threads", "strained", f"[{strain}]"))) == []


@pytest.mark.parametrize(("key", "claim"), [("quiescent", "holds"), ("fair", "holds"), ("strained", "[backlog-full]")])
def test_the_simulator_has_neither_engines_nor_cpu(key: str, claim: str) -> None:
    (problem,) = BACKEND.problems(idle("epoll", key, claim))
    assert problem.path == ("expect", key)
    assert problem.message == "--backend sim has no engines and uses no CPU of its nodes; use --backend local"


def test_an_engine_offers_everything_on_one_loop_unless_it_says_otherwise() -> None:
    assert offer("epoll") == Offer(frozenset(TRANSPORTS), workers=1, post=True)
    assert offer("sim") == Offer(frozenset((*LINKS, *TO_GROUPS)), workers=1, post=False)


def test_every_engine_serves_what_links_can_have() -> None:
    (cell,) = expand(SCENARIO, "two-links.yaml").cells
    assert list(offers(cell)) == []


@pytest.mark.parametrize("variant", [*OF, "accepts-on"])
def test_a_server_is_wrong_in_a_way_in_which_its_engine_can_be(variant: str) -> None:
    for engine in NAMES:
        text = FORKED.replace("engine: fork", f"engine: {engine}, variant: {variant}")
        (cell,) = expand(text, "wrong.yaml").cells
        able = OF.get(variant, NAMES)
        found = [(problem.path, problem.message) for problem in offers(cell) if problem.path[-1] == "variant"]
        said = f"engine {engine} cannot be {variant}; expected one of {', '.join(able)}"
        assert found == ([] if engine in able else [(("nodes", "server", "variant"), said)])


def test_the_simulator_has_no_engine_to_be_wrong() -> None:
    (cell,) = expand(FORKED.replace("engine: fork", "variant: accepts-on"), "wrong.yaml").cells
    (problem,) = BACKEND.problems(cell)
    assert problem.path == ("nodes", "server", "variant")
    assert problem.message == "the simulator has no engine that could be accepts-on; use a backend of real processes"


@pytest.mark.parametrize(("variant", "launched"), [(None, "poll"), ("greedy", "poll:greedy"), ("accepts-on", "poll")])
def test_what_a_process_is_told_to_run_on(variant: str | None, launched: str) -> None:
    server = Server(service="echo", engine="poll", variant=variant)
    assert server.launched == launched
    assert launched in LAUNCHED
