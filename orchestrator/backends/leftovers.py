"""What a killed command left behind: processes of a run whose orchestrator is gone. They are found by their
environment (FAULTBED_RUN, and FAULTBED_ORCHESTRATOR as "pid:create_time") and ended one by one, by their ids."""

from __future__ import annotations

import hashlib
import os
import platform
from typing import NamedTuple

import psutil

RUN = "FAULTBED_RUN"
ORCHESTRATOR = "FAULTBED_ORCHESTRATOR"
PID_NAMESPACE = "/proc/self/ns/pid"
TOLERANCE = 2.0
"""Seconds: a process's creation time is rounded differently by different readers, and shifts with the boot time."""


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


def alive(orchestrator: str) -> bool:
    """Whether "pid:create_time" is a running process. What cannot be read counts as alive: better to spare it."""
    pid, _, created = orchestrator.partition(":")
    try:
        process = psutil.Process(int(pid))
        same = abs(process.create_time() - float(created)) <= TOLERANCE
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
