"""A text file as UTF-8, a block at a time: decoded once, and never held whole.

What is true of the whole text (its encoding, that no quote stands in it) is believed as long as the
blocks bear it out; the first that does not raises :class:`Otherwise`, and the file is begun anew.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BLOCK = 4 << 20
"""Bytes that are decoded and parsed at a time."""
HEAD = 1_000_000
"""Bytes that are looked at before the first row is read: more than any header takes."""

_LONGEST_LINE = 64 << 20  # a first line longer than this is taken as it is
_TAIL = 20_000


class Otherwise(Exception):  # noqa: N818 (no error: the file is read again another way)
    """The text is not what its beginning looked like. ``what`` is "encoding" or "quotes"."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class TextStream(io.RawIOBase):
    """The text after its byte-order mark in UTF-8, without NUL characters.

    ``head`` is its beginning. Lines that end in a carriage return alone are mended where the
    head holds no other line end. ``nul`` tells whether there were NUL characters; ``tail`` is the
    text's last bytes and ``lines`` the number of its lines without blank ones at the end: true at
    the end, as is ``quotes``, the number of its quotes. With ``plain``, and no quote in the head, a
    quote farther on raises :class:`Otherwise`; ``plain`` then says that there is none. Bytes that
    are not of ``encoding`` always do.
    """

    def __init__(self, path: Path, encoding: str, mark: int, *, plain: bool) -> None:
        super().__init__()
        self._file = path.open("rb", buffering=0)
        self._file.seek(mark)
        self.nul = False
        self.tail = b""
        self.quotes = 0
        self._newlines = 0
        self._last_filled = 0  # newlines before the last line that is not blank
        self.failed: Otherwise | None = None
        self._old_ends = False
        self._blocks = _decoded(self._file, encoding)
        try:
            self.head = self._first()
        except Otherwise:
            self._file.close()
            raise
        self.plain = plain and b'"' not in self.head
        self._old_ends = b"\n" not in self.head[:HEAD]
        self._mended = self._in_lines(self.head)
        self._rest = memoryview(b"")
        if self._old_ends:
            self.head = self.head.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    @property
    def lines(self) -> int:
        """Lines read so far, blank ones at the end left out."""
        return self._last_filled + 1

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as the block at hand goes; 0 at the end."""
        while not self._rest:
            block = self._next()
            if block is None:
                return 0
            self._rest = memoryview(block)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def exhaust(self) -> None:
        """Read to the end, to see that the text is what it was taken for."""
        while self._next() is not None:
            pass

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
        super().close()

    def _first(self) -> bytes:
        """The beginning: :data:`HEAD` bytes, and the first line whole."""
        parts, size = [], 0
        ended = False
        for block in self._blocks:
            block = self._without_nul(block)
            parts.append(block)
            size += len(block)
            ended = ended or b"\n" in block or b"\r" in block
            if size >= HEAD and (ended or size >= _LONGEST_LINE):
                break
        return b"".join(parts)

    def _without_nul(self, block: bytes) -> bytes:
        if b"\0" not in block:
            return block
        self.nul = True
        return block.replace(b"\0", b"")

    def _in_lines(self, head: bytes) -> Iterator[bytes]:
        """Blocks with line ends mended where they are of the old kind."""
        if not self._old_ends:
            yield head
            yield from map(self._without_nul, self._blocks)
            return
        held = head
        for block in map(self._without_nul, self._blocks):
            text = held + block
            cut = len(text) - text.endswith(b"\r")  # its \n may come with the next block
            yield text[:cut].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            held = text[cut:]
        yield held.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _next(self) -> bytes | None:
        if self.failed is not None:
            raise self.failed
        try:
            block = next(self._mended, None)
        except Otherwise as other:
            self.failed = other
            raise
        if block is None:
            return None
        if self.plain and b'"' in block:
            self.failed = Otherwise("quotes")
            raise self.failed
        self.quotes += 0 if self.plain else block.count(b'"')
        filled = block.rstrip(b"\r\n")
        if filled:
            self._last_filled = self._newlines + filled.count(b"\n")
        self._newlines += block.count(b"\n")
        self.tail = (self.tail + block)[-_TAIL:] if len(block) < _TAIL else block[-_TAIL:]
        return block


def _decoded(file: io.FileIO, encoding: str) -> Iterator[bytes]:
    """Blocks of UTF-8; raises :class:`Otherwise` where the bytes are of another encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    same = encoding == "utf-8"
    held = b""
    try:
        while block := file.read(BLOCK):
            text = decoder.decode(block)
            if same:  # checked, and the bytes themselves taken
                rest = decoder.getstate()[0]
                whole = held + block
                yield whole[: len(whole) - len(rest)]
                held = rest
            else:
                yield text.encode("utf-8")
        last = decoder.decode(b"", final=True)
        yield last.encode("utf-8")
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise Otherwise("encoding") from error
