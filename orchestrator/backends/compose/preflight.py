"""What cannot work, or would touch what is not the run's, is found before anything is started."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from chaos.problem import Problem
from orchestrator.backends.compose import feasible
from orchestrator.backends.compose.compose import Compose, check_compose
from orchestrator.backends.compose.machine import compose_file, lacks_oracle, lacks_program, machine
from orchestrator.backends.compose.private import refusals
from orchestrator.scenario.system import Driver, System


@lru_cache
def _read(file: Path, environment: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """The project as all cells of a command that look the same to it find it."""
    return Compose(f"faultbed-{secrets.token_hex(3)}", [file], dict(environment)).config()


def problems(system: System, driver: Driver) -> Iterator[Problem]:
    """What is missing or refused, where and why. Raises SessionError: Compose does not understand the project."""
    folder = Path(system.project.folder).absolute()
    if (reason := lacks_program(driver.argv[0], folder)) is not None:
        yield Problem(("driver", "exec"), reason)
    if (missing := lacks_oracle(system.oracle, folder)) is not None:
        key, reason = missing
        yield Problem(("oracle", key), reason)
    file = compose_file(system.project)
    if not file.is_file():
        yield Problem(feasible.COMPOSE, f"{file}: there is no such compose file")
        return
    check_compose()
    project = _read(file, tuple(system.project.environment.items()))
    yield from feasible.problems(system, project)
    for refused in refusals(project, machine(system.project)):
        yield Problem(feasible.COMPOSE, f"{file}: {refused}")
