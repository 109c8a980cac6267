"""`faultbed run --backend attach` with real agents: the same verdicts as on this machine, and every way to fail."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from agents import OTHER_TOKEN, AgentProcess, in_another_clock, inventory, running_agents, token_file
from groups import ALONE
from requirements import need, need_root
from running import Running, in_process, long, until

from orchestrator.sweep.store import HISTORY, read_history, stored_cells


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Agents keep theirs where no agent of another test looks for what a dead one left."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))


CELLS = (
    "fault=reply lost,semantics=at-least-once",
    "fault=reply lost,semantics=at-most-once",
    "fault=crash after commit,semantics=at-most-once",
    "fault=crash after commit,semantics=exactly-once",
)


def run(folder: Path, inventory_file: Path, *arguments: str) -> tuple[int, str, str]:
    return in_process(folder, "run", *arguments, "--backend", "attach", "--inventory", str(inventory_file))


def outcomes(results: Path) -> list[tuple[object, ...]]:
    """What each cell came to, without the times."""
    cells = [
        json.loads(path.read_text()) for path in sorted(results.rglob("summary.json")) if "latest" not in str(path)
    ]
    return [
        (cell["cell"], cell["exit_code"], cell["outcomes"], cell["expectations"], cell["properties"])
        for summary in cells
        for cell in summary["cells"]
    ]


def test_verdicts_are_those_of_the_local_backend(tmp_path: Path) -> None:
    with running_agents(tmp_path, (), ()) as (alpha, beta):
        names = inventory(tmp_path, token_file(tmp_path), alpha=alpha.address, beta=beta.address)
        for cell in CELLS:
            for backend in (("local",), ("attach", "--inventory", str(names))):
                command = ("run", "rpc/demo", "--only", cell, "--out", backend[0], "--backend", *backend)
                code, out, err = in_process(tmp_path, *command)
                assert code == 0, out + err
        for agent in (alpha, beta):
            agent.all_gone()
    assert len(outcomes(tmp_path / "local")) == len(CELLS)
    assert outcomes(tmp_path / "attach") == outcomes(tmp_path / "local")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_nodes_are_spread_over_the_agents_and_their_folders_removed(tmp_path: Path, number: int, code: int) -> None:
    with running_agents(tmp_path, (), ()) as (alpha, beta):
        names = inventory(tmp_path, token_file(tmp_path), alpha=alpha.address, beta=beta.address)
        (tmp_path / "long.yaml").write_text(long())
        arguments = ("run", "long.yaml", "--backend", "attach", "--inventory", str(names))
        with Running(tmp_path, *arguments) as running:
            until(lambda: bool(alpha.named("nodes", "server")), "the server on alpha")
            until(lambda: bool(beta.named("nodes", "client")), "the client on beta")
            assert alpha.named("chaos", "relay")
            assert not alpha.named("nodes", "client")
            until(lambda: any(has_ledger(folder) for folder in folders_of(alpha)), "the server's ledger")
            running.process.send_signal(number)
            assert running.end()[0] == code
        assert list(tmp_path.rglob("server.ledger")), "what an interrupted run had is brought back"
        for agent in (alpha, beta):
            agent.all_gone()
            until(lambda agent=agent: not folders_of(agent), "its folders to be removed")  # type: ignore[misc]


def folders_of(agent: AgentProcess) -> list[Path]:
    return list(Path(os.environ["TMPDIR"]).glob(f"faultbed-agent.*.{agent.process.pid}:*"))


def has_ledger(folder: Path) -> bool:
    return any(folder.rglob("server.ledger"))


def test_placed_by_name_and_by_capability(tmp_path: Path) -> None:
    text = long().replace("yields: 20ms", "yields: 20ms, place: {host: beta}")
    (tmp_path / "placed.yaml").write_text(text.replace("calls: 5000", "calls: 5000, place: {os: linux, engine: epoll}"))
    with running_agents(tmp_path, (), ()) as (alpha, beta):
        names = inventory(tmp_path, token_file(tmp_path), alpha=alpha.address, beta=beta.address)
        with Running(tmp_path, "run", "placed.yaml", "--backend", "attach", "--inventory", str(names)) as running:
            until(lambda: bool(beta.named("nodes", "server")), "the server on beta")
            assert not alpha.named("nodes", "server")
            running.process.kill()
        for agent in (alpha, beta):
            agent.all_gone()


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("{host: gamma}", "alpha: the scenario wants gamma"),
        ("{os: windows}", "alpha: it is linux, the scenario wants windows"),
        ("{engine: kqueue}", "alpha: it does not know the engine kqueue"),
    ],
)
def test_a_node_that_no_agent_can_run_is_refused_before_anything_starts(
    tmp_path: Path, place: str, reason: str
) -> None:
    (tmp_path / "placed.yaml").write_text(long().replace("yields: 20ms", f"yields: 20ms, place: {place}"))
    with running_agents(tmp_path, ()) as (alpha,):
        names = inventory(tmp_path, token_file(tmp_path), alpha=alpha.address)
        code, _, err = run(tmp_path, names, "placed.yaml")
    assert code == 4
    assert f": nodes.server: no agent of the inventory can run it ({reason})" in err
    assert not (tmp_path / "results").exists()


def test_a_placement_needs_agents(tmp_path: Path) -> None:
    (tmp_path / "placed.yaml").write_text(long().replace("yields: 20ms", "yields: 20ms, place: {os: linux}"))
    code, _, err = in_process(tmp_path, "run", "placed.yaml")
    assert code == 4
    assert "nodes.server.place: --backend local has no agents to place nodes on" in err


def test_an_agent_that_does_not_answer(tmp_path: Path, nobody: str) -> None:
    code, _, err = run(tmp_path, inventory(tmp_path, token_file(tmp_path), alpha=nobody), "rpc/demo")
    assert code == 3
    assert f"agent alpha at {nobody} does not answer (Connection refused): start it there with" in err
    assert not (tmp_path / "results").exists()


def test_an_agent_with_another_token(tmp_path: Path) -> None:
    with running_agents(tmp_path, ()) as (alpha,):
        names = inventory(tmp_path, token_file(tmp_path, OTHER_TOKEN), alpha=alpha.address)
        code, _, err = run(tmp_path, names, "rpc/demo")
        assert not alpha.family(), "nothing was started for somebody without the token"
    assert code == 3
    assert f"agent alpha at {alpha.address}" in err
    assert "token" in err


def test_an_agent_that_vanishes_in_the_middle_of_a_run(tmp_path: Path) -> None:
    (tmp_path / "long.yaml").write_text(long())
    with running_agents(tmp_path, (), ()) as (alpha, beta):
        names = inventory(tmp_path, token_file(tmp_path), alpha=alpha.address, beta=beta.address)
        with Running(tmp_path, "run", "long.yaml", "--backend", "attach", "--inventory", str(names)) as running:
            until(lambda: bool(alpha.named("nodes", "server")) and bool(beta.named("nodes", "client")), "both nodes")
            alpha.process.kill()
            code, out, _ = running.end()
        assert code == 3
        assert f"agent alpha at {alpha.address} is gone" in out
        alpha.all_gone()
        beta.all_gone()
        assert folders_of(alpha), "a killed agent cannot remove its folder"
        with AgentProcess(tmp_path, token_file(tmp_path)):
            assert not folders_of(alpha), "the next agent does"


@ALONE
def test_clean_removes_the_folder_of_a_killed_agent_and_of_no_living_one(tmp_path: Path) -> None:
    with running_agents(tmp_path, (), ()) as (alpha, beta):
        names = inventory(tmp_path, token_file(tmp_path), alpha=alpha.address, beta=beta.address)
        (tmp_path / "long.yaml").write_text(long())
        with Running(tmp_path, "run", "long.yaml", "--backend", "attach", "--inventory", str(names)):
            until(lambda: bool(folders_of(alpha)) and bool(folders_of(beta)), "both folders")
            alpha.process.kill()
            alpha.process.wait()
            with Running(tmp_path, "clean") as cleaning:
                out = cleaning.end()[1]
            assert f".{alpha.process.pid}:" in out
            assert f".{beta.process.pid}:" not in out
        assert not folders_of(alpha)


def test_nodes_end_when_the_orchestrator_is_killed(tmp_path: Path) -> None:
    (tmp_path / "long.yaml").write_text(long())
    with running_agents(tmp_path, ()) as (alpha,):
        names = inventory(tmp_path, token_file(tmp_path), alpha=alpha.address)
        with Running(tmp_path, "run", "long.yaml", "--backend", "attach", "--inventory", str(names)) as running:
            until(lambda: bool(alpha.named("nodes", "client")), "the client")
            os.kill(running.process.pid, signal.SIGKILL)
            alpha.all_gone()
            until(lambda: not folders_of(alpha), "its folder to be removed")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_an_agent_that_is_told_to_leave_takes_everything_along(tmp_path: Path, number: int, code: int) -> None:
    (tmp_path / "long.yaml").write_text(long())
    with running_agents(tmp_path, ()) as (alpha,):
        names = inventory(tmp_path, token_file(tmp_path), alpha=alpha.address)
        with Running(tmp_path, "run", "long.yaml", "--backend", "attach", "--inventory", str(names)) as running:
            until(lambda: bool(alpha.named("nodes", "client")), "the client")
            alpha.process.send_signal(number)
            assert alpha.process.wait(10) == code
            assert running.end()[0] == 3
        alpha.all_gone()
        assert not folders_of(alpha)


def test_two_orchestrators_side_by_side(tmp_path: Path) -> None:
    with running_agents(tmp_path, ()) as (alpha,):
        names = inventory(tmp_path, token_file(tmp_path), alpha=alpha.address)
        ends = []
        arguments = ("run", "rpc/demo", "--only", "fault=reply lost", "--backend", "attach", "--inventory", str(names))
        with (
            Running(tmp_path, *arguments, "--out", "one") as first,
            Running(tmp_path, *arguments, "--out", "two", "--jobs", "2") as second,
        ):
            ends = [first.end(), second.end()]
        assert [code for code, _, _ in ends] == [0, 0], ends
    assert outcomes(tmp_path / "one") == outcomes(tmp_path / "two")


def test_hosts_with_different_clocks(tmp_path: Path) -> None:
    """The agent's clock is a day ahead: nothing of it may show in the verdict, and the report tells it."""
    need_root()
    need("unshare", "root")
    ahead = 86_400
    cell = "fault=crash after commit,semantics=exactly-once"
    with running_agents(tmp_path, (), in_another_clock(ahead)) as (alpha, beta):
        names = inventory(tmp_path, token_file(tmp_path), alpha=alpha.address, beta=beta.address)
        code, out, err = run(tmp_path, names, "rpc/demo", "--only", cell)
    assert code == 0, out + err
    assert "agent beta: +86" in out
    (folder,) = (cell for cell in stored_cells(tmp_path / "results") if "latest" not in str(cell))
    history = read_history(folder / HISTORY)
    assert [clock.where for clock in history.clocks] == ["beta"]
    assert abs(history.clocks[0].offset - ahead * 10**9) <= history.clocks[0].error
    assert {event.node for event in history.events if event.domain == history.clocks[0].domain} == {"client"}
    ordered = history.ordered()
    pairs = list(zip(history.events, history.events[1:], strict=False))
    assert not any(ordered(second, first) for first, second in pairs)
