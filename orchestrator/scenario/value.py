"""PURE: what the values of a scenario are made of."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from chaos.faults.window import DURATION

Milliseconds = Annotated[int, Field(ge=0), DURATION]


class Value(BaseModel):
    """Its validator is built when it is first used: no command needs them all."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, defer_build=True)

    def __copy__(self) -> Self:
        """Without what was put together of it and kept: a copy is made to be changed."""
        copied = super().__copy__()
        for name in copied.__dict__.keys() - type(self).model_fields.keys():
            del copied.__dict__[name]
        return copied
