"""The last net: what nobody foresaw in bytes from outside costs the connection that they came on, and nothing else."""

from __future__ import annotations

from nodes.journal import JournalError

EVIDENCE_FAILS = (OSError, JournalError)
"""What is not caught: a record that cannot be written ends the plane. Sockets' own errors are dealt with where they
occur."""

LONGEST = 200
"""Characters of an error's text that are journalled: it may quote what came."""


def reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:LONGEST]
