"""The means of injecting faults: the message relay, Toxiproxy, the kernel's packet filter, process control."""
