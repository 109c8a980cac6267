"""The command `faultbed`: reads arguments, calls the parts, prints. Exit codes are those of docs/semantics.md:

0 every expectation met; 1 at least one unmet; 2 none unmet, at least one inconclusive; 3 the testbed failed;
4 bad usage, a bad scenario or an unreadable file; 130 Ctrl-C, or nobody reads the output any more; 143 SIGTERM;
129 SIGHUP.
"""

from __future__ import annotations

import json
import re
import sys
import time
from math import isnan
from pathlib import Path
from typing import Any

import click

from nodes.engines import NAMES as ENGINES
from orchestrator.backends import named, simulator
from orchestrator.backends.interrupts import raising
from orchestrator.commands.agent import agent, token
from orchestrator.commands.backend_options import backend_options, options_of
from orchestrator.commands.clean import clean
from orchestrator.commands.endings import ended, finished, say, settle
from orchestrator.commands.image import image
from orchestrator.commands.planes import planes
from orchestrator.commands.probe import probe
from orchestrator.commands.quadrants import quadrants
from orchestrator.report.result import CellResult, Exit
from orchestrator.scenario import shipped
from orchestrator.scenario.document import MAX_BYTES
from orchestrator.scenario.folder_names import repeat_of
from orchestrator.scenario.inputs import read
from orchestrator.scenario.matrix import MAX_CELLS, MOST_CELLS
from orchestrator.sweep.store import HISTORY, read_history, read_run, stored_cells, whose
from orchestrator.sweep.whole import counted


class Faultbed(click.Group):
    """click's own exit codes mapped to ours: a bad call is 4, since 2 says something about evidence."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Never returns: ends the process with one of our exit codes."""
        call: Any = super().main
        try:
            with raising():
                code = finished(call(*args, **{**kwargs, "standalone_mode": False}))
        except BaseException as error:
            code = ended(error)
        settle()
        sys.exit(int(code))

    def invoke(self, ctx: click.Context) -> Any:
        """Before click makes an exit code 1 of a broken pipe, and an interruption of an EOFError."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except BaseException as error:
            return ended(error)


@click.group(cls=Faultbed, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="faultbed", prog_name="faultbed")
def main() -> None:
    """Starts small nodes, injects faults on the way between them, records everything, and says with evidence
    which delivery semantics were really observed.

    \b
    Begin with:
      faultbed run rpc/demo            seven faults against five call semantics
      faultbed list                    the scenarios that come with it
      faultbed show rpc/02-reply-lost  one of them, as a file to start your own from
      faultbed probe                   what select, poll, epoll and others really do, side by side
      faultbed doctor                  what this machine can do

    \b
    Exit codes: 0 every expectation met, 1 at least one unmet, 2 inconclusive,
    3 the testbed failed, 4 bad usage or a bad file, 130 Ctrl-C, 143 SIGTERM, 129 SIGHUP.
    """


class InJUnit(click.Command):
    """What keeps it from beginning is told in its JUnit file too."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.ClickException as error:
            from orchestrator.commands.junit_file import JUnitFile

            told = ctx.params.get("junit")  # not known yet, if words before it are no options
            with JUnitFile(told if isinstance(told, Path) else None):
                raise error


JOBS = click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="Cells side by side.")
OUT = click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("results"),
    show_default=True,
    help="Where runs are kept.",
)
JUNIT = click.option(
    "--junit",
    type=click.Path(dir_okay=False, path_type=Path),
    is_eager=True,  # before any other can be refused
    help="Also write JUnit XML to this file.",
)


@main.command(cls=InJUnit)
@click.argument("scenarios", metavar="SCENARIO...", nargs=-1, required=True)
@backend_options
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Instead of each scenario's own.")
@click.option(
    "--engine",
    metavar="NAME",
    type=click.Choice(ENGINES),
    help="Of all servers and clients, instead of each scenario's own; `faultbed doctor` lists them.",
)
@click.option(
    "--repeat",
    type=click.IntRange(1, 100_000),
    default=1,
    show_default=True,
    help="Run every cell so often, each time with the next seed.",
)
@JOBS
@OUT
@JUNIT
@click.option(
    "--only", metavar="CELL", help='Only cells with these axis values, such as "semantics=maybe,transport=udp".'
)
@click.option("--yes", is_flag=True, help=f"Run more than {MAX_CELLS} cells, up to {MOST_CELLS}.")
def run(
    scenarios: tuple[str, ...],
    backend: str,
    seed: int | None,
    engine: str | None,
    repeat: int,
    jobs: int,
    out: Path,
    junit: Path | None,
    only: str | None,
    yes: bool,
    **given: Any,
) -> int:
    """Run scenarios: files, folders, or names that `faultbed list` shows."""
    from orchestrator.commands.junit_file import JUnitFile
    from orchestrator.commands.run import Choice, Command

    with JUnitFile(junit) as told:
        plans = shipped.plans(scenarios, MOST_CELLS if yes else MAX_CELLS)
        chosen = named(backend)
        choice = Choice(chosen, options_of(chosen, given), seed, repeat, jobs, out, only, engine)
        return Command(plans, choice, time.strftime("%Y-%m-%dT%H-%M-%S"), told).run()


@main.command(cls=InJUnit)
@click.argument("path", metavar="RUN", type=click.Path(path_type=Path))
@backend_options
@JOBS
@OUT
@JUNIT
def replay(path: Path, backend: str, jobs: int, out: Path, junit: Path | None, **given: Any) -> int:
    """Do again what was done in a recorded run: a run's folder, or a cell's in it.

    What happened to each message, and when each process was killed, stopped or started, is taken from the record, by
    the message and by what came before; not by chance, nor by the time. It may be another backend than the recorded
    one. What the record has and does not come makes the replay inconclusive.
    """
    from orchestrator.commands.junit_file import JUnitFile
    from orchestrator.commands.replay import Replay, recorded
    from orchestrator.commands.run import Choice

    with JUnitFile(junit) as told:
        plan, chosen = recorded(path), named(backend)
        choice = Choice(chosen, options_of(chosen, given), None, 1, jobs, out, None)
        return Replay([plan], choice, time.strftime("%Y-%m-%dT%H-%M-%S"), told).run()


@main.command()
@click.argument("scenario", required=False)
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="How long.  [default: 1, without --runs]")
@click.option("--runs", type=click.IntRange(1), help="How many runs.")
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that make them.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=1, show_default=True, help="Other runs.")
@click.option("--mutant", metavar="VARIANT", help="A broken variant, until it is convicted.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where scenarios of what surprised are kept.  [default: scenarios/found, of others results/found]",
)
@click.option("--backend", default=simulator().name, show_default=True, help="What runs them.")
@click.option("--no-real", is_flag=True, help="Do not try on real sockets what surprised.")
def explore(
    scenario: str | None,
    minutes: float | None,
    runs: int | None,
    jobs: int,
    seed: int,
    mutant: str | None,
    out: Path | None,
    backend: str,
    no_real: bool,
) -> int:
    """Make runs that nobody wrote, in the simulator, and judge each by what its mechanism promises.

    Without a scenario it attacks Faultbed's own mechanisms. With one it varies that one's faults. What surprises is
    shrunk to a scenario file, and tried on real sockets. The same seed and runs give the same, whatever --jobs.
    """
    from orchestrator.commands.explore import Chosen
    from orchestrator.commands.explore import explore as explored

    made = simulator().name
    if backend != made:
        raise click.UsageError(
            f"--backend {backend}: thousands of runs are made in the simulator; expected {made}, and for what is found "
            f"faultbed run FILE --backend {backend}"
        )
    if minutes is None and runs is None:
        minutes = 1.0
    if minutes is not None and isnan(minutes):
        raise click.BadParameter("nan is not in the range x>0.", param_hint="'--minutes'")
    return explored(Chosen(scenario, minutes, runs, jobs, seed, mutant, out, not no_real))


@main.command()
@click.argument("path", type=click.Path(path_type=Path))
def check(path: Path) -> int:
    """Judge recorded runs again: a run's folder, a cell's folder, or a history file."""
    from orchestrator.checkers.expect import judge
    from orchestrator.report.closing import closing
    from orchestrator.report.lines import cell_line
    from orchestrator.report.told import Told

    results, runs = [], counted(path)
    for directory in stored_cells(path):
        recorded, repeat = read_run(directory), repeat_of(directory.name)
        clocks = recorded.history.clocks
        results.append(CellResult(recorded.cell, repeat, 0.0, judge(*recorded), directory=directory, clocks=clocks))
        say(cell_line(results[-1]))
    told = Told(results, short=runs.short, uncounted=runs.unknown)
    for line in closing(told, lambda directory: read_history(directory / HISTORY)):
        say(line)
    return told.exit


@main.command()
@click.argument("path", type=click.Path(path_type=Path))
def export(path: Path) -> None:
    """Print recorded histories as JSON Lines, an event a line, each with its scenario, cell and repeat."""
    from orchestrator.history.file import to_jsonl

    for directory in stored_cells(path):
        for line in to_jsonl(read_history(directory / HISTORY), whose(directory)):
            say(line)


@main.command("list")
def list_scenarios() -> None:
    """Name the scenarios that come with Faultbed."""
    from orchestrator.scenario.plan import load

    names = shipped.names()
    width = max(map(len, names), default=0)
    for name in names:
        about = load(shipped.find(name)[0]).about
        say(f"{name:<{width}}  {re.split(r'(?<=[.?!]) ', about)[0]}")


@main.command()
@click.argument("scenario")
def show(scenario: str) -> None:
    """Print a scenario's file, then its cells."""
    for plan in shipped.plans([scenario]):
        say(read(plan.path, MAX_BYTES).decode("utf-8-sig").rstrip("\n"))
        say(f"\n# {plan.path}: {len(plan.cells)} cells")
        for cell in plan.cells:
            reason = f"  not applicable: {cell.not_applicable}" if cell.not_applicable else ""
            say(f"#   {cell.cell}{reason}")


@main.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors."""
    from orchestrator.scenario.schema import schema as made

    say(json.dumps(made(), indent=2))


@main.command()
def doctor() -> int:
    """Say what this machine can do, and why not where it cannot."""
    from orchestrator.commands.doctor import findings

    found = list(findings())
    width = max(len(finding.subject) for finding in found)
    for finding in found:
        say(f"{'ok' if finding.works else 'no':<3} {finding.subject:<{width}}  {finding.detail}")
    return Exit.TESTBED if any(finding.needed and not finding.works for finding in found) else Exit.MET


main.add_command(agent)
main.add_command(clean)
main.add_command(image)
main.add_command(planes)
main.add_command(quadrants)
main.add_command(probe)
main.add_command(token)
