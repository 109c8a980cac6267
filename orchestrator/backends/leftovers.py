"""What a killed command left behind: processes of a run whose orchestrator is gone. They are found by their
environment (FAULTBED_RUN, and FAULTBED_ORCHESTRATOR as "pid:born") and ended one by one, by their ids."""

from __future__ import annotations

import hashlib
import os
import platform
from typing import NamedTuple

import psutil

RUN = "FAULTBED_RUN"
ORCHESTRATOR = "FAULTBED_ORCHESTRATOR"
PID_NAMESPACE = "/proc/self/ns/pid"
EPOCH = 1e9
"""No system is up for so many seconds: of who says more it is the time since the epoch (older versions', here)."""
TOLERANCE = 2.0
"""Seconds: when a process was born is rounded differently by different readers."""


class Leftover(NamedTuple):
    process: psutil.Process
    run: str
    orchestrator: str

    def __str__(self) -> str:
        return f"process {self.process.pid} of run {self.run}, whose orchestrator {self.orchestrator} is gone"


def leftovers() -> list[Leftover]:
    """Processes of this user whose orchestrator does not live any more; those of a living one are left alone."""
    found = []
    for process in psutil.process_iter():
        try:
            environment = process.environ()
        except (psutil.Error, OSError):
            continue  # another user's, a zombie, or gone meanwhile
        run, orchestrator = environment.get(RUN), environment.get(ORCHESTRATOR)
        if run and orchestrator and numbered_as_here(process.pid) and not alive(orchestrator):
            found.append(Leftover(process, run, orchestrator))
    return found


def place() -> str:
    """Where this process's id counts: the host, and its PID namespace (pid_namespaces(7)). What was made elsewhere is
    not judged here: its orchestrator's id means another process."""
    try:
        namespace = os.readlink(PID_NAMESPACE)
    except OSError:
        namespace = "-"  # a system without them
    return f"{platform.node()} {namespace}"


def place_mark() -> str:
    """`place` in a few letters, for names of files."""
    return hashlib.blake2b(place().encode(), digest_size=4).hexdigest()


def numbered_as_here(pid: int) -> bool:
    """Whether it is in our PID namespace (pid_namespaces(7)): in a container of its own its orchestrator's id means
    another process, and the container ends it."""
    try:
        return os.readlink(f"/proc/{pid}/ns/pid") == os.readlink(PID_NAMESPACE)
    except OSError:
        return not os.path.exists(PID_NAMESPACE)  # a system without namespaces, or it is gone or another user's


def orchestrator_id() -> str:
    """This process as "pid:born", by which what it left behind is told from what a living one needs."""
    return identity(psutil.Process())


def identity(process: psutil.Process) -> str:
    return f"{process.pid}:{born(process):.2f}"


def born(process: psutil.Process) -> float:
    """Seconds: since the system was booted where that is what it keeps (starttime in proc_pid_stat(5)), so that nothing
    comes of it when somebody sets the clock; else since the epoch."""
    return process.create_time() - (psutil.boot_time() if psutil.LINUX else 0)


def alive(orchestrator: str) -> bool:
    """Whether "pid:born" is a running process. What cannot be read counts as alive: better to spare it."""
    pid, _, since = orchestrator.partition(":")
    try:
        process = psutil.Process(int(pid))
        then = float(since)
        same = abs((process.create_time() if then > EPOCH else born(process)) - then) <= TOLERANCE
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except (psutil.Error, ValueError):
        return True


def end(found: list[Leftover], patience: float = 3.0) -> list[Leftover]:
    """Kill exactly these; -> those that are still there after `patience` seconds."""
    for leftover in found:
        try:
            leftover.process.kill()  # psutil checks that the id was not taken by another process meanwhile
        except psutil.NoSuchProcess:
            continue
        except psutil.AccessDenied:
            continue  # it stays, and is reported
    _, left = psutil.wait_procs([leftover.process for leftover in found], timeout=patience)
    return [leftover for leftover in found if leftover.process in left]
