"""`faultbed clean`: an end to what killed runs left behind, and the check that nothing of it is left."""

from __future__ import annotations

import click

from orchestrator.commands.endings import say
from orchestrator.report.result import Exit
from orchestrator.run.session import SessionError


@click.command()
def clean() -> int:
    """End what a killed `faultbed run` left behind: exactly what belongs to an orchestrator that is gone.

    Processes, folders of agents, networks of this machine's own, and at the Docker engine containers, networks, volumes
    and images that a run has built.
    """
    done, left = _processes()
    for removed, kept in (_folders(), _networks()):
        done, left = [*done, *removed], [*left, *kept]
    try:
        removed, remaining = _engine()
        done, left = [*done, *removed], [*left, *remaining]
    except SessionError as error:
        say(f"not looked for at a Docker engine: {error}")
    for line in [*done, *left]:
        say(line)
    if not done and not left:
        say("nothing was left behind")
    return Exit.TESTBED if left else Exit.MET


def _processes() -> tuple[list[str], list[str]]:
    """-> (what was ended, what was not), a line each."""
    from orchestrator.backends.leftovers import end, leftovers

    found = leftovers()
    left = end(found)
    return [f"ended {one}" for one in found if one not in left], [f"could not end {one}" for one in left]


def _folders() -> tuple[list[str], list[str]]:
    """Those of agents that were killed; their processes have ended."""
    from orchestrator.agent.folders import sweep

    removed, left = sweep()
    return [f"removed {path}" for path in removed], [f"could not remove {path}" for path in left]


def _networks() -> tuple[list[str], list[str]]:
    """Those of the local backend. Their processes must have ended, so they come after them."""
    from orchestrator.backends.switch import leftovers, remove

    done, left = [], []
    for owner in leftovers():
        try:
            remove(owner)
            done.append(f"removed {owner}")
        except SessionError as error:
            left.append(f"could not remove {owner}: {error}")
    return done, left


def _engine() -> tuple[list[str], list[str]]:
    from orchestrator.backends.docker.engine import answering  # the SDK takes a while to import
    from orchestrator.backends.docker.leftovers import sweep

    client = answering()
    try:
        removed, left = sweep(client)
    finally:
        client.close()
    return [f"removed {one.told()}" for one in removed], [f"could not remove {one.told()}" for one in left]
