"""PURE: what a lane is called, and what it should be seen to do: the quadrants of blocking and synchronous.

POSIX (Base Definitions, 3 "Synchronous I/O Operation"): it is synchronous if the process waits until it is complete,
however it learnt that it can be done at once. M. Tim Jones (IBM developerWorks, "Boost application performance using
asynchronous I/O", 2006) calls it asynchronous if something else than the call tells: so select is "asynchronous
blocking" there. Signal-driven I/O is not in that article.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Learns = Literal["the call returns", "a wait returns", "a signal", "a callback", "a variable"]


class Lane(NamedTuple):
    """`early`: control returns before there is data. `copied`: when the program is told, the data is in its memory, and
    no call is left to make. `tries`: calls say EAGAIN. `works`: something useful is done meanwhile. `blocking`: the
    descriptor is (no O_NONBLOCK, fcntl(2)), and no timeout of Python's makes it wait by poll(2)."""

    title: str
    learns: Learns
    posix: str
    ibm: str
    early: bool
    copied: bool
    tries: bool
    works: bool
    blocking: bool = False
