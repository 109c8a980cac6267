"""PURE: the hop, sans-io: what happens to the messages of one link on their way."""

from chaos.hop.effects import Effect, End, Finish, Forward, Inject, joined
from chaos.hop.hop import Hop, Note, Status, Unsupported

__all__ = ["Effect", "End", "Finish", "Forward", "Hop", "Inject", "Note", "Status", "Unsupported", "joined"]
