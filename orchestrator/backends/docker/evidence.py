"""Taking journals and ledgers out of a volume, and nothing else: what a container wrote is not trusted."""

from __future__ import annotations

import re
import shutil
import tarfile
from collections.abc import Iterable, Iterator
from io import BufferedReader, RawIOBase
from pathlib import Path, PurePosixPath

SUFFIX = re.compile(r"\.[0-9]+\.journal|(\.[0-9]+\.archived)?\.ledger(-wal|-shm)?")


class Pieces(RawIOBase):
    """Pieces of bytes as a file to read."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = piece
        taken = self._rest[: len(buffer)]
        self._rest = self._rest[len(taken) :]
        buffer[: len(taken)] = taken
        return len(taken)


def unpack(archive: Iterable[bytes], node: str, folder: Path, generation: int | None = None) -> None:
    """Write this node's evidence from a tar of its volume into `folder`.

    Of a volume that was set aside, `generation` is its number from 1: its ledger becomes an archived one. Raises
    OSError for an archive that is none.
    """
    try:
        with tarfile.open(fileobj=BufferedReader(Pieces(archive)), mode="r|") as tar:
            for member, name in _evidence(tar, node):
                content = tar.extractfile(member)
                assert content is not None, "it is a regular file"
                with (folder / collected_name(name, node, generation)).open("wb") as file:
                    shutil.copyfileobj(content, file)
    except tarfile.TarError as error:
        raise OSError(f"what the engine gave of the volume of {node} cannot be read: {error}") from error


def _evidence(tar: tarfile.TarFile, node: str) -> Iterator[tuple[tarfile.TarInfo, str]]:
    """Regular files directly in the volume whose names are those of evidence; links and all others stay there."""
    for member in tar:
        path = PurePosixPath(member.name)
        if member.isreg() and len(path.parts) == 2 and is_evidence(path.name, node):
            yield member, path.name


def is_evidence(name: str, node: str) -> bool:
    return name.startswith(node) and SUFFIX.fullmatch(name[len(node) :]) is not None


def collected_name(name: str, node: str, generation: int | None) -> str:
    """What a file of the volume is called among what was collected."""
    ledger = f"{node}.ledger"
    if generation is None or not name.startswith(ledger):
        return name
    return f"{node}.{generation}.archived.ledger{name[len(ledger) :]}"
