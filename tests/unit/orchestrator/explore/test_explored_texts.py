"""What an exploration says, and the scenario files that it writes."""

from __future__ import annotations

from chaos.faults.messages import Drop, Duplicate
from chaos.faults.packets import Netem, Shape
from chaos.faults.processes import Kill, Restart
from orchestrator.checkers.opportunities import OPPORTUNITIES
from orchestrator.explore.attempt import Surprise
from orchestrator.explore.coverage import Pair
from orchestrator.explore.hunt import Find, Hunt
from orchestrator.explore.told import ending, tried
from orchestrator.explore.written import written
from orchestrator.scenario.cell import Cell, Client, Expect, Link, Server

LINK = "client -> server"


def hunt(*seen: Pair, made: int = 40, refused: int = 0) -> Hunt:
    state = Hunt(7, None)
    state.made, state.refused, state.seen = made, refused, set(seen)
    return state


def pair(opportunity: str, semantics: str, attempts: int = 1) -> Pair:
    return Pair(opportunity, semantics, 1, attempts, 0, (0,))


def find(check: str) -> Find:
    cell = Cell(
        scenario="s",
        about="",
        cell="-",
        axes={},
        seed=1,
        nodes={},
        links=(Link.model_validate({"from": "client", "to": "server", "semantics": "maybe"}),),
        faults=(),
        expect=Expect(),
    )
    return Find(1, cell, Surprise((check,), "told"))


def test_what_was_tried_is_told_with_what_it_covered() -> None:
    seen = (
        pair("reply-unseen", "exactly-once"),
        pair("reply-unseen", "exactly-once", 2),
        pair("reply-unseen", "maybe"),
        pair("budget-spent", "exactly-once"),
    )
    head, of, columns, first, second, never = tried(hunt(*seen, refused=3), "ours", 12.6)
    assert head == "40 runs of ours in 13 s, seed 7; 3 more that were drawn did not fit together"
    assert of == "covered: 4 pairs of an opportunity and the state of the mechanism that met it, of"
    assert columns == "                maybe  exactly-once"
    assert first == "  budget-spent      0             1"
    assert second == "  reply-unseen      1             2"
    others = sorted(OPPORTUNITIES.keys() - {"reply-unseen", "budget-spent"})
    assert never == f"  never offered: {', '.join(others)}"


def test_where_nothing_was_met_there_is_no_table_and_where_all_was_nothing_is_missing() -> None:
    head, of, never = tried(hunt(), "no-join", 0)
    assert head == "40 runs of no-join in 0 s, seed 7"
    assert of == "covered: 0 pairs of an opportunity and the state of the mechanism that met it"
    assert never.count(",") == len(OPPORTUNITIES) - 1
    every = [pair(name, "maybe") for name in OPPORTUNITIES]
    assert not [line for line in tried(hunt(*every), "ours", 1) if "never" in line]


def test_how_it_ended() -> None:
    assert ending(hunt(made=0)) == "nothing was run"
    assert ending(hunt(made=2)).startswith("nothing surprised: with 95 % confidence at most 1 of such runs do")
    assert ending(hunt(made=600)) == ("nothing surprised: with 95 % confidence at most 0.005 of such runs do (3/600)")
    state = hunt(made=9)
    state.finds = {("maybe", "once"): find("once")}
    assert ending(state) == "surprised: 1 kind of surprise in 9 runs"
    state.finds[("maybe", "valid")] = find("valid")
    assert ending(state) == "surprised: 2 kinds of surprise in 9 runs"


def test_a_file_says_no_default_but_what_a_reader_wants_to_know() -> None:
    link = Link.model_validate({"from": "client", "to": "server", "semantics": "maybe", "variant": "no-join"})
    cell = Cell(
        scenario="other",
        about="",
        cell="-",
        axes={},
        seed=9,
        nodes={"server": Server(service="counter"), "client": Client(workload="add", calls=2, gates={2: "healed"})},
        links=(link,),
        faults=(
            Drop(drop="reply", link=LINK, operations=(1, 2)),
            Kill(kill="server", at="received", operation=1, restart=Restart()),
            Duplicate(duplicate="request", link=LINK, copy="at-reply"),
            Netem(netem=Shape(delay=5), link=LINK),
        ),
        expect=Expect.model_validate({"valid": "holds"}),
    )
    assert written(cell, "found-1", "Ein Fünd.") == (
        "scenario: found-1\n"
        "about: Ein Fünd.\n"
        "seed: 9\n"
        "settle: 5000\n"
        "nodes:\n"
        "  server: {service: counter}\n"
        "  client:\n"
        "    workload: add\n"
        "    calls: 2\n"
        "    gates: {2: healed}\n"
        "links:\n"
        "- {from: client, to: server, semantics: maybe, variant: no-join, transport: tcp, codec: msgpack}\n"
        "faults:\n"
        "- drop: reply\n"
        "  link: client -> server\n"
        "  operations: [1, 2]\n"
        "- kill: server\n"
        "  at: received\n"
        "  operation: 1\n"
        "  restart: {after: 0}\n"
        "- {duplicate: request, link: client -> server, copy: at-reply}\n"
        "- netem: {delay: 5}\n"
        "  link: client -> server\n"
        "expect: {valid: holds}\n"
    )
    timed = written(cell.model_copy(update={"load": 300}), "found-1", "")
    assert "\nload: 300\nsettle: 5000\n" in timed
