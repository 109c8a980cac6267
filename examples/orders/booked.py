#!/usr/bin/env python3
"""The oracle as a program: what Redis has booked, read past every proxy. Prints one effect a line (docs/system.md)."""

import json
import os
import socket

address = json.loads(os.environ["FAULTBED_SERVICES"])["redis"]
with socket.create_connection((address, 6379), timeout=10) as connection, connection.makefile("rwb") as redis:
    redis.write(b"HGETALL booked\r\n")
    redis.flush()
    words = [redis.read(int(redis.readline()[1:]) + 2)[:-2].decode() for _ in range(int(redis.readline()[1:]))]
for intent, times in zip(words[::2], words[1::2], strict=True):
    print(json.dumps({"intent": int(intent), "n": int(times)}))
