"""A judgement is written as JSON with all that it says."""

from __future__ import annotations

import json

from history_builder import Run, cell
from hypothesis import given, settings
from hypothesis import strategies as st
from stories import DROP_REPLY, reply_lost

from orchestrator.checkers.expect import judge
from orchestrator.checkers.verdict import (
    Cap,
    ExpectationVerdict,
    FaultSteps,
    Judgement,
    Met,
    Outcome,
    PropertyVerdict,
    Verdict,
    plain,
)

TEXTS = st.text(max_size=5)
NUMBERS = st.integers(0, 9)
COUNTS = st.dictionaries(TEXTS, NUMBERS, max_size=2)
WITNESSES = st.none() | st.tuples(NUMBERS, NUMBERS)


def some(of: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(of, max_size=2).map(tuple)


JUDGEMENTS = st.builds(
    Judgement,
    some(st.builds(PropertyVerdict, TEXTS, st.sampled_from(Verdict), COUNTS, WITNESSES, TEXTS)),
    some(st.builds(ExpectationVerdict, TEXTS, st.sampled_from(Met), TEXTS, WITNESSES)),
    COUNTS,
    *[NUMBERS] * 5,
    some(st.builds(Outcome, TEXTS, NUMBERS, TEXTS)),
    some(TEXTS),
    some(st.builds(FaultSteps, TEXTS, *[NUMBERS] * 4)),
    some(st.builds(Cap, TEXTS, some(st.tuples(NUMBERS, NUMBERS)))),
)


@settings(deadline=None, max_examples=60)
@given(JUDGEMENTS)
def test_every_value_is_one_of_jsons(judgement: Judgement) -> None:
    said = plain(judgement)
    assert json.loads(json.dumps(said)) == said
    assert said.keys() == set(Judgement._fields)
    assert [found["witness"] for found in said["properties"]] == [
        found.witness and list(found.witness) for found in judgement.properties
    ]


def test_a_real_judgement_reads_well() -> None:
    said = plain(judge(cell(faults=(DROP_REPLY,)), reply_lost(Run()).history()))
    assert said["expectations"][0] == {"name": "faults", "verdict": "met", "reason": "", "witness": None}
    assert said["outcomes"] == [{"client": "ok", "executions": 1, "status": "cached"}]
    assert said["faults"] == [{"fault": "drop reply", "named": 1, "applied": 1, "effective": 1, "consequential": 1}]
