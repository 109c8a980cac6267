"""A hop on the bench: real messages in, effects and notes out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from chaos.decide import Rule, decider
from chaos.decisions import Decide
from chaos.faults.fault import RelayFault
from chaos.framers import framers
from chaos.hop import Effect, Forward, Hop, Inject
from chaos.identity import Direction
from nodes.rpc.codecs import Codec, codec
from nodes.services.counter import COUNTER
from nodes.wire.header import CallHeader, ReplyHeader, Status, client_number
from nodes.wire.record import Kind

LINK = "client -> server"
CLIENT = client_number(1, 1, 1)
ADD = next(procedure for procedure in COUNTER.procedures if procedure.name == "add")


class Messages:
    """Calls and replies of one codec and transport, as a client and a server would send them."""

    def __init__(self, codec_name: str, transport: str) -> None:
        self._name = codec_name
        self.stream = transport == "tcp"

    @property
    def codec(self) -> Codec:
        """Of our own protocols."""
        return codec(self._name, COUNTER)

    def call(self, seq: int, attempt: int = 1, first: int = 1, client: int = CLIENT) -> bytes:
        header = CallHeader(client, seq, attempt, first, 0, seq)
        return self._wrap(self.codec.encode_call(seq * 100 + attempt, ADD, header, (seq,)))

    def reply(self, seq: int, attempt: int = 1, client: int = CLIENT, value: int = 7) -> bytes:
        header = ReplyHeader(client, seq, attempt, Status.EXECUTED, 1, 1, 60_000)
        return self._wrap(self.codec.encode_reply(seq * 100 + attempt, ADD, header, value))

    def _wrap(self, data: bytes) -> bytes:
        return self.codec.wrap(data) if self.stream else data


class Bench:
    """One hop, up in epoch 1, with connection 1 open. `notes` has (kind, client, seq, attempt, detail)."""

    def __init__(
        self,
        faults: Sequence[RelayFault],
        codec_name: str,
        transport: str,
        seed: int = 7,
        decide: Decide | None = None,
    ) -> None:
        """`decide` instead of the faults' rules."""
        self.messages = Messages(codec_name, transport)
        self.notes: list[tuple[Kind, int, int, int, dict[str, Any]]] = []
        rules = [Rule(index, fault) for index, fault in enumerate(faults)]
        self.hop = Hop(
            LINK,
            partial(framers, codec_name, transport),
            decide or decider(seed, rules),
            range(len(rules)),
            range(len(rules)),
            self.note,
            stream=transport == "tcp",
        )
        self.hop.upstream(True, 1)
        self.hop.opened(1)

    def note(
        self, kind: Kind, client: int = 0, seq: int = 0, attempt: int = 0, *, detail: dict[str, Any] | None = None
    ) -> None:
        self.notes.append((kind, client, seq, attempt, detail or {}))

    def request(self, data: bytes, now: int = 0, connection: int = 1) -> list[Effect]:
        return self.hop.received(connection, "request", data, now)

    def reply(self, data: bytes, now: int = 0, connection: int = 1) -> list[Effect]:
        return self.hop.received(connection, "reply", data, now)

    def send(self, direction: Direction, data: bytes, now: int = 0, connection: int = 1) -> list[Effect]:
        return self.hop.received(connection, direction, data, now)

    def message(self, direction: Direction, seq: int, attempt: int = 1) -> bytes:
        return self.messages.call(seq, attempt) if direction == "request" else self.messages.reply(seq, attempt)

    def acts(self, kind: Kind = Kind.DECISION) -> list[tuple[int, int, str]]:
        """(seq, occurrence, act) of every note of that kind."""
        return [(seq, detail["occurrence"], detail["act"]) for noted, _, seq, _, detail in self.notes if noted is kind]


def forwarded(effects: Sequence[Effect], direction: Direction) -> bytes:
    return b"".join(effect.data for effect in effects if isinstance(effect, Forward) and effect.direction == direction)


def injected(effects: Sequence[Effect]) -> list[bytes]:
    return [effect.data for effect in effects if isinstance(effect, Inject)]


def typed(effects: Sequence[Effect]) -> list[tuple[type, Effect]]:
    """To compare them: as bare tuples a Pause, a Resume and a Finish are the same."""
    return [(type(effect), effect) for effect in effects]
