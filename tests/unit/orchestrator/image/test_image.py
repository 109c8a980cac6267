"""The image's parts that need no engine: what the wheel contains, which image is refused, what the Dockerfile says."""

from __future__ import annotations

import base64
import csv
import hashlib
import re
import shutil
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from docker.errors import ImageNotFound

import faultbed
from faultbed.__main__ import NAMES
from orchestrator.backends.code_digest import digest
from orchestrator.backends.docker.image import CODE_LABEL, VERSION_LABEL, check_image, image_name
from orchestrator.image import build, debian, external
from orchestrator.image.wheel import PARTS, make_wheel
from orchestrator.run.session import SessionError
from orchestrator.scenario import shipped

ROOT = Path(__file__).parents[4]


class Engine:
    """Stands in for the SDK's client: one image, with these labels."""

    def __init__(self, labels: dict[str, str] | None) -> None:
        self.images = self
        self._labels = labels

    def get(self, name: str) -> Any:
        if self._labels is None:
            raise ImageNotFound(f"no such image: {name}")
        return SimpleNamespace(labels=self._labels)


@pytest.fixture
def wheel(tmp_path: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(make_wheel(tmp_path))


def test_the_wheel_has_every_module_scenario_and_the_dockerfile(wheel: zipfile.ZipFile) -> None:
    parts = {path.relative_to(ROOT).as_posix() for part in NAMES for path in (ROOT / part).rglob("*.py")}
    parts |= {"Dockerfile", *(f"scenarios/{name}.yaml" for name in shipped.names())}
    names = set(wheel.namelist())
    assert {f"faultbed/parts/{path}" for path in parts} | {"faultbed/__main__.py", "faultbed/part.py"} <= names
    assert {name.split("/")[0] for name in names} == {"faultbed", f"faultbed-{version('faultbed')}.dist-info"}
    assert [name for name in names if "__pycache__" in name or name.endswith(".pyc")] == []
    assert wheel.read("faultbed/parts/Dockerfile") == (ROOT / "Dockerfile").read_bytes()


def test_the_wheels_record_is_true(wheel: zipfile.ZipFile) -> None:
    name = f"faultbed-{version('faultbed')}.dist-info/RECORD"
    rows = list(csv.reader(wheel.read(name).decode().splitlines()))
    assert sorted(row[0] for row in rows) == sorted(wheel.namelist())
    for path, written, size in rows:
        content = wheel.read(path)
        made = "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        assert path == name or (written, int(size)) == (made, len(content))


def test_the_wheel_is_one_for_any_python(wheel: zipfile.ZipFile) -> None:
    metadata = f"faultbed-{version('faultbed')}.dist-info"
    assert "Tag: py3-none-any" in wheel.read(f"{metadata}/WHEEL").decode()
    assert "\nfaultbed = " in wheel.read(f"{metadata}/entry_points.txt").decode()
    assert f"{metadata}/licenses/LICENSE" in wheel.namelist()
    assert not [name for name in wheel.namelist() if "direct_url" in name], "where it was installed from is nobody's"


@pytest.mark.parametrize("code", [{CODE_LABEL: digest()}, {CODE_LABEL: ""}, {}], ids=["same", "untold", "unlabelled"])
def test_an_image_of_this_version_is_accepted(code: dict[str, str]) -> None:
    engine: Any = Engine({VERSION_LABEL: version("faultbed"), **code})
    check_image(engine, image_name())


def test_a_digest_tells_names_and_contents_apart(tmp_path: Path) -> None:
    package = ModuleType("package")
    package.__path__ = [str(tmp_path)]
    seen = set()
    for name, content in (("a.py", "1"), ("a.py", "2"), ("b.py", "2"), ("c/a.py", "")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
        seen.add(digest((package,)))
    (tmp_path / "c" / "a.pyc").write_text("compiled")
    assert digest((package,)) in seen
    assert len(seen) == 4


def test_what_starts_a_part_in_a_container_is_in_the_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = digest()
    copy = Path(shutil.copytree(faultbed.__path__[0], tmp_path / "faultbed"))
    (copy / "parts" / "nodes").mkdir(parents=True)
    (copy / "parts" / "nodes" / "more.py").touch()
    monkeypatch.setattr(faultbed, "__path__", [str(copy)])
    assert digest() == before, "where all parts lie in that package is no other code"
    (copy / "part.py").write_text("other")
    assert digest() != before


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (None, "has no image mine"),
        ({}, "contains no Faultbed"),
        ({VERSION_LABEL: "0.0.9"}, "contains Faultbed 0.0.9"),
        ({VERSION_LABEL: version("faultbed"), CODE_LABEL: "0" * 16}, "contains other code of Faultbed"),
    ],
)
def test_any_other_image_is_refused_with_the_remedy(labels: dict[str, str] | None, told: str) -> None:
    engine: Any = Engine(labels)
    with pytest.raises(SessionError, match=rf"{told}.*run `faultbed image build`"):
        check_image(engine, "mine")


def test_the_dockerfile_says_this_version_and_its_base() -> None:
    text = build.DOCKERFILE.read_text()
    assert f"\nARG VERSION={version('faultbed')}\n" in text
    assert build.default_base() == "python:3.12-slim"
    assert re.search(r"^USER (?!root)", text, re.MULTILINE)


def test_a_dockerfile_without_a_base_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    monkeypatch.setattr(build, "DOCKERFILE", tmp_path / "Dockerfile")
    with pytest.raises(SessionError, match="names no base: expected a line `ARG BASE=IMAGE`"):
        build.default_base()


def test_without_docker_nothing_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SessionError, match="no program 'docker' on PATH: install Docker's command line"):
        build.build(None, "mine", pytest.fail)


def test_without_mmdebstrap_there_is_another_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "works", lambda _: False)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SessionError, match=r"no program 'mmdebstrap' on PATH: .*`--base IMAGE`"):
        debian.make_base()


def test_without_pip_there_is_a_way_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "find_spec", lambda _: None)
    with pytest.raises(SessionError, match=r"has no pip to collect wheels with: run `.* -m ensurepip`"):
        build._collect(tmp_path, build.Interpreter("3.11", "x86_64"))


def test_a_failed_program_is_quoted() -> None:
    with pytest.raises(SessionError, match=r"(?s)trying it: sh failed with status 3:\nthe reason$"):
        external.run(["sh", "-c", "echo the reason >&2; exit 3"], "trying it")


def test_a_programs_temporary_files_are_where_they_are_removed(tmp_path: Path) -> None:
    assert external.run(["sh", "-c", 'echo "$TMPDIR"'], "asking", str(tmp_path)) == f"{tmp_path}\n"


def test_docker_build_is_given_all_that_the_wheel_is_made_of() -> None:
    document = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    project, wheel = document["project"], document["tool"]["hatch"]["build"]["targets"]["wheel"]
    made_of = {"pyproject.toml", project["readme"], *project["license-files"], *wheel["only-include"]}
    given = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    assert given == made_of | wheel["force-include"].keys()
    assert {"faultbed", *PARTS} == {*wheel["only-include"], *wheel["force-include"]}
