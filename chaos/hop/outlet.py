"""PURE: what goes out of a hop: the effects of one call, and the paths that they go on and close."""

from __future__ import annotations

from collections import Counter

from chaos.framers import Message
from chaos.hop.alter import half
from chaos.hop.effects import Effect, End, Finish, Forward, Inject, Pause, Resume
from chaos.hop.path import Path
from chaos.identity import Direction


class Outlet:
    """Of one link. `passed` counts identified requests by the upstream's epoch."""

    def __init__(self, *, stream: bool) -> None:
        self.epoch = 0
        self.passed: Counter[int] = Counter()
        self.paths: dict[int, Path] = {}
        self._stream = stream
        self._effects: list[Effect] = []
        self._paused: Counter[tuple[int, Direction]] = Counter()

    def done(self) -> list[Effect]:
        """The effects since the last call."""
        effects, self._effects = self._effects, []
        return effects

    def forward(self, path: Path, message: Message, data: bytes) -> None:
        """`data` is what goes of the message, or the last of it."""
        self._count(message)
        self._effects.append(Forward(path.connection, message.direction, data))

    def forward_part(self, path: Path, message: Message, data: bytes) -> None:
        """More of it follows, or never will."""
        self._effects.append(Forward(path.connection, message.direction, data))

    def forward_half(self, path: Path, message: Message) -> None:
        """Half of a stream's message can only be followed by the end."""
        if self._stream:
            self.forward_part(path, message, half(message.data))
            self.end(path)
        else:
            self.forward(path, message, half(message.data))

    def inject(self, message: Message) -> None:
        self._count(message)
        self._effects.append(Inject(message.data))

    def finish(self, path: Path, direction: Direction) -> None:
        if not path.open[direction]:
            return
        path.open[direction] = False
        self._effects.append(Finish(path.connection, direction))
        if path.over:
            self.end(path)

    def end(self, path: Path) -> None:
        path.close()
        if self.paths.pop(path.connection, None) is not None:
            self._effects.append(End(path.connection))

    def pause(self, connection: int, direction: Direction) -> None:
        """As often as that is wanted, it has to be resumed."""
        self._paused[connection, direction] += 1
        if self._paused[connection, direction] == 1:
            self._effects.append(Pause(connection, direction))

    def resume(self, connection: int, direction: Direction) -> None:
        self._paused[connection, direction] -= 1
        if not self._paused[connection, direction]:
            del self._paused[connection, direction]
            self._effects.append(Resume(connection, direction))

    def _count(self, message: Message) -> None:
        if message.direction == "request" and message.client is not None:
            self.passed[self.epoch] += 1
