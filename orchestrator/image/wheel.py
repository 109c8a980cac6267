"""A wheel of the Faultbed that runs here, from a wheel's installation and from a working copy alike, without a build.

Source: the binary distribution format, https://packaging.python.org/specifications/binary-distribution-format
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path, PurePosixPath

import faultbed

PARTS = ("nodes", "chaos", "orchestrator", "scenarios", "Dockerfile")
"""What the parts' folder has in a wheel, as in pyproject.toml; in a working copy that folder has more."""
KEPT = ("METADATA", "WHEEL", "entry_points.txt")
"""What a wheel's metadata folder needs; an installer adds the rest itself. Licences are kept too."""


def make_wheel(folder: Path) -> Path:
    """Write the wheel into the folder -> its path."""
    installed = distribution("faultbed")
    path = folder / f"faultbed-{installed.version}-py3-none-any.whl"
    record = io.StringIO()
    rows = csv.writer(record, lineterminator="\n")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, source in sorted(_files(installed).items()):
            content = source.read_bytes()
            wheel.writestr(name, content)
            rows.writerow((name, _digest(content), len(content)))
        name = f"faultbed-{installed.version}.dist-info/RECORD"
        rows.writerow((name, "", ""))
        wheel.writestr(name, record.getvalue())
    return path


def _files(installed: Distribution) -> dict[str, Path]:
    """Name in the wheel -> the file. In a working copy the parts lie beside the package in which the wheel has them."""
    found = dict(_metadata(installed))
    found.update(_tree(Path(faultbed.__path__[0]), "faultbed"))
    for part in PARTS:
        found.update(_tree(Path(faultbed.PARTS, part), f"faultbed/parts/{part}"))
    return found


def _metadata(installed: Distribution) -> Iterator[tuple[str, Path]]:
    for file in installed.files or ():
        name = PurePosixPath(file.as_posix())
        if name.parts[0].endswith(".dist-info") and (name.name in KEPT or "licenses" in name.parts):
            yield name.as_posix(), Path(str(installed.locate_file(file)))


def _tree(folder: Path, name: str) -> Iterator[tuple[str, Path]]:
    for path in (folder, *folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield Path(name, path.relative_to(folder)).as_posix(), path


def _digest(content: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
