"""One epoch of one process in a container: created, followed in a thread of its own until it has ended."""

from __future__ import annotations

import signal as signals
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import IO, Any

import docker
from docker.utils.socket import STDOUT, frames_iter_no_tty

from orchestrator.backends.docker.engine import EngineError, asking
from orchestrator.backends.docker.specification import MEMORY
from orchestrator.backends.host import Ended, Failed, Launch, Line, Report, Spawned, Stopped, Tell
from orchestrator.backends.threads import NoThread, start, workers
from orchestrator.run.session import SessionError, SignalName

PATIENCE = 10.0
LONGEST_LINE = 4096
"""Bytes of a line that are passed on; the log has all of it."""
BY_SIGNAL = 128
"""The exit code of what was ended by the signal n is this much above n, of shells and of the engine alike."""


class Container:
    """Rule: signals have a thread of their own, in which they wait until the container runs: who calls does not wait.

    `create` makes the container `name`; it runs under `gate`, which limits how many start at once. Raises NoThread.
    """

    def __init__(
        self,
        client: docker.DockerClient,
        name: str,
        launch: Launch,
        create: Callable[[], None],
        gate: AbstractContextManager[Any],
        tell: Tell,
    ) -> None:
        self.name = name
        self.ended = threading.Event()
        self._client = client
        self._launch = launch
        self._create = create
        self._gate = gate
        self._tell = tell
        self._begun = threading.Event()
        self._doomed = False
        self._paused = False
        self._trouble: str | None = None
        self._signals = workers(1, f"signals of {launch.name}")
        try:
            self._thread = start(self._live, f"the container of {launch.name}")
        except NoThread:
            self._signals.shutdown()
            raise

    def signal(self, signal: SignalName) -> None:
        if signal == "kill" and not self._begun.is_set():
            self._doomed = True
        self._signals.submit(self._signal, signal)

    def close(self, patience: float) -> None:
        """After it was killed: wait for its threads."""
        self._thread.join(patience)
        self._signals.shutdown(wait=not self._thread.is_alive(), cancel_futures=True)

    def _live(self) -> None:
        report: Report
        try:
            report = self._follow()
        except SessionError as error:
            report = Failed(self._trouble or str(error))
        except OSError as error:
            report = Failed(f"its log {self._launch.log} cannot be written: {error}")
        except Exception as error:  # nobody else would hear of it
            report = Failed(f"what it does is not known: {type(error).__name__}: {error}")
        finally:
            self.ended.set()
            self._begun.set()
        self._tell(report)

    def _follow(self) -> Report:
        with self._launch.log.open("ab", buffering=0) as log:
            with self._gate:
                if self._doomed:
                    return Failed("it was killed before it was started")
                output = self._start()
            self._begun.set()
            try:
                for line in lines(self._frames(output), log):
                    self._tell(Line(line))
            finally:
                close(output)
            return self._end()

    def _frames(self, output: Any) -> Iterator[tuple[int, bytes]]:
        frames: Any = frames_iter_no_tty(output)
        while True:
            with asking(f"pass on what the container of {self._launch.name} prints"):
                frame = next(frames, None)
            if frame is None:
                return
            yield frame

    def _start(self) -> Any:
        """-> what it prints, as the SDK's socket."""
        api = self._client.api
        self._create()
        with asking(f"start a container for {self._launch.name}"):
            output = api.attach_socket(self.name, {"stdout": 1, "stderr": 1, "stream": 1})
            try:
                api.start(self.name)
                self._tell(Spawned(api.inspect_container(self.name)["State"]["Pid"]))
            except BaseException:
                close(output)
                raise
        return output

    def _end(self) -> Report:
        """Inspecting waits for the engine to be done with it: until then its address is not free."""
        with asking(f"wait for the container of {self._launch.name}"):
            self._client.api.wait(self.name)
            state = self._client.api.inspect_container(self.name)["State"]
        return how(state, self._trouble, self._launch.limits.memory or MEMORY)

    def _signal(self, signal: SignalName) -> None:
        self._begun.wait()
        if self.ended.is_set():
            return
        try:
            with asking(f"{signal} the container of {self._launch.name}"):
                self._perform(signal)
        except EngineError as error:
            self._give_up(str(error))
        except Exception as error:  # nobody else would hear of it
            self._give_up(f"{signal} failed: {type(error).__name__}: {error}")

    def _perform(self, signal: SignalName) -> None:
        api = self._client.api
        if signal == "stop":
            self._pause()
            self._paused = True
            self._tell(Stopped())
            return
        if signal == "kill":
            api.kill(self.name, "SIGKILL")  # first: a paused one that is let go must not run on
        if self._paused:
            self._paused = False
            self._unpause()
        if signal == "continue":
            api.kill(self.name, "SIGCONT")  # it may have stopped itself, at a failpoint; its init passes the signal on

    def _pause(self) -> None:
        """On a busy machine with cgroup v1 the freezer does not always get hold of every thread at the first try."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self._client.api.pause(self.name)
                return
            except docker.errors.APIError as error:
                if "unable to freeze" not in str(error) or time.monotonic() > deadline:
                    raise

    def _unpause(self) -> None:
        try:
            self._client.api.unpause(self.name)
        except docker.errors.APIError:
            if self._alive():  # some engines let go what they kill
                raise

    def _give_up(self, reason: str) -> None:
        """What could not be done to one that lives makes the run worthless: it is told as the reason of its end."""
        try:
            with asking(f"end the container of {self._launch.name}"):
                if not self.ended.is_set() and self._alive():
                    self._trouble = reason
                    self._client.api.kill(self.name, "SIGKILL")
        except EngineError:
            return  # an engine that is gone ends the other thread's stream, and that one tells

    def _alive(self) -> bool:
        state = self._client.api.inspect_container(self.name)["State"]
        return bool(state["Running"])


def close(output: Any) -> None:
    """End what attaching began. The SDK hides the response in its socket, and closes neither."""
    output._response.close()
    output.close()


def lines(frames: Iterable[tuple[int, bytes]], log: IO[bytes]) -> Iterator[str]:
    """The lines of the standard output, as they become complete; everything goes into the log.

    A frame is (STDOUT or STDERR, data).
    """
    rest = b""
    for stream, data in frames:
        log.write(data)
        if stream != STDOUT:
            continue
        *complete, rest = (rest + data).split(b"\n")
        for line in complete:
            yield line[:LONGEST_LINE].decode("utf-8", "replace")
        rest = rest[:LONGEST_LINE]  # one that never ends must not be kept whole


def how(state: dict[str, Any], trouble: str | None, memory: int) -> Report:
    """How it ended, going by the state that the engine tells of it."""
    code: int = state["ExitCode"]
    if trouble is not None:
        return Failed(trouble)
    if state.get("OOMKilled") and code == BY_SIGNAL + signals.SIGKILL:  # not something else that ran in it
        remedy = "give it more (limits.memory), or let it do less"
        return Failed(f"out of memory: the kernel killed it at its limit of {memory} bytes; {remedy}")
    if code - BY_SIGNAL in set(signals.Signals):
        return Ended(code - BY_SIGNAL, 0)
    return Ended(0, code)
