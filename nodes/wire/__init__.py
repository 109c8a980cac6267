"""PURE: bytes to values and back. No socket, clock or randomness in sight."""
