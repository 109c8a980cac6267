"""The command: `faultbed`, and `python -m faultbed`. What it does is in orchestrator."""
