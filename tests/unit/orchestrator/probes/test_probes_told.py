"""A comparison as it is printed and exported."""

from __future__ import annotations

import csv
import io
import json

from sample_cells import TITLES, cells

from orchestrator.probes.compared import Verdict, unknown
from orchestrator.probes.exported import COLUMNS, FORMATS, as_csv, as_json, as_markdown
from orchestrator.probes.told import absences, deviations, summary, table, unknowns


def test_the_table_has_what_was_observed_probe_by_probe() -> None:
    assert list(table(cells(), TITLES, 120)) == [
        "1*  undrained: told again",
        "               epoll epoll_edge  poll",
        "    came       IN                IN",
        "  * half read  IN                nothing",
        "",
        "23*  herd: who wakes",
        "              epoll",
        "    switches  many",
        "",
    ]


def test_a_deviation_comes_with_what_was_expected_and_its_trace() -> None:
    assert list(deviations(cells())) == [
        "undrained on epoll_edge deviates",
        "  half read: IN; expected nothing",
        "  expected by: epoll(7)",
        "    0.10 ms  half read",
        "",
    ]


def test_what_is_unknown_says_why_and_shows_the_trace_where_nothing_was_observed() -> None:
    assert list(unknowns(cells())) == [
        "unknown: undrained on select: it did not end",
        "    0.20 ms  came",
        "unknown: undrained on poll: nobody has said what to expect",
    ]


def test_what_was_not_tried_for_one_reason_is_told_together() -> None:
    asked = [(probe, engine) for probe in ("herd", "reset") for engine in ("epoll", "poll")]
    several = [unknown(*one, "run as root") for one in (*asked, ("closed", "poll"))]
    assert list(unknowns(several)) == [
        "unknown: herd, reset on epoll: run as root",
        "unknown: herd, reset, closed on poll: run as root",
    ]
    assert list(unknowns(several[:4])) == ["unknown: herd, reset on epoll, poll: run as root"]


def test_what_does_not_apply_is_told_once_by_reason() -> None:
    assert list(absences(cells())) == [
        "not applicable: busy: it never waits",
        "not applicable: herd on select: one | process",
    ]


def test_the_summary_counts() -> None:
    assert summary(cells()) == "2 as expected, 1 deviates, 2 unknown, 3 not applicable"
    assert summary([]) == "nothing to do"


def test_json_has_everything() -> None:
    made = json.loads(as_json(cells(), TITLES, "Plan 9"))
    assert (made["probes"], made["host"]) == (TITLES, "Plan 9")
    assert [cell["verdict"] for cell in made["cells"]] == [cell.verdict.value for cell in cells()]
    assert made["cells"][1]["trace"] == ["0.10 ms  half read"]
    assert made["cells"][1]["expected"] == {"came": "IN", "half read": "nothing"}


def test_csv_has_a_line_for_each_step() -> None:
    assert COLUMNS == ("probe", "engine", "verdict", "step", "observed", "expected", "source", "why", "host")
    rows = list(csv.DictReader(io.StringIO(as_csv(cells(), TITLES, "Plan 9"))))
    assert tuple(rows[0]) == COLUMNS
    steps = sum(len({**(cell.observed or {}), **(cell.expected or {})}) or 1 for cell in cells())
    assert len(rows) == steps
    deviating = [row for row in rows if row["verdict"] == Verdict.DEVIATES.value]
    assert [(row["step"], row["observed"], row["expected"]) for row in deviating] == [
        ("came", "IN", "IN"),
        ("half read", "IN", "nothing"),
    ]
    absent = next(row for row in rows if row["engine"] == "busy")
    assert list(absent.values()) == ["undrained", "busy", "not applicable", "", "", "", "", "it never waits", "Plan 9"]


MARKDOWN = """\
# What multiplexers do

Observed on Plan 9: 2 as expected, 1 deviates, 2 unknown, 3 not applicable. What differs between engines is bold.

## 1*  undrained: told again

| step | `epoll` `epoll_edge` | `poll` |
| --- | --- | --- |
| came | IN | IN |
| half read | **IN** | **nothing** |

## 23*  herd: who wakes

| step | `epoll` |
| --- | --- |
| switches | many |

```text
undrained on epoll_edge deviates
  half read: IN; expected nothing
  expected by: epoll(7)
    0.10 ms  half read

unknown: undrained on select: it did not end
    0.20 ms  came
unknown: undrained on poll: nobody has said what to expect
not applicable: busy: it never waits
not applicable: herd on select: one | process
```
"""


def test_markdown_has_tables_and_what_is_not_as_expected() -> None:
    assert as_markdown(cells(), TITLES, "Plan 9") == MARKDOWN
    good = [cell for cell in cells() if cell.verdict is Verdict.AS_EXPECTED]
    assert "```" not in as_markdown(good, TITLES, "Plan 9")


def test_formats_go_by_the_files_ending() -> None:
    assert set(FORMATS) == {".json", ".csv", ".md"}
