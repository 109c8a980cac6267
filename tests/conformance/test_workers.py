"""Several loops of one node: who wakes whom, who accepts, how they end; and workers that are wrong on purpose."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Generator
from functools import partial
from typing import Any

import pytest
from descriptors_taken import none_left
from engine_contract import ANY_PORT, MILLISECOND, Subject, each, failing, one, pause, until

from nodes import engines, ops
from nodes.accepting import accept
from nodes.engines import epoll_exclusive
from nodes.engines.common.readiness import Driver
from nodes.engines.common.workers import Worker

WORKERS = range(3)
SEVERAL = [name for name in engines.NAMES if engines.offer(name).workers > 1]

pytestmark = pytest.mark.parametrize("engine", SEVERAL)


def subject(name: str) -> Subject:
    if reason := engines.availability(name):
        pytest.skip(f"engine {name}: {reason}")
    return Subject(partial(engines.create, name))


def in_each(program: Any) -> Generator[Any, Any, list[ops.Task]]:
    """A task in each worker."""
    return (yield from each(ops.Spawn(program(), f"in {number}", number) for number in WORKERS))


def joined(tasks: list[ops.Task]) -> Generator[Any, Any, list[Any]]:
    return (yield from each(ops.Join(task) for task in tasks))


def check_a_put_wakes_a_get_of_another_loop(subject: Subject) -> None:
    """There: before and after it waits, a task is in the same thread."""
    queue = ops.Queue()

    def taker() -> ops.Program:
        before = threading.get_ident()
        item = yield ops.Get(queue)
        assert threading.get_ident() == before
        return item

    def main() -> ops.Program:
        for giver in WORKERS:
            takers = yield from in_each(taker)
            yield from until(lambda: len(queue.waiters) == len(WORKERS))
            for number in WORKERS:
                yield ops.Join((yield ops.Spawn(one(ops.Put(queue, number)), "giver", giver)))
            assert sorted((yield from joined(takers))) == list(WORKERS)

    subject.run(main())


def check_cancel_and_join_reach_other_loops(subject: Subject) -> None:
    def ends() -> ops.Program:
        before = threading.get_ident()
        error = yield from failing(ops.Get(ops.Queue()))
        assert threading.get_ident() == before
        return type(error)

    def joins(task: ops.Task) -> ops.Program:
        before = threading.get_ident()
        result = yield ops.Join(task)
        assert threading.get_ident() == before
        return result

    def main() -> ops.Program:
        waiting: list[ops.Task] = yield from in_each(ends)
        joining = []
        for number, task in enumerate(waiting):
            joining.append((yield ops.Spawn(joins(task), "joiner", (number + 1) % len(WORKERS))))
        yield from until(lambda: all(task.joiners and task.cancellable for task in waiting))  # type: ignore[attr-defined]
        for task in waiting:
            yield ops.Cancel(task)
        assert (yield from joined(joining)) == [ops.Cancelled] * len(WORKERS)

    subject.run(main())


def accepting_once(listener: ops.Socket, accepted: list[int], gate: ops.Queue) -> ops.Program:
    """Whoever has accepted one accepts no more, and waits until everybody has."""
    connection = yield from accept(listener)
    thread = threading.get_ident()
    accepted.append(thread)
    assert (yield ops.Recv(connection, 1)) == b"?"
    assert threading.get_ident() == thread
    yield ops.Send(connection, b"!")
    if len(accepted) == len(WORKERS):
        yield from each(ops.Put(gate, None) for _ in WORKERS)
    yield ops.Get(gate)


def calling(address: ops.Address) -> ops.Program:
    socket = yield ops.Connect(address)
    yield ops.Send(socket, b"?")
    assert (yield ops.Recv(socket, 1)) == b"!"


def check_every_worker_accepts(subject: Subject) -> None:
    """Nobody is deaf: a worker that is told of a connection while it accepts none says so to the others."""
    accepted: list[int] = []

    def main() -> ops.Program:
        listener, gate = (yield ops.Listen(ANY_PORT)), ops.Queue()
        tasks: list[ops.Task] = yield from in_each(lambda: accepting_once(listener, accepted, gate))
        for _ in WORKERS:
            yield ops.Join((yield ops.Spawn(calling(listener.local))))
        yield from joined(tasks)

    subject.run(main())
    assert len(set(accepted)) == len(WORKERS)


def check_closing_a_listener_ends_every_accept(subject: Subject) -> None:
    def main() -> ops.Program:
        listener = yield ops.Listen(ANY_PORT)
        tasks: list[ops.Task] = yield from in_each(lambda: failing(ops.Accept(listener)))
        yield from pause(1)
        yield ops.Close(listener)
        assert {type(error) for error in (yield from joined(tasks))} == {ConnectionAbortedError}
        for number in WORKERS:
            late = yield ops.Spawn(failing(ops.Accept(listener)), "late", number)
            assert isinstance((yield ops.Join(late)), ConnectionAbortedError)

    subject.run(main())


def check_an_error_of_any_worker_ends_the_run(subject: Subject) -> None:
    def fails() -> ops.Program:
        yield from pause(1)
        raise LookupError("in a worker")

    def main() -> ops.Program:
        yield ops.Spawn(fails(), "fails", WORKERS[-1])
        yield ops.Get(ops.Queue())

    with pytest.raises(LookupError):
        subject.run(main())


CHECKS = {name: check for name, check in dict(globals()).items() if name.startswith("check_")}


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_workers(engine: str, check: Any) -> None:
    before = threading.active_count()
    check(subject(engine))
    assert threading.active_count() == before


def test_there_is_an_end_to_the_workers(engine: str) -> None:
    def main() -> ops.Program:
        for number in (-1, engines.offer(engine).workers):
            error = yield from failing(ops.Spawn(one(ops.Now()), "one too many", number))
            assert isinstance(error, ValueError)

    subject(engine).run(main())


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells which descriptors are taken")
def test_without_descriptors_no_worker_spins(engine: str) -> None:
    subject(engine)
    kind: Any = type(engines.create(engine, lambda _: 0, lambda: 0.5))
    waits = Counter[str]()

    class Counted(kind):  # type: ignore[misc]
        def _waiter(self) -> Any:
            wait = super()._waiter()

            def count(timeout_ns: int | None) -> list[tuple[int, int]]:
                waits["all"] += 1
                return wait(timeout_ns)  # type: ignore[no-any-return]

            return count

    def main() -> ops.Program:
        listener, gate = (yield ops.Listen(ANY_PORT)), ops.Queue()
        accepted: list[int] = []
        clients = yield from each(ops.Connect(listener.local) for _ in WORKERS)
        yield from joined((yield from in_each(lambda: one(ops.Now()))))  # each has begun
        with none_left():
            tasks: list[ops.Task] = yield from in_each(lambda: accepting_once(listener, accepted, gate))
            for _ in range(20):  # in one of them nobody is disturbed by a busy host
                waits.clear()
                yield from pause(40)
                if waits["all"] < 20:
                    break
            else:
                raise AssertionError(f"{waits['all']} waits in 40 ms")
            assert not accepted
        yield from each(ops.Send(client, b"?") for client in clients)
        yield from joined(tasks)

    Subject(Counted).run(main())


# --- workers that are wrong on purpose ---


class MakesReadyInItsOwnLoop(epoll_exclusive.Engine):
    def _wake(self, task: Any, resume: Any, argument: Any) -> None:
        Driver._wake(self, task, resume, argument)


class RingsNobody(epoll_exclusive.Engine):
    def ring(self) -> None:
        pass


class KeepsTheWordToItself(epoll_exclusive.Engine):
    _notice = Driver._notice


class ClosesForItselfAlone(epoll_exclusive.Engine):
    _discard = Driver._discard


class DiesAlone(epoll_exclusive.Engine):
    def work(self) -> None:
        self._crew.fail = lambda error: None  # type: ignore[method-assign]
        super().work()


MUTANTS: list[tuple[type[Worker], Any]] = [
    (MakesReadyInItsOwnLoop, check_a_put_wakes_a_get_of_another_loop),
    (MakesReadyInItsOwnLoop, check_cancel_and_join_reach_other_loops),
    (RingsNobody, check_a_put_wakes_a_get_of_another_loop),
    (KeepsTheWordToItself, check_every_worker_accepts),
    (ClosesForItselfAlone, check_closing_a_listener_ends_every_accept),
    (DiesAlone, check_an_error_of_any_worker_ends_the_run),
]


def again_and_again(check: Any, subject: Subject) -> None:
    """A busy host may hide what is wrong, but not for ever."""
    for _ in range(20):
        check(subject)


@pytest.mark.parametrize(("mutant", "check"), MUTANTS, ids=lambda value: value.__name__)
def test_broken_workers_are_convicted(engine: str, mutant: type[Worker], check: Any) -> None:
    subject(engine)
    with pytest.raises((AssertionError, TimeoutError, ops.Cancelled)):
        again_and_again(check, Subject(mutant, guard=300 * MILLISECOND))
