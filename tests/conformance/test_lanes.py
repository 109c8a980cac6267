"""Every lane does what is said of it, and one that does not is seen not to."""

from __future__ import annotations

import json
import select
import subprocess
from collections.abc import Callable
from time import monotonic_ns

import pytest

from faultbed import part
from nodes.lanes import NAMES, lane
from nodes.lanes.common.bench import SIZE, Bench
from orchestrator.report.quadrants import Row, Seen, deviations

PATIENCE = 60.0


@pytest.mark.parametrize("name", NAMES)
def test_it_does_what_is_said_of_it(name: str) -> None:
    found = lane(name)
    if reason := found.availability():
        pytest.skip(f"lane {name}: {reason}")
    run = subprocess.run([*part.command("lanes"), name], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert list(deviations(Row(name, found.LANE, Seen.model_validate_json(run.stdout)))) == []


def with_a_timeout_of_pythons(bench: Bench) -> None:
    bench.socket.settimeout(PATIENCE)
    bench.call()
    message = bench.blocked(bench.socket.recv, SIZE)
    bench.returned()
    bench.notified(message)
    bench.consumed(message)


def that_waits_first(bench: Bench) -> None:
    bench.socket.setblocking(False)
    bench.call()
    bench.blocked(select.select, [bench.socket], [], [])
    bench.returned()
    message = bench.socket.recv(SIZE)
    bench.notified(message)
    bench.consumed(message)


def that_tells_what_is_not_so(bench: Bench) -> None:
    bench.socket.setblocking(False)
    bench.call()
    bench.notified()
    bench.blocked(select.select, [bench.socket], [], [])
    bench.returned()
    bench.consumed(bench.socket.recv(SIZE))


def that_tries_as_well(bench: Bench) -> None:
    bench.socket.setblocking(False)
    bench.call()
    begun = monotonic_ns()
    with pytest.raises(BlockingIOError):
        bench.socket.recv(SIZE)
    bench.tried(begun)
    bench.blocked(select.select, [bench.socket], [], [])
    bench.returned()
    bench.notified()
    bench.consumed(bench.socket.recv(SIZE))


def that_blocks_and_works_afterwards(bench: Bench) -> None:
    bench.call()
    message = bench.blocked(bench.socket.recv, SIZE)
    bench.returned()
    bench.work()
    bench.notified(message)
    bench.consumed(message)


def that_reads_when_it_is_told(bench: Bench) -> None:
    bench.call()
    bench.returned()
    bench.work()
    bench.blocked(select.select, [bench.socket], [], [])
    bench.notified()
    bench.consumed(bench.socket.recv(SIZE))


BROKEN = [
    ("blocking", with_a_timeout_of_pythons, ["the descriptor blocks"]),
    ("non_blocking", that_waits_first, ["control returned before there was data", "a call said EAGAIN"]),
    ("poll", that_tells_what_is_not_so, ["called, ready, notified, consumed came in another order"]),
    ("select", that_tries_as_well, ["a call said EAGAIN"]),
    ("io_uring", that_blocks_and_works_afterwards, ["control returned before there was data"]),
    ("aio_signal", that_reads_when_it_is_told, ["the data was in memory when it was told"]),
]


@pytest.mark.parametrize(("name", "run", "convicted_by"), BROKEN)
def test_a_broken_one_is_convicted(name: str, run: Callable[[Bench], None], convicted_by: list[str]) -> None:
    with Bench() as bench:
        run(bench)
    told = {"marks": bench.marks, "spans": bench.spans, "tries": bench.tries, "units": bench.units}
    used = {"cpu": bench.cpu, "voluntary": bench.voluntary, "involuntary": bench.involuntary}
    seen = Seen.model_validate_json(json.dumps({**told, **used, "copied": bench.copied, "blocking": bench.blocking}))
    assert [line.split(": ")[1] for line in deviations(Row(name, lane(name).LANE, seen))] == convicted_by
