"""The command: `faultbed`, and `python -m faultbed`. What it does is in orchestrator."""

import os

_HERE = os.path.dirname(os.path.abspath(__file__))
_INSIDE = os.path.join(_HERE, "parts")

PARTS = _INSIDE if os.path.isdir(_INSIDE) else os.path.dirname(_HERE)
"""The folder of nodes, chaos, orchestrator and what belongs to them: in here where installed, so that nothing of so
general a name lies beside a user's own packages; beside this package in a working copy."""
