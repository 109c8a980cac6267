"""PURE: why a fault bit nothing, as far as the history tells: what did not come, was not sent, was not felt."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import cast

from chaos.faults.fault import Fault, RelayFault
from chaos.faults.peers import Crowd
from chaos.faults.processes import ProcessFault
from nodes.wire.header import process_of
from nodes.wire.record import Kind
from orchestrator.checkers.bites import peers
from orchestrator.checkers.bites.fired import fired
from orchestrator.checkers.bites.messages import unfelt
from orchestrator.checkers.bites.processes import SIGKILL
from orchestrator.checkers.bites.values import RuleBite
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Window
from orchestrator.history.intervals import Intervals
from orchestrator.history.merged import Event
from orchestrator.run.specs import Performer, plane_of


def reason(setting: Setting, bite: RuleBite) -> str:
    """In words that follow "did not bite: "."""
    fault = setting.cell.faults[bite.rule]
    if fault.on_process is not None:
        return _process(setting, bite, fault.on_process)
    windows = _windows(setting, bite.rule, fault)
    if not windows:
        return _never(fault)
    plane = plane_of(setting.cell, fault)
    if plane == "client":
        return _crowd(setting, bite)
    if plane == "relay":
        return _relay(setting, bite, cast(RelayFault, fault), windows)
    return _window(setting, bite, windows, plane)


def _never(fault: Fault) -> str:
    """Nothing began it before heal."""
    if fault.when is None:
        return f"heal came before its time, {fault.after} ms after the load began"
    later = f", or came less than {fault.after} ms before" if fault.after else ""
    return f"its trigger {fault.when!r} did not come before heal{later}"


# Kills and pauses


def _process(setting: Setting, bite: RuleBite, fault: ProcessFault) -> str:
    node, state = fault.target, "dead" if fault.deadly else "stopped"
    acts = setting.index.by_fault.get(bite.rule, [])
    if acts and acts[0].detail.get("act") == "none":
        return f"when it came to {node}, {acts[0].detail.get('why')}"
    if fault.at is not None and fired(setting, bite.rule, fault) is None:
        return _unpassed(setting, fault)
    if fault.at is None and not acts:
        return _never(fault)
    if not bite.named:
        return f"no operation was open while {node} was {state}"
    if not fault.deadly:
        return f"none of the {len(bite.named)} operations that were open waited for {node} to go on"
    epoch = fault.epoch if fault.at is not None else acts[0].detail["epoch"]
    reaped = setting.index.reaped.get((node, epoch))
    if reaped is None or reaped.detail.get("signal") != SIGKILL:
        return f"{node} (epoch {epoch}) was not seen to die of it"
    return f"{node} did not come back with the state that was asked for"


def _unpassed(setting: Setting, fault: ProcessFault) -> str:
    node = fault.target
    if (node, fault.epoch) not in setting.index.lives:
        return f"{node} had no epoch {fault.epoch}"
    if fault.operation is None:
        return f"epoch {fault.epoch} of {node} did not pass {fault.at} {fault.nth or 1} times before heal"
    client = f" of client process {fault.client}" if fault.client > 1 else ""
    if (fault.client, fault.operation) not in _invoked(setting):
        return f"operation {fault.operation}{client} was not invoked before heal"
    attempt = f"attempt {fault.attempt} of operation {fault.operation}{client}"
    return f"{attempt} did not pass {fault.at} in epoch {fault.epoch} of {node} before heal"


# Rules of planes


def _windows(setting: Setting, rule: int, fault: Fault) -> list[Window]:
    """When it was on. A relay does not note that it began with one."""
    found = setting.index.windows.get(rule, [])
    if found or not fault.starts_on:
        return found
    ends = (event.order for event in setting.index.of_kind(Kind.RULE) if event.detail.get("rule") == rule)
    return [Window(0, next(ends, setting.index.end))]


def _relay(setting: Setting, bite: RuleBite, fault: RelayFault, windows: Iterable[Window]) -> str:
    decisions = setting.index.of_kind(Kind.DECISION)
    applied = [event for event in decisions if event.detail.get("rule") == bite.rule]
    if any(event.seq for event in applied):
        felt = "no operation shows it" if setting.cell.system is not None else unfelt(fault)
        return f"it was applied to {len(applied)} messages, and {felt}"
    if applied:
        return f"it was applied to {len(applied)} messages, none of an operation"
    where = f"on {fault.link} ({' and '.join(fault.directions)})"
    on = Intervals(windows)
    sent = (event for event in decisions if _on(event, fault.link, fault.directions))
    met = [event for event in sent if on.meet(event.order, event.order + 1)]
    if not met:
        return f"nothing was sent {where} while it was on"
    unnamed = f"it names none of the {len(met)} messages that were sent {where} while it was on"
    return f"{unnamed}{_uninvoked(setting, fault)}"


def _on(event: Event, link: str, which: Collection[str]) -> bool:
    return event.detail.get("link") == link and event.detail.get("direction") in which


def _uninvoked(setting: Setting, fault: RelayFault) -> str:
    invoked = {seq for _, seq in _invoked(setting)}
    missing = [str(number) for number in fault.numbers if number not in invoked]
    return f"; operation {', '.join(missing)} was not invoked before heal" if missing else ""


def _invoked(setting: Setting) -> set[tuple[int, int]]:
    """(client process, number) of the operations that were invoked before heal."""
    healed = setting.index.healed
    end = setting.index.end if healed is None else healed
    traces = setting.index.invoked.values()
    return {
        (process_of(trace.operation[0]), trace.operation[1])
        for trace in traces
        if trace.invoke is not None and trace.invoke.order < end
    }


def _crowd(setting: Setting, bite: RuleBite) -> str:
    fault = cast(Crowd, setting.cell.faults[bite.rule])
    if not bite.named:
        return "no operation of its server was open while it was there"
    seen = next(peers.times(setting, bite.rule, fault), None)
    if seen is None:
        return "its client or its server says nothing of it"
    together = f"{seen.crowd['most']} of its {fault.connections} connections were open at once"
    lacking = f"; its client had no room for {seen.crowd['lacking']}" if seen.crowd["lacking"] else ""
    return f"{together}, and its server accepted {seen.grown['accepted']} meanwhile{lacking}"


def _window(setting: Setting, bite: RuleBite, windows: Iterable[Window], plane: Performer | None) -> str:
    """A plane that sees no messages: what was open while the rule was on, and whether the kernel counted anything."""
    invoked = setting.index.invoked.values()
    on = Intervals(windows)
    open_then = sum(trace.open_in(on) for trace in invoked)
    if not open_then:
        return "no operation was open while it was on"
    if plane == "packet" and not any(count for (rule, *_), count in setting.index.counted.items() if rule == bite.rule):
        return "the kernel counted no packet while it was on"
    return f"{open_then} operations were open while it was on, and none of them shows it"
