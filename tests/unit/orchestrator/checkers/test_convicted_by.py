"""A scenario of a broken variant says which checkers are to convict it; everywhere else they are to find nothing."""

from __future__ import annotations

import pytest
from history_builder import Run, cell
from stories import DROP_REPLY, reply_lost, reply_lost_executed_again

from orchestrator.checkers.expect import judge
from orchestrator.checkers.verdict import ExpectationVerdict, Met
from orchestrator.scenario.cell import Expect, Outcome
from orchestrator.scenario.document import BadScenario
from orchestrator.scenario.plan import expand

OTHERS = Outcome(client="ok", executions="1")
SCENARIO = """\
scenario: one
nodes:
  server: {service: counter}
  client: {workload: add}
links:
  - {from: client, to: server, semantics: at-most-once, variant: VARIANT}
expect:
  others: {client: ok, executions: 1}
  convicted_by: [CHECKER]
"""


def reference(run: Run, *convicted_by: str) -> ExpectationVerdict:
    """What is said of the server's journal, in a run of at-most-once."""
    expected = Expect(others=OTHERS, convicted_by=convicted_by)  # type: ignore[arg-type]
    judgement = judge(cell("at-most-once", (DROP_REPLY,), expect=expected), run.history())
    (found,) = (verdict for verdict in judgement.expectations if verdict.name == "reference")
    return found


def test_a_conviction_that_was_asked_for_is_met_and_has_a_witness() -> None:
    broken = reply_lost_executed_again(Run().hello())
    assert reference(broken).verdict is Met.UNMET
    found = reference(broken, "reference")
    assert (found.verdict, found.witness) == (Met.MET, (10_101, 1))
    assert "was executed; legal was cached" in found.reason


def test_a_conviction_that_was_asked_for_and_is_absent_is_unmet() -> None:
    sound = reply_lost(Run().hello())
    assert reference(sound).verdict is Met.MET
    found = reference(sound, "reference")
    assert (found.verdict, found.witness) == (Met.UNMET, None)
    assert found.reason == "reference was to find a violation, and found none"


def test_nothing_to_check_is_inconclusive_whatever_was_asked_for() -> None:
    expected = Expect(others=OTHERS, convicted_by=("replies",))
    judgement = judge(cell(expect=expected), Run().history())
    assert {found.name: found.verdict for found in judgement.expectations}["replies"] is Met.INCONCLUSIVE


def test_a_broken_variant_can_be_convicted() -> None:
    text = SCENARIO.replace("VARIANT", "forgets-too-early").replace("CHECKER", "reference")
    assert expand(text, "f.yaml").cells[0].expect.convicted_by == ("reference",)


@pytest.mark.parametrize(
    ("variant", "checker", "message"),
    [
        ("null", "reference", "only a broken mechanism is to be convicted; expected a link with a variant"),
        ("forgets-too-early", "once", "expected 'valid', 'replies', 'reference', 'staleness', "),
    ],
)
def test_what_cannot_be_convicted(variant: str, checker: str, message: str) -> None:
    with pytest.raises(BadScenario) as caught:
        expand(SCENARIO.replace("VARIANT", variant).replace("CHECKER", checker), "f.yaml")
    assert caught.value.first.path.startswith("expect.convicted_by")
    assert message in caught.value.first.message
