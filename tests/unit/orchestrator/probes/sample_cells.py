"""Cells to tell of and to export."""

from __future__ import annotations

from orchestrator.probes.compared import Cell, Outcome, judged, not_applicable
from orchestrator.probes.expectations import Expected

TITLES = {"undrained": "1*  undrained: told again", "herd": "23*  herd: who wakes", "hidden": "nobody"}
LEVEL = {"came": "IN", "half read": "IN"}
EDGE = {"came": "IN", "half read": "nothing"}
MANUAL = "epoll(7)"


def cells() -> list[Cell]:
    """As expected, a deviation, unknown with an observation and without, not applicable."""
    edge = {"came": ["IN"], "half read": ["IN"]}
    return [
        judged("undrained", "epoll", Outcome({"came": ["IN"], "half read": ["IN"]}), Expected(LEVEL, MANUAL)),
        judged("undrained", "epoll_edge", Outcome(edge, "", ("0.10 ms  half read",)), Expected(EDGE, MANUAL)),
        judged("undrained", "poll", Outcome({"came": ["IN"], "half read": []}, "", ("not told",)), None),
        judged("undrained", "select", Outcome(None, "it did not end", ("0.20 ms  came",)), Expected(LEVEL, MANUAL)),
        not_applicable("undrained", "busy", "it never waits"),
        not_applicable("herd", "busy", "it never waits"),
        not_applicable("herd", "select", "one | process"),
        judged("herd", "epoll", Outcome({"switches": "many"}), Expected({"switches": "many"}, "measured")),
    ]
