"""Processes of probes on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from orchestrator.backends import of_processes, ready
from orchestrator.backends.parts import Part
from orchestrator.probes.performed import Begin, Done, Work, performed


@contextmanager
def beginning() -> Iterator[Begin]:
    numbers = count(1)
    with ready(of_processes().name) as local, TemporaryDirectory(prefix="faultbed-") as home:
        assert local.hosts is not None
        with local.hosts(Path(home)) as hosts:
            yield lambda arguments: Part(hosts[""], "probes", arguments, Path(home), next(numbers))


def done(works: Sequence[Work], jobs: int) -> Iterator[Done]:
    with beginning() as begin:
        yield from performed(works, jobs, begin)
