"""PURE: each process has one journal from its start to its end, and its end a cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from chaos.supports import PLANES
from nodes.control import FENCED
from nodes.wire.record import SCHEMA, Kind
from orchestrator.checkers.caps import CAPPED, KEPT
from orchestrator.checkers.gate.names import life_name
from orchestrator.checkers.views import Views
from orchestrator.history.merged import Event, Life
from orchestrator.run.session import ORCHESTRATOR
from orchestrator.run.specs import planes
from orchestrator.scenario.cell import Client, Server

ACTS = frozenset({"kill", "pause", "resume", "restart", "archive", "none", "ready"})
ONCE = (Kind.START, Kind.READY, Kind.STOP)
"""What a journal has no more than one of."""
PHASES = ["start", "load", "heal", "settle", "drain", "stop", "end"]


def phases_are_whole(setting: Views) -> Iterator[str]:
    """Each phase once, in their order; between them, once at most, what was capped, or kept."""
    found = [str(event.detail.get("phase")) for event in setting.index.of_kind(Kind.PHASE)]
    told = [phase for phase in found if phase not in CAPPED and phase != KEPT]
    if told != PHASES:
        yield f"the run's phases were {', '.join(told)}; expected {', '.join(PHASES)}"
    extras = Counter(phase for phase in found if phase not in PHASES)
    yield from (f"the run's phase {phase} is on record {times} times" for phase, times in extras.items() if times > 1)
    for event in setting.index.of_kind(Kind.PHASE):
        kept = event.detail.get("faults")
        if event.detail.get("phase") == KEPT and not _places(kept, len(setting.cell.faults)):
            yield f"the load is on record as kept by the faults {kept}, which the plan has not"


def _places(kept: object, count: int) -> bool:
    """Whether it is the places of some of so many faults, in order."""
    return bool(kept) and isinstance(kept, list) and kept == [place for place in range(count) if place in kept]


def processes_are_planned(setting: Views) -> Iterator[str]:
    """Each journal is of a process that the plan has, and each such process has one; it says of itself what it is."""
    cell, evidence = setting.cell, setting.index.history.evidence
    started = {node for node, _ in setting.index.lives}
    planned = {ORCHESTRATOR, *cell.servers, *cell.callers}
    yield from (f"there is no journal of {node}" for node in sorted({*planned, *planes(cell)} - started))
    unknown = sorted(started - {*planned, *PLANES})
    yield from (f"there is a journal of {node}, and the plan has no such process" for node in unknown)
    for life in setting.index.lives:
        said = setting.index.start(life)
        if said and (said.get("node"), said.get("epoch")) != life:
            yield f"the journal of {life_name(life)} says to be of {said.get('node')}, epoch {said.get('epoch')}"
        role = cell.nodes[life[0]].role if life[0] in cell.nodes else life[0]
        if said and said.get("role") != role:
            yield f"{life_name(life)} says to be a {said.get('role')}, which the plan does not"
        node = cell.nodes.get(life[0])
        engine = node.launched if isinstance(node, Server | Client) else said.get("engine")
        if said and said.get("engine") != ("sim" if evidence == "sim" else engine):
            yield f"{life_name(life)} says to run on {said.get('engine')}, which the plan does not"
        if said and said.get("schema") != SCHEMA:
            yield f"{life_name(life)} says to have the schema {said.get('schema')}"
        if role != "server" and said.get("history"):
            yield f"{life_name(life)} says to have a history, and is no server"
        told, domain = said.get("evidence"), said.get("domain")
        if said and (told, domain) != (evidence, setting.index.lives[life][0].domain):
            yield f"{life_name(life)} says its evidence to be {told} of {domain}, and is not"


def journals_are_whole(setting: Views) -> Iterator[str]:
    """Each begins with START and has its end, unless its process was killed or was fenced off by its successor; and its
    clock never goes back."""
    once = {kind: Counter(event.life for event in setting.index.of_kind(kind)) for kind in ONCE}
    for life, events in setting.index.lives.items():
        for kind, times in once.items():
            if times[life] > 1:
                yield f"the journal of {life_name(life)} has {times[life]} records {kind.name}"
        if events[0].kind is not Kind.START:
            yield f"the journal of {life_name(life)} begins with {events[0].kind.name}, not with START"
        if life[0] in setting.cell.nodes and len(events) > 2 and not once[Kind.READY][life]:
            yield f"{life_name(life)} did more than to start, and was never ready"
        if life in setting.index.gone_back:
            yield f"the clock of {life_name(life)} went back"
        if life[0] != ORCHESTRATOR and not setting.index.killed(life):
            yield from _ended(setting, life, events)


def _ended(setting: Views, life: Life, events: Sequence[Event]) -> Iterator[str]:
    """In an orderly way."""
    reaped = setting.index.reaped.get(life)
    last = next(event for event in reversed(events) if not event.detail.get("closed"))
    if last.kind is not Kind.STOP and not (reaped and reaped.detail.get("code") == FENCED):
        yield f"the journal of {life_name(life)} ends with {last.kind.name}, and nobody killed it"


def ends_are_told(setting: Views) -> Iterator[str]:
    """Each process was seen to end, once, in order or by a fault: a signal needs a kill or a failpoint."""
    index = setting.index
    ends = Counter((event.detail.get("node"), event.detail.get("epoch")) for event in index.of_kind(Kind.REAPED))
    for life in dict.fromkeys((*index.lives, *ends)):
        if ends[life] != (life[0] != ORCHESTRATOR) or life not in index.lives:
            yield f"{life[0]}, epoch {life[1]}, was seen to end {ends[life]} times"
    for life, reaped in index.reaped.items():
        if reaped.detail.get("code") not in (0, FENCED):
            yield f"{life_name(life)} ended with exit code {reaped.detail.get('code')}"
        if not index.killed(life) or index.acts.get(("kill", life)):
            continue
        if index.lives.get(life, [reaped])[-1].kind is not Kind.FAILPOINT:
            yield f"{life_name(life)} was ended by signal {reaped.detail['signal']}, and no fault of the plan killed it"


def acts_are_planned(setting: Views) -> Iterator[str]:
    """What was done to processes is a fault's of the plan, or brings one back; each later epoch was started."""
    index, faults = setting.index, setting.cell.faults
    for event in index.of_kind(Kind.ACT):
        act, fault, life = event.detail.get("act"), event.detail.get("fault"), _of(event)
        if act in ("kill", "pause"):
            struck = faults[fault].on_process if fault is not None and 0 <= fault < len(faults) else None
            if struck is None or struck.target != life[0]:
                yield f"{life_name(life)} was done {act} to by no fault of the plan"
        elif act != "none" and fault is not None:
            yield f"{life_name(life)} was done {act} to by a fault, which none does"
        if act not in ACTS or (act != "none" and life not in index.lives):
            yield f"{life_name(life)} was done {act} to, and has no journal"
        if act == "archive" and not _between_lives(setting, event):
            yield f"{life_name(life)} was done archive to, and not between its end and its successor's start"
    restarts = Counter(life for (act, life), events in index.acts.items() for _ in events if act == "restart")
    archives = Counter(life[0] for (act, life), events in index.acts.items() for _ in events if act == "archive")
    archived = Counter(event.node for event in index.of_kind(Kind.LEDGER) if event.detail["archived"])
    for node in setting.cell.servers:
        epochs = index.servers.get(node, [])
        if [restarts[node, epoch] for epoch in epochs] != [0, *(1 for _ in epochs[1:])]:
            yield f"{node} has journals of the epochs {epochs}, and was not restarted once for each but the first"
        if archives[node] != archived[node]:
            yield f"{node} has {archived[node]} archived ledgers, and {archives[node]} were archived"


def _between_lives(setting: Views, act: Event) -> bool:
    node, epoch = _of(act)
    end = setting.index.reaped.get((node, epoch))
    begin = next(iter(setting.index.acts.get(("restart", (node, epoch + 1)), ())), None)
    return end is not None and begin is not None and end.order < act.order < begin.order


def strikes_are_single(setting: Views) -> Iterator[str]:
    """A process is killed once, and goes on as often as it was stopped: by an act, or at a failpoint."""
    index = setting.index
    for life in index.lives:
        kills, pauses, resumes = (len(index.acts.get((act, life), ())) for act in ("kill", "pause", "resume"))
        halts = sum(event.detail.get("act") == "stop" for event in index.failpoints.get(life, ()))
        if kills > 1:
            yield f"{life_name(life)} was killed {kills} times"
        if resumes > pauses + halts or pauses > resumes + index.killed(life):
            stopped = f"stopped {pauses} times, {halts} more at failpoints"
            yield f"{life_name(life)} was {stopped}, and resumed {resumes} times"


def _of(act: Event) -> Life:
    return act.detail["node"], act.detail["epoch"]
