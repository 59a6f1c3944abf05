"""Writers killed at random moments: ``python kills.py PLACE SCENARIO VILLAGE KILLS SEED``.

Each writer is a child of this process that opens the store, saves step after step, and tells each
one that was acknowledged through a pipe; after a few of them it is killed (SIGKILL), at any moment
of the next. The program fails where an acknowledged step is missing or another stands in its
place, where more than one step came of what was not acknowledged, or where the store is not well.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from math import inf

import numpy as np

from planning import edits
from planning.history import Step
from store.projects import Conflict, Store

AT_ONCE = 25


def write(place: str, scenario: int, village: str, name: str, pipe: int) -> None:
    """Save steps for ever, each under a name of its own."""
    with Store(place) as store:
        opened = store.open_plan(scenario, village)
        plan, version = opened.plan, opened.version
        unit = random.randrange(len(plan.units))
        while True:
            unit = (unit + 1) % len(plan.units)
            to = next(key for key in plan.keys.tolist() if key != plan.label[unit])
            after = edits.transfer(plan, np.array([unit]), to).plan
            if len(after.grids) < 2:
                continue
            token = f"{name}.{version + 1}"
            try:
                version = store.save_step(
                    scenario, village, version, Step("transfer", plan, after, actor=token)
                )
            except Conflict:  # what the writer before left behind was finished by the server
                opened = store.open_plan(scenario, village)
                plan, version = opened.plan, opened.version
                continue
            plan = after
            os.write(pipe, f"{version} {token}\n".encode())


def acknowledged(pipe: int, count: float) -> Iterator[tuple[int, str]]:
    """What a writer told: at least the next ``count`` steps, or all until its end."""
    rest = b""
    while count > 0:
        data = os.read(pipe, 65536)
        if not data:
            return
        lines = (rest + data).split(b"\n")
        rest = lines.pop()
        for line in lines:
            version, _, token = line.decode().partition(" ")
            yield int(version), token
            count -= 1


def kill_one(
    place: str, scenario: int, village: str, name: str, chance: random.Random
) -> dict[int, str]:
    """One writer's life; returns the steps that were acknowledged."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            write(place, scenario, village, name, writing)
        finally:
            os._exit(1)
    os.close(writing)
    told = dict(acknowledged(reading, chance.randint(1, 3)))
    time.sleep(chance.random() * 0.03)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    told.update(acknowledged(reading, inf))
    os.close(reading)
    return told


def main(place: str, scenario: int, village: str, kills: int, seed: int) -> None:
    """Kill ``kills`` writers and look whether all is there."""
    chance = random.Random(seed)
    told: dict[int, dict[int, str]] = {}
    with Store(place) as store:
        own = scenario
        for number in range(kills):
            if number % AT_ONCE == 0:  # a log that is not too long to be replayed again and again
                own = store.branch(scenario, f"from kill {number}")
                told[own] = {}
            store.close()  # nothing open is handed to the child
            made = kill_one(place, own, village, f"w{number}", chance)
            if not made:
                raise SystemExit("a writer died by itself")
            told[own].update(made)
            if number % AT_ONCE == AT_ONCE - 1 or number == kills - 1:
                look(store, village, told, number + 1)


def look(store: Store, village: str, told: dict[int, dict[int, str]], kills: int) -> None:
    """Compare what was acknowledged with what is there."""
    lost, unsaid, steps = [], 0, 0
    for scenario, made in told.items():
        log = {entry.seq: entry.actor for entry in store.log(scenario, village)}
        lost += [(scenario, seq) for seq, token in made.items() if log.get(seq) != token]
        unsaid += len(log) - len(made)
        steps += len(made)
    found = store.verify()
    if lost or found or not 0 <= unsaid <= kills:
        raise SystemExit(f"lost: {lost}, unsaid: {unsaid}, wrong: {found}")
    print(f"{kills} kills, {steps} steps acknowledged, all there; "
          f"{unsaid} more were saved and not yet acknowledged", flush=True)  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
