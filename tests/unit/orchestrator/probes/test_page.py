"""The tables of docs/multiplexers.md."""

from __future__ import annotations

from nodes import probes
from nodes.probes.common.probe import Probe
from orchestrator.probes.expectations import Expected
from orchestrator.probes.page import heading, tables

CATALOGUE = {"undrained": Probe("1", "told again", starred=True), "low-water": Probe("more", "a low-water mark")}
EXPECTATIONS = {
    ("undrained", "poll"): Expected({"came": "IN", "read": "IN"}, "poll(2)"),
    ("undrained", "epoll"): Expected({"came": "IN", "read": "IN"}, "epoll(7)"),
    ("undrained", "epoll_edge"): Expected({"came": "IN", "read": "nothing"}, "epoll(7)"),
    ("low-water", "poll"): Expected(None, "no host"),
}


def refusal(probe: str, engine: str) -> str | None:
    if engine in ("busy", "fork", "threads"):
        return f"{engine} has its reason"
    return "it cannot be asked" if (probe, engine) == ("low-water", "epoll") else None


def test_they_have_what_engines_offer_and_what_is_expected_with_its_source() -> None:
    engines = ("busy", "fork", "threads", "poll", "epoll", "epoll_edge")
    assert list(tables(engines, CATALOGUE, refusal, EXPECTATIONS)) == [
        "## Which probes an engine takes",
        "",
        "| engine | takes | not |",
        "| --- | --- | --- |",
        f"| `busy` | {probes.offered('busy')} |  |",
        f"| `fork` | {probes.offered('fork')} |  |",
        f"| `threads` | {probes.offered('threads')} | undrained, low-water |",
        f"| `poll` | {probes.offered('poll')} |  |",
        f"| `epoll` | {probes.offered('epoll')} | low-water |",
        f"| `epoll_edge` | {probes.offered('epoll_edge')} |  |",
        "",
        "## What is expected on Linux",
        "",
        "### 1\\* `undrained`: told again",
        "",
        "| step | `poll` `epoll` | `epoll_edge` |",
        "| --- | --- | --- |",
        "| came | IN | IN |",
        "| read | **IN** | **nothing** |",
        "",
        "- poll: poll(2)",
        "- epoll, epoll_edge: epoll(7)",
        "",
        "### `low-water`: a low-water mark",
        "",
        "- poll: unknown: no host",
        "- not epoll: it cannot be asked",
    ]


def test_a_row_that_is_not_starred_has_no_star() -> None:
    assert heading("slices", Probe("3", "fifty")) == "3 `slices`: fifty"


def test_what_an_engine_offers_is_a_number_or_a_reason() -> None:
    assert probes.offered("busy").startswith("no probes: it never waits")
    refused = sum(1 for name in probes.names() if probes.refusal(name, "epoll"))
    assert probes.offered("epoll") == f"{len(probes.names()) - refused} probes"
