"""PURE: how far a replay came: which entries of its log were done again, which messages the log does not know, and
which operations ended otherwise than in the record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from chaos.identity import Key
from chaos.recorded import Entry
from chaos.supports import WITHOUT_MESSAGES
from nodes.wire.record import Kind
from orchestrator.checkers.names import operation_name
from orchestrator.checkers.setting import Setting
from orchestrator.checkers.verdict import ExpectationVerdict, Met, Replayed
from orchestrator.history.merged import Event
from orchestrator.history.recorded import Strikes, endings
from orchestrator.run.specs import plane_of
from orchestrator.scenario.log import AT_ONCE, Ending, Log, Passage, Strike

NAMED = 3
"""Entries, or operations, that a text names; verdicts.json has them all."""


def replayed(setting: Setting) -> tuple[Replayed | None, str]:
    """-> what is said of a replay, None of any other run; and why the checker crashed, "" if it did not."""
    log = setting.cell.log
    if log is None:
        return None, ""
    nothing = Replayed(0, 0)
    return setting.guard(lambda: Comparison(setting, log).result(), nothing)


def came(found: Replayed | None, crash: str) -> Iterator[ExpectationVerdict]:
    """What never came, or ended otherwise, makes a replay inconclusive: it showed something else."""
    if found is None:
        return
    doubt = crash or _doubt(found)
    yield ExpectationVerdict("replay", Met.INCONCLUSIVE if doubt else Met.MET, doubt)


def _doubt(found: Replayed) -> str:
    absent, differing = found.absent, found.differing
    never = f"{len(absent)} of {found.applied + len(absent)} entries of the log never came"
    otherwise = f"{len(differing)} operations ended otherwise than in the record"
    return "; ".join(_several(what, each) for what, each in ((never, absent), (otherwise, differing)) if each)


def _several(what: str, each: Sequence[str]) -> str:
    more = f"; and {len(each) - NAMED} more" if len(each) > NAMED else ""
    return f"{what}: {'; '.join(each[:NAMED])}{more}"


@dataclass(frozen=True)
class Comparison:
    """A replay's history with its log."""

    setting: Setting
    log: Log

    def result(self) -> Replayed:
        decided = (self._decision(entry) for entry in self.log.decisions)
        absent = tuple(why for why in chain(decided, map(self._strike, self.log.strikes)) if why)
        known = {entry.key for entry in self.log.decisions}.union(self.log.passed)
        windows = tuple(self._windows())
        unknown, differing = len(self._decided.keys() - known), tuple(self._differing())
        return Replayed(len(self.log) - len(absent), unknown, absent, windows, differing)

    def _differing(self) -> Iterator[str]:
        """What an edited log, or one of an older version, does not say is not compared."""
        if not self.log.endings:
            return
        recorded = {(one.client, one.seq): one for one in self.log.endings}
        again = {(one.client, one.seq): one for one in endings(self.setting.index.history)}
        for operation in sorted(recorded.keys() | again.keys()):
            ours, theirs = again.get(operation), recorded.get(operation)
            if ours != theirs:
                yield f"{operation_name(operation)}: {_ending(ours)}, recorded was {_ending(theirs)}"

    def _windows(self) -> Iterator[int]:
        """The faults of planes that know no messages, and crowds."""
        cell, unseen = self.setting.cell, WITHOUT_MESSAGES | {"client"}
        return (i for i, fault in enumerate(cell.faults) if plane_of(cell, fault) in unseen)

    # Messages

    @cached_property
    def _decided(self) -> dict[Key, Event]:
        found: dict[Key, Event] = {}
        for event in self.setting.index.of_kind(Kind.DECISION):
            link, direction = event.detail["link"], event.detail["direction"]
            if event.detail.get("replayable", True):
                occurrence = event.detail["occurrence"]
                found.setdefault(Key(link, direction, event.client, event.seq, event.attempt, occurrence), event)
        return found

    def _decision(self, entry: Entry) -> str:
        """Why it was not made, "" if it was."""
        event = self._decided.get(entry.key)
        if event is not None and event.detail["act"] == entry.decision.act:
            return ""
        if event is None:
            why = "its message never came"
        elif self.setting.index.healed is not None and event.order > self.setting.index.healed:
            why = "its message came after heal"
        else:
            why = f"its message came, and was {'lost' if event.detail['act'] == 'lost' else 'passed'}"
        return f"{entry.decision.act} the {_message(entry.key)}: {why}"

    # Processes

    @cached_property
    def _struck(self) -> dict[int, Strike]:
        return {strike.fault: strike for strike in Strikes(self.setting.cell, self.setting.index.history)}

    def _strike(self, logged: Strike) -> str:
        """What of it never came, "" if it came whole."""
        fault, done = self.setting.cell.faults[logged.fault], self._struck.get(logged.fault)
        name = f"{fault.verb} {logged.node}"
        if done is None:
            return f"{name}: {self._obstacle(logged)}"
        for what, ours, theirs in (("end", done.ends, logged.ends), ("restart", done.restart, logged.restart)):
            if theirs is not None and ours is None:
                return f"{name}: its {what}{_at(theirs)} never came"
        return ""

    def _obstacle(self, logged: Strike) -> str:
        acts = (event.detail for event in self.setting.index.of_kind(Kind.ACT))
        in_vain = (act for act in acts if act.get("fault") == logged.fault and act.get("act") == "none")
        if (why := next(in_vain, None)) is not None:
            return f"when it came to that, {why.get('why')}"
        if logged.passage is not None:
            return f"{_passage(logged.passage)} did not pass the failpoint in epoch {logged.epoch}"
        return f"its trigger{_at(logged.when)} never came"


def _ending(one: Ending | None) -> str:
    return f"{one.end} with {one.executions} executions" if one else "nothing"


def _at(trigger: str) -> str:
    return "" if trigger == AT_ONCE else f" {trigger!r}"


def _message(key: Key) -> str:
    copy = f", copy {key.occurrence}" if key.occurrence != 1 else ""
    return f"{key.direction} of {_passage(Passage(key.client, key.seq, key.attempt))}{copy} on {key.link}"


def _passage(passage: Passage) -> str:
    return f"attempt {passage.attempt} of {operation_name((passage.client, passage.seq))}"
