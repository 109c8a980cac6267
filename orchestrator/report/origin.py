"""PURE: what made a run, as its summary.json says it."""

from __future__ import annotations

from typing import NamedTuple


class Origin(NamedTuple):
    """`code` is the digest of all that is installed of Faultbed; `seed` that of the command, None where each scenario's
    own was taken; `docker` is the engine's own word, None where none was used; `started` is ISO 8601 in UTC, and
    `seconds` how long it took.
    """

    version: str
    code: str
    command: tuple[str, ...]
    seed: int | None
    python: str
    kernel: str
    cpu: str
    cpus: int
    docker: dict[str, str] | None
    started: str
    seconds: float
