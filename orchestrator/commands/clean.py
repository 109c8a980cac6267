"""`faultbed clean`: an end to what killed runs left behind, and the check that nothing of it is left."""

from __future__ import annotations

import click

from orchestrator.backends import backends
from orchestrator.backends.backend import Swept
from orchestrator.commands.endings import say
from orchestrator.report.result import Exit
from orchestrator.run.session import SessionError


@click.command()
def clean() -> int:
    """End what a killed `faultbed run` left behind: exactly what belongs to an orchestrator that is gone.

    Processes, folders of agents, networks of this machine's own, and at the Docker engine containers, networks, volumes
    and images that a run has built.
    """
    swept = [_processes(), _folders()]
    for backend in backends():
        try:
            swept.append(backend.sweep())
        except SessionError as error:
            say(str(error))
    done = [line for one in swept for line in one.done]
    left = [line for one in swept for line in one.left]
    for line in [*done, *left]:
        say(line)
    if not done and not left:
        say("nothing was left behind")
    return Exit.TESTBED if left else Exit.MET


def _processes() -> Swept:
    """First: what they hold can be removed once they have ended."""
    from orchestrator.backends.leftovers import end, leftovers

    found = leftovers()
    left = end(found)
    return Swept([f"ended {one}" for one in found if one not in left], [f"could not end {one}" for one in left])


def _folders() -> Swept:
    """Those of agents that were killed."""
    from orchestrator.agent.folders import sweep

    removed, left = sweep()
    return Swept([f"removed {path}" for path in removed], [f"could not remove {path}" for path in left])
