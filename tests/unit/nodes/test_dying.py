"""A process that ends or stops itself does nothing more, whatever else it had to do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

PROGRAM = """
import os, threading
from nodes.dying import act_on_oneself
def act():
    act_on_oneself({act!r}, os.getpid())
    print("went on", flush=True)
thread = threading.Thread(target=act)
try:
    thread.start()
    thread.join()
finally:
    print("ended", flush=True)
"""


FAMILY = """
import os, signal
from nodes.dying import _state, alone
node = os.getpid()
sibling = os.fork() or signal.pause()
if os.fork():
    signal.pause()
alone(node)
print(_state(node), _state(sibling), flush=True)
for process in (sibling, node):
    os.kill(process, signal.SIGKILL)
"""


OF_THE_NODE = """
import os, signal
from nodes.dying import _state, alone
child = os.fork() or signal.pause()
alone(os.getpid())
print(_state(child), flush=True)
os.kill(child, signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells a process's children")
def test_so_do_its_children_if_it_is_the_node_itself() -> None:
    done = subprocess.run([sys.executable, "-c", OF_THE_NODE], stdout=subprocess.PIPE)
    assert (done.returncode, done.stdout) == (0, b"T\n")


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells a process's children")
def test_the_others_of_a_node_stand_still() -> None:
    done = subprocess.run([sys.executable, "-c", FAMILY], stdout=subprocess.PIPE)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, b"T T\n")


@pytest.fixture
def process(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", PROGRAM.format(act=request.param)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as started:
        yield started
        started.kill()


@pytest.mark.parametrize("process", ["die"], indirect=True)
def test_who_dies_runs_no_clean_up(process: subprocess.Popen[bytes]) -> None:
    said, _ = process.communicate()
    assert (process.returncode, said) == (-signal.SIGKILL, b"")


@pytest.mark.parametrize("process", ["stop"], indirect=True)
def test_who_stops_goes_on_when_told(process: subprocess.Popen[bytes]) -> None:
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    process.send_signal(signal.SIGCONT)
    said, _ = process.communicate()
    assert (process.returncode, said) == (0, b"went on\nended\n")
