"""PURE: the log of what a recorded run's planes did to messages, and what was done to its processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from chaos.faults.processes import ProcessFault
from chaos.identity import Key
from chaos.recorded import Entry, entry_of, message
from nodes.wire.header import client_number, process_of
from nodes.wire.record import COMPLETIONS, Kind
from orchestrator.history.merged import Event, History, Operation
from orchestrator.run.specs import failpoint_client
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.log import AT_ONCE, Ending, Log, Passage, Strike, moment

MOST = 3_000
"""Decisions: the plane is told them in one frame of the control protocol, of 1 MiB at most."""
MOMENTS: Mapping[Kind, str] = MappingProxyType(
    {Kind.INVOKE: "invoke", Kind.ATTEMPT: "attempt", **dict.fromkeys(COMPLETIONS, "end")}
)
"""As their client tells of them."""


class NoLog(Exception):
    """A history that cannot be replayed; the text says why, and what can be."""


def log_of(cell: Cell, history: History, run: str) -> Log:
    """`run` is where the history lies. Raises NoLog."""
    phases = [event.detail.get("phase") for event in history.events if event.kind is Kind.PHASE]
    if phases[-1:] != ["end"]:
        raise NoLog(f"the run did not reach its end (its last phase was {phases[-1] if phases else 'none'})")
    decided: dict[Key, Entry | None] = {}
    for event in history.events:
        if event.kind is Kind.DECISION:
            _decided(cell, event, decided)
    entries = tuple(entry for entry in decided.values() if entry is not None)
    if len(entries) > MOST:
        raise NoLog(f"it has {len(entries)} decisions; at most {MOST} can be made again")
    passed = tuple(key for key, entry in decided.items() if entry is None)
    strikes, ends = tuple(Strikes(cell, history)), tuple(endings(history))
    return Log(run=run, decisions=entries, strikes=strikes, passed=passed, endings=ends)


def endings(history: History) -> Iterator[Ending]:
    """Of each operation that was completed, in the order of their numbers."""
    ended: dict[Operation, str] = {}
    rows: Counter[Operation] = Counter()
    for event in history.events:
        if event.kind is Kind.EFFECT:
            rows[event.operation] += 1
        elif event.kind in COMPLETIONS:
            ended.setdefault(event.operation, event.kind.name.lower())
    yield from (Ending(*operation, end, rows[operation]) for operation, end in sorted(ended.items()))


def _decided(cell: Cell, event: Event, decided: dict[Key, Entry | None]) -> None:
    """What the server's absence lost is lost again by it; what there was no room for is dropped."""
    detail = event.detail
    rule, act = detail.get("rule"), detail.get("act")
    if not detail.get("replayable", True):
        if act != "pass":
            raise NoLog(f"decisions on {detail['link']} fell on messages without identity, which nobody finds again")
        return
    key = Key(detail["link"], detail["direction"], event.client, event.seq, event.attempt, detail["occurrence"])
    if act == "pass" or (act == "lost" and rule is None):
        decided[key] = None
        return
    if rule is not None and not _fits(cell, rule, key.link):
        raise NoLog(f"rule {rule} decided about {message(key)}: that is no fault of the plan; expected the run's own")
    try:
        decided[key] = entry_of({**detail, "message": message(key), "act": "drop" if act == "lost" else act})
    except ValueError as error:
        raise NoLog(f"the decision on {message(key)}: {error}; was it recorded by another version?") from None


def _fits(cell: Cell, rule: int, link: str) -> bool:
    return 0 <= rule < len(cell.faults) and cell.faults[rule].on_link == link


class Strikes:
    """Iterates over what the cell's faults on processes did, in their order."""

    def __init__(self, cell: Cell, history: History) -> None:
        self._cell = cell
        heal = (event.order for event in history.events if event.detail.get("phase") == "heal")
        before = next(heal, len(history.events))
        self._events = [event for event in history.events if event.order < before]

    def __iter__(self) -> Iterator[Strike]:
        for index, fault in enumerate(self._cell.faults):
            if fault.on_process is not None and (event := self._struck(index)) is not None:
                yield self._strike(index, fault.on_process, event)

    def _struck(self, index: int) -> Event | None:
        """The failpoint's line, or the act."""
        done = (
            one for one in self._events if one.kind in (Kind.FAILPOINT, Kind.ACT) and one.detail.get("act") != "none"
        )
        return next((one for one in done if one.detail.get("fault") == index), None)

    def _strike(self, index: int, fault: ProcessFault, event: Event) -> Strike:
        at_failpoint = event.kind is Kind.FAILPOINT
        epoch = event.epoch if at_failpoint else event.detail["epoch"]
        resumed = None if fault.deadly else self._act("resume", fault.target, epoch)
        restarted = None if fault.restart is None else self._act("restart", fault.target, epoch + 1)
        return Strike(
            fault=index,
            node=fault.target,
            epoch=epoch,
            passage=self._passage(index, fault, event) if at_failpoint else None,
            when=AT_ONCE if at_failpoint else self._trigger(fault.when, fault.after, event, 0),
            ends=None if resumed is None else self._between(event.order, resumed),
            restart=None if restarted is None else self._restart(fault, restarted, event.order),
        )

    def _passage(self, index: int, fault: ProcessFault, event: Event) -> Passage:
        first = failpoint_client(self._cell, fault)
        if client_number(first // 10_000, process_of(event.client), 1) != event.client:
            raise NoLog(f"fault {index + 1} ({fault.verb}) struck at an operation that no scenario can name for it")
        return Passage(event.client, event.seq, event.attempt)

    def _act(self, act: str, node: str, epoch: int) -> Event | None:
        """The last one before heal."""
        told = (event for event in reversed(self._events) if event.kind is Kind.ACT and event.detail["act"] == act)
        return next((one for one in told if (one.detail["node"], one.detail["epoch"]) == (node, epoch)), None)

    def _restart(self, fault: ProcessFault, event: Event, since: int) -> str:
        assert fault.restart is not None, "it has been started again by it"
        return self._trigger(fault.restart.when, fault.restart.after, event, since)

    def _trigger(self, when: str | None, after: int | None, event: Event, since: int) -> str:
        """The scenario's, if the act waited for no time after it."""
        return self._between(since, event) if after else (when or AT_ONCE)

    def _between(self, since: int, act: Event) -> str:
        """The last moment before the act, AT_ONCE if there was none since that order."""
        earlier = (event for event in reversed(self._events) if since < event.order < act.order)
        last = next((one for one in earlier if one.kind in MOMENTS), None)
        return AT_ONCE if last is None else moment(last.node, MOMENTS[last.kind], last.client, last.seq, last.attempt)
