"""--seccomp: a profile's text goes to the engine as it is, and what is none is refused with what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.backends.docker.seccomp import LARGEST, profile
from orchestrator.backends.docker.specification import confinement
from orchestrator.scenario.cell import NO_LIMITS
from orchestrator.scenario.document import BadScenario

PROFILE = '{"defaultAction": "SCMP_ACT_ALLOW"}'


def test_a_profile_is_the_text_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(PROFILE)
    assert profile(str(tmp_path / "p.json")) == PROFILE
    assert profile("unconfined") == "unconfined"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ("[" * 100_000, "not JSON"),
        ("\udcff", "not JSON"),
        (" " * (LARGEST + 1), f"expected at most {LARGEST} bytes"),
    ],
)
def test_what_is_no_profile_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "p.json").write_text(text, errors="surrogateescape")
    with pytest.raises(BadScenario, match=f"p.json: .*{said}.*--seccomp expects the file of a seccomp profile"):
        profile(str(tmp_path / "p.json"))


@pytest.mark.parametrize("given", ["absent.json", ".", "a\0b"])
def test_what_is_no_file_is_refused(tmp_path: Path, given: str) -> None:
    with pytest.raises(BadScenario, match="--seccomp expects the file"):
        profile(str(tmp_path / given))


def test_it_is_given_beside_what_every_container_is_held_to() -> None:
    assert confinement(NO_LIMITS, "net")["security_opt"] == ["no-new-privileges"]
    assert confinement(NO_LIMITS, "net", PROFILE)["security_opt"] == ["no-new-privileges", f"seccomp={PROFILE}"]
