"""The packet plane: faults of the kernel on the packets of direct links, in the nodes' network namespaces."""
