"""What holds for every test: required features are not skipped, and no process of ours outlives the session."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Generator
from typing import TypeVar

import pytest
from fleet import inventory
from groups import add_group, order
from hypothesis import HealthCheck, settings
from requirements import docker_engine, nobody, node_image
from residue import Residue
from toxiproxy_image import toxiproxy_image

__all__ = ["docker_engine", "inventory", "nobody", "node_image", "toxiproxy_image"]  # fixtures for every test

settings.register_profile("calm", suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("calm")  # how long it takes to make inputs is the machine's affair

REQUIRED = [name for name in os.environ.get("FAULTBED_REQUIRE", "").split(",") if name]
"""Features (engines, planes, ...) for which a skip is a failure, as CI names them."""

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


def pytest_configure(config: pytest.Config) -> None:
    _heed_signals(_is_worker(config))
    if not _is_worker(config):
        config.pluginmanager.register(Residue())


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Before pytest-xdist reads the groups."""
    for item in items:
        add_group(item)
    if _is_worker(config):
        items.sort(key=order)


def _heed_signals(worker: bool) -> None:
    """A background job inherits SIGINT as ignored, what nohup starts SIGHUP; and so would what the tests start and
    end by them. Handlers are not inherited: with one that does nothing, a session under nohup still outlives its
    terminal."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if worker or signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")
