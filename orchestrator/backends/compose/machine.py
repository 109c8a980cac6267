"""What of this machine a system meets: the paths that its compose file mounts, and the programs that its run needs."""

from __future__ import annotations

import os
import shutil
import stat
from importlib.util import find_spec
from pathlib import Path

from orchestrator.backends.compose.compose import ENGINE
from orchestrator.backends.compose.private import Kind, Machine
from orchestrator.oracles.sql import MODULES
from orchestrator.scenario.system import Oracle, ProgramOracle, Project, SqlOracle

UNIX = "unix://"


def machine(project: Project) -> Machine:
    """This machine, and what of it the scenario shares; its paths begin in the compose file's folder."""
    folder = compose_file(project).parent
    files = (os.path.normpath(folder / os.path.expanduser(path)) for path in project.shares)
    return Machine(look, frozenset((*files, *project.shares)))  # some are no files of this machine, such as ":/export"


def compose_file(project: Project) -> Path:
    return (Path(project.folder) / project.compose).absolute()


def look(path: str) -> Kind:
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return "missing"
    except OSError:
        return "special"  # we may not see what it is, but the engine may
    plain = stat.S_ISREG(mode) or (stat.S_ISDIR(mode) and not _has_engine(Path(path)) and not _has_sockets(path))
    return "plain" if plain else "special"


def _has_engine(folder: Path) -> bool:
    """Whether the engine's socket lies in it: who has that has this machine, read-only or not."""
    hosts = {ENGINE, os.environ.get("DOCKER_HOST", ENGINE)}
    sockets = [Path(host.removeprefix(UNIX)).resolve() for host in hosts if host.startswith(UNIX)]
    return any(socket.is_relative_to(folder.resolve()) for socket in sockets)


def _has_sockets(folder: str) -> bool:
    """Whether what listens in it, a database say, could be called: that a folder is read-only does not hinder it."""
    try:
        with os.scandir(folder) as entries:
            return any(stat.S_ISSOCK(entry.stat(follow_symlinks=False).st_mode) for entry in entries)
    except OSError:
        return False


def lacks_program(name: str, folder: Path) -> str | None:
    """Why a program that is run in `folder` cannot be started, and the remedy; None if it can."""
    path = folder / name
    if "/" not in name:
        if shutil.which(name) is not None:
            return None
        hint = f"; expected ./{name} for the one in {folder}" if path.is_file() else ""
        return f"there is no program {name!r} on PATH{hint}"
    if not path.is_file():
        return f"there is no program {path}"
    return None if os.access(path, os.X_OK) else f"{path} is not executable: chmod +x {path}"


def lacks_oracle(oracle: Oracle, folder: Path) -> tuple[str, str] | None:
    """-> (key, what is missing and the remedy) of what an oracle needs here."""
    if isinstance(oracle, ProgramOracle):
        argv = [oracle.program] if isinstance(oracle.program, str) else list(oracle.program)
        reason = lacks_program(argv[0], folder) if argv and argv[0] else "expected a program"
        return None if reason is None else ("program", reason)
    if isinstance(oracle, SqlOracle):
        module = MODULES.get(oracle.dsn.partition(":")[0])
        if module is not None and find_spec(module) is None:
            return "dsn", f"it needs the Python module {module}: `pip install {module}`"
    return None
