"""Who convicts whom: runs the scenarios of scenarios/mutants and holds each history against the correct mechanism.

`python tests/scenarios/kill_matrix.py [local|sim]` runs them and writes kill_matrix.yaml and docs/negative-controls.md
again. Which check *must* convict (`named`) is said in kill_matrix.yaml by hand, and kept.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import server_matrix
import suite
import yaml
from suite import Ran

from orchestrator.checkers.expect import judge
from orchestrator.checkers.properties import CHECKERS
from orchestrator.checkers.verdict import Met, Verdict
from orchestrator.history.merged import History
from orchestrator.scenario.cell import LEVELS, AnyLink, Cell, SocketLink
from orchestrator.scenario.plan import Plan
from orchestrator.scenario.shipped import plans

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = ROOT / "scenarios" / "mutants"
MATRIX = Path(__file__).with_suffix(".yaml")
PAGE = ROOT / "docs" / "negative-controls.md"

NONE = "none"
"""The value of the axes `variant` and `fault` that stands for the correct mechanism, and for no fault."""
CHECKS = (*(name for name in CHECKERS if name not in ("fair", "quiescent")), "bitten", "others")
"""The checkers of mechanisms, and what a scenario expects of the operations that its fault bit and of the others. Those
of servers convict elsewhere (server_matrix.py)."""

Convictions = tuple[str, ...]


class Row(NamedTuple):
    """One mutant under one fault: the checks that convict it with the fault on, and with the fault off."""

    scenario: str
    mutant: str
    mechanism: str
    fault: str
    named: str
    convicted_by: Convictions
    without_fault: Convictions


class Control(NamedTuple):
    """The four runs of a scenario: the correct mechanism and the mutant, each without and with the fault."""

    correct_without: Ran
    correct_with: Ran
    mutant_without: Ran
    mutant_with: Ran


def shipped() -> list[Plan]:
    """The negative controls' scenarios, each with the axes `variant` and `fault` of two values."""
    return plans([str(SCENARIOS)])


def run(backend: str) -> dict[str, Control]:
    """Run every scenario's four cells; `backend` is "local" or "sim". Raises AssertionError if the testbed failed."""
    cells = [cell for plan in shipped() for cell in plan.cells]
    found: dict[str, dict[tuple[bool, bool], Ran]] = {}
    for one in suite.run(cells, backend):
        found.setdefault(one.result.cell.scenario, {})[_place(one.result.cell)] = one
    return {scenario: _control(four) for scenario, four in sorted(found.items())}


def _place(cell: Cell) -> tuple[bool, bool]:
    """-> (whether it is the mutant, whether the fault is on)."""
    return cell.axes["variant"] != NONE, cell.axes["fault"] != NONE


def _control(four: Mapping[tuple[bool, bool], Ran]) -> Control:
    return Control(*(four[mutant, fault] for mutant in (False, True) for fault in (False, True)))


def convictions(history: History, correct: Cell) -> Convictions:
    """The checks that find against a history which is held against what is asked of the correct mechanism."""
    judgement = judge(correct, history)
    unmet = {found.name for found in judgement.expectations if found.verdict is Met.UNMET}
    violated = {found.name for found in judgement.properties if found.verdict is Verdict.VIOLATED}
    return tuple(name for name in CHECKS if name in unmet or name in violated.intersection(_claimed(correct)))


def _claimed(correct: Cell) -> tuple[str, ...]:
    """The properties that the cell claims, and those of its level; without a fault every mechanism has them all."""
    delivery = correct.expect.delivery
    level = delivery.holds if delivery is not None and delivery.holds is not None else "exactly-once"
    return (*LEVELS[level], *(name for name, claim in correct.expect.properties.items() if claim == "holds"))


def computed(controls: Mapping[str, Control], named: Mapping[str, str]) -> tuple[Row, ...]:
    """The matrix of these runs; `named` has the check that is to convict, by scenario."""
    return tuple(_row(scenario, control, named.get(scenario, "")) for scenario, control in controls.items())


def _row(scenario: str, control: Control, named: str) -> Row:
    cell = control.mutant_with.result.cell
    return Row(
        scenario=scenario,
        mutant=str(cell.links[0].variant),
        mechanism=spoken(cell.links[0]),
        fault=cell.axes["fault"],
        named=named,
        convicted_by=convictions(control.mutant_with.history, control.correct_with.result.cell),
        without_fault=convictions(control.mutant_without.history, control.correct_without.result.cell),
    )


def spoken(link: AnyLink) -> str:
    """What the variant breaks: semantics, or the protocol of a socket."""
    return link.protocol if isinstance(link, SocketLink) else link.semantics


def stored() -> tuple[Row, ...]:
    """The matrix as it is stored."""
    return tuple(_stored(row) for row in yaml.safe_load(MATRIX.read_text()))


def _stored(row: dict[str, Any]) -> Row:
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    return Row(**values)


HEAD = """\
# Who convicts whom: each broken variant under the fault that shows it, and the checks that find against it.
# `named` is the check that has to, by hand; the rest is what `make kill-matrix` found.
"""


def matrix_text(rows: Sequence[Row]) -> str:
    """kill_matrix.yaml."""
    plain = [{key: list(v) if isinstance(v, tuple) else v for key, v in row._asdict().items()} for row in rows]
    return HEAD + "".join("\n" + yaml.safe_dump([row], sort_keys=False, default_flow_style=None) for row in plain)


def page(rows: Sequence[Row], abouts: Mapping[str, str]) -> str:
    """docs/negative-controls.md; `abouts` says what each scenario is about."""
    servers = "\n".join(server_matrix.table())
    return PAGE_TEXT.format(table="\n".join(_table(rows)), mutants="\n".join(_mutants(rows, abouts)), servers=servers)


def _table(rows: Sequence[Row]) -> Iterator[str]:
    yield _line("mutant", "of", "fault", *CHECKS, "fault off")
    yield _line(*["---"] * (4 + len(CHECKS)))
    for row in rows:
        marks = (_mark(row, check) for check in CHECKS)
        yield _line(row.mutant, row.mechanism, row.fault, *marks, ", ".join(row.without_fault) or "passes")


def _line(*columns: str) -> str:
    return f"| {' | '.join(columns)} |"


def _mark(row: Row, check: str) -> str:
    if check not in row.convicted_by:
        return "-"
    return "**convicts**" if check == row.named else "convicts"


def _mutants(rows: Sequence[Row], abouts: Mapping[str, str]) -> Iterator[str]:
    for row in rows:
        yield f"- `mutants/{row.scenario}`: {abouts[row.scenario]}"


PAGE_TEXT = """\
# Negative controls

A checker that never finds anything proves nothing. So Faultbed ships broken variants of its mechanisms (a link's
`variant`), and each scenario of `scenarios/mutants` runs four cells: the correct mechanism and the mutant, each without
and with the fault that shows the difference.

    faultbed run scenarios/mutants --backend sim

{mutants}

## Servers written in the wrong way

A `variant` of a server node is wrong not in what a message means, but in how the server waits for it: the mistakes
that epoll(7) and accept(2) warn of. Each is laid over one of the I/O engines ([engines.md](engines.md)) on which a
server goes on with it, wrongly; on another engine it is refused before anything starts, and so is any in the
simulator, which has none.

- `undrained` takes one receive of an edge for all that came, on `epoll_edge` and `sigio`. Shown by more that comes at
  once than it receives, and by an end that comes with the data: messages are late or never received, connections
  never end.
- `keeps-registered` closes a connection and does not deregister it, while a duplicate of its descriptor is open, on
  `epoll`, `epoll_exclusive`, `poll` and `ppoll`. Shown by the end of a connection: from then on it never waits, and
  takes a processor for itself.
- `accepts-on` accepts again at once where accept(2) says that there is no descriptor left, on every engine. Shown by
  more connections than `limits.files` has room for: it takes a processor for itself.
- `greedy` serves a connection for as long as there is anything to read on it, on all engines but `fork`, `threads`
  and `io_uring`. Shown by a peer that never stops sending: nobody else is served, nor the orchestrator heard.

    nodes:
      server: {{service: echo, engine: epoll_edge, variant: undrained}}

`undrained` receives at most 32 bytes of a stream of its service at once: a message on a socket, and not two, and of a
call only a part, so it is for links with a `protocol`; of datagrams it takes one. `keeps-registered` keeps four
connections so, and tells their peers of the end. poll(2) reports such a number as one that is not open, until the
next connection has it. On other engines nothing shows (an edge and a one-shot report no more), or it is no server:
select(2) fails with EBADF, asyncio cannot register the next connection of that number, and libuv aborts.
Each is convicted end to end, on the engines that show it, by the scenario that has its name (`scenarios/mux/wrong-*`):
the one that is in bold here, with a server that is wrong. The table holds it against the other scenarios of
`scenarios/mux`, too, on its usual engine: the checks that find against it, "-" where it meets everything, and
*inconclusive* where it shows nothing, since hardly anything was answered.

{servers}

`make server-matrix` runs these cells again, and `make kill-matrix` writes this page with them.
`tests/conformance/test_broken_servers.py` holds each against the engines' contract, or counts how often it waits,
beside the engine that it is laid over.

## The kill matrix

Each mutant's history is held against what is asked of the correct mechanism. *valid*, *complete* and *once* are the
parts of the level that it claims under the fault, *replies* what its clients were told, *reference* the server's
journal against a state machine of the mechanism, *staleness* what reads returned; *boundaries*, *delivered*,
*unrepeated*, *fifo* and *agreement* are of messages on sockets ([sockets.md](sockets.md)); *bitten* and *others* the
outcomes that the scenario expects. The check in bold is the one that has to convict.

{table}

A test runs these cells on real processes and in the simulator, and holds that

- the matrix is as it stands here, on both;
- the named check convicts;
- with the fault off the mutant's operations end like the correct mechanism's, and no check finds against it but the
  one in the last column. *forgets-too-early* is seen there: its journal says that it forgot what the client had not
  acknowledged, so the reference state machine needs no unlucky repeat;
- with the fault on the correct mechanism meets everything, under the same decisions: what the hop did to every first
  attempt is the same for both, and to its replies, as far as both gave them;
- every variant has a row, and every checker convicts at least one.

`make kill-matrix` runs the cells again and writes this page and `tests/scenarios/kill_matrix.yaml`.
"""


def main(backend: str = "local") -> None:
    named = {row.scenario: row.named for row in stored()} if MATRIX.exists() else {}
    rows = computed(run(backend), named)
    MATRIX.write_text(matrix_text(rows))
    PAGE.write_text(page(rows, {plan.scenario: plan.about for plan in shipped()}))
    print("\n".join(_table(rows)))


if __name__ == "__main__":
    main(*sys.argv[1:2])
