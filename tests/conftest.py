"""What holds for every test: required features are not skipped, and no process of ours outlives the session."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Generator, Iterator
from typing import TypeVar

import psutil
import pytest
from requirements import docker_engine, nobody, node_image
from toxiproxy_image import toxiproxy_image

__all__ = ["docker_engine", "nobody", "node_image", "toxiproxy_image"]  # fixtures for every test

REQUIRED = [name for name in os.environ.get("FAULTBED_REQUIRE", "").split(",") if name]
"""Features (engines, planes, ...) for which a skip is a failure, as CI names them."""

SESSION = "FAULTBED_TEST_SESSION"
"""Every process that a test starts inherits this variable, and is found by it."""

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def _forbidden_skip(report: pytest.TestReport | pytest.CollectReport) -> str | None:
    if not report.skipped or hasattr(report, "wasxfail"):
        return None
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return next((f"{name} is required here, but: {reason}" for name in REQUIRED if _speaks_of(name, reason)), None)


def _speaks_of(feature: str, reason: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(feature)}(?![\w-])", reason) is not None


def _fail_forbidden_skip(report: Report) -> Report:
    forbidden = _forbidden_skip(report)
    if forbidden is not None:
        report.outcome = "failed"
        report.longrepr = forbidden
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _fail_forbidden_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _fail_forbidden_skip((yield))


def _ours(session: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(SESSION) == session:
                found.append(process)
        except psutil.Error:  # ended meanwhile, or another user's
            continue
    return found


@pytest.fixture(scope="session", autouse=True)
def _no_residue() -> Iterator[None]:
    session = os.environ[SESSION] = uuid.uuid4().hex
    yield
    _, alive = psutil.wait_procs(_ours(session), timeout=5)  # ends by itself when its orchestrator's pipe does
    residue = [f"{process.pid} {' '.join(process.cmdline())}" for process in alive if process.is_running()]
    for process in alive:
        process.kill()
    assert not residue, "processes outlived the tests:\n" + "\n".join(residue)
