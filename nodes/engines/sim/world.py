"""The simulated world: hosts, their network, one virtual clock and the scheduler of all their programs.

Rules of this file:

1. Computing takes no time. The clock moves only when no task can run, to the next thing that happens.
2. Which of the tasks that can run goes next is drawn from the given source of chance; nothing else decides
   (no hash order, no identity, no clock). One seed is one run.
3. After the main program has ended nothing runs. `close` lets go of what was left.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from nodes import ops
from nodes.engines.common.endings import drop
from nodes.engines.sim import tasks
from nodes.engines.sim.errors import Crash, Deadlock, Killed
from nodes.engines.sim.fiber import Fiber
from nodes.engines.sim.host import Host
from nodes.engines.sim.medium import Chance, Conditions, Medium
from nodes.engines.sim.network import WAIT, Network
from nodes.engines.sim.timeline import Timeline
from nodes.ops import Cancelled, Program, Transaction

_Handler = Callable[[Fiber, Any], Any]


class World:
    """`random` decides every latency and every interleaving. Close it, or use it in a `with` statement."""

    def __init__(self, random: Chance, conditions: Conditions | None = None) -> None:
        self.hosts: dict[str, Host] = {}
        self._chance = random.random
        self.timeline = Timeline()
        self._ready: list[Fiber] = []
        self._buried: list[Program] = []
        self._main: Fiber | None = None
        self._interrupted = False
        network = Network(Medium(self.timeline, random, conditions or Conditions()), self.hosts)
        self._handlers = self._own_handlers() | _network_handlers(network)

    @property
    def now(self) -> int:
        """Nanoseconds since the world began."""
        return self.timeline.now

    def host(self, name: str) -> Host:
        """The host of that name; it is down until something is spawned there."""
        if name not in self.hosts:
            self.hosts[name] = Host(self, name, self._chance)
        return self.hosts[name]

    def run(
        self,
        main: Program,
        host: Host,
        commit: Callable[[Transaction], int] | None = None,
        random: Callable[[], float] | None = None,
    ) -> Any:
        """Run everything until `main`, on `host`, ends -> its result.

        Raises its error, or what ended its host (Crash, or the error of a task that nobody joined; Killed without
        one), or Deadlock if it can never end.
        """
        fiber = self._main = host.spawn(main, "main", commit, random)
        ready, advance, step, chance = self._ready, self._advance, self.timeline.step, self._chance
        while not fiber.done:
            if self._interrupted and fiber.operation is not None:
                self._throw(KeyboardInterrupt(), fiber)
            if not ready:
                if not step():
                    raise Deadlock(self._waiting())
                continue
            if len(ready) > 1:
                at = int(chance() * len(ready))
                ready[at], ready[-1] = ready[-1], ready[at]
            advance(ready.pop())
        if isinstance(fiber.error, Killed) and host.error is not None:
            raise host.error
        if fiber.error is not None:
            raise fiber.error
        return fiber.result

    def interrupt(self) -> None:
        """Have KeyboardInterrupt thrown into the main program at what it waits for; from any thread."""
        self._interrupted = True

    def put(self, queue: ops.Queue, item: Any) -> None:
        """`Put` for code that is no program, such as a witness or `Host.on_exit`."""
        tasks.enqueue(queue, item)

    def close(self) -> None:
        """Let go of every program that never ended. Their `finally` blocks run now, to no effect on the world."""
        for host in self.hosts.values():
            host.on_exit = None
            host.exit()
        buried, self._buried = self._buried, []
        for program in buried:
            try:
                drop(program)
            except (Crash, Cancelled):
                continue

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    # for hosts

    def start(
        self, host: Host, program: Program, name: str, commit: Callable[[Transaction], int], random: Callable[[], float]
    ) -> Fiber:
        """A task that can run from now on."""
        fiber = Fiber(program, name, host, self._ready, commit, random)
        host.fibers[fiber] = None
        self._ready.append(fiber)
        return fiber

    def bury(self, program: Program) -> None:
        """Keep a dead host's program until `close`: letting go of a generator would run its `finally` blocks."""
        self._buried.append(program)

    def expire(self, fiber: Fiber) -> None:
        """What `fiber` waits for has taken until its deadline, or it slept until now."""
        operation = fiber.operation
        if fiber.host.paused:
            fiber.host.expired.append((fiber, fiber.waits))
        elif operation.__class__ is ops.Sleep:
            fiber.wake(None)
        else:
            self.abandon(fiber)
            fiber.fail(TimeoutError(f"{type(operation).__name__}: its deadline has passed"))

    def proceed(self, fiber: Fiber) -> None:
        """Perform what it yielded as its host stopped. Nothing else of the host comes between a step and that: what a
        commit writes was computed in the step before it."""
        operation, fiber.deferred = fiber.deferred, None
        kind = operation.__class__
        try:
            value = self.timeline.now if kind is ops.Now else self._handlers.get(kind, _unknown)(fiber, operation)
        except (Exception, Cancelled, Crash) as error:
            if self._refused(fiber, error):
                return
        else:
            if value is WAIT:
                self._wait(fiber, operation)
                return
            fiber.value = value
        self._ready.append(fiber)

    def abandon(self, fiber: Fiber) -> None:
        """Whatever `fiber` waits for no longer knows it."""
        operation: Any = fiber.operation
        if fiber.connecting is not None:
            stream, fiber.connecting = fiber.connecting, None
            stream.waiting = None
            stream.abort()
            return
        kind = operation.__class__
        if kind is ops.Get:
            operation.queue.waiters.remove(fiber)
        elif kind is ops.Join:
            operation.task.joiners.remove(fiber)
        elif kind is ops.Send:
            operation.socket.writer = None
        elif hasattr(operation, "socket"):
            operation.socket.waiting = None

    # the scheduler

    def _throw(self, error: BaseException, fiber: Fiber) -> None:
        self._interrupted = False
        self.abandon(fiber)
        fiber.fail(error)

    def _advance(self, fiber: Fiber) -> None:
        """Run `fiber` until it waits, ends, or another task can run too."""
        ready, host, handlers = self._ready, fiber.host, self._handlers
        while not fiber.done:
            if host.paused:
                host.parked.append(fiber)
                return
            operation = self._resume(fiber)
            if fiber.done:
                return
            if host.paused:
                fiber.deferred = operation
                host.parked.append(fiber)
                return
            kind = operation.__class__
            try:
                value = self.timeline.now if kind is ops.Now else handlers.get(kind, _unknown)(fiber, operation)
            except (Exception, Cancelled, Crash) as error:
                if self._refused(fiber, error):
                    return
            else:
                if value is WAIT:
                    self._wait(fiber, operation)
                    return
                fiber.value = value
            if ready:
                ready.append(fiber)
                return

    def _resume(self, fiber: Fiber) -> Any:
        """-> the operation that the program yields next; None if it ended."""
        error = fiber.thrown
        try:
            if error is None:
                return fiber.program.send(fiber.value)
            fiber.thrown = None
            return fiber.program.throw(error)
        except StopIteration as stop:
            self._end(fiber, stop.value, None)
        except (Exception, Cancelled, Crash) as failure:
            self._end(fiber, None, failure)
        return None

    def _refused(self, fiber: Fiber, error: BaseException) -> bool:
        """An operation could not be performed -> whether `fiber` died of it; else it is to be told."""
        if isinstance(error, Crash):
            self._end(fiber, None, error)
            return True
        fiber.thrown, fiber.value = error, None
        return False

    def _wait(self, fiber: Fiber, operation: Any) -> None:
        """`operation` is not performed yet; perhaps it has a deadline."""
        fiber.operation = operation
        deadline = operation.until if operation.__class__ is ops.Sleep else operation.deadline
        if deadline is not None:
            self.timeline.timer(deadline, fiber, self.expire)

    def _end(self, fiber: Fiber, result: Any, error: BaseException | None) -> None:
        """The program ended; a host dies of a Crash, and of an error that nobody waits for."""
        if fiber.done:
            return
        host = fiber.host
        if isinstance(error, Crash):
            self.bury(fiber.program)
            host.end("killed", error)
            return
        heard = bool(fiber.joiners) or fiber is self._main
        host.fibers.pop(fiber, None)
        fiber.end(result, error)
        if error is not None and not heard and not isinstance(error, Cancelled):
            host.end(f"{type(error).__name__}: {error}", error)

    def _waiting(self) -> list[str]:
        return [fiber.describe() for host in self.hosts.values() for fiber in host.fibers]

    # operations that need the scheduler

    def _own_handlers(self) -> dict[type, _Handler]:
        return {
            ops.Sleep: tasks.sleep,
            ops.Spawn: self._spawn,
            ops.Join: tasks.join,
            ops.Cancel: self._cancel,
            ops.Get: tasks.get,
            ops.Put: tasks.put,
            ops.Random: tasks.random,
            ops.Commit: tasks.commit,
        }

    def _spawn(self, fiber: Fiber, operation: ops.Spawn) -> Fiber:
        return self.start(fiber.host, operation.program, operation.name, fiber.commit, fiber.random)

    def _cancel(self, _: Fiber, operation: ops.Cancel) -> None:
        task: Any = operation.task
        if task.operation.__class__ in (ops.Get, ops.Sleep):
            self.abandon(task)
            task.fail(Cancelled())
        else:
            task.cancelled = not task.done


def _unknown(_: Fiber, operation: Any) -> Any:
    raise TypeError(f"{operation!r} is no operation")


def _network_handlers(network: Network) -> dict[type, _Handler]:
    return {
        ops.Listen: network.listen,
        ops.Bind: network.bind,
        ops.Accept: network.accept,
        ops.Connect: network.connect,
        ops.Recv: network.recv,
        ops.RecvFrom: network.recv,
        ops.Send: network.send,
        ops.SendTo: network.send_to,
        ops.Shutdown: network.shutdown,
        ops.HasEnded: network.has_ended,
        ops.Close: network.close,
    }
