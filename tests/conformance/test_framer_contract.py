"""Every framer against the contract, and the contract against framers that break it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import framer_contract as contract
import pytest
from mutations import VALID

from chaos.framers import CODECS, DATAGRAM_CODECS, STREAM_CODECS, Framer, Framers, Message, framers
from chaos.framers.message import UNKNOWN
from chaos.framers.resp import Values
from chaos.framers.shells import DatagramFramer, StreamFramer
from chaos.identity import Direction

ENDLESS = ("http1", "tcp")
"""After an upgrade, and in an answer until the connection's end, bytes have no messages: those come last in VALID."""
PROTOCOLS = [(codec, "tcp") for codec in CODECS if codec not in DATAGRAM_CODECS]
PROTOCOLS += [(codec, "udp") for codec in CODECS if codec not in STREAM_CODECS]


def case(protocol: tuple[str, str], make: Callable[[], Framers] | None = None) -> contract.Case:
    valid = VALID[protocol]
    if protocol == ENDLESS:
        valid = {"request": valid["request"][:4], "reply": valid["reply"][:3]}
    return contract.Case(make or partial(framers, *protocol), valid, protocol[1] == "tcp")


@pytest.mark.parametrize("check", contract.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("protocol", PROTOCOLS, ids="-".join)
def test_a_framer_keeps_the_contract(protocol: tuple[str, str], check: Callable[[contract.Case], None]) -> None:
    assert protocol in VALID, "tests/mutations.py needs valid messages of it"
    check(case(protocol))


def one_for_all() -> Callable[[], Framers]:
    kept = framers("resp", "tcp")
    return lambda: kept


class Chunks(DatagramFramer):
    """Takes what comes at once for a message."""

    def __init__(self, values: Values) -> None:
        super().__init__(lambda data, direction: UNKNOWN)


class Merges(StreamFramer):
    """Gives on as one what is complete at the same time."""

    def feed(self, data: bytes, direction: Direction) -> list[Message]:
        found = super().feed(data, direction)
        return [found[0]._replace(data=b"".join(message.data for message in found))] if found else []


class Forgets(StreamFramer):
    """What came of an incomplete message is lost when more comes."""

    def feed(self, data: bytes, direction: Direction) -> list[Message]:
        if self.pending():
            self._splitter = Values()
        return super().feed(data, direction)


class Invents(StreamFramer):
    """Allows what no fault does."""

    def __init__(self, values: Values) -> None:
        super().__init__(values, frozenset({"teleport"}))


def both(kind: Callable[[Values], Framer]) -> Callable[[], Framers]:
    return lambda: {"request": kind(Values()), "reply": kind(Values())}


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        (one_for_all(), contract.connections_and_directions_share_nothing),
        (both(Chunks), contract.a_message_that_is_not_whole_is_kept),
        (both(Chunks), contract.however_bytes_come_the_messages_are_the_same),
        (both(Merges), contract.however_bytes_come_the_messages_are_the_same),
        (both(Forgets), contract.however_bytes_come_the_messages_are_the_same),
        (both(Invents), contract.what_is_allowed_is_what_faults_can_do),
    ],
)
def test_the_contract_convicts(broken: Callable[[], Framers], check: Callable[[contract.Case], None]) -> None:
    with pytest.raises(AssertionError):
        check(case(("resp", "tcp"), broken))
