"""PURE: the hop, sans-io: what happens to the messages of one link on their way."""

from chaos.hop.effects import Effect, End, Finish, Forward, Inject, Pause, Resume, joined
from chaos.hop.hop import Hop, Status

__all__ = [
    "Effect",
    "End",
    "Finish",
    "Forward",
    "Hop",
    "Inject",
    "Pause",
    "Resume",
    "Status",
    "joined",
]
