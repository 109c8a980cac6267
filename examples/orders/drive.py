#!/usr/bin/env python3
"""The driver: books orders, and asks again when no answer comes, with the same Idempotency-Key.

It speaks JSON lines on its standard streams (docs/system.md). `ok`: booked; `fail`: certainly not booked, since no
connection took the request; `info`: nobody knows.
"""

import http.client
import json
import sys
import time

PATIENCE = 2.5
"""Seconds to wait for one answer."""


def book(target: str, intent: int, until: float) -> dict:
    attempts, sent, error = 0, False, "no time was left"
    while time.monotonic() < until:
        attempts += 1
        connection = http.client.HTTPConnection(target, timeout=PATIENCE)
        try:
            connection.connect()
            sent = True
            connection.request("POST", "/orders", body="{}", headers={"Idempotency-Key": str(intent)})
            response = connection.getresponse()
            body = response.read().decode()
            if response.status == 200:
                return {"type": "ok", "value": int(body), "attempts": attempts}
            error = f"status {response.status}: {body}"
        except (OSError, http.client.HTTPException) as failure:
            error = f"{type(failure).__name__}: {failure}"
        finally:
            connection.close()
        time.sleep(0.05)
    return {"type": "info" if sent else "fail", "error": error, "attempts": attempts}


def main() -> None:
    target = ""
    for line in sys.stdin:
        message = json.loads(line)
        answer = {"type": "ok"}
        if message["type"] == "open":
            target = message["target"]
        elif message["type"] == "invoke":
            answer = book(target, message["intent"], time.monotonic() + message["timeout"])
        else:
            return
        print(json.dumps(answer), flush=True)


main()
