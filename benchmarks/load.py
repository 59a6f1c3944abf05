"""Many people on one county: a hundred leaders, ten planners, fifty who come at once.

    python -m benchmarks.load --project DIR --minutes 30      the whole run; writes records/load.*
    python -m benchmarks.load --project DIR --minutes 2 --leaders 20 --planners 4 --no-record

Starts the program on DIR (the demonstration county with its plan.gpkg and its events) with a store
of its own, and plays visitors who speak Streamlit's own websocket protocol (:mod:`benchmarks.wire`,
:mod:`benchmarks.people`); client and server share the machine. In this order:

1. accounts are made (``--sign-in none``: none); one leader and one planner come, so that plan,
   events and store are read: memory **before**;
2. a burst: ``--burst`` people sign in by the form in the same moment, see the leader's page, leave;
3. leaders filter and planners redraw for ``--minutes``: memory at its **peak**;
4. everybody leaves, and the time passes for which the server keeps a session for somebody whose
   connection broke (``--session-seconds``): memory **after**;
5. one session alone asks again for every choice that was shown: all digests must be the same.

With ``--limit-gb`` the server may use no more memory: by ``systemd-run`` where a service manager
runs, else its address space is left alone and the record says that memory was only measured.
Exit code 1 where a target is missed, somebody was sent what is not theirs, or anybody failed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.people import (
    NUMBERS,
    Account,
    Book,
    Leader,
    Person,
    Planner,
    new_mark,
    shown_alone,
)
from benchmarks.run import machine, today
from benchmarks.wire import RefusedError
from store.policy import Grant
from store.projects import Store

RECORDS = Path(__file__).parent / "records"
TARGETS = {"filter": 1.0, "edit": 0.5}  # seconds, 95th percentile
BURST_S = 5.0  # the slowest of the burst
BACK = 1.10  # memory after everybody left, by that before


# --- the server ---------------------------------------------------------------------------------


@dataclass
class Server:
    """The program as it runs; ``pid`` of the process whose tree is measured."""

    address: str
    pid: int
    limited: bool = False
    memory: list[tuple[float, float]] = field(default_factory=list)

    def resident(self) -> float:
        """Megabytes resident in the process and all its children; shared pages count in each."""
        return sum(_resident(pid) for pid in tree(self.pid))

    def processor(self) -> float:
        """Processor seconds of the process itself so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    async def watch(self, every: float = 1.0) -> None:
        """Note the memory again and again."""
        started = time.monotonic()
        while True:
            self.memory.append((time.monotonic() - started, self.resident()))
            await asyncio.sleep(every)


def _resident(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0  # it ended meanwhile
    return int(text.split("VmRSS:")[1].split()[0]) / 1024 if "VmRSS:" in text else 0.0


def tree(root: int) -> list[int]:
    """A process and all that descend from it."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        parents.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found, to_do = [], [root]
    while to_do:
        found.append(to_do.pop())
        to_do += parents.get(found[-1], [])
    return found


def limiter(gigabytes: float) -> list[str]:
    """The words before a command that limit its memory; none where nobody manages services."""
    ready = shutil.which("systemd-run") and Path("/run/systemd/system").is_dir()
    if not gigabytes or not ready:
        return []
    return ["systemd-run", "--scope", "--quiet", "-p", f"MemoryMax={int(gigabytes * 1024)}M",
            "-p", "MemorySwapMax=0"]  # fmt: skip


@contextmanager
def server(
    project: Path, folder: Path, *, session_seconds: int = 0, limit_gb: float = 0,
    sign_in: str = "none",
) -> Iterator[Server]:  # fmt: skip
    """The program on a free port, its store and its memories in ``folder``."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    own = {
        "GRIDWRIGHT_HOME": str(folder / "home"),
        "GRIDWRIGHT_STORE": str(folder / "kept" / "plans.gridwright"),
    }
    if session_seconds:
        own["STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL"] = str(session_seconds)
    limits = limiter(limit_gb)
    command = [
        sys.executable, "-c", "import sys; from cli.main import main; sys.exit(main())", "serve",
        "--project", str(project), "--port", str(port), "--headless", "--sign-in", sign_in,
    ]  # fmt: skip
    with (folder / "server.log").open("wb") as log:
        run = subprocess.Popen(
            [*limits, *command], env={**os.environ, **own}, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(address, run, folder / "server.log")
            yield Server(address, run.pid, bool(limits))
        finally:
            run.send_signal(signal.SIGTERM)
            run.wait(30)


def _wait_for(address: str, run: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(480):
        try:
            urllib.request.urlopen(f"{address}/healthz", timeout=2).close()
            return
        except OSError:
            if run.poll() is not None:
                break
            time.sleep(0.25)
    raise RuntimeError("the program did not start: " + log.read_text()[-2000:])


# --- the parts of a run -------------------------------------------------------------------------


class Accounts:
    """Accounts of the server's store: viewers, shared out to leaders, and a planner each."""

    def __init__(self, folder: Path, viewers: int, planners: int, *, made: bool) -> None:
        """``made`` False for a server without sign-in: nobody has an account."""
        rng = random.Random(time.time_ns())
        self.viewers: list[Account | None] = [None] * viewers
        self.planners: list[Account | None] = [None] * planners
        if not made:
            return
        (folder / "kept").mkdir(mode=0o700, exist_ok=True)
        with Store(folder / "kept" / "plans.gridwright") as store:
            for held, role in ((self.viewers, "viewer"), (self.planners, "planner")):
                for number in range(len(held)):
                    own = Account(new_mark(rng), secrets.token_urlsafe(12))
                    grants = (Grant(role),)
                    store.add_account(own.name, own.password, grants, must_change=False)
                    held[number] = own

    def viewer(self, number: int) -> Account | None:
        """The account of a leader."""
        return self.viewers[number % len(self.viewers)]

    def planner(self, number: int) -> Account | None:
        """The account of a planner; the last one warms up."""
        return self.planners[number % len(self.planners)]


async def warm(address: str, book: Book, accounts: Accounts) -> None:
    """One leader and one planner, until all that visitors share has been read."""
    leader = Leader(9001, address, book, 0, 0.0, accounts.viewer(-1))
    await leader.enter()
    async with leader.visitor("leader") as visit:
        await visit.open(NUMBERS, limit=300)
        # the numbers to send are proved beside the page; the page asks again until they are there
        while visit.repeating:
            await asyncio.sleep(1)
    planner = Planner(9002, address, book, 0, 0.0, accounts.planner(-1))
    await planner.enter()
    async with planner.visitor("board") as visit:
        await visit.open("gridwright_hand", limit=300)
        await planner.settle(visit)
    book.seconds.clear()


async def burst(address: str, book: Book, count: int, accounts: Accounts) -> None:
    """``count`` people in the same moment; seconds from the form, or the connection, to the
    numbers."""

    async def one(number: int) -> None:
        person = Person(5000 + number, address, book, 0, 0.0, accounts.viewer(number))
        started = time.perf_counter()
        try:
            await person.enter()
            async with person.visitor("leader") as visit:
                await visit.open(NUMBERS)
                book.seconds["burst"].append(time.perf_counter() - started)
                await asyncio.sleep(2)
        except (RefusedError, TimeoutError, OSError) as error:
            book.failed(f"burst {number}", error)

    await asyncio.gather(*(one(number) for number in range(count)))


async def together(
    address: str, book: Book, given: argparse.Namespace, accounts: Accounts
) -> None:
    """Leaders and planners for so many minutes; they come a few at a time."""
    stop, door = asyncio.Event(), asyncio.Semaphore(4)
    people: list[Leader | Planner] = [
        Leader(i, address, book, given.seed, given.leader_think, accounts.viewer(i))
        for i in range(given.leaders)
    ]
    people += [
        Planner(i, address, book, given.seed, given.planner_think, accounts.planner(i))
        for i in range(given.planners)
    ]
    for person in people:
        person.least = given.least
    tasks = [asyncio.create_task(person.work(stop, door)) for person in people]
    done, _ = await asyncio.wait(tasks, timeout=given.minutes * 60)
    for task in done:  # left before their time: what they met is in the book, or it is our mistake
        task.result()
    stop.set()
    await asyncio.gather(*tasks)


async def play(
    own: Server, given: argparse.Namespace, book: Book, accounts: Accounts
) -> dict[str, Any]:
    """The whole run; what was measured."""
    # a thread for each that signs in at once
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(max(8, given.burst)))
    await warm(own.address, book, accounts)
    print(f"warm: {own.resident():.0f} MB, {own.processor():.0f} cpu s", flush=True)
    await asyncio.sleep(given.settle)
    before, processor = own.resident(), own.processor()
    watching = asyncio.create_task(own.watch())
    await burst(own.address, book, given.burst, accounts)
    print(f"after the burst: {own.resident():.0f} MB, slowest "
          f"{max(book.seconds['burst'], default=0):.1f} s", flush=True)  # fmt: skip
    started = time.monotonic()
    await together(own.address, book, given, accounts)
    seconds = time.monotonic() - started
    for row in summary(book):  # so that a run that is cut short has told this much
        print(row, flush=True)
    print(f"at the peak: {max(mb for _, mb in own.memory):.0f} MB", flush=True)
    busy = own.processor() - processor
    # a second for each two: sessions are let go of some time after their time is over
    await asyncio.sleep(given.session_seconds + given.settle)
    watching.cancel()
    after, peak = own.resident(), max(value for _, value in own.memory)
    choices = sorted(book.seen)
    one = Person(9003, own.address, book, 0, 0.0, accounts.viewer(0))
    await one.enter()
    alone = await shown_alone(own.address, choices, one.headers)
    for choice, digest in zip(choices, alone, strict=True):
        if book.seen[choice] != {digest}:
            book.foreign.append(f"{choice}: {sorted(book.seen[choice])} for {digest}")
    return {
        "memory_mb": {"before": round(before), "peak": round(peak), "after": round(after)},
        "seconds": round(seconds), "server_cpu_s": round(busy, 1),
        "choices_shown_again": len(choices), "limited": own.limited,
        "memory_by_minute": [round(mb) for at, mb in own.memory[::60]],
    }  # fmt: skip


# --- the record ---------------------------------------------------------------------------------


def summary(book: Book) -> list[dict[str, Any]]:
    """A row for each thing that was timed."""
    rows = []
    for name, taken in book.seconds.items():
        middle, late = np.percentile(taken, [50, 95])
        rows.append({"what": name, "times": len(taken), "p50": round(float(middle), 3),
                     "p95": round(float(late), 3), "max": round(max(taken), 3)})  # fmt: skip
    return sorted(rows, key=lambda row: str(row["what"]))


def missed(rows: list[dict[str, Any]], found: dict[str, Any], book: Book) -> list[str]:
    """What is not as it should be, a sentence each."""
    by_name = {row["what"]: row for row in rows}
    said = [
        f"{name}: 95th percentile {by_name[name]['p95']:.2f} s, over {limit} s"
        for name, limit in TARGETS.items()
        if name in by_name and by_name[name]["p95"] > limit
    ]
    if "burst" in by_name and by_name["burst"]["max"] > BURST_S:
        said.append(f"burst: slowest {by_name['burst']['max']:.1f} s, over {BURST_S} s")
    memory = found["memory_mb"]
    if memory["after"] > BACK * memory["before"]:
        said.append(f"memory: {memory['after']} MB after, {memory['before']} MB before")
    said += [f"not theirs: {one}" for one in book.foreign[:5]]
    said += [f"failed: {one}" for one in book.failures[:5]]
    return said


def table(found: dict[str, Any]) -> str:
    """The record in Markdown."""
    given, memory = found["given"], found["memory_mb"]
    lines = [
        f"{given['leaders']} leaders and {given['planners']} planners for {given['minutes']:g} "
        f"minutes after a burst of {given['burst']} (sign-in: {given['sign_in']}); client and "
        f"server on {found['machine']['cores']} cores, load {found['load']:.1f} before. "
        f"{found['date']}.",
        "",
        "| what | times | median s | 95 % s | slowest s |",
        "| --- | ---: | ---: | ---: | ---: |",
        *(f"| {r['what']} | {r['times']:,} | {r['p50']:.3f} | {r['p95']:.3f} | {r['max']:.3f} |"
          for r in found["rows"]),
        "",
        f"Memory of the server, MB: {memory['before']} before, {memory['peak']} at its peak, "
        f"{memory['after']} after everybody left"
        + ("" if found["limited"] else " (measured; no limit was set)")
        + f". Processor seconds of the server: {found['server_cpu_s']} in {found['seconds']} s. "
        f"Sent: {found['sent_mb']:,} MB. Choices shown again to one session alone: "
        f"{found['choices_shown_again']}. Sent to somebody else: {found['foreign']}. "
        f"Failed: {found['failed']}.",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def run(given: argparse.Namespace) -> tuple[dict[str, Any], Book]:
    """The whole run on a server of its own; what was measured, and everybody's book."""
    book = Book()
    with tempfile.TemporaryDirectory(prefix="gridwright-load-") as folder:
        try:
            with server(
                given.project, Path(folder), session_seconds=given.session_seconds,
                limit_gb=given.limit_gb, sign_in=given.sign_in,
            ) as own:  # fmt: skip
                accounts = Accounts(
                    Path(folder), max(1, given.burst), given.planners + 1,
                    made=given.sign_in == "local",
                )  # fmt: skip
                return asyncio.run(play(own, given, book, accounts)), book
        finally:
            if given.log:
                shutil.copy(Path(folder) / "server.log", given.log)


def measure(given: argparse.Namespace) -> int:
    """Run, print, keep; 1 where something is not as it should be."""
    load = os.getloadavg()[1]
    found, book = run(given)
    kept = {name: value for name, value in vars(given).items() if name not in ("project", "log")}
    rows = summary(book)
    found |= {
        "date": today(), "machine": machine("gridwright"), "load": load, "given": kept,
        "rows": rows, "foreign": len(book.foreign), "failed": len(book.failures),
        "sent_mb": round(book.received / 1e6), "answers": dict(book.answers),
    }  # fmt: skip
    said = missed(rows, found, book)
    print(table(found))
    print(json.dumps(found["answers"], ensure_ascii=False))
    print("\n".join(said) if said else "everything as it should be")
    if given.record:
        RECORDS.joinpath("load.json").write_text(
            json.dumps(found | {"missed": said}, indent=1, ensure_ascii=False) + "\n", "utf-8"
        )
        RECORDS.joinpath("load.md").write_text(table(found), encoding="utf-8")
    return 1 if said else 0


def options(arguments: list[str] | None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--project", type=Path, required=True, metavar="DIR")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--leaders", type=int, default=100)
    parser.add_argument("--planners", type=int, default=10)
    parser.add_argument("--burst", type=int, default=50)
    parser.add_argument("--leader-think", type=float, default=10, metavar="S")
    parser.add_argument("--planner-think", type=float, default=3, metavar="S")
    parser.add_argument(
        "--session-seconds", type=int, default=60, metavar="S",
        help="how long the server keeps a session without a connection",
    )  # fmt: skip
    parser.add_argument(
        "--settle", type=float, default=45, metavar="S",
        help="seconds of quiet before memory is measured",
    )  # fmt: skip
    parser.add_argument("--least", type=int, default=0, help="acts before anybody leaves")
    parser.add_argument("--sign-in", choices=("local", "none"), default="local")
    parser.add_argument("--limit-gb", type=float, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log", type=Path, help="where to keep the server's log")
    parser.add_argument("--no-record", dest="record", action="store_false")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Read the command line and measure."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))  # so that the server ends with us
    return measure(options(arguments))


if __name__ == "__main__":
    sys.exit(main())
