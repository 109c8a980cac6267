"""The operations on tasks, queues, time and the ledger, performed for simulated tasks.

Each function takes the task and its operation, and returns the result or WAIT; then the task is woken later.
"""

from __future__ import annotations

from typing import Any, NoReturn

from nodes import ops
from nodes.engines.sim.fiber import Fiber
from nodes.engines.sim.network import WAIT


def join(fiber: Fiber, operation: ops.Join) -> Any:
    task: Any = operation.task
    if not task.done:
        task.joiners.append(fiber)
        return WAIT
    if task.error is not None:
        raise task.error
    return task.result


def get(fiber: Fiber, operation: ops.Get) -> Any:
    if fiber.cancelled:
        heed_cancel(fiber)
    queue = operation.queue
    if queue.items:
        return queue.items.popleft()
    queue.waiters.append(fiber)
    return WAIT


def put(_: Fiber, operation: ops.Put) -> None:
    enqueue(operation.queue, operation.item)


def enqueue(queue: ops.Queue, item: Any) -> None:
    """Hand `item` to the task that waits longest, or keep it."""
    if queue.waiters:
        queue.waiters.popleft().wake(item)
    else:
        queue.items.append(item)


def sleep(fiber: Fiber, _: ops.Sleep) -> Any:
    if fiber.cancelled:
        heed_cancel(fiber)
    return WAIT


def heed_cancel(fiber: Fiber) -> NoReturn:
    """Raise the Cancelled of a Cancel that came before."""
    fiber.cancelled = False
    raise ops.Cancelled


def random(fiber: Fiber, _: ops.Random) -> float:
    return fiber.random()


def commit(fiber: Fiber, operation: ops.Commit) -> int:
    return fiber.commit(operation.transaction)
