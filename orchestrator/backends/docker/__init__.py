"""The Docker backend: a container for every epoch of a node and for the relay, on a network of the run's own.

Everything that it makes has labels by which it is found again, whatever became of who made it (leftovers.py).
"""
