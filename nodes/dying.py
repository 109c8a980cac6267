"""How a process ends or stops itself at once, without running another line of its own, by its system's means."""

from __future__ import annotations

import os
import signal
import threading

from nodes.failpoints import Act


def act_on_oneself(act: Act) -> None:
    """Returns after "stop", once this process was made to go on."""
    if act == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    else:
        # Directed at this thread: the program stands at its failpoint even where it does not run in the main one.
        signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
