"""All that is wrong with a file is told at once, each with its line, and nothing that is so only because of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.backends.attach import inventory
from orchestrator.scenario import shipped
from orchestrator.scenario.document import MOST_CHARACTERS, MOST_KEPT, MOST_TOLD, BadScenario, Mistake
from orchestrator.scenario.plan import expand

TEXT = """\
scenario: one
about: text
seed: 7
matrix:
  transport: [udp, tcp]
nodes:
  server: {service: counter, engine: epoll}
  client:
    workload: add
    calls: 6
links:
  - from: client
    to: server
    semantics: maybe
    transport: "${transport}"
faults:
  - drop: reply
    link: client -> server
    operations: [2]
  - delay: request
    link: client -> server
    by: 5ms
expect:
  bitten: {client: info, executions: 1}
  others:
    client: ok
    executions: 1
load: 2s
"""

BREAKS = {
    "seed: 7": "seed: x",
    "engine: epoll": "engine: 3",
    "calls: 6": "calls: many",
    "semantics: maybe": "semantics: perhaps",
    "drop: reply": "drop: answer",
    "by: 5ms": "by: soon",
    "    client: ok": "    client: fine",
    "load: 2s": "load: ever",
}
"""One for a line; none depends on another."""


def mistakes(text: str) -> tuple[Mistake, ...]:
    with pytest.raises(BadScenario) as caught:
        expand(text, "f.yaml")
    return caught.value.mistakes


@settings(deadline=None, max_examples=60)
@given(st.sets(st.sampled_from(sorted(BREAKS)), min_size=1))
def test_whatever_is_wrong_together_is_told_together(chosen: set[str]) -> None:
    text = TEXT
    for good in chosen:
        text = text.replace(good, BREAKS[good])
    lines = [number for number, line in enumerate(TEXT.splitlines(), 1) if any(good in line for good in chosen)]
    assert [mistake.line for mistake in mistakes(text)] == lines


def test_each_is_told_once_and_not_for_each_cell() -> None:
    [mistake] = mistakes(TEXT.replace("operations: [2]", "operations: [9]"))
    assert mistake.message == "operation 9 of 6 calls; operations count from 1 (in cell transport=udp)"


def test_cells_tell_what_is_wrong_with_them_alone() -> None:
    found = mistakes(TEXT.replace("drop: reply", "cut: before\n    of: reply").replace("calls: 6", "calls: 1, seed: 3"))
    assert {mistake.line for mistake in found} == {10}, "nothing is known of faults on calls that cannot be read"
    [mistake] = mistakes(TEXT.replace("drop: reply", "cut: before\n    of: reply"))
    assert mistake.message.endswith("(in cell transport=udp)")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("to: server", "to: sever", ["links[0].to"]),  # and not that the faults' link is unknown
        ("  server: {service", "  server: {servce", ["nodes.server"]),
        ("from: client", "from: clint", ["links[0].from"]),
        ("  - from: client", "  - form: client", ["links[0]", "links[0].form"]),
        ("  transport: [udp, tcp]", "  transport: []", ["matrix.transport"]),
        ("drop: reply", "dorp: reply", ["faults[0]"]),
        ("links:", "linsk:", ["linsk"]),
        ("nodes:", "node:", ["node"]),
        ("nodes:", "sytem:", ["sytem"]),
        ("  server: {service: counter, engine: epoll}\n", "", ["nodes"]),  # and not that nobody has the link's name
        ("service: counter, engine: epoll", "workload: add", ["nodes"]),
        (
            "    semantics: maybe",
            "    semantcs: {by: transport, udp: 1,\n      tcp: 2}",
            ["links[0]", "links[0].semantcs"],
        ),
    ],
)
def test_no_consequences_are_told(old: str, new: str, told: list[str]) -> None:
    assert [mistake.path for mistake in mistakes(TEXT.replace(old, new, 1))] == told


def test_a_flood_is_told_in_part() -> None:
    faults = "\n".join(f"  - {{drop: {word}, link: x}}" for word in range(100))
    error = BadScenario(*mistakes(TEXT.replace("faults:\n", f"faults:\n{faults}\n", 1)))
    *lines, last = str(error).splitlines()
    assert len(lines) == MOST_TOLD
    assert last == "and 80 more"
    assert all(line.startswith("f.yaml:") for line in lines)


def test_nobody_looks_for_more_than_are_worth_it() -> None:
    values = ", ".join(str(number) for number in range(1000, 11_000))
    text = TEXT.replace("[udp, tcp]", f"[udp]\n  n: [{values}]").replace("calls: 6", 'calls: "x${n}"')
    found = mistakes(text)
    assert len({mistake.message for mistake in found}) == len(found) == MOST_KEPT
    assert str(BadScenario(*found)).splitlines()[MOST_TOLD:] == ["and many more"]


def test_long_mistakes_are_told_in_part() -> None:
    names = "\n".join(f"  {'n' * 50}{number}: {{service: counter}}" for number in range(200))
    links = "\n".join(f"  - {{from: client, to: n{number}, semantics: maybe}}" for number in range(9))
    found = mistakes(TEXT.replace("nodes:\n", f"nodes:\n{names}\n").replace("links:\n", f"links:\n{links}\n"))
    assert len(found) == 9
    told = str(BadScenario(*found))
    assert len(told) <= MOST_CHARACTERS + 100
    assert told.endswith(f"and {len(found) - told.count('f.yaml')} more")


def test_mistakes_are_told_until_one_is_too_long() -> None:
    short, other = Mistake("f", 1, "", "short"), Mistake("f", 2, "", "other")
    just = Mistake("f", 3, "", "x" * (MOST_CHARACTERS - len(str(short)) - len("f:3: ")))
    long = just._replace(message=f"{just.message}x")
    assert str(BadScenario(short, just)) == f"{short}\n{just}"
    assert str(BadScenario(short, long, other)) == f"{short}\nand 2 more"
    assert str(BadScenario(long, short)) == f"{long}\nand 1 more"


def test_what_is_the_same_for_all_cells_is_read_once() -> None:
    one, two = expand(TEXT, "f.yaml").cells
    assert one.nodes["client"] is two.nodes["client"]
    assert [cell.links[0].transport for cell in (one, two)] == ["udp", "tcp"]


def test_each_file_of_a_command_tells_its_own(tmp_path: Path) -> None:
    for name in ("one", "two"):
        text = TEXT.replace("scenario: one", f"scenario: {name}").replace("seed: 7", "seed: x")
        (tmp_path / f"{name}.yaml").write_text(text.replace("load: 2s", "load: ever") if name == "two" else text)
    with pytest.raises(BadScenario) as caught:
        shipped.plans([str(tmp_path / "two.yaml"), str(tmp_path / "one.yaml"), str(tmp_path / "absent")])
    told = [(Path(mistake.file).stem, mistake.line) for mistake in caught.value.mistakes]
    assert told == [("absent", 0), ("two", 3), ("two", 28), ("one", 3)]


def test_an_inventory_tells_all(tmp_path: Path) -> None:
    file = tmp_path / "inventory.yaml"
    file.write_text("token_file: t\nagents:\n  a: {address: nowhere}\n  b: {address: 'b:1', relay: 3}\nmore: 1\n")
    with pytest.raises(BadScenario) as caught:
        inventory.load(file)
    assert [mistake.line for mistake in caught.value.mistakes] == [1, 3, 4, 5]  # that there is no such token too


def test_what_no_file_can_be_called_is_told(tmp_path: Path) -> None:
    file = tmp_path / "inventory.yaml"
    file.write_text('token_file: "a\\0b"\nagents:\n  a: {address: "a:1"}\n')
    with pytest.raises(BadScenario, match="null character") as caught:
        inventory.load(file)
    assert (caught.value.first.line, caught.value.first.path) == (1, "token_file")


@pytest.mark.parametrize(("characters", "shown"), [(58, '"' + "x" * 58 + '"'), (59, '"' + "x" * 56 + "...")])
def test_of_a_long_value_the_beginning_is_told(characters: int, shown: str) -> None:
    [mistake] = mistakes(TEXT.replace("semantics: maybe", f"semantics: {'x' * characters}"))
    assert f"; found {shown} (in" in mistake.message


def test_a_value_is_told_in_its_own_letters() -> None:
    [mistake] = mistakes(TEXT.replace("semantics: maybe", "semantics: vielleicht-ä"))
    assert '; found "vielleicht-ä" (in' in mistake.message
