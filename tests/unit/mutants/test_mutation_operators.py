"""The changes that `make mutants` makes: each operator of the field, and nothing that no test could see."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


def load() -> ModuleType:
    """By its path: the folder is a program's, not on the path of tests."""
    path = Path(__file__).parents[2] / "mutants" / "operators.py"
    spec = importlib.util.spec_from_file_location("mutation_operators", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


operators = load()


def changes(source: str) -> set[str]:
    return {mutant.now for mutant in operators.mutants(source)}


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        ("a < b", {"a <= b"}),
        ("a is not b", {"a is b"}),
        ("a and b", {"a or b"}),
        ("(a or b) and c", {"(a or b) or c", "(a and b) and c"}),
        ("a - b", {"a + b"}),
        ("not a", {"a"}),
        ("x = True", {"x = False"}),
        ("x = 7", {"x = 8"}),
        ("x = 'key'", {"x = 'key~'"}),
        ("x = b''", {"x = b'~'"}),
        ("a.b = c", {"pass"}),
        ("a += b", {"pass", "a -= b"}),
        ("f(a, b)", {"pass", "f(b, a)"}),
        ("x = Spawn(a, 'reader')", {"x = Spawn('reader', a)"}),
        ("x = a if b else c", {"x = a if not (b) else c"}),
        ("x = [a for a in b if c]", {"x = [a for a in b if not (c)]"}),
    ],
)
def test_each_operator(source: str, changed: set[str]) -> None:
    assert changes(source) == changed


@pytest.mark.parametrize(
    "source",
    [
        '"""PURE: 1 < 2."""',
        "x = 'prose, that is read by people'",
        "x = f'{a < b}'",
        "x: Literal['a'] | None = y",
        "@dataclass(frozen=True)\nclass A:\n    b: int | None",
        "isinstance(a, B | C)",
        "def f(a: int = b) -> int | None: ...",
        "__all__ = ['a']",
        "import a",
        "f.__doc__ = g(a, b)",
        "x = zip(a, strict=True)",
        "x = hmac.compare_digest(a, b)",
        "x = place.one(a, b)",
    ],
)
def test_what_nothing_can_see_is_left_alone(source: str) -> None:
    assert changes(source) <= {"pass"}


def test_a_change_knows_where_it_is_and_keeps_its_key_when_lines_shift() -> None:
    source = "class Ä:\n    def g(self):\n        return (é\n            < self.h)\n"
    (found,) = (each for each in operators.mutants(source) if "<=" in each.now)
    assert (found.line, found.scope, found.inside, found.key) == (4, "Ä.g", True, ("Ä.g", found.was, found.now))
    assert found.lines >= {3, 4}
    assert found.text == source.replace("<", "<=")
    assert [each.key for each in operators.mutants("\n\n" + source)] == [each.key for each in operators.mutants(source)]


def test_a_change_in_a_generator_knows_all_of_it() -> None:
    source = "def f():\n    a < b\n    def g():\n        yield c < d\n    return e < f\n"
    assert {each.line: each.program for each in operators.mutants(source)} == {
        2: frozenset(),
        4: frozenset({4}),
        5: frozenset(),
    }
    source = "def f():\n    a < b\n    yield from (lambda: c < d)\n"
    assert {each.program for each in operators.mutants(source)} == {frozenset({2, 3})}


def test_pure_is_who_says_so_first() -> None:
    assert operators.is_pure('"""PURE: a core."""')
    assert not operators.is_pure('"""A PURE one."""')
    assert not operators.is_pure("x = 1")
