"""Leaders and planners as :mod:`benchmarks.load` plays them, each with marks of their own.

Nobody may ever be sent what belongs to somebody else. The name of each account is a mark that no
other has (without sign-in a planner signs steps with it); the page shows it, and every byte that
any session receives is searched for marks of others. What a leader is shown depends on language,
period and class alone: a digest of it is kept by that choice, and after the run one session alone
asks for each choice again; every digest must be the same.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import re
from collections import defaultdict
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit

from benchmarks.wire import RefusedError, Visitor

MARK = re.compile(rb"mark[0-9a-f]{10}")
NUMBERS = "<div class='gw-numbers'>"
BOARD = "gridwright_hand"
VOLATILE = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?Z?")
Choice = tuple[str, str, str]


@dataclass
class Book:
    """What everybody measured and saw; one for a run."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    failures: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    seen: dict[Choice, set[str]] = field(default_factory=lambda: defaultdict(set))
    planners: set[bytes] = field(default_factory=set)  # the marks of planners
    received: int = 0
    messages: int = 0
    answers: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def failed(self, who: str, error: BaseException) -> None:
        """Somebody could not do what they wanted."""
        self.failures.append(f"{who}: {type(error).__name__}: {str(error)[:300]}")


def new_mark(rng: random.Random) -> str:
    """A mark that nobody else has."""
    return f"mark{rng.getrandbits(40):010x}"


@dataclass(frozen=True)
class Account:
    """An account of the server's store; its name is its mark."""

    name: str
    password: str


def signed_in(address: str, account: Account) -> str:
    """The cookie that the form of the sign-in hands out. RefusedError where it does not."""
    body = urlencode({"name": account.name, "password": account.password})
    connection = HTTPConnection(urlsplit(address).netloc, timeout=120)
    try:
        connection.request("POST", "/sign-in", body, {"Origin": address})
        answer = connection.getresponse()
        answer.read()
        cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0]
    finally:
        connection.close()
    if answer.status != 303 or not cookie:
        raise RefusedError(f"the sign-in answered {answer.status}")
    return cookie


@dataclass
class Person:
    """Somebody with a page open; ``think`` seconds between two acts, half to one and a half.

    Nobody leaves before ``least`` acts, so that a short run on a busy machine shows something.
    """

    number: int
    address: str
    book: Book
    seed: int
    think: float
    account: Account | None = None
    headers: dict[str, str] = field(default_factory=dict)
    least: int = 0
    acts: int = 0

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed * 100_003 + self.number)
        self.mark = new_mark(self.rng) if self.account is None else self.account.name
        self.language = "zh" if self.number % 3 else "en"

    def watch(self, raw: bytes) -> None:
        """Count what came, and look for marks of others in it."""
        self.book.received += len(raw)
        self.book.messages += 1
        for found in set(MARK.findall(raw)) - {self.mark.encode()} - self.may_read(raw):
            self.book.foreign.append(f"{self.mark} was sent {found.decode()}")

    def may_read(self, raw: bytes) -> set[bytes]:
        """Marks of others that a message may hold: none."""
        return set()

    async def enter(self) -> None:
        """Sign in by the form, as a browser does, and keep the cookie; nothing without accounts."""
        if self.account is not None and not self.headers:
            cookie = await asyncio.to_thread(signed_in, self.address, self.account)
            self.headers = {"Cookie": cookie}

    def visitor(self, page: str) -> Visitor:
        """A session of this person."""
        return Visitor(
            self.address, page, language=self.language, headers=self.headers, watch=self.watch
        )

    async def breath(self, stop: asyncio.Event) -> bool:
        """Think; False where it is time to leave."""
        try:
            await asyncio.wait_for(stop.wait(), self.rng.uniform(0.5, 1.5) * self.think)
        except TimeoutError:
            return True
        return False


class Leader(Person):
    """Looks at the leader's page and changes period and class."""

    async def work(self, stop: asyncio.Event, ready: asyncio.Semaphore) -> None:
        """Come, filter until it is over, leave."""
        try:
            async with ready:
                await self.enter()
            async with self.visitor("leader") as visit:
                async with ready:
                    self.book.seconds["leader: first map"].append(await visit.open(NUMBERS))
                while await self.breath(stop) or self.acts < self.least:
                    await self.filter(visit)
                    self.acts += 1
        except (RefusedError, TimeoutError, OSError) as error:
            self.book.failed(f"leader {self.number}", error)

    async def filter(self, visit: Visitor) -> None:
        """Choose another period or class; what is shown must be of that choice."""
        label = self.rng.choice(["leader_period", "leader_category"])
        key = f"{label}_{self.language}"
        box = visit.needed(key)[1]
        wanted = self.rng.choice([one for one in box.options if one != box.raw_value])
        self.book.seconds["filter"].append(await visit.choose(key, wanted, NUMBERS))
        told = visit.needed(key)[1].raw_value
        if told != wanted:
            self.book.foreign.append(f"asked for {wanted}, was shown {told}")
        choice, digest = shown(visit, self.language)
        self.book.seen[choice].add(digest)


def shown(visit: Visitor, language: str) -> tuple[Choice, str]:
    """The choice that a leader's page shows, and a digest of the numbers and places it shows."""
    period = visit.needed(f"leader_period_{language}")[1].raw_value
    kind = visit.needed(f"leader_category_{language}")[1].raw_value
    parts = [e.body for k, e, f in visit.elements.values() if f and k in ("html", "markdown")]
    text = VOLATILE.sub("", "\0".join(parts))
    return (language, period, kind), hashlib.sha256(text.encode()).hexdigest()[:16]


async def shown_alone(address: str, choices: list[Choice], headers: dict[str, str]) -> list[str]:
    """Each choice again, one session a language; digests in the order of ``choices``."""
    found: dict[Choice, str] = {}
    for language in sorted({one[0] for one in choices}):
        async with Visitor(address, "leader", language=language, headers=headers) as visit:
            await visit.open(NUMBERS)
            for choice in [one for one in choices if one[0] == language]:
                for label, wanted in zip(("period", "category"), choice[1:], strict=True):
                    key = f"leader_{label}_{language}"
                    if visit.needed(key)[1].raw_value != wanted:
                        await visit.choose(key, wanted, NUMBERS)
                found[choice] = shown(visit, language)[1]
    return [found[choice] for choice in choices]


class Planner(Person):
    """Redraws a village of their own with the tools of the board."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.book.planners.add(self.mark.encode())

    #: how often which tool: mostly by hand, as a person does
    TOOLS: ClassVar[dict[str, int]] = {
        "transfer": 40, "undo": 14, "redo": 6, "cut": 6, "cut through": 4, "merge": 4, "split": 6,
        "balance": 5, "lock": 4, "rename": 5, "new": 6,
    }  # fmt: skip

    async def work(self, stop: asyncio.Event, ready: asyncio.Semaphore) -> None:
        """Come, open the own village, sign, redraw until it is over, leave."""
        try:
            async with ready:
                await self.enter()
            async with self.visitor("board") as visit:
                async with ready:
                    self.book.seconds["planner: first board"].append(await visit.open(BOARD))
                    await self.settle(visit)
                while await self.breath(stop) or self.acts < self.least:
                    await self.edit(visit)
                    self.acts += 1
        except (RefusedError, TimeoutError, OSError) as error:
            self.book.failed(f"planner {self.number}", error)

    def may_read(self, raw: bytes) -> set[bytes]:
        """Planners are told who has which village open, beside the board; never in it."""
        return set() if BOARD.encode() in raw else self.book.planners

    async def settle(self, visit: Visitor) -> None:
        """Open the own village and sign with the own mark."""
        key = f"board_place_{self.language}"
        options = list(visit.needed(key)[1].options)
        # 11 has no factor in common with 105 villages, nor with 4: no two alike
        own = options[(self.number * 11 + 3) % len(options)]
        if visit.needed(key)[1].raw_value != own:
            await visit.choose(key, own, BOARD)
        self.village = own
        if visit.find("actor_box") is not None:
            await visit.choose("actor_box", self.mark, BOARD)
        self.ground: dict[str, Any] = {}
        self.read(visit)
        if not self.ground:  # what came since was only what changed
            await visit.ask(BOARD, "resync", True)
            self.read(visit)

    def read(self, visit: Visitor) -> None:
        """Take the board's message, as its script does."""
        message = json.loads(visit.needed(BOARD)[1].bytes)
        if "ground" in message:
            self.ground = message["ground"]
            place = self.ground["place"]
            if getattr(self, "place", place) != place:
                self.book.foreign.append(f"{self.village} became {place}")
            self.place = place
        state = message["state"]
        if "labels" in state:
            self.labels = list(state["labels"])
        else:
            for key, units in state["changed"]:
                for unit in units:
                    self.labels[unit] = key
        self.state = state
        self.keys = [row["key"] for row in state["grids"] if not row["dedicated"]]

    async def edit(self, visit: Visitor) -> None:
        """One edit by one tool, timed until the page's run is over."""
        tool = self.rng.choices(list(self.TOOLS), list(self.TOOLS.values()))[0]
        request = self.request(tool)
        if request is None:
            tool, request = "transfer", self.transfer()
        own = f"{self.mark}-{self.rng.getrandbits(32):08x}"
        asked = {**request, "base": self.state["version"], "id": own}
        taken = await visit.ask(BOARD, "asked", asked)
        self.read(visit)
        answer = self.state["answer"]
        if answer is None or answer["id"] != own:
            self.book.foreign.append(f"{own} was answered {answer}")
            return
        self.book.seconds["edit"].append(taken)
        self.book.seconds[f"edit: {tool}"].append(taken)
        self.book.answers[str(answer["kind"])] += 1
        if answer["kind"] == "error":
            self.book.answers[f"error: {answer['text'][:80]}"] += 1

    def transfer(self) -> dict[str, Any]:
        """Some units of one grid to another."""
        held = [u for u, key in enumerate(self.labels) if key in self.keys]
        first = self.rng.choice(held)
        mine = [u for u in held if self.labels[u] == self.labels[first]]
        near = sorted(mine, key=lambda u: self.away(u, first))[: self.rng.randint(1, 3)]
        others = [k for k in self.keys if k != self.labels[first]] or self.keys
        rows = {row["key"]: row["unit"] for row in self.state["grids"]}
        to = min(others, key=lambda k: self.away(rows[k], first))
        return {"do": "transfer", "units": near, "to": to}

    def away(self, a: int, b: int) -> float:
        """Squared distance of two units in micro-degrees."""
        p = self.ground["places"]
        return float((p[2 * a] - p[2 * b]) ** 2 + (p[2 * a + 1] - p[2 * b + 1]) ** 2)

    def request(self, tool: str) -> dict[str, Any] | None:
        """What the board's script sends for a tool; None where the village has nothing for it."""
        key = self.rng.choice(self.keys)
        if tool == "transfer":
            return self.transfer()
        if tool in ("undo", "redo"):
            there = self.state["position"] > 0 if tool == "undo" else (
                self.state["position"] < len(self.state["steps"]) - 1)  # fmt: skip
            return {"do": tool} if there else None
        if tool in ("merge", "balance"):
            if len(self.keys) < (4 if tool == "merge" else 2):
                return None
            return {"do": tool, "grids": self.rng.sample(self.keys, 2)}
        if tool == "split":
            return {"do": "split", "grid": key, "k": 2} if len(self.keys) < 14 else None
        if tool == "lock":
            locked = any(row["locked"] for row in self.state["grids"])
            return {"do": "lock", "grids": self.keys, "locked": False} if locked else {
                "do": "lock", "grids": [key], "locked": True}  # fmt: skip
        if tool == "rename":
            return {"do": "rename", "grid": key, "name": f"网格{self.rng.randint(1, 999)}"}
        if tool == "new":
            return {"do": "new", "units": self.transfer()["units"]} if len(self.keys) < 14 else None
        return self.cut(key, through=tool.endswith("through"))

    def cut(self, key: int, *, through: bool) -> dict[str, Any] | None:
        """A line across a grid, from west to east through one of its units."""
        units = [u for u, k in enumerate(self.labels) if k == key]
        if len(units) < 4 or len(self.labels) > 400:
            return None
        p = self.ground["places"]
        xs, ys = [p[2 * u] / 1e6 for u in units], sorted(p[2 * u + 1] / 1e6 for u in units)
        y = ys[len(ys) // 2] + 1e-5
        points = [[min(xs) - 0.002, y], [max(xs) + 0.002, y + 1e-4]]
        return {"do": "cut", "grid": key, "points": points, "through": through}
