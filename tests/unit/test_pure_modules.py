"""Who says PURE is: no module that such a one needs brings in clock, randomness, the network or another thread."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("faultbed", "nodes", "chaos", "orchestrator")
IMPURE = frozenset(
    {
        *("asyncio", "concurrent", "docker", "multiprocessing", "random", "requests", "secrets", "select", "selectors"),
        *("socket", "socketserver", "ssl", "subprocess", "threading", "time"),
    }
)

ROAD = ("run", "history", "checkers", "report")
WHOLE = ("chaos.faults", "chaos.hop", *(f"orchestrator.{room}" for room in ROAD))
"""Rooms in which everything is pure. A scenario's file has to be read, by two modules of its room."""

Needs = dict[str, set[str]]
"""Module -> what its import brings in: what it imports, and the packages that it lies in."""


def pure_modules(root: Path) -> Iterator[str]:
    """Those whose first line says so."""
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            if (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").startswith("PURE"):
                yield ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def needs() -> Needs:
    graph = grimp.build_graph(
        *PACKAGES, include_external_packages=True, exclude_type_checking_imports=True, cache_dir=None
    )
    return {module: {*graph.find_modules_directly_imported_by(module), *_around(module)} for module in graph.modules}


def _around(module: str) -> Iterator[str]:
    while "." in module:
        module = module.rpartition(".")[0]
        yield module


def impurities(module: str, needs: Needs) -> set[str]:
    """-> chains such as "a > b > socket", one for each module of IMPURE that it reaches."""
    chains = {module: module}
    reached = [module]
    for one in reached:
        for other in sorted(needs.get(one, set()) - chains.keys()):
            chains[other] = f"{chains[one]} > {other}"
            reached.append(other)
    return {chains[name] for name in IMPURE & chains.keys()}


def test_who_says_pure_is() -> None:
    modules, all_needs = list(pure_modules(ROOT)), needs()
    assert "chaos.hop.hop" in modules
    assert {chain for module in modules for chain in impurities(module, all_needs)} == set()


@pytest.mark.parametrize("package", WHOLE)
def test_whole_rooms_are_pure(package: str) -> None:
    """Where everything is to be: a module there that does not say so is a hole in the road."""
    folder = ROOT / package.replace(".", "/")
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in folder.rglob("*.py")}
    assert {module.removesuffix(".__init__") for module in modules} - set(pure_modules(ROOT)) == set()


def test_an_impurity_is_seen_through_modules_and_packages() -> None:
    said = {"a.pure": {"b.c", "a"}, "b.c": {"b"}, "b": {"socket"}, "a": {"time"}, "c": {"json"}}
    assert impurities("a.pure", said) == {"a.pure > b.c > b > socket", "a.pure > a > time"}
    assert impurities("c", said) == set()
