"""PURE: the hop, sans-io: what happens to the messages of one link on their way."""

from chaos.hop.effects import Effect, End, Finish, Forward, Inject, Pause, Resume, joined
from chaos.hop.hop import Hop, Status
from chaos.hop.notes import Note

__all__ = [
    "Effect",
    "End",
    "Finish",
    "Forward",
    "Hop",
    "Inject",
    "Note",
    "Pause",
    "Resume",
    "Status",
    "joined",
]
