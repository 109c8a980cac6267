"""Which probes are done on which engines, and what is refused before anything starts."""

from __future__ import annotations

import pytest

from nodes.probes.common.probe import Probe
from orchestrator.probes.chosen import Asked, Choice, Facts, Impossible, choose
from orchestrator.probes.compared import Verdict

ENGINES = ("epoll", "select", "uvloop")
CATALOGUE = {
    "undrained": Probe("1", "told again"),
    "black-hole": Probe("11", "silence", root=True),
    "high": Probe("25", "a high number", descriptors=1500),
}


def facts(**changed: object) -> Facts:
    plain = Facts(
        availability=lambda engine: "it is not installed" if engine == "uvloop" else None,
        refusal=lambda probe, engine: "no such numbers" if (probe, engine) == ("high", "select") else None,
        files=20000,
        privilege=lambda: None,
    )
    return plain._replace(**changed)  # type: ignore[arg-type]


def chosen(engines: tuple[str, ...] = (), probes: tuple[str, ...] = (), **changed: object) -> Choice:
    return choose(Asked(engines, probes), ENGINES, CATALOGUE, facts(**changed))


def refused(engines: tuple[str, ...] = (), probes: tuple[str, ...] = (), **changed: object) -> str:
    with pytest.raises(Impossible) as caught:
        chosen(engines, probes, **changed)
    return str(caught.value)


def test_all_that_can_be_done_is_and_the_rest_is_told() -> None:
    choice = chosen()
    assert choice.todo == {"epoll": ("undrained", "black-hole", "high"), "select": ("undrained", "black-hole")}
    assert [(cell.probe, cell.engine, cell.verdict) for cell in choice.cells] == [
        ("high", "select", Verdict.NOT_APPLICABLE)
    ]
    assert choice.notes == ("left out: engine uvloop: it is not installed",)


def test_what_is_asked_for_is_done_in_the_tables_order_and_once() -> None:
    choice = chosen(("epoll", "epoll"), ("high", "undrained"))
    assert choice == ({"epoll": ("undrained", "high")}, (), ())


@pytest.mark.parametrize(
    ("engines", "probes", "said"),
    [
        (
            ("epol",),
            (),
            "--engine epol: there is none of that name; expected epoll, select, uvloop (did you mean epoll?)",
        ),
        ((), ("undraind",), "--probe undraind: there is none of that name"),
        (("uvloop",), (), "--engine uvloop: it cannot run here: it is not installed"),
        (("select",), ("high",), "not applicable: select: no such numbers"),
    ],
)
def test_what_cannot_be_done_is_refused(engines: tuple[str, ...], probes: tuple[str, ...], said: str) -> None:
    assert said in refused(engines, probes)


def test_too_few_descriptors_are_refused_to_who_asks_and_unknown_otherwise() -> None:
    said = refused((), ("high",), files=1024)
    assert said.startswith("--probe high: it needs 1532 open files, and a process may have 1024 at most here; raise")
    choice = chosen(files=1024)
    assert "high" not in choice.todo["epoll"]
    assert [cell.engine for cell in choice.cells if cell.verdict is Verdict.UNKNOWN] == ["epoll"]
    assert any(note.startswith("left out: high: it needs 1532") for note in choice.notes)
    assert chosen(files=None).todo == chosen(files=1532).todo == chosen().todo


def test_probes_that_lack_the_same_are_told_together() -> None:
    told = [note.partition(": it needs ")[0] for note in chosen(files=40).notes[1:]]
    assert told == ["left out: undrained, black-hole", "left out: high"]


def test_the_command_itself_needs_descriptors_for_each_process() -> None:
    def said(own: int | None, jobs: int) -> str:
        try:
            choose(Asked(jobs=jobs), ENGINES, CATALOGUE, facts(own=own))
        except Impossible as error:
            return str(error)
        return ""

    assert said(15, 4).startswith("--jobs 2: it takes 16 open files to start them, and this command may have 15; allow")
    assert [said(*one) for one in ((16, 4), (14, 1), (None, 4))] == ["", "", ""]
    assert "ulimit -n 14" in said(13, 1)


def test_who_would_take_it_and_cannot_run_here_is_told_with_those_that_do_not_take_it() -> None:
    said = refused((), ("high",), refusal=lambda probe, engine: "no such numbers")
    assert "left out: engine uvloop: it is not installed\n  not applicable: epoll, select: no such numbers" in said


def test_black_holes_need_a_packet_filter() -> None:
    assert refused((), ("black-hole",), privilege=lambda: "run as root") == "--probe black-hole: run as root"
    assert all("black-hole" not in names for names in chosen(privilege=lambda: "run as root").todo.values())


def test_where_nothing_could_be_done_here_that_is_no_wrong_choice() -> None:
    choice = choose(
        Asked(), ("epoll",), {"black-hole": CATALOGUE["black-hole"]}, facts(privilege=lambda: "run as root")
    )
    assert (choice.todo, [cell.verdict for cell in choice.cells]) == ({}, [Verdict.UNKNOWN])
