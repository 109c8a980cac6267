"""The seccomp profile of nodes, where it is not to be the engine's own: a file in Docker's format, or none at all."""

from __future__ import annotations

import json
from pathlib import Path

from orchestrator.scenario.document import bad_file
from orchestrator.scenario.inputs import read

NONE = "unconfined"
EXPECTED = f"--seccomp expects the file of a seccomp profile as Docker takes it, or {NONE}"
LARGEST = 1_000_000
"""Bytes; Docker's own profile has 13,000."""


def profile(given: str) -> str:
    """The file's text, or "unconfined". Raises BadScenario: it cannot be read, or is no JSON object."""
    if given == NONE:
        return given
    try:
        text = read(Path(given), LARGEST).decode()
        valid = isinstance(json.loads(text), dict)
    except OSError as error:
        raise bad_file(given, f"{error.strerror}; {EXPECTED}") from None
    except (ValueError, RecursionError) as error:
        raise bad_file(given, f"not JSON: {error}; {EXPECTED}") from None
    if not valid:
        raise bad_file(given, f"not a JSON object; {EXPECTED}")
    return text
