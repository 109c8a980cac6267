"""PURE: the failure models that a level of delivery is claimed under, and which of them a fault brings.

That a client crashes, or is partitioned for longer than its lease, are models too, which no fault brings: clients are
not killed, and no lease is reclaimed.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Model = Literal[
    "loss",
    "duplication",
    "reordering",
    "delay",
    "connection-cut",
    "server-crash",
    "history-loss",
    "history-trim",
]


class Brings(NamedTuple):
    """What a fault brings to messages that are datagrams, and to those of a stream; () where it cannot be done.

    Which of several it was, the history says (orchestrator/checkers/bites/models.py). A copy after the trim may be of
    any fault, so none lists it.
    """

    datagrams: tuple[Model, ...]
    streams: tuple[Model, ...]


def alike(*models: Model) -> Brings:
    return Brings(models, models)


def of_streams(*models: Model) -> Brings:
    """Of a fault that only a stream can have."""
    return Brings((), models)


PARTITIONED = Brings(("loss",), ("delay", "connection-cut"))
"""By the kernel, that is: a connection that lives on has its segments sent again."""
