"""The engines' contract: everybody has a turn, whatever others do."""

from __future__ import annotations

from collections import Counter

from engine_contract import ANY_PORT, Subject, each, pair

from nodes import ops

LONG = 100_000
"""Turns of one program while another waits for its first."""
SOCKETS = 4


def check_who_need_not_wait_lets_others_on(subject: Subject) -> None:
    def other(turns: list[int]) -> ops.Program:
        turns.append((yield ops.Now()))

    def main() -> ops.Program:
        queue, turns = ops.Queue(), list[int]()
        yield ops.Spawn(other(turns))
        for number in range(LONG):
            yield ops.Put(queue, number)
            yield ops.Get(queue)
            if turns:
                return
        raise AssertionError("the other never had its turn")

    subject.run(main())


def check_of_sockets_that_are_always_ready_each_is_served(subject: Subject) -> None:
    turns = Counter[int]()

    def juggle(number: int, socket: ops.Socket) -> ops.Program:
        """With one ball, which is always in the air."""
        yield ops.SendTo(socket, b"ball", socket.local)
        while min(turns[each] for each in range(SOCKETS)) < 3:
            assert turns[number] < LONG // SOCKETS, f"turns: {turns}"
            ball, _ = yield ops.RecvFrom(socket, 10)
            turns[number] += 1
            yield ops.SendTo(socket, ball, socket.local)

    def main() -> ops.Program:
        sockets = yield from each(ops.Bind(ANY_PORT) for _ in range(SOCKETS))
        tasks = yield from each(ops.Spawn(juggle(*numbered)) for numbered in enumerate(sockets))
        yield from each(ops.Join(task) for task in tasks)

    subject.run(main())


def check_who_never_stops_sending_leaves_others_their_turns(subject: Subject) -> None:
    """On one connection there is always something to read; on another there is once, while that one is served."""
    served = list[bytes]()

    def never_stops(client: ops.Socket, server: ops.Socket, other: ops.Socket) -> ops.Program:
        for turn in range(LONG):
            yield ops.Send(client, b"more")
            yield ops.Recv(server, 10)
            if turn == SOCKETS:
                yield ops.Send(other, b"once")
            if served:
                return
        raise AssertionError("the other was never served")

    def stops(server: ops.Socket) -> ops.Program:
        served.append((yield ops.Recv(server, 10)))

    def main() -> ops.Program:
        client, server, _listener = yield from pair()
        other, accepted, _another = yield from pair()
        yield ops.Send(client, b"more")
        tasks = yield from each([ops.Spawn(stops(accepted)), ops.Spawn(never_stops(client, server, other))])
        yield from each(ops.Join(task) for task in tasks)
        assert served == [b"once"]

    subject.run(main())


CHECKS = {name: check for name, check in dict(globals()).items() if name.startswith("check_")}
