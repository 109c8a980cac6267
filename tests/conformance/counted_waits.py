"""How often an engine that waits for readiness looked: who spins is seen so, whatever else runs on the machine."""

from __future__ import annotations

from collections import Counter
from typing import Any

from engine_contract import Subject


def counting(engine: Any) -> tuple[Subject, Counter[str]]:
    """-> the engine under examination, and how often it has looked."""
    waits = Counter[str]()

    class Counted(engine):  # type: ignore[misc]
        @staticmethod
        def poller() -> Any:
            poller = engine.poller()
            wait = poller.wait

            def count(timeout_ns: int | None) -> list[tuple[int, int]]:
                waits["all"] += 1
                return wait(timeout_ns)

            poller.wait = count
            return poller

    return Subject(Counted), waits
