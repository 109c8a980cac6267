"""PURE: a cell that nobody wrote, drawn from a source of chance; and another one that differs a little from a cell.

Rules of this file:

1. A scenario file could say it: what does not fit together is drawn again.
2. It is small, since few calls meet one another as well as many do, and a small one is soon run.
3. The same source gives the same cell: nothing else decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, reduce
from typing import TYPE_CHECKING, NamedTuple, get_args

from chaos.faults.fault import Fault
from chaos.faults.processes import ProcessFault
from chaos.faults.vocabulary import FAULTS
from nodes.rpc import codecs
from nodes.services import SERVICE_OF
from nodes.wire.transports import LINKS
from orchestrator.explore.theory import VALID, by_theory
from orchestrator.explore.words import AGAIN_AND_AGAIN, DRAWN, LIKELY, Place
from orchestrator.scenario.cell import Cell, Client, Link, Retry, Semantics, Server, Variant
from orchestrator.scenario.coherence import problems
from orchestrator.scenario.document import join
from orchestrator.scenario.triggers import SERVER_EVENTS, TriggerEvent, parse_trigger

if TYPE_CHECKING:
    from random import Random

CLIENT, SERVER = "client", "server"
NAME = "explored"
ABOUT = "Drawn by chance."
TRIES = 1_000
"""After which a cell for which nothing fits is given up."""
SEMANTICS = tuple(each for each, often in zip(get_args(Semantics), (1, 1, 2, 2, 3), strict=True) for _ in range(often))
"""The more one promises, the more there is to break."""

_server, _link, _retry = cache(Server), cache(Link), cache(Retry)
"""There are few of them: each is made, and checked, once."""

Draw = Callable[["Random"], Cell]


class Barren(Exception):
    """Of a cell whose faults are varied nothing comes that can be run."""


class Ground(NamedTuple):
    """What is explored: cells without faults as `draw` makes them, with faults of `verbs`.

    `vary` puts something of a cell of its own in the place of something of this one, under the same faults.
    """

    draw: Draw
    vary: Callable[[Cell, Random], Cell]
    verbs: tuple[str, ...] = tuple(DRAWN)


class Drawn(NamedTuple):
    """`refused` were drawn before it, and could not be written."""

    cell: Cell
    refused: int


def ours(variant: Variant | None = None) -> Ground:
    """The product's own mechanisms, or one of its broken variants."""
    return Ground(lambda random: _system(random, variant), lambda cell, random: _vary(cell, variant, random))


def fresh(ground: Ground, random: Random) -> Drawn:
    """Raises Barren."""
    return _first(ground, lambda: _with_faults(ground, ground.draw(random), random))


def mutated(ground: Ground, parent: Cell, random: Random) -> Drawn:
    """One that differs a little from its parent. Raises Barren."""
    return _first(ground, lambda: _changed(ground, parent, random))


def _first(ground: Ground, make: Callable[[], Cell]) -> Drawn:
    last = ""
    for refused in range(TRIES):
        cell = make()
        if not (last := _misfit(cell)):
            return Drawn(by_theory(cell), refused)
    raise Barren(f"{TRIES} cells were drawn, and none of them fits together: of the last one {last}")


def _misfit(cell: Cell) -> str:
    """Why no scenario could say it, "" if one could."""
    if not _opens(cell):
        return "a gate waits for a server's end, which none of its faults brings"
    problem = next(problems(cell.model_copy(update={"expect": VALID})), None)
    return "" if problem is None else f"{reduce(join, problem.path, '')}: {problem.message}"


def _opens(cell: Cell) -> bool:
    """Whether each gate that waits for a server's end, or for its next epoch, has a fault that may open it before heal.

    Of any other, the calls behind it wait for half a minute, and then meet no fault.
    """
    return all(
        any(_brings(fault, call, *parse_trigger(text)) for fault in cell.faults)
        for client in cell.clients.values()
        for call, text in client.gates.items()
        if parse_trigger(text).event in SERVER_EVENTS
    )


def _brings(fault: Fault, call: int, server: str, event: TriggerEvent, epoch: int) -> bool:
    """Whether the fault may bring it before that call. Every server is ready in its first epoch."""
    if (event, epoch) == (TriggerEvent.READY, 1):
        return True
    struck = fault.on_process
    if struck is None or struck.target != server or (struck.operation or 0) >= call:
        return False
    return struck.restart is not None or (event is TriggerEvent.DOWN and struck.deadly)


def _system(random: Random, variant: Variant | None) -> Cell:
    workload = random.choice([*SERVICE_OF, "add", "write-read"])
    client = Client(
        workload=workload,
        calls=random.choice((2, 3, 3, 4, 4, 5, 6)),
        clients=random.choice((1, 1, 1, 1, 2, 2, 3)),
        outstanding=random.choice((1, 1, 2, 3, 4)),
        after_heal=1,
        retry=_patience(random),
        gates=_gates(random),
    )
    link = _link(
        source=CLIENT,
        target=SERVER,
        semantics=random.choice(SEMANTICS),
        transport=random.choice(sorted(LINKS)),
        codec=random.choice(codecs.NAMES),
        variant=variant,
    )
    return Cell(
        scenario=NAME,
        about=ABOUT,
        cell="-",
        axes={},
        seed=random.randrange(1, 1 << 20),
        nodes={
            SERVER: _server(service=SERVICE_OF[workload], yields=random.choice((0, 0, 0, 3, 30, 100))),
            CLIENT: client,
        },
        links=(link,),
        faults=(),
        expect=VALID,
    )


def _patience(random: Random) -> Retry:
    first = random.choice((60, 60, 60, 20, 400))
    return _retry(
        attempts=random.choice((None, None, None, None, None, 1, 2, 3)),
        first=first,
        maximum=max(first, 240),
        connection=random.choice(("new", "new", "new", "same")),
    )


def _gates(random: Random) -> dict[int, str]:
    gate = random.choice(("", "", "", "server ready 2", "server down 1"))
    return {random.choice((2, 3, 4)): gate} if gate else {}


def _with_faults(ground: Ground, cell: Cell, random: Random) -> Cell:
    """What happens to processes is drawn first: a message may come in the next one's time."""
    verbs = _verbs(ground, random, random.choice((1, 1, 2, 2, 2, 3, 3)))
    if "kill" in verbs and random.random() < AGAIN_AND_AGAIN:
        verbs = ["kill"] * 3
    faults: tuple[Fault, ...] = ()
    for verb in sorted(verbs, key=lambda verb: not issubclass(FAULTS[verb], ProcessFault)):
        faults += (_of_verb(verb, cell, faults, random),)
    return cell.model_copy(update={"faults": faults})


def _fault(ground: Ground, cell: Cell, beside: Sequence[Fault], random: Random) -> Fault:
    (verb,) = _verbs(ground, random, 1)
    return _of_verb(verb, cell, beside, random)


def _verbs(ground: Ground, random: Random, number: int) -> list[str]:
    return random.choices(ground.verbs, [LIKELY.get(verb, 1) for verb in ground.verbs], k=number)


def _of_verb(verb: str, cell: Cell, beside: Sequence[Fault], random: Random) -> Fault:
    link = random.choice(cell.links)
    struck = (fault.on_process for fault in beside)
    returns = sum(1 for one in struck if one and one.deadly and one.restart and one.target == link.target)
    return DRAWN[verb](Place(random, link, cell.clients[link.source], returns))


# Changes


def _changed(ground: Ground, parent: Cell, random: Random) -> Cell:
    """One change is more often than two."""
    cell = parent
    for _ in range(random.choice((1, 1, 2))):
        cell = random.choice(_CHANGES)(ground, cell, random)
    return cell


def _other_seed(ground: Ground, cell: Cell, random: Random) -> Cell:
    return cell.model_copy(update={"seed": random.randrange(1, 1 << 20)})


def _other_fault(ground: Ground, cell: Cell, random: Random) -> Cell:
    place = random.randrange(len(cell.faults))
    before, behind = cell.faults[:place], cell.faults[place + 1 :]
    other = _fault(ground, cell, (*before, *behind), random)
    return cell.model_copy(update={"faults": (*before, other, *behind)})


def _one_more(ground: Ground, cell: Cell, random: Random) -> Cell:
    if len(cell.faults) > 2:
        return _other_fault(ground, cell, random)
    return cell.model_copy(update={"faults": (*cell.faults, _fault(ground, cell, cell.faults, random))})


def _other_system(ground: Ground, cell: Cell, random: Random) -> Cell:
    return ground.vary(cell, random)


def _vary(cell: Cell, variant: Variant | None, random: Random) -> Cell:
    """The nodes of another, its link, or how its client calls."""
    other = _system(random, variant)
    client = other.clients[CLIENT].model_copy(update={"workload": cell.clients[CLIENT].workload})
    called_otherwise = {"nodes": {**cell.nodes, CLIENT: client}}
    return cell.model_copy(update=random.choice(({"nodes": other.nodes}, {"links": other.links}, called_otherwise)))


_CHANGES = (_other_seed, _other_fault, _other_fault, _one_more, _other_system)
