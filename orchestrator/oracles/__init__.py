"""Oracles: where the effects of a system that is not ours are read from."""
