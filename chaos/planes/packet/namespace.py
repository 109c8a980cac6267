"""PURE: the seam to a node's network namespace, where the kernel's tools are run.

A node keeps no capability and runs none of this: a short-lived helper enters its namespace from outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class NamespaceError(Exception):
    """A tool refused, is missing, or may not be run; the text says what, where and what to do."""


class NamespaceGone(NamespaceError):
    """The namespace is there no more, and with it whatever was made in it."""


class Namespace(Protocol):
    """A network namespace of one node."""

    def run(self, argv: Sequence[str], text: str = "") -> str:
        """Run a tool there with `text` as its standard input -> its standard output.

        Raises NamespaceError (its standard error and the remedy), NamespaceGone.
        """
