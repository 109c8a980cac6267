"""What is taken out of a container's volume, and what is left there."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.backends.docker.evidence import Pieces, collected_name, is_evidence, unpack


def archive(*members: tuple[str, bytes], links: tuple[tuple[str, str], ...] = ()) -> Iterator[bytes]:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        folder = tarfile.TarInfo("data")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for name, target in links:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            tar.addfile(info)
    data = buffer.getvalue()
    return iter([data[:700], b"", data[700:]])


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_journals_and_the_ledger_with_its_log_are_taken(tmp_path: Path) -> None:
    made = [f"server{suffix}" for suffix in (".1.journal", ".12.journal", ".ledger", ".ledger-wal", ".ledger-shm")]
    unpack(archive(*((f"data/{name}", name.encode()) for name in made)), "server", tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {name: name for name in made}


def test_what_a_node_could_write_to_do_harm_stays_there(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    evil = archive(
        ("data/../../server.ledger", b"x"),
        ("/data/server.1.journal", b"x"),
        ("data/deeper/server.1.journal", b"x"),
        ("data/client.1.journal", b"another's"),
        ("data/server.1.journal/..", b"x"),
        ("data/orchestrator.1.journal", b"forged"),
        ("data/server.py", b"x"),
        links=(("data/server.ledger", "/etc/passwd"),),
    )
    unpack(evil, "server", home)
    assert names(tmp_path) == {"home"}


def test_the_ledger_of_a_volume_that_was_set_aside_is_an_archived_one(tmp_path: Path) -> None:
    unpack(archive(("data/server.ledger", b"1"), ("data/server.ledger-wal", b"2")), "server", tmp_path, 3)
    assert names(tmp_path) == {"server.3.archived.ledger", "server.3.archived.ledger-wal"}
    assert collected_name("server.1.journal", "server", 3) == "server.1.journal"


def test_what_is_no_archive_is_told(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="the volume of server"):
        unpack(iter([b"no tar" * 200]), "server", tmp_path)


def test_names_of_evidence() -> None:
    assert is_evidence("a-b.1.journal", "a-b")
    assert is_evidence("a.1.archived.ledger-wal", "a")
    assert not is_evidence("a-b.1.journal", "a")
    assert not is_evidence("ab.ledger", "a")


@given(st.lists(st.binary(max_size=20), max_size=10), st.integers(1, 7))
def test_pieces_are_read_as_one(pieces: list[bytes], size: int) -> None:
    file = io.BufferedReader(Pieces(pieces), size)
    read = iter(lambda: file.read(size), b"")
    assert b"".join(read) == b"".join(pieces)
