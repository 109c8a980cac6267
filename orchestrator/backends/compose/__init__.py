"""A system that is not ours: a user's compose project, with faults on its links and processes (docs/system.md)."""
