"""PURE: the driver that sends messages to a group. Each has as many operations as the group has members, one for its
delivery to each (nodes/wire/messages.py), and is sent once, when all of them have come to it."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from nodes.drivers.lines import Line
from nodes.drivers.rpc import RpcDriver
from nodes.ops import Program
from nodes.rpc.calls import Call
from nodes.wire.header import turn


class MulticastDriver(RpcDriver):
    """On the links to all members, of which `members` says how many there are."""

    def __init__(self, members: int, *of_link: Any) -> None:
        super().__init__(*of_link)
        self._members = members
        self._come: dict[int, list[Call]] = defaultdict(list)
        """By the number of a message, which is that of its first delivery."""

    def _send(self, call: Call, line: Line, deadline: int) -> Program:
        """They are recorded in one step, in which no other message goes."""
        number = call.seq - turn(call.seq, self._members)
        self._come[number].append(call)
        if len(self._come[number]) < self._members:
            return
        calls = sorted(self._come.pop(number), key=lambda one: one.seq)
        headers = [self._record(one, line) for one in calls]
        yield from self._hand(self._lines.encode(calls[0], headers[0]), line, deadline)
        for one in calls:
            self.witness.passage("after-send", self.session.client, one.seq, one.attempt)
