"""PURE: whether a link's protocol allows its rules."""

from __future__ import annotations

from collections.abc import Iterable

from chaos.decide import Rule
from chaos.framers import Framer


class Unsupported(ValueError):
    """A fault that this link's protocol does not allow."""


def require_supported(link: str, rules: Iterable[Rule], framer: Framer) -> None:
    """Raises Unsupported."""
    for rule in rules:
        name = type(rule.fault).__name__.lower()
        if name not in framer.decisions:
            raise Unsupported(
                f"link {link}: the fault {name!r} (rule {rule.index}) is not possible in its protocol; "
                f"possible are {', '.join(sorted(framer.decisions))}"
            )
