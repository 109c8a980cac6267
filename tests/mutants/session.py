"""One session of pytest inside this process, which is a fork made for it and ends after it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

ROOT = Path(__file__).parents[2]
PROFILE = "mutants"
TIMEOUT = 30
"""Seconds a test may take, more than ten times what a fast one takes: a mutant that waits for ever is killed by it."""


class _AsWorker:
    """A session looks at the whole machine when it ends (`tests/residue.py`); a worker does not."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        config.workerinput = {}  # type: ignore[attr-defined]
        config.addinivalue_line("markers", "xdist_group(name): without xdist, which knows it, there is none")


def run_session(
    folder: Path, paths: Iterable[str], plugins: Iterable[object], timeout: int = TIMEOUT
) -> tuple[int, str]:
    """Until one fails; `folder` takes what the tests write. -> pytest's exit code, what was printed."""
    settings.register_profile(
        PROFILE,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    os.chdir(ROOT)
    os.environ["FAULTBED_TESTS"] = "all"  # tests/requirements.py: a share may miss what all of it notices
    printed = folder / "printed"
    with printed.open("w") as file, contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
        code = pytest.main(
            [
                "--exitfirst",
                "--no-header",
                "--tb=line",
                f"--basetemp={folder / 'tmp'}",
                f"--timeout={timeout}",
                f"--hypothesis-profile={PROFILE}",
                "-pno:xdist",
                "-Wignore::pytest.PytestAssertRewriteWarning",
                *paths,
            ],
            plugins=[_AsWorker(), *plugins],
        )
    return int(code), printed.read_text()
