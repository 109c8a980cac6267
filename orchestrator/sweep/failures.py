"""What is said of an error that ends a run or a command."""

from __future__ import annotations

from nodes.journal import JournalError
from nodes.ledger import LedgerError
from orchestrator.history.merged import HistoryError
from orchestrator.run.attention import RunFailed
from orchestrator.run.session import SessionError

FAILURES = (RunFailed, SessionError, JournalError, LedgerError, HistoryError, OSError)
"""What is the testbed's failure, with a message that says what, where and why."""


def said(error: BaseException) -> str:
    """One message, without the system's numbers, and with the file if there is one."""
    if isinstance(error, OSError) and error.strerror:
        name = error.filename if isinstance(error.filename, str) else None
        return f"{name}: {error.strerror}" if name else error.strerror
    if isinstance(error, FAILURES):
        return str(error)
    if isinstance(error, MemoryError):
        return "there is not enough memory for this; give it fewer --jobs, fewer calls or a larger machine"
    return f"a defect of Faultbed, not of what it was given: {type(error).__name__}: {error}"


def with_first(failure: Exception) -> str:
    """And what the run had failed of before its evidence could not be kept or read either: that is why."""
    first: BaseException | None = failure
    while first is not None and (first is failure or not isinstance(first, RunFailed | SessionError)):
        first = first.__context__
    return said(failure) if first is None else f"{said(failure)}; before that: {said(first)}"
