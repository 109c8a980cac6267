"""Synthetic histories for the checkers' tests: one client process, one relay, one server, a record a microsecond."""

from __future__ import annotations

from typing import Any

from chaos.faults.fault import Fault
from nodes.wire.header import Status, client_number, intent_number
from nodes.wire.record import Kind, Record
from orchestrator.history.merged import History, Ledger, merge
from orchestrator.scenario.cell import UNTIL_DONE, Cell, Client, Expect, Link, Retry, Server

CLIENT = client_number(1, 1, 1)
STEP = 1_000
MILLISECOND = 1_000_000


def cell(semantics: str = "at-most-once", faults: tuple[Fault, ...] = (), **options: Any) -> Cell:
    """options: expect, service, workload, attempts, variant, transport, via, clients, calls, outstanding, after_heal,
    load, scenario. One call is to come before heal, whatever `calls` there are: most stories have no more. Two may be
    open at a time.
    """
    link = Link.model_validate(
        {
            "from": "client",
            "to": "server",
            "semantics": semantics,
            "transport": options.get("transport", "tcp"),
            "via": options.get("via", "relay"),
            "variant": options.get("variant"),
        }
    )
    client = Client(
        workload=options.get("workload", "add"),
        clients=options.get("clients", 1),
        calls=options.get("calls", 8),
        outstanding=options.get("outstanding", 2),
        after_heal=options.get("after_heal", options.get("calls", 8) - 1),
        retry=Retry(attempts=options.get("attempts")),
    )
    return Cell(
        scenario=options.get("scenario", "test"),
        about="",
        cell="-",
        axes={},
        seed=1,
        nodes={"server": Server(service=options.get("service", "counter")), "client": client},
        links=(link,),
        faults=faults,
        expect=options.get("expect", Expect()),
        load=options.get("load", UNTIL_DONE),
    )


def fitted(cell: Cell, history: History) -> Cell:
    """The cell whose clients make as many calls as in this history, and as many of them before heal as before."""
    calls = max((event.seq for event in history.events if event.kind is Kind.INVOKE), default=1)
    nodes = {
        name: node.model_copy(
            update={"calls": calls, "after_heal": max(calls - node.last_before_heal, 1)} if name in cell.callers else {}
        )
        for name, node in cell.nodes.items()
    }
    return cell.model_copy(update={"nodes": nodes})


class Run:
    """Says what happened, in the order in which it happened."""

    def __init__(self, f: str = "add", histories: tuple[int, ...] = (71, 71, 71)) -> None:
        self.f = f
        self.histories = histories
        self.journals: dict[tuple[str, int], list[Record]] = {}
        self.rows: dict[str, list[tuple[int, int, int, int, int, int, Any]]] = {}
        self.time = 0
        self.epoch = 0
        self.total = 0
        self.totals: dict[str, int] = {}
        self.seen: dict[tuple[str, int, int], int] = {}
        self.trimming = False
        """Whether servers say what they forget."""
        self.marks: dict[tuple[int, int], int] = {}
        self.start("orchestrator", 1, "orchestrator")
        self.start("relay", 1, "relay")
        self.start("packet", 1, "packet")
        self.start("client", 1, "client")
        self.serve()

    # Anything

    def note(
        self, node: str, epoch: int, kind: Kind, client: int = 0, seq: int = 0, attempt: int = 0, /, **detail: Any
    ) -> Run:
        self.time += STEP
        process = 1 if node == "client" else 0
        record = Record(self.time, kind, client, seq, attempt, process, detail or None)
        self.journals.setdefault((node, epoch), []).append(record)
        return self

    def wait(self, milliseconds: float) -> Run:
        self.time += int(milliseconds * MILLISECOND)
        return self

    def start(self, node: str, epoch: int, role: str, /, **detail: Any) -> Run:
        said = {"schema": 1, "node": node, "epoch": epoch, "role": role, "domain": "test", "evidence": "real"}
        return self.note(node, epoch, Kind.START, **said, **detail)

    def phase(self, name: str) -> Run:
        return self.note("orchestrator", 1, Kind.PHASE, phase=name)

    def act(self, act: str, node: str = "server", fault: int | None = None) -> Run:
        return self.note("orchestrator", 1, Kind.ACT, act=act, node=node, epoch=self.epoch, fault=fault)

    # The client

    def invoke(self, seq: int, client: int = CLIENT) -> Run:
        intent = intent_number(client // 10_000, client // 100 % 100, seq)
        return self.note("client", 1, Kind.INVOKE, client, seq, intent=intent, f=self.f, value=1)

    def send(
        self,
        seq: int,
        attempt: int = 1,
        client: int = CLIENT,
        connection: int = 1,
        first: int | None = None,
        server: int = 0,
        wait: int | None = None,
    ) -> Run:
        """Without `first` and `wait` as older versions journalled it."""
        self.note("client", 1, Kind.ATTEMPT, client, seq, attempt, **({} if wait is None else {"wait": wait}))
        said = {} if first is None else {"first": first}
        return self.note("client", 1, Kind.SEND, client, seq, attempt, connection=connection, server=server, **said)

    def unconnected(self, seq: int, attempt: int = 1, client: int = CLIENT) -> Run:
        self.note("client", 1, Kind.ATTEMPT, client, seq, attempt)
        return self.note("client", 1, Kind.UNCONNECTED, client, seq, attempt, error="ConnectionRefusedError")

    def end(self, seq: int, attempt: int = 1, connection: int = 1, error: str = "end of file") -> Run:
        return self.note("client", 1, Kind.END, CLIENT, seq, attempt, connection=connection, error=error)

    def reply(
        self, seq: int, attempt: int = 1, value: Any = None, status: Status = Status.EXECUTED, client: int = CLIENT
    ) -> Run:
        return self.note("client", 1, Kind.REPLY, client, seq, attempt, status=int(status), value=value, connection=1)

    def ok(self, seq: int, value: Any, client: int = CLIENT) -> Run:
        return self.note("client", 1, Kind.OK, client, seq, value=value)

    def info(self, seq: int, error: str = "no reply", client: int = CLIENT) -> Run:
        return self.note("client", 1, Kind.INFO, client, seq, error=error)

    def fail(self, seq: int, error: str = "no connection", client: int = CLIENT) -> Run:
        return self.note("client", 1, Kind.FAIL, client, seq, error=error)

    def unanswered(self, seq: int) -> Run:
        """It waits until settling is over."""
        return self.info(seq, "no reply when settling ended")

    # The relay

    def decide(
        self,
        direction: str,
        seq: int,
        attempt: int = 1,
        act: str = "pass",
        rule: int | None = None,
        client: int = CLIENT,
    ) -> Run:
        key = (direction, seq, attempt)
        self.seen[key] = self.seen.get(key, 0) + 1
        detail = {"link": "client -> server", "direction": direction, "occurrence": self.seen[key], "connection": 1}
        return self.note("relay", 1, Kind.DECISION, client, seq, attempt, **detail, rule=rule, act=act)

    def release(self, direction: str, seq: int, attempt: int = 1, act: str = "duplicate", rule: int = 0) -> Run:
        detail = {"link": "client -> server", "direction": direction, "occurrence": 2, "rule": rule, "act": act}
        return self.note("relay", 1, Kind.RELEASE, CLIENT, seq, attempt, **detail)

    def upstream(self, up: bool) -> Run:
        return self.note("relay", 1, Kind.UPSTREAM, link="client -> server", up=up, epoch=self.epoch)

    # A plane that sees no messages

    def rule(self, active: bool, rule: int = 0) -> Run:
        return self.note("packet", 1, Kind.RULE, rule=rule, active=active)

    def counter(self, direction: str, packets: int, rule: int = 0) -> Run:
        detail = {"rule": rule, "link": "client -> server", "direction": direction}
        return self.note("packet", 1, Kind.COUNTER, **detail, packets=packets, bytes=packets * 100)

    # The server

    def serve(self) -> Run:
        """The next epoch is ready."""
        self.epoch += 1
        history = self.histories[self.epoch - 1]
        self.total = self.totals.setdefault(self.ledger, 0)
        self.start("server", self.epoch, "server", incarnation=1000 + self.epoch, history=history)
        return self.note("server", self.epoch, Kind.READY, addresses={})

    @property
    def ledger(self) -> str:
        return f"server.{self.histories[self.epoch - 1]}"

    def server(self, kind: Kind, seq: int, attempt: int = 1, client: int = CLIENT, /, **detail: Any) -> Run:
        return self.note("server", self.epoch, kind, client, seq, attempt, **detail)

    def hello(self, client: int = CLIENT) -> Run:
        self.decide("request", 0, client=client).receive(0, client=client).answer(0, value=None, client=client)
        return self.decide("reply", 0, client=client)

    def receive(
        self, seq: int, attempt: int = 1, first: int | None = None, server: int = 0, client: int = CLIENT
    ) -> Run:
        first = seq if first is None else first
        said = {"connection": 1, "first": first, "server": server, "link": "client -> server"}
        self.server(Kind.RECEIVE, seq, attempt, client, **said)
        if self.trimming and first > self.marks.get((self.epoch, client), 0):
            self.trim(first, client)
        return self

    def execute(self, seq: int, attempt: int = 1, client: int = CLIENT) -> Run:
        intent = intent_number(client // 10_000, client // 100 % 100, seq)
        return self.server(Kind.EXECUTE, seq, attempt, client, intent=intent, f=self.f, value=1)

    def effect(self, seq: int, attempt: int = 1, client: int = CLIENT) -> int:
        """A row of the ledger -> its result. The journal knows nothing of it yet."""
        self.total += 1
        self.totals[self.ledger] = self.total
        intent = intent_number(client // 10_000, client // 100 % 100, seq)
        rows = self.rows.setdefault(self.ledger, [])
        rows.append((len(rows) + 1, client, seq, intent, self.epoch, attempt, self.total))
        return self.total

    def commit(self, seq: int, attempt: int = 1, client: int = CLIENT) -> Run:
        result = self.effect(seq, attempt, client)
        return self.server(Kind.COMMIT, seq, attempt, client, n=len(self.rows[self.ledger]), result=result)

    def answer(
        self,
        seq: int,
        attempt: int = 1,
        value: Any = None,
        status: Status = Status.EXECUTED,
        client: int = CLIENT,
        **over: int,
    ) -> Run:
        """`over`: its connection; journals of older versions do not tell it."""
        return self.server(Kind.ANSWER, seq, attempt, client, status=int(status), value=value, **over)

    def trim(self, mark: int, client: int = CLIENT) -> Run:
        self.marks[self.epoch, client] = mark
        return self.server(Kind.TRIM, 0, 0, client, mark=mark)

    def run(self, seq: int, attempt: int = 1, first: int | None = None, client: int = CLIENT) -> Run:
        """Received, executed, committed and answered."""
        self.receive(seq, attempt, first, client=client).execute(seq, attempt, client).commit(seq, attempt, client)
        return self.answer(seq, attempt, self.total, client=client)

    def failpoint(self, name: str, seq: int, attempt: int = 1) -> Run:
        self.server(Kind.FAILPOINT, seq, attempt, name=name)
        return self.reap(9)

    def reap(self, signal: int = 9) -> Run:
        return self.note("orchestrator", 1, Kind.REAPED, node="server", epoch=self.epoch, signal=signal, code=0)

    def stop(self) -> Run:
        return self.note("server", self.epoch, Kind.STOP)

    # Whole stories

    def call(self, seq: int, client: int = CLIENT) -> Run:
        """A call that nothing happened to."""
        self.invoke(seq, client).send(seq, client=client).decide("request", seq, client=client)
        self.run(seq, client=client).decide("reply", seq, client=client)
        return self.reply(seq, value=self.total, client=client).ok(seq, self.total, client)

    def healed(self, seq: int) -> Run:
        """The run's end, with one more call after heal."""
        return self.phase("heal").call(seq).phase("settle").phase("drain").stop()

    def history(self) -> History:
        """The whole run's; its end is added."""
        return self.ended().unfinished()

    def ended(self) -> Run:
        """The last phase, and how others than servers ended."""
        for node in ("relay", "packet", "client"):
            self.note(node, 1, Kind.STOP)
        return self.phase("end")

    def unfinished(self) -> History:
        return merge(self.journals, self.ledgers())

    def ledgers(self) -> list[Ledger]:
        names = dict.fromkeys(f"server.{history}" for history in self.histories[: self.epoch])
        return [
            Ledger(
                name=name,
                node="server",
                archived=name != self.ledger,
                effects=self.rows.get(name, []),
                state={"total": self.totals.get(name, 0)} if self.rows.get(name) else {},
                history=int(name.split(".")[1]),
            )
            for name in names
        ]
