"""select and pselect tell of urgent data where they are asked for it, and drivers do not ask."""

from __future__ import annotations

import socket
from importlib import import_module

import pytest

from nodes import engines
from nodes.engines.common.poller import READABLE, URGENT, WRITABLE


@pytest.mark.parametrize("name", ["select", "pselect"])
def test_it_is_told_to_who_asks(name: str) -> None:
    if (missing := engines.availability(name)) is not None:
        pytest.skip(f"engine {name}: {missing}")
    poller = import_module(f"nodes.engines.{engines.module(name)}").Engine.poller()
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as peer:
        ours = listener.accept()[0]
        with ours:
            peer.send(b"!", socket.MSG_OOB)
            poller.register(ours.fileno(), READABLE | URGENT)
            assert poller.wait(5_000_000_000) == [(ours.fileno(), URGENT)]
            poller.modify(ours.fileno(), READABLE | WRITABLE)
            assert poller.wait(5_000_000_000) == [(ours.fileno(), WRITABLE)]
            poller.modify(ours.fileno(), URGENT | WRITABLE)
            assert poller.wait(5_000_000_000) == [(ours.fileno(), URGENT | WRITABLE)]
            poller.unregister(ours.fileno())
            assert poller.wait(0) == []
    poller.close()
