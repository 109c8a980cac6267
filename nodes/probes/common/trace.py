"""What a probe did and saw, told line by line as it happens: whoever reads has it up to the end, however that comes."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from typing import Any

Tell = Callable[[dict[str, Any]], None]


def to(descriptor: int) -> Tell:
    """Each line is one JSON object, written whole."""

    def tell(line: dict[str, Any]) -> None:
        os.write(descriptor, json.dumps(line).encode() + b"\n")

    return tell


class Trace:
    """Of one probe: times count from its beginning, for who reads; nothing is judged by them."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._began = time.monotonic_ns()

    def note(self, text: str) -> None:
        self._tell({"note": text, "ms": round((time.monotonic_ns() - self._began) / 1e6, 2)})
