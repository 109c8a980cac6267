"""PURE: what servers say that they used."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from nodes.wire.record import Kind
from orchestrator.checkers.gate.fields import FIELDS
from orchestrator.checkers.gate.names import life_name
from orchestrator.checkers.views import Views


def counts_never_fall(setting: Views) -> Iterator[str]:
    """Each is of one process, from its start on: what was counted once stays counted, and who can count always can."""
    for life, samples in setting.index.usage.items():
        for key in FIELDS[Kind.USAGE]:
            for before, now in pairwise(sample.detail.get(key) for sample in samples):
                if (before is None) != (now is None) or (before is not None and now < before):
                    yield f"{life_name(life)} says {key} {before}, and then {now}; what is counted never falls"
                    break
