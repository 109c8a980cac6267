"""PURE: which rows of the table of call semantics each plane reaches over each transport, and why not the others.

A scenario whose name begins with a row's number is that row ("13a-partition-request"). What is reached is read off the
scenarios: which planes perform their faults, over which transport, and which opportunity every operation that they bit
must have made. What is not reached has its reason here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import chain
from types import MappingProxyType
from typing import NamedTuple

from chaos.faults.fault import Fault
from nodes.wire import transports
from orchestrator.run.specs import plane_of
from orchestrator.scenario.cell import Cell

ROWS: Mapping[str, str] = MappingProxyType(
    {
        "1": "request lost",
        "2": "reply lost",
        "3a": "request duplicated",
        "3b": "reply duplicated",
        "4": "duplicate while executing",
        "5": "duplicate after trim",
        "6": "reordered",
        "7a": "cut before the server has the request",
        "7b": "cut before the client has the reply",
        "8": "crash before commit",
        "8b": "issued while the server is down",
        "9": "crash after commit",
        "10": "old copy after a crash",
        "11": "durable history lost",
        "12a": "client dies with the reply in hand",
        "12b": "client issues the intent again under a new id",
        "12c": "client issues the same id again",
        "13a": "partition on the request path",
        "13b": "partition on the reply path",
        "14": "partition until the lease is reclaimed",
        "15": "every reply lost, budget spent",
        "16a": "request corrupted, checksum on",
        "16b": "reply corrupted, checksum on",
        "17a": "effect in a second service, then crash before commit",
        "17b": "crash after commit, then effect in a second service",
    }
)
"""The rows, as docs/semantics.md has them."""
PLANES = ("relay", "toxiproxy", "netfilter", "netem", "process")
TRANSPORTS = transports.LINKS

Place = tuple[str, str, str]
"""(plane, transport, row)."""


class Reason(NamedTuple):
    """Why a plane does not reach rows. `transports` and `rows` are those that it holds for."""

    planes: tuple[str, ...]
    transports: tuple[str, ...]
    rows: tuple[str, ...]
    text: str


_COPIES = ("3a", "3b", "4", "5", "6", "10")
_CUTS = ("7a", "7b")
_LOSSES = ("1", "2", "13a", "13b", "15")
_CRASHES = ("8", "8b", "9", "11")
_CORRUPT = ("16a", "16b")

NOWHERE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "a client that dies forgets its calls: it keeps no log of intents": ("12a", "12b", "12c"),
        "a server grants leases and reclaims none": ("14",),
        "the effect lies in the server's own ledger: no server calls another": ("17a", "17b"),
    }
)
"""Why no plane reaches some rows."""
REASONS: tuple[Reason, ...] = (
    Reason(("toxiproxy",), ("udp",), tuple(ROWS), "Toxiproxy carries TCP only"),
    Reason(("process",), TRANSPORTS, (*_LOSSES, *_COPIES, *_CUTS, *_CORRUPT), "it touches no message"),
    Reason(PLANES, ("udp",), _CUTS, "a datagram has no connection to cut"),
    Reason(PLANES[:-1], TRANSPORTS, _CRASHES, "what dies is a process: see process"),
    Reason(
        ("relay",), TRANSPORTS, _CORRUPT, "these messages carry no checksum: faults/corrupt-* show what comes of it"
    ),
    Reason(("toxiproxy",), ("tcp",), _COPIES, "a stream is passed once and in order: no toxic knows a message"),
    Reason(("toxiproxy",), ("tcp",), _CORRUPT, "no toxic changes bytes"),
    Reason(("toxiproxy",), ("tcp",), ("13a", "13b"), "connecting succeeds all the while, so it is rows 1 and 2"),
    Reason(("netfilter",), ("tcp",), _LOSSES, "the kernel sends a lost segment again: containers/tcp-repairs"),
    Reason(("netfilter",), ("tcp",), ("7b",), "a reset answers requests: a lost reply is sent again"),
    Reason(("netfilter",), TRANSPORTS, _COPIES, "it drops and rejects, and copies, keeps or changes nothing"),
    Reason(("netfilter",), TRANSPORTS, _CORRUPT, "it drops and rejects, and copies, keeps or changes nothing"),
    Reason(
        ("netem",), ("tcp",), (*_LOSSES, *_CORRUPT, "3a", "3b", "6"), "the kernel repairs what netem does to a segment"
    ),
    Reason(("netem",), ("tcp",), _CUTS, "it ends no connection"),
    Reason(
        ("netem",),
        ("udp",),
        ("1", "2", "3a", "3b", "6", *_CORRUPT),
        "by chance only, where the kernel has sch_netem: no scenario depends on it",
    ),
    Reason(("netem",), ("udp",), ("13a", "13b", "15"), "a partition is netfilter's"),
    Reason(("netem",), TRANSPORTS, ("4", "5", "10"), "it copies at once, and knows neither execution, trim nor epoch"),
)
"""The first one that fits is told."""


class Reached(NamedTuple):
    """`opportunities` are those that every operation must have made that one of the row's faults bit."""

    opportunities: tuple[str, ...]
    scenarios: tuple[str, ...]


def row(cell: Cell) -> str | None:
    """The row that the cell's scenario is, None for one that is none."""
    found = re.match("0*([0-9]+[a-z]?)-", cell.scenario)
    return found[1] if found and found[1] in ROWS else None


def place(cell: Cell) -> Place | None:
    """Where the cell stands in the table. What a process fault needs beside it, the other plane is credited with."""
    number = row(cell)
    if number is None or not cell.faults:
        return None
    acting = [plane(cell, fault) for fault in cell.faults]
    first = next((name for name in acting if name != "process"), "process")
    return first, cell.links[0].transport, number


def plane(cell: Cell, fault: Fault) -> str:
    """The plane that performs a fault, as the table calls it."""
    name = plane_of(cell, fault)
    if name == "packet":
        return "netem" if fault.discipline else "netfilter"
    return name or "process"


def reached(cells: Iterable[Cell]) -> dict[Place, Reached]:
    """What the scenarios reach."""
    found: dict[Place, Reached] = {}
    for cell in cells:
        where = place(cell)
        if where is None or cell.not_applicable is not None:
            continue
        before = found.get(where, Reached((), ()))
        seen = tuple(dict.fromkeys((*before.opportunities, *cell.expect.seen)))
        found[where] = Reached(seen, tuple(dict.fromkeys((*before.scenarios, cell.scenario))))
    return found


def reason(where: Place) -> str | None:
    """Why a plane does not reach a row over a transport; None for one that a scenario must reach."""
    plane, transport, number = where
    everywhere = (text for text, rows in NOWHERE.items() if number in rows)
    here = (one.text for one in REASONS if plane in one.planes and transport in one.transports and number in one.rows)
    return next(chain(everywhere, here), None)


def lines(found: Mapping[Place, Reached], made: Mapping[Place, Mapping[str, int]] | None = None) -> list[str]:
    """The table as text. `made` has what recorded runs made of each opportunity; without it, what a run must make."""
    told = []
    for plane in PLANES:
        for transport in TRANSPORTS:
            told += ["", f"{plane}, {transport}"]
            told += [
                _line(plane, transport, number, found, made) for number in ROWS if (plane, transport, number) in found
            ]
            told += _absences(plane, transport, found)
    told += ["", "every plane"]
    return [*told[1:], *(_absence(text, rows) for text, rows in NOWHERE.items())]


def _line(
    plane: str,
    transport: str,
    number: str,
    found: Mapping[Place, Reached],
    made: Mapping[Place, Mapping[str, int]] | None,
) -> str:
    where = plane, transport, number
    if made is None:
        by = ", ".join(found[where].opportunities)
    elif where in made:
        by = ", ".join(f"{made[where].get(name, 0)} {name}" for name in found[where].opportunities)
    else:
        by = "no recorded run"
    return f"  {number:<4} {ROWS[number]:<38} reached: {by}"


def _absences(plane: str, transport: str, found: Mapping[Place, Reached]) -> list[str]:
    """Rows with one reason are told together; what holds for every plane is told once, at the end."""
    groups: dict[str, list[str]] = {}
    for number in ROWS:
        where = plane, transport, number
        if where not in found and not any(number in rows for rows in NOWHERE.values()):
            groups.setdefault(reason(where) or "no scenario", []).append(number)
    return [_absence(text, numbers) for text, numbers in groups.items()]


def _absence(text: str, numbers: Iterable[str]) -> str:
    return f"  n/a: {text} ({', '.join(numbers)})"
