"""What each engine offers is read off the engine itself."""

from __future__ import annotations

import pytest

from nodes import engines, probes
from nodes.engines.common.offer import Offer
from orchestrator.report.engines import HEADING, limited, listed, markdown, row


@pytest.mark.parametrize(
    ("engine", "model"),
    [
        ("epoll", "readiness, level"),
        ("epoll_edge", "readiness, edge"),
        ("epoll_oneshot", "readiness, one-shot"),
        ("io_uring", "completion"),
        ("threads", "blocking"),
        ("fork", "blocking"),
        ("busy", "non-blocking"),
    ],
)
def test_how_it_learns_that_it_can_go_on(engine: str, model: str) -> None:
    assert row(engine).model == model


@pytest.mark.parametrize(
    ("offer", "limits"),
    [
        (Offer(), []),
        (Offer(frozenset({"tcp", "udp", "unix-stream"})), ["no multicast, unix-datagram, unix-seqpacket"]),
        (Offer(shared=False, post=False), ["connections share no memory", "nothing is put in from outside"]),
        (Offer(everywhere=False), ["not in every container"]),
    ],
)
def test_limits_are_what_others_do(offer: Offer, limits: list[str]) -> None:
    assert list(limited(offer)) == limits


@pytest.mark.parametrize("engine", engines.NAMES)
def test_every_engine_says_how_it_performs_operations(engine: str) -> None:
    about = row(engine).about
    assert about.endswith(".")
    assert "|" not in about


def test_its_line_has_what_is_not_usual() -> None:
    assert row("epoll").line == f"readiness, level; {probes.offered('epoll')}"
    most = engines.offer("epoll_exclusive").workers
    assert row("epoll_exclusive").line.startswith(f"readiness, level; up to {most} workers; ")
    assert "; connections share no memory; no probes: " in row("fork").line


def test_rows_are_aligned_in_text_and_a_table_on_a_page() -> None:
    rows = [row("poll"), row("threads")]
    assert list(listed(rows)) == [f"poll     {rows[0].line}", f"threads  {rows[1].line}"]
    assert list(listed([])) == []
    head, rule, first, _ = markdown(rows)
    assert (head.count("|"), rule.count("|")) == (len(HEADING) + 1, len(HEADING) + 1)
    assert first == f"| `poll` | {rows[0].about} | readiness, level | 1 |  | {rows[0].probes} |"
