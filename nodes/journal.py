"""A process's journal: an append-only local file of records, one file per epoch, that survives SIGKILL.

A record is handed to the kernel by one write(2) with no buffer in user space, so whatever was appended is
there however the process ends; only the machine's own death can lose it. A journal that could not take a record takes
no more: what follows a gap would be believed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nodes.wire.record import SCHEMA, Damaged, Kind, Record, decode, encode

if TYPE_CHECKING:
    from pathlib import Path  # takes as long to import as all of nodes/wire

_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


def journal_name(name: str, epoch: int) -> str:
    """Of the file, in its process's folder."""
    return f"{name}.{epoch}.journal"


class JournalError(Exception):
    """A journal that cannot be written, or cannot be believed. The message names the file and what to do."""


class JournalWriter:
    """Appends to a new file at `path`. Raises JournalError if there is one already, or it cannot be made."""

    __slots__ = ("_clock", "_descriptor", "_failure", "path")

    def __init__(self, path: str | Path, clock: Callable[[], int]) -> None:
        self.path = path
        self._clock = clock
        self._failure: str | None = None
        try:
            self._descriptor = os.open(path, _FLAGS, 0o644)  # not inheritable (PEP 446), so no program appends
        except FileExistsError as error:
            raise JournalError(f"{path}: exists already; a journal is written by one epoch, take a new one") from error
        except OSError as error:
            raise JournalError(f"{path}: cannot be created ({error.strerror}); is its folder there?") from error

    def note(
        self,
        kind: Kind,
        client: int = 0,
        seq: int = 0,
        attempt: int = 0,
        process: int = 0,
        detail: dict[str, Any] | None = None,
    ) -> None:
        """That this happened now. Raises JournalError when the disk does not take it, or did not take one before.

        It is no OSError: whoever takes the errors of a connection must not take this for one.
        """
        data = encode(self._clock(), kind, client, seq, attempt, process, detail)
        if self._failure is not None:
            raise JournalError(self._failure)
        try:
            written = os.write(self._descriptor, data)
        except OSError as error:
            raise self._fail(error.strerror or str(error)) from error
        if written != len(data):
            self._take_back(written)
            raise self._fail("a record was taken only in part")

    def close_to_others(self) -> None:
        """Whatever comes after this is of this process: of its node it is the only one."""

    def _fail(self, reason: str) -> JournalError:
        self._failure = (
            f"{self.path}: cannot be written ({reason}); what was recorded before is kept, make room for more"
        )
        return JournalError(self._failure)

    def _take_back(self, written: int) -> None:
        """A record in part would make the whole file unbelievable, since this process was not killed."""
        try:
            os.ftruncate(self._descriptor, os.fstat(self._descriptor).st_size - written)
        except OSError:
            pass  # then the reader finds the part, and says so

    def close(self) -> None:
        """Closing twice is an error of the caller (OSError)."""
        os.close(self._descriptor)


def read(path: Path, killed: bool) -> list[Record]:
    """-> the records of one epoch. A cut-off last record is left out if the epoch was `killed`.

    Raises JournalError for any other incomplete record, for damage, and for another version's journal.
    """
    try:
        records, torn = decode(path.read_bytes())
    except OSError as error:
        raise JournalError(f"{path}: cannot be read ({error.strerror}); did the process start?") from error
    except Damaged as error:
        raise JournalError(f"{path}: {error}; the file was changed or is no journal, run again") from error
    if torn is not None and not killed:
        raise JournalError(f"{path}: {torn}, but this process was not killed; is the disk full?")
    _require_schema(path, records)
    return records


def _require_schema(path: Path, records: list[Record]) -> None:
    if not records or records[0].kind is not Kind.START:
        return
    schema = (records[0].detail or {}).get("schema", SCHEMA)
    if schema != SCHEMA:
        raise JournalError(f"{path}: has schema {schema!r}, this version reads {SCHEMA}; use the version that wrote it")
