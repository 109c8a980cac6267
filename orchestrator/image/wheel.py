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

import chaos
import nodes
import orchestrator
from orchestrator.image.dockerfile import dockerfile
from orchestrator.shipped import root

ENTRY = "faultbed"
"""The package of the command's entry, which lies beside the others; nothing imports it."""
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
    """Name in the wheel -> the file. Scenarios and Dockerfile lie beside the packages in a working copy."""
    found = dict(_metadata(installed))
    for package in (nodes, chaos, orchestrator):
        found.update(_tree(Path(package.__path__[0]), package.__name__))
    found.update(_tree(Path(orchestrator.__path__[0]).parent / ENTRY, ENTRY))
    found.update(_tree(root(), "orchestrator/scenarios"))
    found["orchestrator/image/Dockerfile"] = dockerfile()
    return found


def _metadata(installed: Distribution) -> Iterator[tuple[str, Path]]:
    for file in installed.files or ():
        name = PurePosixPath(file.as_posix())
        if name.parts[0].endswith(".dist-info") and (name.name in KEPT or "licenses" in name.parts):
            yield name.as_posix(), Path(str(installed.locate_file(file)))


def _tree(folder: Path, name: str) -> Iterator[tuple[str, Path]]:
    for path in folder.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield f"{name}/{path.relative_to(folder).as_posix()}", path


def _digest(content: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
