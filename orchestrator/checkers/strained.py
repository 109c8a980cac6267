"""PURE: whether servers really went through what a scenario strains them with, by what they say that they used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from orchestrator.checkers.verdict import ExpectationVerdict, Met
from orchestrator.checkers.views import Views
from orchestrator.history.merged import Event
from orchestrator.scenario.cell import Strain

Samples = Sequence[Event]


class Sign(NamedTuple):
    """Whether the samples of a server's life show it, and what is said of a run in which none do."""

    shown: Callable[[Samples], bool]
    absent: str


def _grew(key: str) -> Callable[[Samples], bool]:
    def shown(samples: Samples) -> bool:
        first, last = samples[0].detail[key], samples[-1].detail[key]
        return None not in (first, last) and bool(last > first)

    return shown


def _left_open(samples: Samples) -> bool:
    """When it stops, whoever is there has left in order: whose connection is open then is gone."""
    accepted, ended = (samples[-1].detail[key] for key in ("accepted", "ended"))
    return ended is not None and bool(accepted > ended)


SIGNS: Mapping[Strain, Sign] = MappingProxyType(
    {
        "descriptors-spent": Sign(_grew("refused"), "no server had too few descriptors for a connection"),
        "buffers-full": Sign(_grew("full"), "no server had an answer that its peer took no more of"),
        "backlog-full": Sign(_grew("overflows"), "no server had its backlog full"),
        "numbers-reused": Sign(_grew("reused"), "no server had a connection with the descriptor of an earlier one"),
        "peers-vanished": Sign(_left_open, "no server had a connection left whose peer was gone"),
    }
)


def judge(setting: Views) -> ExpectationVerdict:
    """Each in some server's life. What did not come was not tried; it refutes nothing."""
    absent = [SIGNS[strain].absent for strain in setting.cell.expect.strained if not _shown(setting, SIGNS[strain])]
    return ExpectationVerdict("strained", Met.INCONCLUSIVE if absent else Met.MET, "; ".join(absent))


def _shown(setting: Views, sign: Sign) -> bool:
    return any(map(sign.shown, setting.index.usage.values()))
