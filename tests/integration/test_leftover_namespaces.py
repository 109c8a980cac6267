"""`faultbed clean` leaves processes of other PID namespaces alone: their orchestrator's id means nothing here."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
from groups import ALONE
from requirements import need, need_root
from running import until

from orchestrator.backends.leftovers import ORCHESTRATOR, RUN, leftovers

DEAD = "4194305:1.0"
"""No process has this number: it is above every PID_MAX_LIMIT (proc(5))."""


@contextmanager
def sleeping(*prefix: str) -> Iterator[psutil.Process]:
    """A process whose orchestrator, by its environment, is gone."""
    environment = {**os.environ, RUN: "test", ORCHESTRATOR: DEAD}
    with subprocess.Popen([*prefix, "sleep", "60"], env=environment) as process:
        me = psutil.Process(process.pid)
        try:
            until(lambda: any(one.name() == "sleep" for one in (me, *me.children())), "the process to be there")
            yield next(one for one in (me, *me.children()) if one.name() == "sleep")
        finally:
            process.kill()


@ALONE
@pytest.mark.parametrize("prefix", [(), ("unshare", "--pid", "--fork", "--kill-child")], ids=["here", "elsewhere"])
def test_only_processes_that_are_numbered_as_here_are_left_over(prefix: tuple[str, ...]) -> None:
    if prefix:
        need_root()
        need("unshare", "root")
    with sleeping(*prefix) as process:
        assert (process.pid in {leftover.process.pid for leftover in leftovers()}) is not bool(prefix)
