"""One visitor of the program without a browser: Streamlit's own protocol over its websocket.

What a browser does with a page, as far as the server can tell: it opens ``/_stcore/stream``, asks
for a run of the page, keeps what every element and widget was told last, sends all widgets' values
with each rerun, repeats fragments that ask to be run again, and reports which large messages it
still holds. Nothing is drawn.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from google.protobuf.message import DecodeError
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

FINISHED = {ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY}
EVENTS = "$$STREAMLIT_INTERNAL_KEY"
LOCALES = {"zh": "zh-CN", "en": "en-GB"}


class RefusedError(Exception):
    """The page shows an error, or the connection broke."""


class Visitor:
    """A session: ``async with Visitor(address, "leader") as visitor``.

    ``elements`` holds the last element of each place in the page as (kind, message, fragment);
    ``received`` counts bytes. ``watch`` is called with the raw bytes of every message.
    """

    def __init__(
        self, address: str, page: str, *, language: str = "zh", headers: Mapping[str, str] = {},
        watch: Callable[[bytes], None] | None = None,
    ) -> None:  # fmt: skip
        self.address, self.page, self.language = address, page, language
        self.headers = dict(headers)
        self.watch = watch
        self.elements: dict[tuple[int, ...], tuple[str, Any, str]] = {}
        self.values: dict[str, Any] = {}
        self.held: dict[str, bytes] = {}
        self.received = 0
        self.query, self.page_hash = f"lang={language}", ""
        self.fresh: set[str] = set()  # keys of what came since the last request
        self._runs = asyncio.Condition()
        self._finished = 0
        self._repeats: dict[str, asyncio.Task[None]] = {}
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self._came_paths: set[tuple[int, ...]] = set()
        self._of_run: list[str] = []
        self.broken: str = ""

    async def __aenter__(self) -> Visitor:
        parts = urlsplit(self.address)
        self._socket = await connect(
            f"ws://{parts.netloc}/_stcore/stream", subprotocols=["streamlit"],  # type: ignore[list-item]
            origin=self.address, additional_headers=self.headers, max_size=None,  # type: ignore[arg-type]
            open_timeout=60, ping_timeout=None,
        )  # fmt: skip
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        tasks = [*self._repeats.values(), *([self._reader] if self._reader else [])]
        for task in tasks:
            task.cancel()
        if self._socket is not None:
            await self._socket.close()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- asking -----------------------------------------------------------------------------------

    async def run(
        self, *, fragment: str = "", triggers: Mapping[str, str | bool] = {}, auto: bool = False
    ) -> None:
        """Ask for a run of the page or of one fragment; does not wait for it."""
        message = BackMsg()
        asked = message.rerun_script
        asked.query_string, asked.page_script_hash = self.query, self.page_hash
        if not self.page_hash:
            asked.page_name = self.page
        asked.fragment_id, asked.is_auto_rerun = fragment, auto
        asked.context_info.locale = LOCALES[self.language]
        asked.context_info.timezone = "Asia/Shanghai"
        asked.context_info.url = f"{self.address}/{self.page}"
        asked.cached_message_hashes.extend(self.held)
        for own, value in self.values.items():
            state = asked.widget_states.widgets.add(id=own)
            if isinstance(value, list):
                state.string_array_value.data.extend(value)
            else:
                state.string_value = value
        for own, trigger in triggers.items():
            state = asked.widget_states.widgets.add(id=own)
            if isinstance(trigger, bool):
                state.trigger_value = trigger
            else:
                state.json_trigger_value = trigger
        if self._socket is None or self.broken:
            raise RefusedError(self.broken or "not connected")
        try:
            await self._socket.send(message.SerializeToString())
        except ConnectionClosed as error:
            raise RefusedError("the connection broke") from error

    async def until(self, done: Callable[[], bool], limit: float = 120.0) -> None:
        """Wait until a run has finished and ``done()`` holds.

        Raises TimeoutError, and RefusedError where the page shows an error instead.
        """

        async def wait() -> None:
            async with self._runs:
                before = self._finished
                while True:
                    while self._finished == before and not self.broken:
                        await self._runs.wait()
                    before = self._finished
                    if self.broken:
                        raise RefusedError(self.broken)
                    if done():
                        return
                    if told := self.errors():
                        raise RefusedError(told[0])

        await asyncio.wait_for(wait(), limit)

    async def open(self, key: str, limit: float = 120.0) -> float:
        """Open the page; seconds until the element whose key ends with ``key`` is there."""
        started = time.perf_counter()
        waiting = asyncio.create_task(self.until(lambda: self.find(key) is not None, limit))
        await asyncio.sleep(0)
        await self.run()
        await waiting
        return time.perf_counter() - started

    async def choose(self, key: str, label: str, marks: str, limit: float = 120.0) -> float:
        """Choose in a box; seconds until a run brought the element ``marks`` anew."""
        _, box, fragment = self.needed(key)
        self.values[box.id] = label
        return await self._timed(marks, limit, fragment=fragment)

    async def ask(self, key: str, event: str, value: object, limit: float = 120.0) -> float:
        """Send a component's event, as its script does; seconds until its next message came."""
        _, component, fragment = self.needed(key)
        payload = json.dumps([{"event": event, "value": value}])
        own = f"{EVENTS}_{component.id}__events"
        return await self._timed(key, limit, fragment=fragment, triggers={own: payload})

    async def _timed(self, marks: str, limit: float, **asked: Any) -> float:
        self.fresh.clear()
        started = time.perf_counter()
        waiting = asyncio.create_task(self.until(lambda: self._came(marks), limit))
        await asyncio.sleep(0)
        try:
            await self.run(**asked)
        except BaseException:
            waiting.cancel()
            raise
        await waiting
        return time.perf_counter() - started

    def _came(self, marks: str) -> bool:
        return any(marks in key for key in self.fresh)

    # --- what the page holds ----------------------------------------------------------------------

    def find(self, key: str) -> tuple[str, Any, str] | None:
        """The element whose key ends with ``key``, or whose HTML holds it."""
        for kind, element, fragment in list(self.elements.values()):
            own = getattr(element, "id", "")
            if own.endswith(key) or (kind == "html" and key in element.body):
                return kind, element, fragment
        return None

    def needed(self, key: str) -> tuple[str, Any, str]:
        """The same; RefusedError where the page has none."""
        found = self.find(key)
        if found is None:
            raise RefusedError(f"no {key} in the page: {self.errors() or self.keys()}")
        return found

    def keys(self) -> list[str]:
        """What is in the page, for messages."""
        return [getattr(e, "id", "").rpartition("-")[2] or kind for kind, e, _ in
                self.elements.values()]  # fmt: skip

    def errors(self) -> list[str]:
        """Sentences in red."""
        found = []
        for kind, element, _ in self.elements.values():
            if kind == "alert" and element.format == element.ERROR:
                found.append(element.body)
            elif kind == "exception":
                found.append(element.message)
        return found

    @property
    def repeating(self) -> bool:
        """Does a fragment of the page ask to be run again and again?"""
        return any(not task.done() for task in self._repeats.values())

    # --- reading ----------------------------------------------------------------------------------

    async def _read(self) -> None:
        assert self._socket is not None
        try:
            async for raw in self._socket:
                if isinstance(raw, bytes):
                    self.received += len(raw)
                    if self.watch is not None:
                        self.watch(raw)
                    message = ForwardMsg()
                    message.ParseFromString(raw)
                    await self._take(message, raw)
            self.broken = "the server closed the connection"
        except ConnectionClosed as error:
            self.broken = f"the connection broke: {error}"
        except (AttributeError, KeyError, ValueError, DecodeError) as error:
            self.broken = f"a message was not understood: {type(error).__name__}: {error}"
        async with self._runs:
            self._runs.notify_all()

    async def _take(self, message: ForwardMsg, raw: bytes) -> None:
        kind = message.WhichOneof("type")
        if kind == "ref_hash":
            held = ForwardMsg()
            held.ParseFromString(self.held[message.ref_hash])
            held.metadata.CopyFrom(message.metadata)
            message, kind = held, held.WhichOneof("type")
        elif message.metadata.cacheable and message.hash:
            self.held[message.hash] = raw
            while len(self.held) > 40:
                self.held.pop(next(iter(self.held)))
        if kind == "delta":
            self._delta(message)
        elif kind == "navigation":
            self.page_hash = message.navigation.page_script_hash
        elif kind == "new_session":
            self.page_hash = message.new_session.page_script_hash or self.page_hash
            self._came_paths, self._of_run = set(), list(message.metadata.run.fragment_ids)
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            self._repeat(message.auto_rerun.fragment_id, message.auto_rerun.interval)
        elif kind == "stop_auto_rerun":
            for fragment in message.stop_auto_rerun.fragment_ids:
                self._stop(fragment)
        elif kind == "script_finished" and message.script_finished in FINISHED:
            self._drop_what_went()
            async with self._runs:
                self._finished += 1
                self._runs.notify_all()

    def _drop_what_went(self) -> None:
        """Forget elements that the run, or its fragment, did not draw again."""
        for path, (_, _, fragment) in list(self.elements.items()):
            if path not in self._came_paths and (not self._of_run or fragment in self._of_run):
                del self.elements[path]

    def _delta(self, message: ForwardMsg) -> None:
        path = tuple(message.metadata.delta_path)
        delta = message.delta
        shape = delta.WhichOneof("type")
        if shape == "add_block":  # what stood there is replaced by what follows
            for other in [p for p in self.elements if p[: len(path)] == path]:
                del self.elements[other]
            return
        if shape != "new_element":
            return
        element = delta.new_element
        kind = element.WhichOneof("type") or "empty"
        own = getattr(element, kind) if kind != "empty" else None
        self.elements[path] = (kind, own, delta.fragment_id)
        self._came_paths.add(path)
        if kind == "html":
            self.fresh.add(own.body[:200])
        self.fresh.add(getattr(own, "id", "") or kind)
        self._value(kind, own)

    def _value(self, kind: str, own: Any) -> None:
        """What the browser would send back of a widget that nobody touched."""
        if kind == "selectbox" and own.options:
            if own.set_value and own.raw_value:
                self.values[own.id] = own.raw_value
            else:
                self.values.setdefault(own.id, own.options[own.default])
        elif kind in ("text_input", "text_area"):
            if own.set_value:
                self.values[own.id] = own.value
            else:
                self.values.setdefault(own.id, own.default)
        elif kind == "button_group":
            chosen = own.raw_values if own.set_value else None
            if chosen is not None:
                self.values[own.id] = list(chosen)
            else:
                self.values.setdefault(own.id, [own.options[i].content for i in own.default])

    def _stop(self, fragment: str) -> None:
        before = self._repeats.pop(fragment, None)
        if before is not None:
            before.cancel()

    def _repeat(self, fragment: str, interval: float) -> None:
        self._stop(fragment)

        async def again() -> None:
            while True:
                await asyncio.sleep(interval)
                if not any(f == fragment for _, _, f in self.elements.values()):
                    return
                await self.run(fragment=fragment, auto=True)

        self._repeats[fragment] = asyncio.create_task(again())
