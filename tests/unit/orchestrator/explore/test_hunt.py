"""The attacker at work: it convicts the broken variants without being told the fault, and nobody else."""

from __future__ import annotations

import pytest

from orchestrator.explore.attempt import RUN, attempt
from orchestrator.explore.found import shrunk
from orchestrator.explore.hunt import Find, Hunt
from orchestrator.explore.subject import Subject
from orchestrator.explore.told import ending, tried
from orchestrator.explore.workers import hunt
from orchestrator.scenario.cell import Cell, Variant

SEED = 1
MOST = 64
"""Runs within which each of these variants is convicted."""
SOON: tuple[Variant, ...] = (
    "answer-of-another-client",
    "argument-changed",
    "forgets-too-early",
    "high-water-filter",
    "no-duplicate-filter",
    "no-join",
    "unknown-as-fail",
)
RUNS = 300


def hunted(subject: Subject, runs: int, enough: int = 99) -> Hunt:
    state = Hunt(SEED, runs, enough)
    hunt(subject, state, 1, lambda: False)
    return state


def test_nothing_surprises_in_the_correct_mechanisms() -> None:
    state = hunted(Subject(), RUNS)
    assert not state.finds
    assert state.made == RUNS
    assert ending(state) == f"nothing surprised: with 95 % confidence at most 0.01 of such runs do (3/{RUNS})"
    assert f"{RUNS} runs of ours in 7 s, seed {SEED}" in next(tried(state, "ours", 7))


@pytest.mark.parametrize("variant", SOON)
def test_every_variant_is_convicted_and_shrunk_to_three_faults_and_four_calls(variant: Variant) -> None:
    state = hunted(Subject(variant), MOST, enough=1)
    (find,) = state.finds.values()
    assert find.surprise.checks[0] != RUN
    small = shrunk(find, Subject(variant).ground).cell
    assert len(small.faults) <= 3
    assert sum(client.calls * client.clients for client in small.clients.values()) <= 4
    assert again(small, find)


def again(cell: Cell, find: Find) -> bool:
    surprise = attempt(cell).surprise
    return surprise is not None and find.surprise.checks[0] in surprise.checks


def test_it_ends_when_it_is_told_to() -> None:
    state = Hunt(SEED, None)
    hunt(Subject(), state, 1, lambda: state.made >= 8)
    assert state.made == 8
