"""PURE: whether servers really went through what a scenario strains them with, by what they say that they used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from nodes.wire.record import Kind
from orchestrator.checkers.caps import caps
from orchestrator.checkers.verdict import ExpectationVerdict, Met
from orchestrator.checkers.views import Views
from orchestrator.history.merged import Event, Life
from orchestrator.run.specs import plane_of
from orchestrator.scenario.cell import Strain

Samples = Sequence[Event]


class Sign(NamedTuple):
    """Where the samples of a server's life show it first, and what is said of a run in which none do."""

    first: Callable[[Views, Life, Samples], Event | None]
    absent: str


def _grew(key: str) -> Callable[[Views, Life, Samples], Event | None]:
    def first(_setting: Views, _life: Life, samples: Samples) -> Event | None:
        before = samples[0].detail[key]
        return next((each for each in samples if before is not None and each.detail[key] > before), None)

    return first


def _left_open(setting: Views, life: Life, samples: Samples) -> Event | None:
    """When a server stops that nobody waited for in vain, whoever is there has left in order: whose connection is open
    then is gone, and a packet that said so was lost."""
    packets = any(plane_of(setting.cell, fault) == "packet" for fault in setting.cell.faults)
    stopped = setting.index.lives[life][-1].kind is Kind.STOP
    accepted, ended = (samples[-1].detail[key] for key in ("accepted", "ended"))
    in_order = packets and stopped and not any(cap.phase == "drain" for cap in caps(setting))
    return samples[-1] if in_order and ended is not None and accepted > ended else None


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
    return any(sign.first(setting, life, samples) for life, samples in setting.index.usage.items())


def begun(setting: Views, life: Life, samples: Samples) -> int:
    """The order from which on this server's life is in every strait that is expected and that it shows; without one the
    end of the run, where any is expected."""
    if not setting.cell.expect.strained:
        return 0
    signs = (SIGNS[strain].first(setting, life, samples) for strain in setting.cell.expect.strained)
    return max((sign.order for sign in signs if sign is not None), default=setting.index.end)
