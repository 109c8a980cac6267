"""Who sends datagrams on a link: a number for each address, and room for another one when it is idle."""

from __future__ import annotations

from chaos.planes.sources import IDLE, Sources

A, B, C = ("a", 1), ("b", 1), ("a", 2)


def test_each_address_has_its_number_and_the_other_way_round() -> None:
    sources = Sources()
    assert [sources.add(address, 0) for address in (A, B, C)] == [1, 2, 3]
    assert [sources.number(address) for address in (A, B, C)] == [1, 2, 3]
    assert [sources.address(number) for number in (1, 2, 3)] == [A, B, C]
    assert (sources.number(("x", 1)), sources.address(9), len(sources)) == (None, None, 3)


def test_a_number_is_never_used_again() -> None:
    sources = Sources()
    sources.forget(sources.add(A, 0))
    assert (sources.number(A), sources.address(1), len(sources)) == (None, None, 0)
    assert sources.add(A, 0) == 2


def test_the_least_recently_heard_may_be_forgotten_once_it_is_idle() -> None:
    sources = Sources()
    assert sources.idle(IDLE) is None
    sources.add(A, 0)
    sources.add(B, 5)
    assert (sources.idle(IDLE - 1), sources.idle(IDLE)) == (None, 1)
    sources.heard(1, 7)
    assert (sources.idle(IDLE + 4), sources.idle(IDLE + 5)) == (None, 2)
    sources.forget(2)
    sources.heard(2, 8)
    assert (sources.idle(IDLE + 6), sources.idle(IDLE + 7)) == (None, 1)
