"""The command: `faultbed`, and `python -m faultbed`. What it does is in orchestrator."""

import gc
import os

TYPE_CHECKING = False  # the one in typing is not there yet
if TYPE_CHECKING:
    from typing import Any

_HERE = os.path.dirname(os.path.abspath(__file__))
_INSIDE = os.path.join(_HERE, "parts")

PARTS = _INSIDE if os.path.isdir(_INSIDE) else os.path.dirname(_HERE)
"""The folder of nodes, chaos, orchestrator and what belongs to them: in here where installed, so that nothing of so
general a name lies beside a user's own packages; beside this package in a working copy."""


def loaded(module: str) -> "Any":
    """One of our modules, by name. It and all that it imports stay until the process ends, so that no collection needs
    to look at them, neither meanwhile nor later: an eighth of what a start costs."""
    from importlib import import_module  # once our parts come first

    gc.disable()
    found = import_module(module)
    gc.freeze()
    gc.enable()
    return found
