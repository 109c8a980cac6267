"""Every bound that the documents tell is the one that holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.framers import http1, message
from chaos.hop import kept, occurrences, pace
from chaos.planes import injection, stream, udp_link
from chaos.planes.packet import container
from nodes.wire import msgpackrpc, record_marking, xdr
from orchestrator.backends.docker import specification
from orchestrator.scenario import document, matrix
from orchestrator.sweep import store

DOCS = Path(__file__).parents[2] / "docs"
UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
TOLD = [
    ("planes.md", "1 MiB", " of our own protocols", [record_marking.LIMIT, msgpackrpc.LIMIT, xdr.LIMIT]),
    ("planes.md", "4 MiB", " of others", [message.LARGEST_MESSAGE]),
    ("planes.md", "1,024", " of a connection", [http1.LARGEST_WAITING]),
    ("planes.md", "64 MiB", " of a link", [kept.LARGEST]),
    ("planes.md", "1 KiB", " added for each", [kept.COST]),
    ("planes.md", "256 KiB", " of a direction |", [pace.QUEUE]),
    ("planes.md", "256 KiB", " of a direction of a connection", [stream.CONGESTED]),
    ("planes.md", "1,024", " of a socket", [udp_link.UNSENT]),
    ("planes.md", "131,072", " messages of a link", [occurrences.LARGEST]),
    ("planes.md", "16", " at once", [injection.AT_ONCE]),
    ("containers.md", "128 MiB", " and 64", [container.HELPERS_MEMORY]),
    ("containers.md", "512 MiB", " and 4096 processes", [specification.MEMORY]),
    ("semantics.md", "4 MiB", " for a scenario or an inventory", [document.MAX_BYTES]),
    ("semantics.md", "4 GiB", " for a history", [store.HISTORY_BYTES]),
    ("semantics.md", "10,000", " cells", [matrix.MAX_CELLS]),
    ("semantics.md", "100,000", ".", [matrix.MOST_CELLS]),
]


@pytest.mark.parametrize(("page", "number", "of", "bounds"), TOLD)
def test_a_bound_is_as_the_documents_tell_it(page: str, number: str, of: str, bounds: list[int]) -> None:
    assert f"{number}{of}" in (DOCS / page).read_text("utf-8")
    count, _, unit = number.replace(",", "").partition(" ")
    assert bounds == [int(count) * UNITS.get(unit, 1)] * len(bounds)
