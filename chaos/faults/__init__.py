"""PURE: the vocabulary of faults: messages, paths, streams, packets, processes, peers."""
