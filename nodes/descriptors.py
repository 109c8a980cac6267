"""How many descriptors this process may open."""

from __future__ import annotations


def limit() -> int | None:
    """RLIMIT_NOFILE (getrlimit(2)); None where there is none."""
    try:
        import resource  # not every system has it
    except ImportError:
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft
