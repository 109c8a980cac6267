"""How a session is made: on this machine, simulated, in containers, at agents, over a compose project."""
