"""PURE: without the search for circles of garbage, while many values are made that are kept and have none."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Judging a large history takes half as long again with it. Of several at once the first switches it on again."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


@contextmanager
def collected_after() -> Iterator[None]:
    """Of what many values in circles are made for that are all let go of at its end: one search for all, among what
    was made since the last."""
    with uncollected():
        yield
        gc.collect(0)
