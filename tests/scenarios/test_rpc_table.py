"""The table of RPC call semantics under faults: every cell of scenarios/rpc, on real processes and in sim.

Both backends give the verdicts that docs/semantics.md's table has, and the same ones; the suite's claims are complete.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest
import suite
from suite import Ran

from nodes.wire.record import Kind
from orchestrator.checkers.summary import Claim, Standing
from orchestrator.report.claims import claims_of, declared, undeclared
from orchestrator.report.result import Exit, exit_code
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.shipped import plans

pytestmark = pytest.mark.timeout(600)  # the first test of each backend runs the whole table

EVERY_DAY = ("loss", "duplication", "reordering", "connection-cut")
"""The failure models of a network alone, which every mechanism is tried under."""
FILTERED = (*EVERY_DAY, "history-trim")
CLAIMED = {
    ("maybe", "maybe"): {*EVERY_DAY, "server-crash"},
    ("at-least-once", "at-least-once"): {*EVERY_DAY, "server-crash"},
    ("at-least-once, 3 attempts", "maybe"): {"loss"},
    ("at-most-once", "at-most-once"): {*FILTERED},
    ("at-most-once, 3 attempts", "at-most-once"): {"loss"},
    ("at-most-once-incarnation", "at-most-once"): {*FILTERED, "server-crash", "history-loss"},
    ("at-most-once-incarnation, 3 attempts", "at-most-once"): {"loss"},
    ("exactly-once", "exactly-once"): {*FILTERED, "server-crash"},
    ("exactly-once", "at-most-once"): {"history-loss"},
    ("exactly-once, 3 attempts", "at-most-once"): {"loss"},
}
"""Mechanism and level -> the failure models under which it is claimed."""
REFUTED = {
    ("at-most-once", "at-most-once", "server-crash"),
    ("exactly-once", "exactly-once", "history-loss"),
    ("at-least-once, 3 attempts", "at-least-once", "loss"),
    ("exactly-once, 3 attempts", "exactly-once", "loss"),
}
"""What a mechanism is not: its history does not survive a crash, its ledger was lost, or it gave up."""
ROWS = ("1", "2", "3a", "3b", "4", "5", "6", "7a", "7b", "8", "8b", "9", "10", "11", "13a", "13b", "15")
SEVERAL = ("1b", "2b", "6b", "7c", "9b", "10b")
"""Of the same situations with several calls open, or several faults."""


class Table(NamedTuple):
    backend: str
    ran: list[Ran]
    claims: tuple[Claim, ...]


def run(backend: str) -> Table:
    ran = suite.once(suite.applicable(plans(["rpc"])), backend)
    return Table(backend, ran, claims_of([one.result for one in ran]))


@pytest.fixture(scope="module")
def sim() -> Table:
    return run("sim")


@pytest.fixture(scope="module")
def local() -> Table:
    return run("local")


@pytest.fixture(params=["sim", "local"])
def table(request: pytest.FixtureRequest) -> Table:
    found: Table = request.getfixturevalue(request.param)
    return found


def test_every_row_is_shipped() -> None:
    shipped = {plan.scenario.split("-")[0].lstrip("0") for plan in plans(["rpc"])}
    assert shipped == {*ROWS, *SEVERAL, "demo"}


def test_every_cell_is_as_expected(table: Table) -> None:
    wrong = [
        f"{suite.name(one.result.cell)}: {found.name}: {found.reason}"
        for one in table.ran
        if one.result.judgement is not None
        for found in one.result.judgement.expectations
        if found.verdict != "met"
    ]
    assert wrong == []
    assert exit_code(one.result for one in table.ran) is Exit.MET


def test_every_cell_has_evidence_of_its_own_kind(table: Table) -> None:
    kind = {"sim": "sim", "local": "real"}[table.backend]
    assert {one.history.evidence for one in table.ran} == {kind}
    unbitten = [
        suite.name(one.result.cell) for one in table.ran if not one.result.judgement or not one.result.judgement.bitten
    ]
    assert unbitten == []


def test_the_suite_claims_what_each_mechanism_is_built_for(table: Table) -> None:
    claimed: dict[tuple[str, str], set[str]] = {}
    for claim in table.claims:
        if claim.standing is Standing.CLAIMED:
            claimed.setdefault((claim.mechanism, claim.level), set()).add(claim.model)
    assert claimed == CLAIMED


def test_a_claim_rests_on_opportunities(table: Table) -> None:
    for claim in table.claims:
        if claim.standing is Standing.CLAIMED:
            assert claim.bitten > 0, claim
            assert all(claim.opportunities.values()), claim


def test_nothing_that_a_claim_needs_was_left_out(table: Table) -> None:
    assert undeclared(table.claims) == ()
    assert [claim for claim in table.claims if claim.standing is Standing.NOT_EXERCISED] == []


def test_what_is_refuted_was_expected_to_be(table: Table) -> None:
    refuted = [claim for claim in table.claims if claim.standing is Standing.REFUTED]
    assert {(claim.mechanism, claim.level, claim.model) for claim in refuted} == REFUTED
    expected = declared([one.result for one in table.ran])
    assert [cell for claim in refuted for cell in claim.refuted if cell not in expected] == []


def test_an_expected_violation_has_a_witness(table: Table) -> None:
    for one in table.ran:
        delivery = one.result.cell.expect.delivery
        if delivery is None or delivery.violated is None:
            continue
        assert one.result.judgement is not None
        once = next(found for found in one.result.judgement.properties if found.name == "once")
        assert (once.verdict, once.witness is not None) == ("violated", True), suite.name(one.result.cell)


def test_real_processes_and_the_simulator_agree(sim: Table, local: Table) -> None:
    """A busy machine makes a repeat now and then that nobody asked for, and exercises more; not the same one always."""
    simulated, real = dict(by_name(sim)), dict(by_name(local))
    for _ in range(suite.TIMES):
        differing = [name for name, ran in simulated.items() if properties(ran) != properties(real[name])]
        again = suite.run([simulated[name].result.cell for name in differing], "local")
        real |= dict(by_name(local._replace(ran=again)))
    assert {name: properties(ran) for name, ran in simulated.items()} == {
        name: properties(ran) for name, ran in real.items()
    }
    exact = [name for name, ran in by_name(sim) if is_exact(ran)]
    assert len(exact) > 100
    outcomes = [{name: outcome(ran) for name, ran in by_name(table)} for table in (sim, local)]
    assert [name for name in exact if outcomes[0][name] != outcomes[1][name]] == []


def by_name(table: Table) -> list[tuple[str, Ran]]:
    return [(suite.name(one.result.cell), one) for one in table.ran]


def properties(ran: Ran) -> dict[str, str]:
    assert ran.result.judgement is not None
    return {found.name: str(found.verdict) for found in ran.result.judgement.properties}


def is_exact(ran: Ran) -> bool:
    """Whether the table names one number of executions; where it says `>=` timing may add some."""
    bitten = ran.result.cell.expect.bitten
    return bitten is not None and bitten.executions.isdigit()


def outcome(ran: Ran) -> set[tuple[str, int]]:
    assert ran.result.judgement is not None
    return {(found.client, found.executions) for found in ran.result.judgement.outcomes}


def test_the_same_programs_run_on_an_engine_of_threads() -> None:
    """Rows 2, 4 and 9: a reply lost, two copies at once, and a crash, with server and client on blocking threads."""
    rows = plans(["rpc/02-reply-lost", "rpc/04-duplicate-while-executing", "rpc/09-crash-after-commit"])
    cells = [on_threads(cell) for cell in suite.applicable(rows) if cell.axes["codec"] == "xdr"]
    ran = suite.run(cells, "local")
    assert {one.result.exit_code for one in ran} == {Exit.MET}
    starts = [event.detail for one in ran for event in one.history.events if event.kind is Kind.START]
    assert {start["engine"] for start in starts if start["role"] in ("server", "client")} == {"threads"}


def on_threads(cell: Cell) -> Cell:
    threads = {"engine": "threads"}
    return cell.model_copy(
        update={"nodes": {name: node.model_copy(update=threads) for name, node in cell.nodes.items()}}
    )
