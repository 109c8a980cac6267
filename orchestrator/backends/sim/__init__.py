"""The simulator: one seed is one run, byte for byte."""
