"""One contract over every mechanism of local IPC, between two real processes; and what only some of them promise."""

from __future__ import annotations

import pytest
from channel_contract import CHECKS, pair

from nodes import ipc

RIGHT = tuple(name for name in ipc.NAMES if not ipc.declared(name).wrong)


def need(name: str) -> None:
    if reason := ipc.availability(name):
        pytest.skip(f"ipc {name}: {reason}")


@pytest.mark.parametrize("mechanism", RIGHT)
@pytest.mark.parametrize("check", CHECKS)
def test_contract(check: str, mechanism: str) -> None:
    need(mechanism)
    with pair(mechanism) as made:
        CHECKS[check](made)
