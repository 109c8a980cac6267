"""PURE: what to do where the system has nothing left of something. Standard library only: the supervisor needs it."""

from __future__ import annotations

import errno

_REMEDIES = {
    errno.EAGAIN: "; end other processes of this user, or allow more (ulimit -u)",  # what fork(2) means with it
    errno.EMFILE: "; allow more open files (ulimit -n), or give it fewer --jobs",
    errno.ENFILE: "; close other programs: it is the whole system that has no open file left",
    errno.ENOMEM: "; give it fewer --jobs, or more memory (ulimit -v)",
}


def remedy(error: Exception) -> str:
    """What is added to the message of a process that could not be started; nothing where there is no advice."""
    return _REMEDIES.get(getattr(error, "errno", None) or 0, "")
