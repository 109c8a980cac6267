"""`python -I -m nodes`: one node in a process of its own.

It says on standard output where its control endpoint listens, obeys who knows the token, and ends when that
connection ends.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Collection, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from nodes import control, engines
from nodes.arguments import Arguments
from nodes.clock import clock_domain, now
from nodes.control_endpoint import ControlEndpoint
from nodes.drivers import DriverFailed
from nodes.failpoints import Failpoint, Failpoints
from nodes.journal import JournalError, JournalWriter, journal_name
from nodes.ledger import Fenced, LedgerError
from nodes.log import say
from nodes.node import BadCommand, Environment, Node, incarnation, make, needs_ledger
from nodes.ops import Exhausted, Program
from nodes.usage import ProcessMeter
from nodes.wire.record import Kind, start_detail
from nodes.witness import RealWitness

if TYPE_CHECKING:
    from nodes.sqlite_ledger import SqliteLedger


class Options(NamedTuple):
    """`home`: the folder of its journal and ledger. `control`: the host where its control endpoint listens.
    `sockets`: the folder of its Unix sockets, if they need one.
    """

    name: str
    epoch: int
    home: str
    control: str
    engine: str
    sockets: str


def options_of(argv: Sequence[str]) -> Options:
    given = Arguments("python -m nodes", argv)
    options = Options(
        name=given.text("name"),
        epoch=given.number("epoch"),
        home=given.text("home"),
        control=given.text("control", "127.0.0.1"),
        engine=given.one_of(engines.LAUNCHED, "engine", "epoll"),
        sockets=given.text("sockets", ""),
    )
    given.end()
    return options


class Process:
    """The control endpoint and the node behind it, as programs of one engine."""

    def __init__(self, options: Options, token: bytes) -> None:
        self._options = options
        self._endpoint = ControlEndpoint(options.name, options.control, token)
        self._ledger: SqliteLedger | None = None
        self._armed: Failpoints | None = None
        self._witness: RealWitness | None = None
        self._node: Node | None = None
        self._children: Collection[int] = ()
        self._random = random.Random()
        self._fenced = False

    def random(self) -> float:
        return self._random.random()

    def commit(self, transaction: Any) -> int:
        if self._ledger is None or self._witness is None:
            raise LedgerError("a commit without a ledger")
        try:
            return self._ledger.commit(transaction, self._witness)
        except Fenced:
            self._fenced = True  # it ends here, owing answers
            raise

    def main(self, children: Collection[int]) -> Program:
        """`children` are the processes that perform programs of its own, at any time."""
        self._children = children
        try:
            yield from self._endpoint.serve(self._obey)
        finally:
            if self._witness is not None and not self._fenced:
                self._witness.close_to_others()
                if self._node is not None:
                    self._node.end()
                self._witness.note(Kind.STOP)
            if self._ledger is not None:
                self._ledger.close()

    def _obey(self, command: dict[str, Any]) -> Program:
        try:
            return control.answer(command, (yield from self._command(command)))
        except (BadCommand, JournalError, LedgerError, OSError, KeyError) as error:
            text = str(error) if not isinstance(error, KeyError) else f"{command['type']} lacks {error}"
            return control.refusal(command, f"node {self._options.name}: {text}")

    def _command(self, command: dict[str, Any]) -> Program:
        if command["type"] == "stop":
            return {}
        if command["type"] == "configure":
            if not isinstance(command["spec"], dict):
                raise BadCommand(f"the spec must be a map, not {command['spec']!r:.80}")
            return (yield from self._configure(command["spec"]))
        if self._node is None or self._armed is None:
            raise BadCommand(f"{command['type']!r} came before configure")
        if command["type"] == "disarm":
            self._armed.disarm()
            return {}
        return (yield from self._node.obey(command))

    def _configure(self, spec: dict[str, Any]) -> Program:
        if self._node is not None:
            raise BadCommand("it is configured already")
        options = self._options
        self._random.seed(f"{spec['seed']}/{options.name}/{options.epoch}")
        self._witness = self._witnessing(spec)
        if needs_ledger(spec):
            from nodes.sqlite_ledger import SqliteLedger  # only where it is needed

            path = os.path.join(options.home, f"{options.name}.ledger")
            self._ledger = SqliteLedger(path, options.epoch, spec["durability"], random64(), fenced=spec["fenced"])
        number = incarnation(spec, self._ledger, random64())
        meter = ProcessMeter(self._children, shared=engines.offer(options.engine).shared)
        environment = Environment(
            options.name,
            options.epoch,
            self._witness,
            self._ledger,
            number,
            self._endpoint.outbox,
            options.sockets,
            meter,
        )
        self._note_start(spec, environment)
        self._node = make(spec, environment)
        return (yield from self._node.start())

    def _witnessing(self, spec: dict[str, Any]) -> RealWitness:
        options = self._options
        path = os.path.join(options.home, journal_name(options.name, options.epoch))
        writer, spent = JournalWriter, cast("Callable[[int], Any]", bytearray)
        if not engines.offer(options.engine).shared:
            from nodes import shared  # only where it is needed

            writer, spent = shared.SharedJournal, shared.spent
        journal = writer(path, now)
        try:
            armed = [Failpoint(**failpoint) for failpoint in spec["failpoints"]]
            self._armed = Failpoints(armed, spent(len(armed)))
        except (TypeError, ValueError) as error:
            raise BadCommand(f"a failpoint does not fit: {error}") from error
        return RealWitness(journal, self._armed)

    def _note_start(self, spec: dict[str, Any], environment: Environment) -> None:
        detail = start_detail(
            environment.name,
            environment.epoch,
            spec["role"],
            engine=self._options.engine,
            domain=clock_domain(),
            evidence="real",
            pid=os.getpid(),
            incarnation=environment.incarnation,
            history=environment.ledger.history_id if environment.ledger else 0,
        )
        environment.witness.note(Kind.START, detail=detail)


def random64() -> int:
    """A random number in [1, 2**63): SQLite's integers are signed."""
    return int.from_bytes(os.urandom(8), "big") >> 1 or 1


def prepare(argv: Sequence[str]) -> None:
    """Import what a process with these arguments will: for who is going to fork it."""
    engines.availability(options_of(argv).engine)
    import_module("nodes.sqlite_ledger")


def main() -> int:
    options = options_of(sys.argv[1:])
    try:
        token = control.token_from_hex(os.environ.pop(control.TOKEN_VARIABLE, ""))
        process = Process(options, token)
        engine = engines.create(options.engine, process.commit, process.random)
        engine.run(process.main(engine.children))
    except (
        control.ControlError,
        engines.Unavailable,
        DriverFailed,
        LedgerError,
        JournalError,
        Exhausted,
        OSError,
    ) as error:
        say(f"node {options.name}: {error}")
        return control.FENCED if isinstance(error, Fenced) else control.FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
