"""Several loops of one node: what a task yields is looked at from the second on, whatever it was about to do."""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar

import pytest

from nodes import engines, ops
from nodes.engines.common.tasks import Scheduler
from nodes.engines.common.workers import Worker

NAME = "epoll_exclusive"


class Looking(Worker):
    """Counts what its loop looks at."""

    looked: ClassVar[Counter[str]] = Counter()

    def next_operation(self, resume: Any, argument: Any) -> Any:
        operation = super().next_operation(resume, argument)
        self.looked[type(operation).__name__] += 1
        return operation


@pytest.fixture
def made() -> Worker:
    if (reason := engines.availability(NAME)) is not None:
        pytest.skip(f"engine {NAME}: {reason}")
    engine: Any = engines.create(NAME, lambda _: 0, lambda: 0.5)
    looking = type("Looking", (Looking, type(engine)), {})
    Looking.looked = Counter()
    found: Worker = looking(lambda _: 0, lambda: 0.5)
    return found


def idle() -> ops.Program:
    yield ops.Now()


def waiting(queue: ops.Queue) -> ops.Program:
    yield ops.Get(queue)
    yield ops.Random()


def test_one_loop_looks_at_nothing(made: Worker) -> None:
    def main() -> ops.Program:
        for worker in (None, 0):
            yield ops.Join((yield ops.Spawn(idle(), "idle", worker)))

    made.run(main())
    assert not Looking.looked


def test_the_second_loop_makes_the_first_look_at_whoever_waits_is_ready_or_makes_it(made: Worker) -> None:
    queue = ops.Queue()

    def main() -> ops.Program:
        asleep = yield ops.Spawn(waiting(queue))
        yield ops.Sleep((yield ops.Now()))  # it has come to its Get
        ready = yield ops.Spawn(idle())
        assert not Looking.looked
        other = yield ops.Spawn(idle(), "other", 1)
        yield ops.Put(queue, None)
        for task in (asleep, ready, other):
            yield ops.Join(task)

    made.run(main())
    assert Looking.looked["Random"] == 1
    assert Looking.looked["Now"] == 2
    assert Looking.looked["Join"] == 3
    assert not Looking.looked["Put"], "at once after the other began, in which nothing has run"


def test_whoever_made_it_with_the_last_of_its_turn_is_looked_at_when_it_has_the_next(made: Worker) -> None:
    def main() -> ops.Program:
        for _ in range(Scheduler.budget - 1):
            yield ops.Now()
        yield ops.Spawn(idle(), "other", 1)
        yield ops.Random()

    made.run(main())
    assert Looking.looked["Random"] == 1


def test_a_task_that_was_ready_goes_on_with_an_error_as_with_a_value(made: Worker) -> None:
    def child() -> ops.Program:
        try:
            yield ops.Get(ops.Queue())
        except ops.Cancelled:
            yield ops.Random()

    def main() -> ops.Program:
        cancelled = yield ops.Spawn(child())
        yield ops.Sleep((yield ops.Now()))
        yield ops.Cancel(cancelled)
        yield ops.Spawn(idle(), "other", 1)
        yield ops.Join(cancelled)

    made.run(main())
    assert Looking.looked["Random"] == 1
