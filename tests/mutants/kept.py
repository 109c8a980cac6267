"""What was measured is kept in .venv, for as long as no file of the project changes."""

from __future__ import annotations

import hashlib
import pickle
import subprocess
import sys
from collections.abc import Callable

from coverage_map import CoverageMap
from session import ROOT

FILE = ROOT / ".venv" / "mutants-coverage.pickle"


def kept(measure: Callable[[], CoverageMap]) -> CoverageMap:
    """What was measured of just these files, or else what `measure` finds; a failure is not kept."""
    digest = _digest()
    if FILE.exists():
        known, found = pickle.loads(FILE.read_bytes())
        if known == digest:
            return CoverageMap(**found)
    measured = measure()
    if not measured.failed and FILE.parent.is_dir():
        FILE.write_bytes(pickle.dumps((digest, vars(measured))))
    return measured


def _digest() -> str:
    """Of Python and of all files that git knows or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    digest = hashlib.sha256(sys.version.encode())
    for name in sorted(set(listed.stdout.decode().split("\0"))):
        path = ROOT / name
        if path.is_file():
            digest.update(f"{name}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()
