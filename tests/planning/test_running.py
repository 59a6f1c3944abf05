"""Workers of a run that is killed do not outlive it."""

from __future__ import annotations

import signal
import subprocess
import sys

RUN = """
import os, time
from planning.running import Job, each

def work(item):
    if item < 2:
        os.write(1, b"%d\\n" % os.getpid())
        time.sleep(0.2 if item else 0)
    return item

done = each(Job(int, work), list(range(6)), workers=2)
next(done)
time.sleep(600)
"""


def test_workers_end_when_the_run_is_killed() -> None:
    """They wait for their next piece then; whoever waits for their output waits as long."""
    process = subprocess.Popen([sys.executable, "-c", RUN], stdout=subprocess.PIPE)
    assert process.stdout is not None
    workers = {process.stdout.readline(), process.stdout.readline()}
    assert b"" not in workers
    process.send_signal(signal.SIGKILL)
    out, _ = process.communicate(timeout=30)  # ends when nobody holds the other end any more
    assert out == b""
