"""Runs inside the guest, as its first program after the mounts: a command a line comes in, its result goes out.

In: {"argv": [...], "text": "..."}. Out: {"code": n, "out": "...", "err": "..."}, and before all else {"ready": true}.
The guest ends when the line does.
"""

import json
import os
import signal
import subprocess
import sys
import tty
from pathlib import Path
from typing import Any

LINE = "/dev/ttyS0"


def result(command: dict[str, Any]) -> dict[str, Any]:
    try:
        run = subprocess.run(command["argv"], input=command["text"], capture_output=True, text=True, check=False)
    except OSError as error:
        return {"code": 127, "out": "", "err": str(error)}
    return {"code": run.returncode, "out": run.stdout, "err": run.stderr}


def serve() -> None:
    descriptor = os.open(LINE, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(descriptor)
    with open(descriptor, closefd=False) as incoming, open(descriptor, "w", closefd=False) as outgoing:
        print(json.dumps({"ready": True}), file=outgoing, flush=True)
        for line in incoming:
            print(json.dumps(result(json.loads(line))), file=outgoing, flush=True)


try:
    serve()
except Exception as error:  # the host reads it in the console's log
    print(f"{Path(sys.argv[0]).name}: {error!r}", flush=True)
finally:
    Path("/proc/sysrq-trigger").write_text("o")
    signal.pause()  # the kernel does it a moment later, and panics if its first program has ended before
