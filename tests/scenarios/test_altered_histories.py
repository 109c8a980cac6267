"""No alteration of a correct history stays `met` but those that are not judged: a sample of `make alterations`."""

from __future__ import annotations

import altered_histories
from altered_histories import UNJUDGED
from requirements import ALL

from nodes.wire.record import Kind

SEED, CELLS, COUNT = 1, 1, 800 if ALL else 300


def test_the_judge_notices_what_is_altered() -> None:
    runs = altered_histories.correct(CELLS, SEED)
    assert len(runs) > 50
    found = [altered for altered in altered_histories.survivors(runs, SEED, COUNT) if not altered.unjudged]
    assert found == [], "\n".join(map(str, found))


def test_what_is_not_judged_is_of_kinds_that_there_are() -> None:
    assert {kind for kind, _ in UNJUDGED} <= {kind.name for kind in Kind}
