"""How many descriptors this process may open."""

from __future__ import annotations


def limit() -> int | None:
    """RLIMIT_NOFILE (getrlimit(2)); None where there is none."""
    return _limits()[0]


def highest() -> int | None:
    """As `limit`, of the most that this process and those that it starts may give themselves."""
    return _limits()[1]


def _limits() -> tuple[int | None, int | None]:
    try:
        import resource  # not every system has it
    except ImportError:
        return None, None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    infinite = resource.RLIM_INFINITY
    return None if soft == infinite else soft, None if hard == infinite else hard
