"""This machine: processes on loopback, or in network namespaces where packets have faults."""
