"""A suite's claims: what is needed, what refutes them, and what they leave open."""

from __future__ import annotations

from typing import Any

import pytest
import sample_results
from history_builder import Run, cell
from stories import DROP_REPLY, DROP_REQUEST, LINK, crash_after_commit, kill, reply_lost, request_lost

from chaos.faults.fault import Fault
from chaos.faults.messages import Drop
from orchestrator.checkers.expect import judge
from orchestrator.checkers.summary import Claim, Result, Standing, claims, mechanism, not_exercised
from orchestrator.report.claims import claims_table, declared
from orchestrator.scenario.cell import Delivery, Expect


def result(
    run: Run, fault: Fault, *under: Any, semantics: str = "at-most-once", holds: Any = "at-most-once", **options: Any
) -> Result:
    """A story is no whole run, which is for the evidence gate to say."""
    expected = Expect(delivery=Delivery(holds=holds, under=under))
    made = cell(semantics, (fault,), expect=expected, **options)
    return made, judge(made, run.history())._replace(gate=())


def only(*results: Result) -> Claim:
    (claim,) = claims(results)
    return claim


def test_a_level_is_claimed_once_every_needed_opportunity_was_offered() -> None:
    claim = only(result(reply_lost(Run().hello()), DROP_REPLY, "loss"))
    assert (claim.mechanism, claim.level, claim.model) == ("at-most-once", "at-most-once", "loss")
    assert (claim.standing, claim.opportunities, claim.bitten) == (Standing.CLAIMED, {"repeat-after-commit": 1}, 1)
    assert (claim.missing, claim.refuted, claim.bound) == ((), (), None)


def test_counts_are_over_all_cells() -> None:
    claim = only(*(result(reply_lost(Run().hello()), DROP_REPLY, "loss") for _ in range(3)))
    assert claim.opportunities == {"repeat-after-commit": 3}


def test_what_no_cell_offered_is_listed() -> None:
    found = claims(
        [result(request_lost(Run()), DROP_REQUEST, "loss", semantics="at-least-once", holds="at-least-once")]
    )
    assert found[0].standing is Standing.NOT_EXERCISED
    assert not_exercised(found) == ("at-least-once: at-least-once under loss: reply-unseen",)


def test_a_violation_refutes_and_names_the_cell() -> None:
    claim = only(result(crash_after_commit(Run()), kill("after-commit"), "server-crash", scenario="crash"))
    assert (claim.standing, claim.refuted) == (Standing.REFUTED, ("crash[-]",))


def test_the_mechanisms_own_level_is_judged_where_a_cell_expects_a_weaker_one() -> None:
    spent = Run().hello().invoke(1).send(1, server=71).decide("request", 1).receive(1, server=71).execute(1).commit(1)
    spent.answer(1, 1, 1).decide("reply", 1, act="drop", rule=0).info(1).healed(2)
    found = claims([result(spent, DROP_REPLY, "loss", semantics="exactly-once", attempts=1)])
    assert [(claim.level, claim.standing) for claim in found] == [
        ("exactly-once", Standing.REFUTED),
        ("at-most-once", Standing.NOT_EXERCISED),
    ]


def test_a_variant_and_a_budget_are_mechanisms_of_their_own() -> None:
    assert mechanism(cell("exactly-once")) == "exactly-once"
    assert mechanism(cell("exactly-once", attempts=3)) == "exactly-once, 3 attempts"
    assert mechanism(cell("maybe", attempts=3)) == "maybe"
    assert mechanism(cell("at-most-once", variant="forgets-too-early")) == "at-most-once (forgets-too-early)"


def test_random_faults_give_the_rule_of_three() -> None:
    random = Drop(drop="reply", link=LINK, probability=0.5)
    assert only(*[result(reply_lost(Run().hello()), random, "loss")] * 6).bound == 0.5
    assert only(result(reply_lost(Run().hello()), random, "loss")).bound == 1


def test_cells_with_untrusted_evidence_and_without_delivery_are_left_out() -> None:
    made, judgement = result(reply_lost(Run()), DROP_REPLY, "loss")
    plain = cell("at-most-once")
    without = judge(plain, Run().history())._replace(gate=())
    assert claims([(made, judgement._replace(gate=("a row was removed",))), (plain, without)]) == ()


CLAIM = Claim("maybe", "at-most-once", "loss", Standing.CLAIMED, 7, {}, (), (), (), None)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, ("not refuted", "7 bitten")),
        (
            {"opportunities": {"request-unseen": 2, "reply-unseen": 1}},
            ("not refuted", "2 request-unseen, 1 reply-unseen"),
        ),
        ({"standing": Standing.NOT_EXERCISED}, ("not exercised", "7 bitten")),
        ({"bound": 0.125}, ("not refuted (violations below 0.12, 95 %)", "7 bitten")),
        ({"standing": Standing.REFUTED, "refuted": ("a[-]",)}, ("refuted, as expected", "by a[-]")),
        ({"standing": Standing.REFUTED, "refuted": ("a[-]", "b[-]")}, ("REFUTED", "by a[-] and 1 more")),
        ({"standing": Standing.REFUTED, "refuted": ("c[-]", "b[-]", "a[-]")}, ("REFUTED", "by c[-] and 2 more")),
    ],
)
def test_a_claim_in_the_table(changed: dict[str, Any], told: tuple[str, str]) -> None:
    [_, row] = claims_table([CLAIM._replace(**changed)], frozenset({"a[-]"}))
    assert row == ["maybe", "at-most-once", "loss", *told]


def test_without_claims_there_is_no_table() -> None:
    assert claims_table([], frozenset()) == []


def test_who_expects_less_than_its_mechanism_is_built_for_says_so() -> None:
    less = Expect(delivery=Delivery(holds="maybe", under=("loss",)))
    built_for = Expect(delivery=Delivery(holds="at-most-once", under=("loss",)))
    for expect, names in ((less, {"test[-]"}), (built_for, set()), (Expect(), set())):
        assert declared([sample_results.result(cell("at-most-once", (DROP_REPLY,), expect=expect))]) == names
