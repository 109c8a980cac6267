"""Where the Dockerfile is: inside the package where installed, at the top of a working copy."""

from __future__ import annotations

from pathlib import Path


def dockerfile() -> Path:
    inside = Path(__file__).parent / "Dockerfile"
    return inside if inside.is_file() else Path(__file__).parents[2] / "Dockerfile"
