"""What a fault says of itself: its title, what meets it, and whether it leaves some of that alone."""

from __future__ import annotations

import pytest

from chaos.faults.fault import Fault
from chaos.faults.messages import Cut, Drop, Hold
from chaos.faults.packets import Blackhole, Loss, Netem, Reject, Shape, Split
from chaos.faults.paths import Partition
from chaos.faults.processes import Kill, Pause
from chaos.faults.streams import Down, Latency

LINK = "client -> server"
BOTH = ("request", "reply")


@pytest.mark.parametrize(
    ("fault", "title", "directions"),
    [
        (Drop(drop="reply", link=LINK), "drop reply", ("reply",)),
        (Cut(cut="after", of="request", link=LINK), "cut after request", ("request",)),
        (Partition(partition="both", link=LINK), "partition both", BOTH),
        (Partition(partition="reply", link=LINK), "partition reply", ("reply",)),
        (Latency(latency=1, link=LINK), "latency downstream", ("reply",)),
        (Latency(latency=1, link=LINK, stream="upstream"), "latency upstream", ("request",)),
        (Down(down=True, link=LINK), "down", BOTH),
        (Loss(loss="request", link=LINK, every=2), "loss request", ("request",)),
        (Split(split="ring", nodes=("a", "b", "c", "d")), "split ring", BOTH),
        (Reject(reject="rst", link=LINK), "reject rst", ("request",)),
        (Blackhole(blackhole=1, link=LINK), "blackhole", BOTH),
        (Netem(netem=Shape(delay=1), link=LINK), "netem both", BOTH),
        (Netem(netem=Shape(delay=1), link=LINK, of="reply"), "netem reply", ("reply",)),
        (Kill(kill="server", at="received", nth=1), "kill at received", BOTH),
        (Pause(pause="server", after=1), "pause", BOTH),
    ],
)
def test_its_title_and_the_messages_that_meet_it(fault: Fault, title: str, directions: tuple[str, ...]) -> None:
    assert (fault.title, fault.directions) == (title, directions)


@pytest.mark.parametrize(
    ("fault", "by_chance"),
    [
        (Drop(drop="reply", link=LINK), False),
        (Loss(loss="both", link=LINK, every=1), True),
        (Latency(latency=1, link=LINK), False),
        (Latency(latency=1, link=LINK, toxicity=0.9), True),
        (Netem(netem=Shape(loss=0.1), link=LINK), True),
        (Netem(netem=Shape(delay=1, loss=0.1), link=LINK), False),
        (Netem(netem=Shape(bytes_per_second=1, loss=0.1), link=LINK), False),
    ],
)
def test_whether_it_leaves_some_of_what_it_meets_alone(fault: Fault, by_chance: bool) -> None:
    assert fault.by_chance is by_chance


def test_what_it_is_on_and_when_it_lets_go() -> None:
    hold, kill = Hold(hold="reply", link=LINK, until="healed"), Kill(kill="server", after=1)
    split = Split(split="groups", groups=(("a",), ("b",)))
    assert [fault.on_link for fault in (hold, kill, split)] == [LINK, None, None]
    assert [fault.on_process for fault in (hold, kill, split)] == [None, kill, None]
    assert [fault.released_at for fault in (hold, kill, split)] == ["healed", None, None]
    assert [fault.apart for fault in (hold, kill, split)] == [frozenset(), frozenset(), {("a", "b"), ("b", "a")}]
    assert [fault.starts_on for fault in (hold, kill, Hold(hold="reply", link=LINK, when="x on"))] == [
        True,
        False,
        False,
    ]
