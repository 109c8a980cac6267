"""Packet faults: what the kernel does to the packets of direct links, in the nodes' network namespaces."""
