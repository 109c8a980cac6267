"""All checks of the engines' contract, by their names."""

from __future__ import annotations

import engine_contract_endings
import engine_contract_keeping
import engine_contract_raw
import engine_contract_sockets
import engine_contract_tasks
import engine_contract_turns

CHECKS = (
    engine_contract_tasks.CHECKS
    | engine_contract_turns.CHECKS
    | engine_contract_sockets.CHECKS
    | engine_contract_endings.CHECKS
    | engine_contract_keeping.CHECKS
)
OF_REAL_ENGINES = engine_contract_raw.CHECKS
