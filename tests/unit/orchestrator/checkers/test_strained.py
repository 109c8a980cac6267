"""What servers must have gone through, or the run shows nothing."""

from __future__ import annotations

import pytest
from history_builder import Run, cell
from stories import LINK

from chaos.faults.fault import Fault
from chaos.faults.paths import Partition
from chaos.faults.streams import Down
from nodes.wire.record import Kind
from orchestrator.checkers.expect import judge
from orchestrator.checkers.verdict import ExpectationVerdict, Met
from orchestrator.scenario.cell import Expect

NOTHING = {"cpu": 0, "voluntary": 0, "involuntary": 0, "accepted": 1, "ended": 0, "refused": 0}
COUNTS = {**NOTHING, "full": 0, "overflows": 0, "reused": 0}


def judged(*samples: dict[str, int | None], strained: tuple[str, ...] = ("backlog-full",)) -> ExpectationVerdict:
    """Of a run in which a server said these one after another."""
    run = Run().phase("load").hello().call(1)
    for sample in samples:
        run.note("server", 1, Kind.USAGE, **{**COUNTS, **sample})
    judgement = judge(cell(expect=Expect(strained=strained)), run.healed(2).history())  # type: ignore[arg-type]
    (found,) = (verdict for verdict in judgement.expectations if verdict.name == "strained")
    return found


@pytest.mark.parametrize(
    ("strain", "key"),
    [
        ("descriptors-spent", "refused"),
        ("buffers-full", "full"),
        ("backlog-full", "overflows"),
        ("numbers-reused", "reused"),
    ],
)
def test_each_has_a_count_that_grew(strain: str, key: str) -> None:
    assert judged({}, {key: 1}, {key: 1}, strained=(strain,)) == ExpectationVerdict("strained", Met.MET)
    assert judged({}, {"accepted": 9}, strained=(strain,)).verdict is Met.INCONCLUSIVE


VANISHED = ("peers-vanished",)
LOST = Partition(partition="both", link=LINK)


def vanished(
    *samples: dict[str, int | None], fault: Fault = LOST, via: str = "direct", ends: Kind = Kind.STOP, capped: str = ""
) -> Met:
    """Of a server that said these, and then stopped or was killed."""
    run = Run().phase("load").hello().call(1)
    for sample in samples:
        run.note("server", 1, Kind.USAGE, **{**COUNTS, **sample})
    run.phase("heal").call(2).phase("settle").phase("drain")
    if capped:
        run.phase(capped)
    if ends is Kind.STOP:
        run.stop()
    judgement = judge(cell(faults=(fault,), via=via, expect=Expect(strained=VANISHED)), run.unfinished())
    return next(verdict.verdict for verdict in judgement.expectations if verdict.name == "strained")


def test_peers_that_vanished_are_those_whose_connections_are_left_in_the_end() -> None:
    assert vanished({}, {"accepted": 3, "ended": 1}) is Met.MET
    assert vanished({}, {"accepted": 3, "ended": 3}) is Met.INCONCLUSIVE
    assert vanished({}, {"accepted": 3, "ended": None}) is Met.INCONCLUSIVE


def test_who_was_killed_stopped_early_or_lost_no_packet_says_nothing_of_them() -> None:
    left: dict[str, int | None] = {"accepted": 3, "ended": 1}
    assert vanished({}, left, ends=Kind.USAGE) is Met.INCONCLUSIVE
    assert vanished({}, left, capped="drain-capped") is Met.INCONCLUSIVE
    assert vanished({}, left, via="relay") is Met.INCONCLUSIVE
    assert vanished({}, left, fault=Down(down=True, link=LINK), via="toxiproxy") is Met.INCONCLUSIVE


def test_what_never_came_is_named() -> None:
    found = judged({}, {"full": 3}, strained=("backlog-full", "buffers-full", "numbers-reused"))
    assert found.verdict is Met.INCONCLUSIVE
    assert found.reason == (
        "no server had its backlog full; no server had a connection with the descriptor of an earlier one"
    )


def test_what_was_so_from_the_start_did_not_grow() -> None:
    assert judged({"overflows": 2}, {"overflows": 2}).verdict is Met.INCONCLUSIVE


@pytest.mark.parametrize("samples", [(), ({},), ({"overflows": None}, {"overflows": None})])
def test_what_nobody_tells_is_not_known(samples: tuple[dict[str, int | None], ...]) -> None:
    assert judged(*samples).verdict is Met.INCONCLUSIVE
