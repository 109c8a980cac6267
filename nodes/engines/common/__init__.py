"""What engines of one kind share: the readiness driver and its poller's interface, tasks, timers, socket set-up."""
