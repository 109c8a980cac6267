"""What a backend cannot run: left out of a folder with its reason, refused where it is named."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result
from requirements import ALL

from orchestrator.cli import main
from orchestrator.scenario.shipped import plans

GOOD = """
scenario: good
nodes:
  server: {service: counter}
  client: {workload: add, calls: 4}
links:
  - {from: client, to: server, semantics: exactly-once}
expect:
  others: {client: ok, executions: 1}
"""
LIMITED = GOOD.replace("good", "limited").replace("service: counter", "service: counter, limits: {files: 256}")
PLACED = GOOD.replace("good", "placed").replace("calls: 4", "calls: 4, place: {os: linux}")
DIRECT = GOOD.replace("good", "direct").replace(
    "exactly-once}", "exactly-once, via: direct}\nfaults:\n  - {partition: both, link: client -> server, after: 1ms}"
)
SYSTEM = """
scenario: system
system: {compose: compose.yml}
links:
  - {from: driver, to: "orders:80", framer: http1}
driver: {exec: ./drive.py}
oracle: {http: "orders:80/booked"}
expect:
  others: {client: ok, executions: 1}
"""
IMPOSSIBLE = {
    "limited": (LIMITED, "nodes.server.limits: --backend sim cannot limit the files"),
    "placed": (PLACED, "nodes.client.place: --backend sim has no agents"),
    "direct": (DIRECT, "links[0].via: the simulator has no packet plane"),
    "system": (SYSTEM, "system: a compose project runs at this machine's engine"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "good.yaml").write_text(GOOD)
    for name, (text, _) in IMPOSSIBLE.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


def faultbed(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["run", "--backend", "sim", *arguments])


def test_a_folder_is_run_without_what_cannot_be(folder: Path) -> None:
    done = faultbed("mine", "--junit", "j.xml")
    assert done.exit_code == 0, done.output
    for name, (_, reason) in IMPOSSIBLE.items():
        assert f"  {name} (1 cell): {reason}" in done.stdout
    assert "1 cell runs: 1 met, 4 left out" in done.stdout
    assert "faultbed show mine/good.yaml" in done.stdout
    cases = ElementTree.parse(folder.parent / "j.xml").iter("testcase")
    told = {case.get("classname"): case.find("skipped") for case in cases}
    assert told.pop("good") is None
    assert told.keys() == IMPOSSIBLE.keys()
    for name, skipped in told.items():
        assert skipped is not None
        assert f"left out: {IMPOSSIBLE[str(name)][1]}" in str(skipped.get("message"))


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_is_named_is_refused(folder: Path, name: str) -> None:
    reason = IMPOSSIBLE[name][1]
    for given in ([f"mine/{name}.yaml"], ["mine/good.yaml", f"mine/{name}.yaml"], ["mine", f"mine/{name}.yaml"]):
        done = faultbed(*given)
        assert done.exit_code == 4
        assert re.search(rf"mine/{name}\.yaml:[1-9][0-9]*: {re.escape(reason)}", done.stderr)
    assert not Path("results").exists()


def test_a_folder_of_which_nothing_is_left_is_refused(folder: Path) -> None:
    (folder / "good.yaml").unlink()
    done = faultbed("mine")
    assert done.exit_code == 4
    assert re.search(r"mine/direct\.yaml:[1-9][0-9]*: links\[0\]\.via", done.stderr)


def test_all_that_a_backend_cannot_do_is_told_at_once_each_with_its_line_and_its_first_cell(folder: Path) -> None:
    text = "matrix:\n  codec: [xdr, msgpack]\n" + LIMITED.replace("codec: xdr", 'codec: "${codec}"').lstrip()
    text = text.replace("service: counter", "service: counter, place: {os: linux}")
    (folder / "limited.yaml").write_text(text)
    lines = faultbed("mine/limited.yaml").stderr.splitlines()
    line = 1 + next(n for n, one in enumerate(text.splitlines()) if "service: counter" in one)
    (limits, place) = (one.partition("mine/")[2] for one in lines)
    assert limits.startswith(f"limited.yaml:{line}: nodes.server.limits: ")
    assert place.startswith(f"limited.yaml:{line}: nodes.server.place: ")
    assert {one.partition(" (in cell ")[2] for one in (limits, place)} == {"codec=xdr)"}


def test_a_part_of_a_scenario_is_left_out_too(folder: Path) -> None:
    for name in IMPOSSIBLE:
        (folder / f"{name}.yaml").unlink()
    text = "matrix:\n  files: [none, few]\nnodes:\n"
    selected = "limits: {by: files, none: {}, few: {files: 256}}"
    made = GOOD.replace("nodes:\n", text).replace("service: counter", f"service: counter, {selected}")
    (folder / "good.yaml").write_text(made)
    done = faultbed("mine")
    assert (done.exit_code, "1 cell runs: 1 met, 1 left out" in done.stdout) == (0, True)
    refused = faultbed("mine/good.yaml")
    assert refused.exit_code == 4
    assert "nodes.server.limits" in refused.stderr
    assert "(in cell files=few)" in refused.stderr
    assert faultbed("mine/good.yaml", "--only", "files=none").exit_code == 0


@pytest.mark.skipif(not ALL, reason="FAULTBED_TESTS=all: the kill matrix runs the same cells")
def test_the_mutants_are_run_in_the_simulator_as_the_documentation_says(folder: Path) -> None:
    done = faultbed("mutants")
    assert done.exit_code == 0, done.output
    assert "left out" not in done.stdout


def test_whatever_is_shipped_is_named_or_found(folder: Path) -> None:
    assert {plan.named for plan in plans(["rpc/demo"])} == {True}
    assert {plan.named for plan in plans(["rpc", "mine"])} == {False}
