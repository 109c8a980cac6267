"""PURE: which operations a run's faults touched and bit (docs/semantics.md, "Which operations a cell speaks of")."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, cast

from chaos.faults.messages import MessageFault
from chaos.faults.processes import Kill, Pause
from chaos.faults.vocabulary import Fault, RelayFault
from nodes.wire.header import process_of
from nodes.wire.record import Kind
from orchestrator.checkers.bites import windows
from orchestrator.checkers.bites.fired import fired
from orchestrator.checkers.bites.messages import effective
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Life, Outage, Trace
from orchestrator.history.merged import Event, Operation
from orchestrator.run.specs import failpoint_client, plane_of

SIGKILL = 9


class RuleBite(NamedTuple):
    """One fault of the scenario: the operations that it names, those that it was applied to, and those that it bit."""

    rule: int
    named: frozenset[Operation]
    applied: frozenset[Operation]
    bitten: frozenset[Operation]


class Bite(NamedTuple):
    """Every invoked operation is in one of bitten, caught (named or not) and others; `late` is a part of caught."""

    rules: tuple[RuleBite, ...]
    bitten: frozenset[Operation]
    missed: frozenset[Operation]
    caught: frozenset[Operation]
    late: frozenset[Operation]
    others: frozenset[Operation]

    @property
    def idle(self) -> tuple[int, ...]:
        """The rules that bit nothing."""
        return tuple(rule.rule for rule in self.rules if not rule.bitten)

    @property
    def too_late(self) -> bool:
        """More than a tenth of the operations were late with nothing done to them: timing, not faults, was seen."""
        return 10 * len(self.late) > len(self.bitten) + len(self.caught) + len(self.others)


def bite(setting: Setting) -> Bite:
    rules = tuple(_rule(setting, index, fault) for index, fault in enumerate(setting.cell.faults))
    named = frozenset().union(*(rule.named for rule in rules))
    bitten = frozenset().union(*(rule.bitten for rule in rules))
    invoked = setting.index.invoked
    touched = {operation for operation, trace in invoked.items() if _touched(setting, trace)}
    touched |= _met_while_open(setting)
    rest = {operation for operation in invoked if operation not in touched and operation not in bitten}
    late = frozenset(operation for operation in rest if _late(invoked[operation]))
    return Bite(
        rules=rules,
        bitten=bitten,
        missed=named - bitten,
        caught=frozenset(touched - bitten) | late,
        late=late,
        others=frozenset(rest - late),
    )


def _rule(setting: Setting, index: int, fault: Fault) -> RuleBite:
    if isinstance(fault, Kill):
        return _kill(setting, index, fault)
    if isinstance(fault, Pause):
        return _pause(setting, index, fault)
    if plane_of(setting.cell, fault) == "relay":
        return _decided(setting, index, cast(RelayFault, fault))
    return _windowed(setting, index, cast(windows.WindowFault, fault))


def _windowed(setting: Setting, index: int, fault: windows.WindowFault) -> RuleBite:
    """A plane that sees no messages names those that were open while it was at work."""
    traces = setting.index.traces
    meanwhile = windows.open_meanwhile(setting, index, fault)
    bitten = frozenset(each for each in meanwhile if windows.bitten(setting, index, fault, traces[each]))
    applied = frozenset(each for each in meanwhile if windows.met(setting, index, fault, traces[each]))
    return RuleBite(index, bitten if windows.by_chance(fault) else meanwhile, applied, bitten)


def _decided(setting: Setting, index: int, fault: RelayFault) -> RuleBite:
    """The relay says what it decided about which message."""
    decided = {operation: _decisions(trace, index) for operation, trace in setting.index.invoked.items()}
    named = {
        operation
        for operation, trace in setting.index.invoked.items()
        if decided[operation] or (isinstance(fault, MessageFault) and _names(setting, fault, trace))
    }
    bitten = {
        operation
        for operation in named
        if any(effective(setting, fault, event, setting.index.traces[operation]) for event in decided[operation])
    }
    applied = frozenset(operation for operation, events in decided.items() if events)
    return RuleBite(index, frozenset(named), applied, frozenset(bitten))


def _decisions(trace: Trace, index: int) -> list[Event]:
    return [event for event in trace.decisions if event.detail.get("rule") == index]


def _names(setting: Setting, fault: MessageFault, trace: Trace) -> bool:
    """Whether the fault names the operation by its number; chance names only what it chose."""
    if fault.probability is not None or (fault.operations is None and fault.every is None):
        return False
    client, seq = trace.operation
    link = setting.link_of(trace)
    return (
        link is not None
        and link.name == fault.link
        and (fault.operations is None or seq in fault.operations)
        and (fault.every is None or seq % fault.every == 0)
        and (fault.clients is None or process_of(client) in fault.clients)
    )


# Kills


def _kill(setting: Setting, index: int, fault: Kill) -> RuleBite:
    life = _killed_life(setting, index, fault)
    named = _named_by_process(setting, index, fault, life)
    nothing: frozenset[Operation] = frozenset()
    if life is None or (fault.at is not None and fired(setting, index, fault) is None):
        return RuleBite(index, named, nothing, nothing)
    done = _died(setting, index, fault, life) and _came_back(setting, fault, life)
    return RuleBite(index, named, named, named if done else nothing)


def _killed_life(setting: Setting, index: int, fault: Kill) -> Life | None:
    """The process that this fault killed: at a failpoint in the epoch that it names, else the one that was acted on."""
    if fault.at is not None:
        return (fault.kill, fault.epoch)
    for event in setting.index.of_kind(Kind.ACT):
        if event.detail.get("act") == "kill" and event.detail.get("fault") == index:
            return (event.detail["node"], event.detail["epoch"])
    return None


def _died(setting: Setting, index: int, fault: Kill, life: Life) -> bool:
    """Reaped by that signal; its failpoint's line is the last one of the journal."""
    reaped = setting.index.reaped.get(life)
    if reaped is None or reaped.detail.get("signal") != SIGKILL:
        return False
    return fault.at is None or fired(setting, index, fault) is setting.index.lives[life][-1]


def _came_back(setting: Setting, fault: Kill, life: Life) -> bool:
    """With the same durable history, or after archiving with another. Without a restart, heal may bring it back."""
    successor = (life[0], life[1] + 1)
    if successor not in setting.index.lives:
        return fault.restart is None
    ids = setting.index.histories
    if life not in ids or successor not in ids:
        return True
    archived = fault.restart is not None and fault.restart.state == "archive"
    return (ids[life] != ids[successor]) == archived


def _named_by_process(setting: Setting, index: int, fault: Kill | Pause, life: Life | None) -> frozenset[Operation]:
    """The operation of a failpoint; without one, those that were open while the process was away."""
    if fault.at is not None:
        line = fired(setting, index, fault)
        operation = (failpoint_client(setting.cell, fault), fault.operation or 0) if line is None else line.operation
        return frozenset({operation} & setting.index.invoked.keys())
    outages = [*setting.index.downs, *setting.index.pauses]
    return _open_during(setting, [outage for outage in outages if outage.life == life])


def _open_during(setting: Setting, outages: Iterable[Outage]) -> frozenset[Operation]:
    return frozenset(
        operation
        for outage in outages
        for operation, trace in setting.index.invoked.items()
        if outage.life[0] in (trace.node, setting.server_of(trace)) and trace.open_during(outage.begin, outage.end)
    )


# Pauses


def _pause(setting: Setting, index: int, fault: Pause) -> RuleBite:
    outage = next((outage for outage in setting.index.pauses if _paused_by(setting, index, fault, outage)), None)
    named = _named_by_process(setting, index, fault, outage.life if outage else None)
    if outage is None:
        return RuleBite(index, named, frozenset(), frozenset())
    killed = setting.index.events[outage.end].detail.get("act") == "kill"
    felt = _starved if killed else _stalled
    bitten = frozenset(operation for operation in named if felt(setting.index.traces[operation], outage))
    return RuleBite(index, named, named, bitten)


def _paused_by(setting: Setting, index: int, fault: Pause, outage: Outage) -> bool:
    if fault.at is not None:
        return fired(setting, index, fault) is setting.index.events[outage.begin]
    return outage.life[0] == fault.pause and any(
        event.detail.get("act") == "pause" and event.detail.get("fault") == index and event.order == outage.begin
        for event in setting.index.of_kind(Kind.ACT)
    )


def _stalled(trace: Trace, outage: Outage) -> bool:
    """The process had the operation before it, or a message of it on the way, and its next step came after.

    It journals nothing of the operation while it is stopped.
    """
    theirs = [*trace.receives, *trace.executes, *trace.commits, *trace.answers, *trace.replies]
    own = [event.order for event in theirs if (event.node, event.epoch) == outage.life]
    moves = [event.order for event in (*trace.decisions, *trace.sends)]
    waited = any(order < outage.end for order in (*own, *moves))
    return waited and max(own, default=0) > outage.end and not any(outage.begin < order < outage.end for order in own)


def _starved(trace: Trace, outage: Outage) -> bool:
    """The process was killed while it was stopped: a message was on its way to it, or the operation before it, and it
    did nothing with it any more."""
    theirs = [*trace.receives, *trace.executes, *trace.commits, *trace.answers]
    own = [event for event in theirs if (event.node, event.epoch) == outage.life]
    passed = [event for event in trace.decisions if event.detail.get("direction") == "request"]
    before = {event.attempt for event in (*own, *(passed or trace.sends)) if event.order < outage.end}
    done = {event.attempt for event in trace.answers if (event.node, event.epoch) == outage.life}
    return bool(before - done) and not any(event.order > outage.begin for event in own)


# Touched and late


def _touched(setting: Setting, trace: Trace) -> bool:
    """One of its messages met a decision, or it was open while its server was away or its connection ended."""
    if any(event.detail.get("act") != "pass" for event in (*trace.decisions, *_hello_decisions(setting, trace))):
        return True
    if trace.unconnected or any(event.detail.get("error") != "timeout" for event in trace.ends):
        return True
    outages = (*setting.index.downs, *setting.index.pauses)
    away = (outage for outage in outages if outage.life[0] in (trace.node, setting.server_of(trace)))
    return any(trace.open_during(outage.begin, outage.end) for outage in away)


def _met_while_open(setting: Setting) -> set[Operation]:
    """What was open while a plane that sees no messages was at work on its link."""
    return {
        operation
        for index, fault in enumerate(setting.cell.faults)
        if plane_of(setting.cell, fault) in ("toxiproxy", "packet")
        for operation in windows.open_meanwhile(setting, index, cast(windows.WindowFault, fault))
    }


def _hello_decisions(setting: Setting, trace: Trace) -> list[Event]:
    """A hello that is said before an operation is sent is a part of it."""
    hello = setting.index.hellos.get(trace.operation[0])
    if hello is None or trace.invoke is None or trace.completion is None:
        return []
    begin, end = trace.invoke.order, trace.completion.order
    return [event for event in hello.decisions if begin < event.order < end]


def _late(trace: Trace) -> bool:
    return trace.ending == "info" or any(event.attempt > 1 for event in trace.attempts)
