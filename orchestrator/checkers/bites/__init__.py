"""PURE: which operations a fault named, touched and bit: by messages, streams, packets, processes."""
