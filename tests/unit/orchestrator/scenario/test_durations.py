"""Durations: one form, refused in the same words wherever they stand."""

from __future__ import annotations

import pytest
from small_scenario import BASE, cell, mistakes, refused, with_fault

from chaos.faults.messages import Delay


def test_durations() -> None:
    text = BASE.replace("{service: counter}", "{service: counter, yields: 20ms, lease: 2s}") + "settle: 3s\n"
    made = cell(text)
    assert (made.servers["server"].yields, made.servers["server"].lease, made.settle) == (20, 2000, 3000)
    delayed = cell(with_fault("delay: reply, link: client -> server, by: 20ms, jitter: 5"))
    assert delayed.faults == (Delay(delay="reply", link="client -> server", by=20, jitter=5),)


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("calls: 6", "calls: 6, retry: {patience: VALUE}", "nodes.client.retry.patience"),
        ("calls: 6", "calls: 6, retry: {first: VALUE}", "nodes.client.retry.first"),
        ("service: counter", "service: counter, lease: VALUE", "nodes.server.lease"),
        ("drop: request", "delay: request, by: VALUE", "faults[0].by"),
        ("drop: request", "drop: request, after: VALUE", "faults[0].after"),
        ("drop: request, link: client -> server, operations: [2]", "pause: server, lasts: VALUE", "faults[0].lasts"),
        (
            "drop: request, link: client -> server, operations: [2]",
            "kill: server, restart: {after: VALUE}",
            "faults[0].restart.after",
        ),
        ("expect:", "settle: VALUE\nexpect:", "settle"),
    ],
)
@pytest.mark.parametrize("value", ["1.5s", "1m", "-1s", "99999999999s", "1.5", "true", "[1]"])
def test_what_is_no_duration_is_told_in_the_same_words_everywhere(old: str, new: str, path: str, value: str) -> None:
    [error] = [one for one in mistakes(BASE.replace(old, new.replace("VALUE", value), 1)) if one.path == path]
    found = value if value in ("1.5", "true", "[1]") else f'"{value}"'
    assert error.message == f"expected a duration such as 50ms or 2s; found {found}"


def test_a_word_is_no_duration_either() -> None:
    found = "expected a duration such as 50ms or 2s; found "
    assert refused(BASE + "settle: soon\n").message == f'{found}"soon"'
    first, patience = mistakes(BASE.replace("calls: 6", "calls: 6, retry: {patience: soon, first: -5}"))
    assert (patience.message, first.message) == (f'{found}"soon"', f"{found}-5")
    by = refused(with_fault("delay: reply, link: client -> server, by: soon"))
    assert by.message.startswith("'soon' is no axis of the matrix, nor a duration such as 50ms or 2s")


def test_the_load_lasts_until_done_or_for_a_time() -> None:
    assert cell(BASE).load == cell(BASE + "load: until-done\n").load == "until-done"
    assert cell(BASE + "load: 3s\n").load == 3000
    error = refused(BASE + "load: until-settle\n")
    assert (error.path, error.message) == (
        "load",
        'expected until-done, or a duration such as 50ms or 2s; found "until-settle"',
    )
