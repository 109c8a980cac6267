"""Redis: one command's reply, over a connection of our own. Source: redis.io/docs, "Redis serialization protocol"."""

from __future__ import annotations

import shlex
import socket
from collections.abc import Sequence
from typing import BinaryIO

from orchestrator.oracles.effects import Effect, effect
from orchestrator.oracles.places import Places
from orchestrator.scenario.system import RedisOracle

PATIENCE = 10.0


def read_redis(oracle: RedisOracle, places: Places) -> list[Effect]:
    """Raises OSError, ValueError."""
    words = shlex.split(oracle.redis)
    with socket.create_connection(places.address(oracle.at), PATIENCE) as connection:
        connection.sendall(encoded(words))
        with connection.makefile("rb") as file:
            reply = value(file)
    if not isinstance(reply, list):
        raise ValueError(f"{oracle.redis}: Redis answered {reply!r:.200}, expected a list")
    if words[0].upper() == "HGETALL":
        return [effect(intent, n) for intent, n in zip(reply[::2], reply[1::2], strict=True)]
    return [effect(intent) for intent in reply]


def encoded(words: Sequence[str]) -> bytes:
    """A command on the wire."""
    parts = [word.encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


def value(file: BinaryIO) -> object:
    """The next reply (RESP2). Raises ValueError: an error's text, or what is no reply."""
    line = file.readline()
    kind, rest = line[:1], line[1:].strip()
    if not line.endswith(b"\r\n"):
        raise ValueError("Redis ended the connection within its answer")
    if kind == b"+":
        return rest
    if kind == b":":
        return int(rest)
    if kind == b"-":
        raise ValueError(f"Redis refuses: {rest.decode('utf-8', 'replace')}")
    if kind == b"$":
        return None if rest == b"-1" else file.read(int(rest) + 2)[:-2]
    if kind == b"*":
        return None if rest == b"-1" else [value(file) for _ in range(int(rest))]
    raise ValueError(f"{line!r:.100} is no answer of Redis")
