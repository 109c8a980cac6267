"""PURE: whether servers really went through what a scenario strains them with, by what they say that they used."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from orchestrator.checkers.verdict import ExpectationVerdict, Met
from orchestrator.checkers.views import Views
from orchestrator.scenario.cell import Strain


class Sign(NamedTuple):
    """The key of a sample's count that grows, and what is said of a run in which it never did."""

    key: str
    absent: str


SIGNS: Mapping[Strain, Sign] = MappingProxyType(
    {
        "descriptors-spent": Sign("refused", "no server had too few descriptors for a connection"),
        "buffers-full": Sign("full", "no server had an answer that its peer took no more of"),
        "backlog-full": Sign("overflows", "no server had its backlog full"),
        "numbers-reused": Sign("reused", "no server had a connection with the descriptor of an earlier one"),
    }
)


def judge(setting: Views) -> ExpectationVerdict:
    """Each in some server's life. What did not come was not tried; it refutes nothing."""
    absent = [SIGNS[strain].absent for strain in setting.cell.expect.strained if not _grew(setting, SIGNS[strain])]
    return ExpectationVerdict("strained", Met.INCONCLUSIVE if absent else Met.MET, "; ".join(absent))


def _grew(setting: Views, sign: Sign) -> bool:
    ends = ((samples[0].detail[sign.key], samples[-1].detail[sign.key]) for samples in setting.index.usage.values())
    return any(None not in (first, last) and last > first for first, last in ends)
