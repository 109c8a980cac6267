"""The engines' contract: tasks, queues, time and the ledger."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from engine_contract import MILLISECOND, Subject, after, each, failing, one, pause, until

from nodes import ops


def transaction(number: int) -> ops.Transaction:
    return ops.Transaction((1, number, 1), {}, ops.Effect(1, number, number, 1, None), None)


def check_sleep_lasts_until_its_time(subject: Subject) -> None:
    def main() -> ops.Program:
        start = yield ops.Now()
        yield ops.Sleep(start + 5 * MILLISECOND)
        assert (yield ops.Now()) >= start + 5 * MILLISECOND
        yield ops.Sleep(start)

    subject.run(main())


def check_others_run_while_one_polls_the_clock(subject: Subject) -> None:
    def main() -> ops.Program:
        task = yield ops.Spawn(one(ops.Now()))
        while not task.done:
            yield ops.Sleep((yield ops.Now()))

    subject.run(main())


def check_random_is_the_given_one(subject: Subject) -> None:
    def main() -> ops.Program:
        before = subject.drawn
        values = yield from each([ops.Random()] * 3)
        assert values == [(before + n) / 1024 for n in (1, 2, 3)]

    subject.run(main())


def check_join_gives_the_result(subject: Subject) -> None:
    def child() -> ops.Program:
        yield from pause(1)
        return "result"

    def main() -> Generator[Any, Any, str]:
        task = yield ops.Spawn(child(), "child")
        assert task.name == "child"
        first = yield ops.Join(task)
        assert task.done
        assert task.result == first == (yield ops.Join(task))
        return str(first)

    assert subject.run(main()) == "result"


def check_join_throws_the_error(subject: Subject) -> None:
    def child() -> ops.Program:
        yield from pause(5)
        raise LookupError("the child's own")

    def main() -> ops.Program:
        task = yield ops.Spawn(child())
        error = yield from failing(ops.Join(task))
        assert isinstance(error, LookupError)
        assert task.done
        assert task.error is error

    subject.run(main())


def check_every_joiner_is_told(subject: Subject) -> None:
    def main() -> ops.Program:
        gate = ops.Queue()
        task = yield ops.Spawn(one(ops.Get(gate)))
        joiners = []
        for _ in range(3):
            joiners.append((yield ops.Spawn(one(ops.Join(task)))))
        yield from pause(5)
        yield ops.Put(gate, "item")
        assert (yield from each(ops.Join(joiner) for joiner in joiners)) == ["item"] * 3

    subject.run(main())


def check_join_has_a_deadline(subject: Subject) -> None:
    def main() -> ops.Program:
        gate = ops.Queue()
        task = yield ops.Spawn(one(ops.Get(gate)))
        error = yield from failing(ops.Join(task, (yield from after(5))))
        assert isinstance(error, TimeoutError)
        yield ops.Put(gate, 1)
        assert (yield ops.Join(task)) == 1

    subject.run(main())


def check_an_error_that_nobody_joins_ends_the_run(subject: Subject) -> None:
    def child() -> ops.Program:
        yield from pause(1)
        raise LookupError("unjoined")

    def main() -> ops.Program:
        yield ops.Spawn(child())
        yield ops.Get(ops.Queue())

    try:
        subject.run(main())
    except LookupError:
        return
    raise AssertionError("the run went on")


def check_the_main_program_decides_the_end(subject: Subject) -> None:
    def main() -> Generator[Any, Any, int]:
        yield ops.Spawn(one(ops.Get(ops.Queue())))
        yield ops.Spawn(one(ops.Sleep((yield from after(3_600_000)))))
        return 7

    assert subject.run(main()) == 7


def check_only_operations_can_be_yielded(subject: Subject) -> None:
    def main() -> ops.Program:
        error = yield from failing(5)
        assert isinstance(error, TypeError)

    subject.run(main())


def check_a_program_runs_alone_between_yields(subject: Subject) -> None:
    total = 0

    def add(times: int) -> ops.Program:
        nonlocal total
        for _ in range(times):
            seen = total
            for _ in range(50):
                seen += 0
            total = seen + 1
            yield ops.Sleep((yield ops.Now()))

    def main() -> ops.Program:
        tasks = []
        for _ in range(4):
            tasks.append((yield ops.Spawn(add(50))))
        for task in tasks:
            yield ops.Join(task)

    subject.run(main())
    assert total == 200


def check_a_queue_is_first_in_first_out(subject: Subject) -> None:
    def main() -> ops.Program:
        queue = ops.Queue()
        for number in range(5):
            yield ops.Put(queue, number)
        assert (yield from each([ops.Get(queue)] * 5)) == [0, 1, 2, 3, 4]

    subject.run(main())


def _waiters(queue: ops.Queue, got: list[tuple[int, Any]], count: int) -> Generator[Any, Any, list[ops.Task]]:
    def wait(number: int) -> ops.Program:
        item = yield ops.Get(queue)
        got.append((number, item))

    tasks = []
    for number in range(count):
        tasks.append((yield ops.Spawn(wait(number))))
        yield from until(lambda due=number + 1: len(queue.waiters) == due)
    return tasks


def check_the_longest_waiter_is_served_first(subject: Subject) -> None:
    def main() -> ops.Program:
        queue = ops.Queue()
        got: list[tuple[int, Any]] = []
        tasks = yield from _waiters(queue, got, 3)
        for item in "abc":
            yield ops.Put(queue, item)
        for task in tasks:
            yield ops.Join(task)
        assert sorted(got) == [(0, "a"), (1, "b"), (2, "c")]

    subject.run(main())


def check_get_has_a_deadline_and_loses_nothing(subject: Subject) -> None:
    def main() -> ops.Program:
        queue = ops.Queue()
        start = yield ops.Now()
        error = yield from failing(ops.Get(queue, start + 5 * MILLISECOND))
        assert isinstance(error, TimeoutError)
        assert (yield ops.Now()) >= start + 5 * MILLISECOND
        yield ops.Put(queue, "late")
        assert (yield ops.Get(queue, start)) == "late", "what is there needs no time"

    subject.run(main())


def check_a_deadline_met_does_not_strike_later(subject: Subject) -> None:
    def main() -> ops.Program:
        queue = ops.Queue()
        yield ops.Spawn(one(ops.Put(queue, 1)))
        assert (yield ops.Get(queue, (yield from after(30)))) == 1
        yield from pause(60)
        yield ops.Spawn(one(ops.Put(queue, 2)))
        assert (yield ops.Get(queue)) == 2

    subject.run(main())


def check_cancel_at_get_takes_no_item(subject: Subject) -> None:
    def main() -> ops.Program:
        queue = ops.Queue()
        task = yield ops.Spawn(one(ops.Get(queue)))
        yield from until(lambda: len(queue.waiters) == 1)
        yield ops.Cancel(task)
        yield ops.Put(queue, "kept")
        assert isinstance((yield from failing(ops.Join(task))), ops.Cancelled)
        assert (yield ops.Get(queue)) == "kept"

    subject.run(main())


def check_cancel_at_sleep(subject: Subject) -> None:
    def sleeper(awake: list[str]) -> ops.Program:
        try:
            yield ops.Sleep((yield from after(3_600_000)))
        except ops.Cancelled:
            awake.append("cancelled")

    def main() -> ops.Program:
        awake: list[str] = []
        task = yield ops.Spawn(sleeper(awake))
        yield from pause(5)
        yield ops.Cancel(task)
        yield ops.Join(task)
        assert awake == ["cancelled"]
        yield ops.Cancel(task)

    subject.run(main())


def check_cancel_waits_for_the_next_get_or_sleep(subject: Subject) -> None:
    def child(queue: ops.Queue, reached: list[int]) -> ops.Program:
        yield ops.Now()
        reached.append(1)
        yield ops.Put(queue, "mine")
        yield ops.Get(queue)
        reached.append(2)

    def main() -> ops.Program:
        queue = ops.Queue()
        reached: list[int] = []
        task = yield ops.Spawn(child(queue, reached))
        yield ops.Cancel(task)
        assert isinstance((yield from failing(ops.Join(task))), ops.Cancelled)
        assert reached == [1]
        assert (yield ops.Get(queue)) == "mine"

    subject.run(main())


def check_cancel_strikes_once(subject: Subject) -> None:
    def child(queue: ops.Queue) -> ops.Program:
        assert isinstance((yield from failing(ops.Get(queue))), ops.Cancelled)
        return (yield ops.Get(queue))

    def main() -> ops.Program:
        queue = ops.Queue()
        task = yield ops.Spawn(child(queue))
        yield ops.Cancel(task)
        yield ops.Put(queue, "later")
        assert (yield ops.Join(task)) == "later"

    subject.run(main())


def check_cancel_takes_nothing_back_that_was_handed_over(subject: Subject) -> None:
    def child(queue: ops.Queue) -> ops.Program:
        item = yield ops.Get(queue)
        assert isinstance((yield from failing(ops.Get(queue))), ops.Cancelled)
        return item

    def main() -> ops.Program:
        queue = ops.Queue()
        task = yield ops.Spawn(child(queue))
        yield from until(lambda: len(queue.waiters) == 1)
        yield ops.Put(queue, "mine")
        yield ops.Cancel(task)
        assert (yield ops.Join(task)) == "mine"

    subject.run(main())


def check_a_cancelled_task_does_not_end_the_run(subject: Subject) -> None:
    def main() -> Generator[Any, Any, str]:
        task = yield ops.Spawn(one(ops.Get(ops.Queue())))
        yield from pause(2)
        yield ops.Cancel(task)
        yield from until(lambda: task.done)
        return "went on"

    assert subject.run(main()) == "went on"


def check_commits_are_atomic_and_in_order(subject: Subject) -> None:
    def work(first: int, numbers: list[tuple[int, int]]) -> ops.Program:
        for step in range(10):
            seq = first + step
            numbers.append(((yield ops.Commit(transaction(seq))), seq))
            yield ops.Sleep((yield ops.Now()))

    def main() -> Generator[Any, Any, list[tuple[int, int]]]:
        numbers: list[tuple[int, int]] = []
        tasks = []
        for first in (0, 100, 200):
            tasks.append((yield ops.Spawn(work(first, numbers))))
        for task in tasks:
            yield ops.Join(task)
        return numbers

    numbers = sorted(subject.run(main()))
    assert [number for number, _ in numbers] == list(range(1, 31))
    assert [seq for _, seq in numbers] == [one.identity[1] for one in subject.committed]


def check_an_error_of_commit_is_thrown_in(subject: Subject) -> None:
    def main() -> ops.Program:
        error = yield from failing(ops.Commit(ops.Transaction((1, 1, 1), None, None, None)))
        assert isinstance(error, ValueError)
        assert (yield ops.Commit(transaction(2))) == 1

    subject.run(main())


CHECKS = {name: check for name, check in dict(globals()).items() if name.startswith("check_")}
