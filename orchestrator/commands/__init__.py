"""Commands of their own, each a module; orchestrator/cli.py names them."""
