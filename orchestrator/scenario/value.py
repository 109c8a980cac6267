"""PURE: what the values of a scenario are made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Milliseconds = Annotated[int, Field(ge=0)]


class Value(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
