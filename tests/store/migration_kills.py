"""Openers of old files killed at random moments: ``python migration_kills.py SEED FILE...``.

Each opener is a child of this process, which has loaded the program once for all of them.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time

from store.projects import Store


def opener(path: str) -> int:
    """A child that opens the file and brings it up to date."""
    child = os.fork()
    if child == 0:
        try:
            Store(path).close()
        finally:
            os._exit(0)
    return child


def main(seed: int, paths: list[str]) -> None:
    """Leave the first one alone, which tells how long it takes; kill the others within that."""
    chance = random.Random(seed)
    begun = time.monotonic()
    os.waitpid(opener(paths[0]), 0)
    whole = time.monotonic() - begun
    for path in paths[1:]:
        child = opener(path)
        time.sleep(chance.random() * whole)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
