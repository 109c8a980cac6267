"""The counter counts in 64 bits: no amounts that arrive make a result that no reply and no ledger can hold."""

from __future__ import annotations

from typing import Any, cast

import msgpack
import pytest

from nodes.ops import Program
from nodes.rpc.serve import Execution
from nodes.services.counter import Counter
from nodes.wire.xdr import HYPER, as_hyper


class Calling:
    """What the counter sees of a call: it packs what it commits, as ledgers do."""

    def pause(self) -> Program:
        yield from ()

    def commit(self, value: int, state: dict[str, Any]) -> Program:
        msgpack.packb((value, state))
        yield from ()


@pytest.mark.parametrize("amount", [2**63 - 1, -(2**63)])
def test_amounts_that_add_up_to_more_than_64_bits_are_counted_on(amount: int) -> None:
    counter = Counter({})
    for calls in range(1, 6):
        with pytest.raises(StopIteration) as done:
            next(counter.add(cast(Execution, Calling()), amount))
        assert done.value.value == counter.total == as_hyper(calls * amount)
        HYPER.pack(counter.total)


def test_what_fits_is_itself() -> None:
    for value in (0, 1, -1, 2**63 - 1, -(2**63)):
        assert as_hyper(value) == value
    assert (as_hyper(2**63), as_hyper(-(2**63) - 1)) == (-(2**63), 2**63 - 1)


def test_it_goes_on_from_the_state_that_it_is_given() -> None:
    for made, total in ((Counter({}), 0), (Counter({"total": 7}), 7)):
        with pytest.raises(StopIteration) as done:
            next(made.read(cast(Execution, Calling())))
        assert done.value.value == total
