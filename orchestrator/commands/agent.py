"""`faultbed agent` and `faultbed token`: this host at the disposal of orchestrators that know a shared token."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import click

from nodes.control import ControlError
from orchestrator.backends.attach.inventory import parse_endpoint, read_token
from orchestrator.commands.endings import exit_of, say
from orchestrator.report.result import Exit
from orchestrator.sweep.failures import said

DEFAULT_LISTEN = "127.0.0.1:7400"


@click.command()
@click.option(
    "--listen", metavar="HOST:PORT", default=DEFAULT_LISTEN, show_default=True, help="Where orchestrators connect."
)
@click.option(
    "--token-file",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The token that orchestrators must know; `faultbed token FILE` makes one.",
)
def agent(listen: str, token_file: Path) -> int:
    """Start nodes on this host for orchestrators elsewhere (`faultbed run --backend attach`).

    Whoever knows the token can start nodes here, and nothing else. Everything of an orchestrator ends with its
    connection.
    """
    from orchestrator.agent.folders import sweep
    from orchestrator.agent.server import Endpoint, Server
    from orchestrator.agent.server import say as log

    try:
        endpoint, token = Endpoint(*parse_endpoint(listen)), read_token(token_file)
    except (ValueError, ControlError) as error:
        raise click.UsageError(str(error)) from None
    for folder in sweep()[0]:
        log(f"removed {folder}, which a killed agent had left")
    server = Server(endpoint, token)
    print(f"agent {server.endpoint}", flush=True)
    try:
        server.serve()
    except KeyboardInterrupt as error:
        log("leaving")
        return exit_of(error)
    finally:
        server.close()
    return Exit.MET


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def token(file: Path) -> None:
    """Make a token file for agents and their orchestrators; one that is there is kept."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        try:
            read_token(file)
        except ControlError as error:
            raise click.UsageError(str(error)) from None
        say(f"kept {file}")
        return
    except OSError as error:
        raise click.UsageError(f"{said(error)}; expected a place where a file can be made") from None
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as made:
            made.write(secrets.token_hex(32) + "\n")
    except OSError as error:
        file.unlink(missing_ok=True)  # else it would be kept the next time
        raise OSError(error.errno, f"the token cannot be written: {error.strerror}", str(file)) from None
    say(f"made {file}: give it to every agent and every orchestrator, and to nobody else")
