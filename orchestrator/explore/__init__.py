"""An attacker: runs that nobody wrote, each judged by what the theory of its mechanism promises under its faults."""
