"""Where scenarios are found: a file, a folder of them, or the name of one that comes with Faultbed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from faultbed import PARTS
from orchestrator.scenario.document import Mistakes, bad_file
from orchestrator.scenario.matrix import MAX_CELLS
from orchestrator.scenario.plan import Plan, load

SUFFIXES = (".yaml", ".yml")


def root() -> Path:
    """The folder of shipped scenarios."""
    return Path(PARTS) / "scenarios"


@cache
def names() -> tuple[str, ...]:
    """ "rpc/demo" and the like."""
    here = root()
    return tuple(path.relative_to(here).with_suffix("").as_posix() for path in _below(here))


def find(given: str) -> list[Path]:
    """The files that `given` means. Raises BadScenario if there are none."""
    try:
        return _find(given)
    except OSError as error:  # a name that is too long, a folder that may not be entered
        raise bad_file(given, f"cannot be looked for: {error.strerror or error}") from None


def _find(given: str) -> list[Path]:
    path = Path(given)
    if path.is_dir():
        found = _below(path)
        if not found:
            raise bad_file(given, "no scenario in this folder; expected *.yaml files")
        return found
    if path.exists():
        return [path]
    shipped = root() / given
    if given in names():
        return [shipped.with_suffix(".yaml")]
    if ".." not in path.parts and not path.is_absolute() and shipped.is_dir() and path.parts:
        return _below(shipped)
    expected = "a file, a folder, or a shipped scenario (`faultbed list` names them)"
    raise bad_file(given, f"there is no such scenario; expected {expected}")


def plans(given: Iterable[str], most: int = MAX_CELLS) -> list[Plan]:
    """Every scenario meant, once each, with at most so many cells together.

    Raises BadScenario, with all that is wrong, also if two files share a scenario's name.
    """
    mistakes = Mistakes()
    files: dict[Path, bool] = {}
    for one in given:
        meant = mistakes.attempt(partial(find, one))
        for path in map(Path, map(os.path.realpath, meant or [])):
            files[path] = not _is_folder(one) or files.get(path, False)
    found: dict[str, Plan] = {}
    for path, named in files.items():
        left = most - sum(len(one.cells) for one in found.values())
        plan = mistakes.attempt(partial(load, _shown(path), left))
        if plan is not None and plan.scenario in found:
            other = found[plan.scenario].path
            mistakes.add(bad_file(str(plan.path), f"{plan.scenario!r} is the name of {other} too", "scenario"))
        elif plan is not None:
            found[plan.scenario] = replace(plan, named=named)
    mistakes.check()
    return list(found.values())


def _is_folder(given: str) -> bool:
    return Path(given).is_dir() or (not Path(given).exists() and given not in names())


def _shown(path: Path) -> Path:
    """Relative to where the user is, if it is below."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES and path.is_file())
