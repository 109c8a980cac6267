"""`faultbed image build`: wheels are collected here, the engine only installs them, so that it needs no network."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from faultbed import PARTS
from orchestrator.backends.code_digest import digest
from orchestrator.image.debian import make_base
from orchestrator.image.external import need, run, works
from orchestrator.image.wheel import make_wheel
from orchestrator.run.session import SessionError

DOCKERFILE = Path(PARTS, "Dockerfile")

DEBIAN = "debian"
"""The value of `--base` that means a base made from Debian's packages."""

GLIBC = ("2_17", "2_28")
"""The oldest C libraries that the dependencies' wheels are made for, by their tags (PEP 600)."""

ASK = "import sys, platform; print(sys.version_info.major, sys.version_info.minor, platform.machine())"

EXTRAS = "uvloop"
"""What the Dockerfile installs beyond the dependencies: engines that are packages."""

Tell = Callable[[str], None]


class Interpreter(NamedTuple):
    """The image's Python, such as 3.12 on "x86_64"."""

    version: str
    machine: str


def build(base: str | None, tag: str, tell: Tell) -> int:
    """Build the image from the installed version, by default on the Dockerfile's own base -> its size in bytes.

    Raises SessionError: no engine, no builder, a base without Python, no wheel for it, or a step that failed.
    """
    need("docker", "install Docker's command line, https://docs.docker.com/engine/install")
    run(["docker", "version"], "asking the engine whether it runs")
    if base == DEBIAN:
        tell("base: from Debian's packages")
        base = make_base()
    base = base or default_base()
    interpreter = _interpreter(base)
    tell(f"base: {base}, Python {interpreter.version} on {interpreter.machine}")
    with tempfile.TemporaryDirectory(prefix="faultbed-image-") as folder:
        context = Path(folder)
        shutil.copy(DOCKERFILE, context / "Dockerfile")
        (context / "wheels").mkdir()
        tell("collecting the wheels")
        _collect(context / "wheels", interpreter)
        tell(f"building {tag}")
        values = {"BASE": base, "VERSION": version("faultbed"), "CODE": digest()}
        arguments = [f"--build-arg={name}={value}" for name, value in values.items()]
        before = _named(tag)
        run(["docker", "build", "--progress", "plain", *arguments, "--tag", tag, folder], f"building {tag}")
    for image in before - _named(tag):
        _forget(image)
    return int(run(["docker", "image", "inspect", "--format", "{{.Size}}", tag], f"asking for the size of {tag}"))


def _named(tag: str) -> set[str]:
    """The id of the image that has this name, if one has."""
    return set(run(["docker", "image", "ls", "--quiet", "--no-trunc", tag], f"looking for {tag}").split())


def _forget(image: str) -> None:
    """Remove the predecessor, which has lost its name, unless it has another, or a container still needs it."""
    names = run(["docker", "image", "inspect", "--format", "{{len .RepoTags}}", image], f"looking at {image}")
    if int(names) == 0:
        works(["docker", "image", "rm", image])


def default_base() -> str:
    """The base that the Dockerfile names."""
    found = re.search(r"^ARG BASE=(\S+)$", DOCKERFILE.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise SessionError(f"{DOCKERFILE} names no base: expected a line `ARG BASE=IMAGE`")
    return found[1]


def _interpreter(base: str) -> Interpreter:
    what = f"asking the base {base} for its Python (where no registry can be reached: `--base {DEBIAN}`)"
    said = run(["docker", "run", "--rm", "--network", "none", "--entrypoint", "python3", base, "-c", ASK], what)
    major, minor, machine = said.split()
    return Interpreter(f"{major}.{minor}", machine)


def _collect(folder: Path, interpreter: Interpreter) -> None:
    """This version's wheel, those of its dependencies, and pip's own, which can install without being installed."""
    if find_spec("pip") is None:
        raise SessionError(f"{sys.executable} has no pip to collect wheels with: run `{sys.executable} -m ensurepip`")
    platforms = [f"--platform=manylinux_{glibc}_{interpreter.machine}" for glibc in GLIBC]
    platforms.append(f"--platform=manylinux2014_{interpreter.machine}")
    wanted = ("--only-binary=:all:", f"--python-version={interpreter.version}", *platforms)
    with tempfile.TemporaryDirectory(prefix="faultbed-wheel-") as made:
        wheel = str(make_wheel(Path(made)))
        pip = (sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--quiet")
        run([*pip, *wanted, "--dest", str(folder), f"{wheel}[{EXTRAS}]", "pip"], "collecting the wheels", made)
