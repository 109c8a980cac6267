"""Each way to be wrong gives one message with file, line, path, what is wrong and what was expected."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from small_scenario import BASE, CLIENT, FAULT, cell, mistakes, refused, with_fault

from chaos.faults.messages import Drop
from chaos.faults.processes import Kill, Restart
from orchestrator.scenario import shipped
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.document import BadScenario
from orchestrator.scenario.plan import Plan, expand, load


def test_a_small_scenario() -> None:
    made = cell(BASE)
    assert made.cell == "-"
    assert made.seed == 1
    assert made.links[0].name == "client -> server"
    assert made.faults == (Drop(drop="request", link="client -> server", operations=(2,)),)
    assert made.expect.bitten is not None
    assert made.expect.bitten.executions == "1"


def test_no_fault_is_on_an_operation_behind_a_gate_that_opens_at_heal() -> None:
    error = refused(BASE.replace("calls: 6", "calls: 6, gates: {2: healed}"))
    assert error.path == "faults[0].operations"
    assert "operation 2 comes after heal, when faults are over; expected at most 1" in error.message


def test_where_no_call_comes_before_heal_fewer_are_to_come_after_it() -> None:
    error = refused(BASE.replace("calls: 6", "calls: 6, after_heal: 6"))
    assert error.message.endswith(
        "comes after heal, when faults are over; expected fewer than all 6 calls in after_heal"
    )


def test_a_property_that_no_level_of_the_cells_has_cannot_be_untried() -> None:
    claim = "delivery: {holds: at-most-once, under: [loss], untried: [once, complete]}"
    alone = BASE.replace("bitten: {client: ok, executions: 1}", claim)
    error = refused(alone)
    assert (error.line, error.path) == (10, "expect.delivery.untried")
    assert error.message == "complete is no property of at-most-once; expected once"
    several = alone.replace("holds: at-most-once", "holds: {by: level, a: at-most-once, b: at-least-once}")
    assert len(expand(several + "matrix: {level: [a, b]}\n", "f.yaml").cells) == 2


def test_links_and_triggers_are_brought_to_one_form() -> None:
    text = with_fault('drop: request, link: "client->server", when: "  client   gate 3"')
    made = cell(text.replace(CLIENT, "  client: {workload: add, calls: 6, gates: {3: server  ready 2}}"))
    assert made.faults[0].when == "client gate 3"
    assert made.clients["client"].gates == {3: "server ready 2"}


def test_a_kill_with_its_restart() -> None:
    text = with_fault("kill: server, at: before-commit, operation: 3, restart: {after: 50ms, state: archive}")
    restart = Restart(after=50, state="archive")
    assert cell(text).faults == (Kill(kill="server", at="before-commit", operation=3, restart=restart),)


def test_settling_has_five_seconds_by_default() -> None:
    assert cell(BASE).settle == 5000


def test_until_settle_is_the_default_retry() -> None:
    assert cell(BASE.replace(CLIENT, "  client: {workload: add, retry: until-settle}")).clients["client"].retry == (
        cell(BASE).clients["client"].retry
    )


def test_a_mechanism_names_its_level() -> None:
    text = BASE.replace("semantics: exactly-once", 'semantics: "${semantics}"')
    text = "matrix: {semantics: [at-most-once-incarnation]}\n" + text
    made = cell(text + '  delivery: {holds: "${semantics}", under: [loss]}\n')
    assert made.expect.delivery is not None
    assert made.expect.delivery.holds == "at-most-once"
    assert made.axes == {"semantics": "at-most-once-incarnation"}


def test_what_is_wrong_with_faults_behind_a_bad_one_is_told_at_their_places() -> None:
    verbs = ('drop: "${x}"', "drop: answer", 'drop: "${y}"', "drop: no")
    bad = [FAULT.replace("drop: request", verb) for verb in verbs]
    assert [mistake.path for mistake in mistakes(BASE.replace(FAULT, "\n".join(bad)))] == [
        f"faults[{place}]{key}" for place, key in ((0, ".drop"), (1, ".drop"), (2, ".drop"), (3, ".drop"))
    ]


def test_a_nodes_name_is_of_small_letters() -> None:
    found = mistakes(BASE.replace("  server: {", "  Server: {"))
    assert ("nodes.Server", "expected a name of small letters, digits and -") in [
        (mistake.path, mistake.message) for mistake in found
    ]


def test_what_is_no_part_of_a_cell_takes_nothing_from_its_axes() -> None:
    matrix = 'matrix: {word: ["${other}"]}\nnot_applicable: [{word: "${other}", reason: "for ${money}"}]\n'
    made = cell(f"about: costs ${{money}}\n{matrix}{BASE}")
    assert (made.about, made.axes, made.not_applicable) == ("costs ${money}", {"word": "${other}"}, "for ${money}")
    assert refused(BASE.replace("scenario: one", "scenario: ${one}")).path == "scenario"


def test_not_applicable_cells_keep_their_reason_and_need_no_expectation() -> None:
    text = "matrix: {t: [udp, tcp]}\nnot_applicable: [{t: udp, reason: no connections}]\n" + BASE
    text = text.replace("exactly-once}", 'exactly-once, transport: "${t}"}')
    text = text.replace(FAULT, "  - {cut: before, of: reply, link: client -> server, operations: [2]}")
    text = text.replace("bitten: {client", "bitten: {by: t, tcp: {client").replace("executions: 1}", "executions: 1}}")
    cells = expand(text, "f.yaml").cells
    assert [one.not_applicable for one in cells] == ["no connections", None]


def test_a_cell_survives_its_file() -> None:
    for name in ("rpc/demo", "rpc/08b-issued-while-down", "rpc/11-history-lost", "rpc/13a-partition-request"):
        made = load(shipped.find(name)[0]).cells[-1]
        assert Cell.model_validate_json(made.model_dump_json(by_alias=True)) == made


@pytest.mark.parametrize(
    ("old", "new", "line", "path", "message"),
    [
        ("expect:", "expects:", 10, "expects", "did you mean expect?"),
        ("scenario: one\n", "", 1, "", "key 'scenario' is missing"),
        ("scenario: one", "scenario: ../up", 1, "scenario", "small letters"),
        ("calls: 6", 'calls: "6"', 4, "nodes.client.calls", 'found "6"'),
        ("calls: 6", "calls: true", 4, "nodes.client.calls", "expected a valid integer; found true"),
        ("calls: 6", "calls: 0", 4, "nodes.client.calls", "greater than or equal to 1"),
        ("calls: 6", "call: 6", 4, "nodes.client.call", "did you mean calls?"),
        ("calls: 6", "calls: 6, retry: {atempts: 3}", 4, "nodes.client.retry.atempts", "did you mean attempts?"),
        ("service: counter", "service: counter, engine: warp", 3, "nodes.server.engine", "no engine 'warp'"),
        ("service: counter", "service: echo", 6, "links[0]", "add calls a counter"),
        ("service: counter", "workload: add, service: counter", 3, "nodes.server", "either a service or a workload"),
        ("  server: {", "  relay: {", 3, "nodes.relay", "testbed's own"),
        ("to: server", "to: sever", 6, "links[0].to", "no server 'sever'"),
        ("from: client", "from: clint", 6, "links[0].from", "no client 'clint'"),
        ("semantics: exactly-once", "semantics: exactly", 6, "links[0].semantics", "found \"exactly\""),
        ("semantics: exactly-once", "transport: udp", 6, "links[0]", "key 'semantics' is missing"),
        ("drop: request", "drop: answer", 8, "faults[0].drop", "'request' or 'reply'"),
        ("drop: request", "dorp: request", 8, "faults[0]", "did you mean drop?"),
        ("drop: request", "drop: request, hold: reply", 8, "faults[0]", "expected one verb"),
        ("drop: request", "drop: request, by: 20ms", 8, "faults[0].by", "unknown key"),
        ("drop: request, ", "loss: request, every: 2, ", 8, "faults[0].operations", "unknown key"),
        ("link: client -> server", "link: server -> client", 8, "faults[0].link", "no link 'server -> client'"),
        ("operations: [2]", "operations: [9]", 8, "faults[0].operations", "operation 9 of 6 calls"),
        ("operations: [2]", "operations: [5]", 8, "faults[0].operations", "after heal"),
        ("operations: [2]", "operations: []", 8, "faults[0].operations", "empty list"),
        ("operations: [2]", "operations: [2], every: 2", 8, "faults[0].every", "both operations and every"),
        ("operations: [2]", "probability: 1.5", 8, "faults[0].probability", "at most 1"),
        ("operations: [2]", "operations: [2], clients: [2]", 8, "faults[0].clients", "client process 2 of 1"),
        ("operations: [2]", "when: sever ready 2", 8, "faults[0].when", "no server 'sever'"),
        ("operations: [2]", "when: cleint ok 2", 8, "faults[0].when", "no client 'cleint'"),
        ("operations: [2]", "when: soon", 8, "faults[0].when", "is no trigger"),
        ("operations: [2]", "when: client gate 3", 8, "faults[0].when", "no gate 3"),
        ("operations: [2]", "when: split on", 8, "faults[0].when", "no fault has the name"),
        ("operations: [2]", "attempt: some", 8, "faults[0].attempt", "valid integer or 'all'"),
        ("calls: 6", "calls: 6, gates: {7: server ready 1}", 4, "nodes.client.gates.7", "gate before operation 7"),
        ("calls: 6", "calls: 6, gates: {x: server ready 1}", 4, "nodes.client.gates.x", "valid integer"),
        ("calls: 6", "calls: 1", 4, "nodes.client.after_heal", "2 calls after heal of 1"),
        ("  bitten: {client: ok, executions: 1}", "  {}", 11, "expect", "expects nothing"),
        ("executions: 1", "executions: many", 11, "expect.bitten.executions", "found \"many\""),
        ("executions: 1", "executions: true", 11, "expect.bitten.executions", "found true"),
        ("client: ok", "client: okay", 11, "expect.bitten.client", "found \"okay\""),
        ("nodes:", "nodes: 3\nx:", 4, "x", "unknown key"),
        ("faults:\n", "faults: {}\nx:\n", 9, "x", "unknown key"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(old: str, new: str, line: int, path: str, message: str) -> None:
    [error] = [one for one in mistakes(BASE.replace(old, new, 1)) if one.path == path]
    assert message in error.message
    assert error.file == "f.yaml"
    assert abs(error.line - line) <= 1


ECHO = """
scenario: echo
nodes:
  server: {service: echo}
  client:
    workload: echo
    retry: {patience: 1s}
links:
  - {from: client, to: server, protocol: lines}
expect:
  fifo: holds
"""


@pytest.mark.parametrize(
    ("retry", "paths"),
    [
        ("{attempts: 5, first: 50ms, connection: same, patience: 2s}", ["attempts", "connection", "first"]),
        ("until-settle", ["attempts"]),
    ],
)
def test_messages_are_not_sent_again_whatever_retry_says(retry: str, paths: list[str]) -> None:
    found = mistakes(ECHO.replace("{patience: 1s}", retry))
    assert [one.path for one in found] == [f"nodes.client.retry.{key}" for key in paths]
    assert all(one.line == 7 and one.message.endswith("expected patience alone") for one in found)


def test_the_line_is_exact() -> None:
    assert str(refused(BASE.replace("[2]", "[9]"))).startswith("f.yaml:8: faults[0].operations: operation 9 of 6")


@pytest.mark.parametrize(
    ("fault", "path", "message"),
    [
        ("cut: before, of: reply, link: client -> server", "faults[0].cut", "udp"),
        ("duplicate: reply, copy: at-reply, link: client -> server", "faults[0].copy", "expected behind"),
        ("duplicate: request, copy: next-epoch, link: client -> server", "faults[0].copy", "no next epoch"),
        ("delay: request, by: 0ms, link: client -> server", "faults[0].by", "at least 1 ms"),
        ("rate: both, bytes_per_second: 0, link: client -> server", "faults[0].bytes_per_second", "at least 1"),
        ("kill: client, after: 5ms", "faults[0].kill", "'client' is a client"),
        ("pause: client, after: 5ms", "faults[0].pause", "pause takes a server: server"),
        ("kill: nobody, after: 5ms", "faults[0].kill", "no server 'nobody'"),
        ("kill: server", "faults[0]", "nothing says when"),
        ("kill: server, after: 5ms, operation: 2", "faults[0]", "without a failpoint"),
        ("kill: server, at: before-commit", "faults[0].at", "either the operation or the nth"),
        ("kill: server, at: before-commit, operation: 3, after: 5ms", "faults[0].at", "a failpoint and a time"),
        ("kill: server, at: nowhere, operation: 3", "faults[0].at", 'found "nowhere"'),
        ("kill: server, after: 1, lasts: 5", "faults[0].lasts", "does not last"),
        ("kill: server, after: 1, restart: {when: never}", "faults[0].restart.when", "is no trigger"),
        ("kill: server, after: 1, restart: {afterr: 2}", "faults[0].restart.afterr", "did you mean after?"),
        (
            "pause: server, at: before-commit, operation: 3, restart: {after: 0}",
            "faults[0].restart",
            "keeps its successor",
        ),
        (
            "pause: server, at: received, operation: 3, restart: {state: archive}",
            "faults[0].restart.state",
            "still has the ledger open",
        ),
        ("pause: server, at: received", "faults[0].at", "either the operation or the nth"),
        ("pause: server, after: 5, restart: {after: 0}", "faults[0].restart", "expected at one of"),
        ("pause: nobody, after: 5ms", "faults[0].pause", "no server 'nobody'"),
        ("hold: request, until: never, link: client -> server", "faults[0].until", "is no trigger"),
        ("partition: sideways, link: client -> server", "faults[0].partition", "'request', 'reply' or 'both'"),
    ],
)
def test_impossible_faults(fault: str, path: str, message: str) -> None:
    error = refused(with_fault(fault).replace("exactly-once}", "exactly-once, transport: udp}"))
    assert message in error.message
    assert error.path == path
    assert error.line == 8


@pytest.mark.parametrize(
    ("delivery", "message"),
    [
        ("{under: [loss]}", "exactly one of holds and violated"),
        ("{holds: maybe, violated: maybe, under: [loss]}", "exactly one of holds and violated"),
        ("{holds: maybe, under: []}", "failure model"),
        ("{holds: maybe, under: [rain]}", "found \"rain\""),
        ("{holds: maybe, under: [loss], witness: {client: ok, executions: 1}}", "only a violation"),
    ],
)  # fmt: skip
def test_impossible_deliveries(delivery: str, message: str) -> None:
    assert message in refused(BASE + f"  delivery: {delivery}\n").message


def test_a_service_without_effect_has_no_delivery() -> None:
    text = BASE.replace("counter", "echo").replace("workload: add", "workload: echo")
    assert "no effect" in refused(text + "  delivery: {holds: maybe, under: [loss]}\n").message


def test_bitten_without_a_fault() -> None:
    error = refused(BASE.replace(f"faults:\n{FAULT}\n", ""))
    assert error.path == "expect.bitten"
    assert "no fault can bite" in error.message


def test_two_links_of_one_client() -> None:
    link = "  - {from: client, to: server, semantics: exactly-once}\n"
    assert "a second link client -> server" in refused(BASE.replace(link, link * 2)).message
    two = BASE.replace("  server: {service: counter}\n", "  server: {service: counter}\n  other: {service: counter}\n")
    two = two.replace(link, link + link.replace("to: server", "to: other"))
    wrong = refused(two)
    assert wrong.path == "faults[0].operations"
    assert wrong.message == "operation 2 goes over client -> other: operations take a client's links in turn"
    made = cell(two.replace("operations: [2]", "operations: [1, 3]"))
    taken = [made.link_of("client", seq) for seq in (1, 2, 3)]
    assert [link and link.target for link in taken] == ["server", "other", "server"]
    assert made.link_of("nobody", 1) is None


def test_an_error_in_one_cell_names_the_cell() -> None:
    text = "matrix: {t: [tcp, udp]}\n" + BASE.replace("exactly-once}", 'exactly-once, transport: "${t}"}')
    error = refused(text.replace(FAULT, "  - {cut: before, of: reply, link: client -> server}"))
    assert "in cell t=udp" in error.message


@pytest.mark.parametrize("text", ["[]", "just words", "3", "nodes: {}", "scenario: []\nnodes: 1\nlinks: 1\nexpect: 1"])
def test_not_a_scenario_at_all(text: str) -> None:
    assert mistakes(text)[0].line == 1


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BadScenario, match="cannot be read"):
        load(tmp_path / "absent.yaml")
    with pytest.raises(BadScenario, match="cannot be read"):
        load(tmp_path)
    (tmp_path / "binary.yaml").write_bytes(b"a: \xff\xfe")
    with pytest.raises(BadScenario, match="byte 3 is not UTF-8"):
        load(tmp_path / "binary.yaml")


VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-5, 10**30).map(str),
        st.sampled_from(
            ["client", "server", "client -> server", "loss", "ok", "${a}", "${", "200ms", "request", "add", "counter"]
        ),
        st.text(max_size=5),
    ),
    lambda below: st.one_of(
        st.lists(below, max_size=3),
        st.dictionaries(
            st.sampled_from(["by", "else", "drop", "link", "from", "to", "service", "workload", "x", "gates", "3"]),
            below,
            max_size=4,
        ),
    ),
    max_leaves=8,
)
KEYS = ["scenario", "about", "seed", "matrix", "not_applicable", "nodes", "links", "faults", "expect", "load", "what"]


def outcome(text: str) -> Plan | BadScenario:
    """Anything else than these two fails the test."""
    try:
        return expand(text, "f.yaml")
    except BadScenario as error:
        return error


@settings(max_examples=120, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), VALUES))
def test_any_document_is_a_plan_or_one_error(document: dict[str, object]) -> None:
    assert isinstance(outcome(json.dumps(document)), (Plan, BadScenario))


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(KEYS[:-1]), VALUES)
def test_a_scenario_with_one_part_replaced_is_a_plan_or_one_error(key: str, value: object) -> None:
    document = yaml.safe_load(BASE)
    document[key] = value
    assert isinstance(outcome(json.dumps(document)), (Plan, BadScenario))


@pytest.mark.parametrize("name", ["rpc/02-reply-lost", "rpc/07a-cut-before-request", "rpc/15-budget-spent"])
def test_mutated_real_scenarios_are_plans_or_one_error(name: str) -> None:
    original = shipped.find(name)[0].read_text()
    chance = random.Random(name)
    kinds = set()
    for _ in range(60):
        text = original
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(text))
            text = (
                text[:at]
                + chance.choice(["", "x", ":", "\n", " ", "}", "[", "${q}", "0"])
                + text[at + chance.choice([0, 1, 7]) :]
            )
        kinds.add(type(outcome(text)))
    assert BadScenario in kinds
