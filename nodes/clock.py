"""The clock that evidence is stamped with, and the domain in which its times can be compared.

A clock fault moves a node's injected clock, never this one.
"""

from __future__ import annotations

import os
import time

now = time.monotonic_ns
"""-> nanoseconds; comparable between all processes of one clock domain (clock_gettime(2), CLOCK_MONOTONIC)."""

BOOT_ID = "/proc/sys/kernel/random/boot_id"
TIME_NAMESPACE = "/proc/self/ns/time"


def clock_domain() -> str:
    """Where this process's monotonic times belong: boot id and time namespace, or the host's name.

    On Linux every boot and every time namespace (time_namespaces(7)) has its own zero. Elsewhere only the
    host's name is known, so records from before and after a reboot must not be put into one history.
    """
    try:
        with open(BOOT_ID, encoding="ascii") as told:
            boot = told.read().strip()
    except OSError:
        import platform  # only where it is needed

        return f"host:{platform.node()}"
    try:
        return f"{boot}/{os.readlink(TIME_NAMESPACE)}"
    except OSError:  # a kernel without time namespaces has one clock for all
        return boot
