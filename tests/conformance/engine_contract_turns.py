"""The engines' contract: everybody has a turn, whatever others do."""

from __future__ import annotations

from engine_contract import Subject

from nodes import ops

LONG = 100_000
"""Turns of one program while another waits for its first."""


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


CHECKS = {name: check for name, check in dict(globals()).items() if name.startswith("check_")}
