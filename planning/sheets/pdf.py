"""Vector pages and the PDF file that holds them; lengths in millimetres, origin bottom left.

Written here, with fontTools for the fonts, because pages come from several processes and share one
embedded font in a book: libraries that were tried keep the font and the pages of a file in one
process, and load a 20 MB font for each file. Equal pages give equal bytes: no clock is written.
"""

from __future__ import annotations

import hashlib
import math
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planning.sheets.fonts import Font

Colour = tuple[float, float, float]
Points = NDArray[np.float64]

_STEPS = 100  # units of the page per millimetre: integers of 0.01 mm are short and fine enough
_PT_PER_MM = 72 / 25.4
MM_PER_PT = 25.4 / 72


def colour(text: str) -> Colour:
    """``#C8102E`` as red, green, blue of 0..1."""
    return (int(text[1:3], 16) / 255, int(text[3:5], 16) / 255, int(text[5:7], 16) / 255)


@dataclass(frozen=True)
class Page:
    """A finished page: size in mm, content stream, characters written."""

    width: float
    height: float
    content: bytes
    characters: frozenset[str]


class Canvas:
    """Draws on one page. Sizes of letters are in points, everything else in millimetres."""

    def __init__(self, width: float, height: float, font: Font) -> None:
        self.width, self.height, self.font = width, height, font
        scale = _PT_PER_MM / _STEPS
        self._out = [f"{scale:.8f} 0 0 {scale:.8f} 0 0 cm 1 j 1 J"]
        self._used: set[str] = set()

    def page(self) -> Page:
        """What was drawn."""
        return Page(
            self.width, self.height, "\n".join(self._out).encode("ascii"), frozenset(self._used)
        )

    @contextmanager
    def clipped(self, x: float, y: float, width: float, height: float) -> Iterator[None]:
        """Draw only inside a rectangle."""
        self._out.append(f"q {_n(x)} {_n(y)} {_n(width)} {_n(height)} re W n 1 j 1 J")
        yield
        self._out.append("Q")

    def rectangle(
        self, x: float, y: float, width: float, height: float,
        *, fill: Colour | None = None, line: Colour | None = None, weight: float = 0.2,
    ) -> None:  # fmt: skip
        """A rectangle, filled, outlined or both."""
        self._style(fill, line, weight, ())
        path = f"{_n(x)} {_n(y)} {_n(width)} {_n(height)} re"
        self._out.append(f"{path} {'B' if fill and line else 'f' if fill else 'S'}")

    def areas(self, rings: Sequence[Points], fill: Colour) -> None:
        """Fill rings, (n, 2) each, holes being rings inside others."""
        if rings:
            self._style(fill, None, 0, ())
            self._out.append("\n".join(_path(ring, "h") for ring in rings) + " f*")

    def lines(
        self, lines: Sequence[Points], line: Colour, weight: float, dash: Sequence[float] = (),
    ) -> None:  # fmt: skip
        """Stroke open or closed lines, (n, 2) each."""
        if lines:
            self._style(None, line, weight, dash)
            self._out.append("\n".join(_path(one, "") for one in lines) + " S")

    def text(
        self, x: float, y: float, text: str, size: float,
        *, ink: Colour = (0, 0, 0), angle: float = 0.0, halo: float = 0.0, bold: bool = False,
    ) -> None:  # fmt: skip
        """A text from ``(x, y)`` on its baseline, ``angle`` in radians; ``halo`` mm of white."""
        if not text:
            return
        self._used.update(text)
        codes = "".join(f"{code:04X}" for code in self.font.codes(text))
        c, s = math.cos(angle), math.sin(angle)
        unit = size * MM_PER_PT * _STEPS
        place = f"{c:.5f} {s:.5f} {-s:.5f} {c:.5f} {_n(x)} {_n(y)} Tm"
        show = f"BT /F {unit:.1f} Tf {place} <{codes}> Tj ET"
        if halo:
            white = f"1 1 1 RG {_n(2 * halo)} w [] 0 d"
            self._out.append(f"q {white} 1 Tr {show} Q")
        fill = _rgb(ink, "rg")
        if bold:  # the face has one weight: a thin stroke in the same ink thickens it
            thick = f"{_rgb(ink, 'RG')} {_n(size * MM_PER_PT * 0.035)} w [] 0 d 2 Tr"
            self._out.append(f"q {fill} {thick} {show} Q")
        else:
            self._out.append(f"q {fill} 0 Tr {show} Q")

    def _style(
        self, fill: Colour | None, line: Colour | None, weight: float, dash: Sequence[float]
    ) -> None:
        if fill:
            self._out.append(_rgb(fill, "rg"))
        if line:
            # round caps would close the gaps of a dash
            cap = 0 if dash else 1
            pattern = " ".join(_n(step) for step in dash)
            self._out.append(f"{_rgb(line, 'RG')} {_n(weight)} w {cap} J [{pattern}] 0 d")


def _n(value: float) -> str:
    return str(round(value * _STEPS))


def _rgb(ink: Colour, operator: str) -> str:
    return f"{ink[0]:.3f} {ink[1]:.3f} {ink[2]:.3f} {operator}"


def _path(points: Points, end: str) -> str:
    steps = np.rint(points * _STEPS).astype(np.int64)
    keep = np.ones(len(steps), dtype=bool)
    keep[1:] = (steps[1:] != steps[:-1]).any(axis=1)
    keep[-1] = True
    rows = steps[keep].tolist()
    first, rest = rows[0], rows[1:]
    body = "".join(f" {x} {y} l" for x, y in rest)
    return f"{first[0]} {first[1]} m{body} {end}"


class _Objects:
    """Numbered objects of a PDF file."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def add(self, body: str | bytes) -> int:
        self.bodies.append(body.encode("ascii") if isinstance(body, str) else body)
        return len(self.bodies)

    def stream(self, data: bytes, entries: str = "") -> int:
        packed = zlib.compress(data, 9)
        head = f"<< /Length {len(packed)} /Filter /FlateDecode {entries}>>\nstream\n"
        return self.add(head.encode("ascii") + packed + b"\nendstream")

    def file(self, root: int, info: int) -> bytes:
        parts = [b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"]
        places, at = [], len(parts[0])
        for number, body in enumerate(self.bodies, start=1):
            part = f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
            places.append(at)
            parts.append(part)
            at += len(part)
        count = len(places) + 1
        table = "".join(f"{place:010d} 00000 n \n" for place in places)
        mark = hashlib.sha256(b"".join(parts)).hexdigest()[:32]
        parts.append(
            f"xref\n0 {count}\n0000000000 65535 f \n{table}trailer\n<< /Size {count} "
            f"/Root {root} 0 R /Info {info} 0 R /ID [<{mark}> <{mark}>] >>\n"
            f"startxref\n{at}\n%%EOF\n".encode()
        )
        return b"".join(parts)


def pdf_bytes(
    pages: Sequence[Page], font: Font, title: str, bookmarks: Sequence[str] = ()
) -> bytes:
    """A PDF of these pages with the font's used glyphs embedded; a bookmark a page if given."""
    objects = _Objects()
    root, tree, outlines = objects.add(""), objects.add(""), objects.add("")
    used = frozenset().union(*(page.characters for page in pages))
    face = _font_objects(objects, font, used)
    numbers = []
    for page in pages:
        content = objects.stream(page.content)
        box = f"0 0 {page.width * _PT_PER_MM:.3f} {page.height * _PT_PER_MM:.3f}"
        numbers.append(
            objects.add(
                f"<< /Type /Page /Parent {tree} 0 R /MediaBox [{box}] /Contents {content} 0 R "
                f"/Resources << /Font << /F {face} 0 R >> >> >>"
            )
        )
    kids = " ".join(f"{number} 0 R" for number in numbers)
    objects.bodies[tree - 1] = f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode()
    _bookmarks(objects, outlines, numbers, bookmarks)
    shown = f"/Outlines {outlines} 0 R /PageMode /UseOutlines " if bookmarks else ""
    objects.bodies[root - 1] = f"<< /Type /Catalog /Pages {tree} 0 R {shown}>>".encode()
    info = objects.add(f"<< /Title {_string(title)} /Producer (Gridwright) >>")
    return objects.file(root, info)


def _string(text: str) -> str:
    return "<FEFF" + text.encode("utf-16-be").hex().upper() + ">"


def _bookmarks(
    objects: _Objects, outlines: int, pages: Sequence[int], names: Sequence[str]
) -> None:
    first = len(objects.bodies) + 1
    last = first + len(names) - 1
    for i, (name, page) in enumerate(zip(names, pages, strict=bool(names))):
        before = f"/Prev {first + i - 1} 0 R " if i else ""
        after = f"/Next {first + i + 1} 0 R " if i + 1 < len(names) else ""
        objects.add(
            f"<< /Title {_string(name)} /Parent {outlines} 0 R {before}{after}"
            f"/Dest [{page} 0 R /Fit] >>"
        )
    ends = f"/First {first} 0 R /Last {last} 0 R /Count {len(names)} " if names else ""
    objects.bodies[outlines - 1] = f"<< /Type /Outlines {ends}>>".encode()


def _font_objects(objects: _Objects, font: Font, used: frozenset[str]) -> int:
    program = font.program(used)
    mark = hashlib.sha256(program).digest()[:6]
    name = "".join(chr(65 + byte % 26) for byte in mark) + "+" + font.name
    if font.flavour == "glyf":
        file = objects.stream(program, f"/Length1 {len(program)} ")
        entry, kind, extra = "FontFile2", "CIDFontType2", " /CIDToGIDMap /Identity"
    else:
        file = objects.stream(program, "/Subtype /CIDFontType0C ")
        entry, kind, extra = "FontFile3", "CIDFontType0", ""
    box = " ".join(map(str, font.box))
    descriptor = objects.add(
        f"<< /Type /FontDescriptor /FontName /{name} /Flags 4 /FontBBox [{box}] /ItalicAngle 0 "
        f"/Ascent {font.ascent} /Descent {font.descent} /CapHeight {font.cap_height} /StemV 80 "
        f"/{entry} {file} 0 R >>"
    )
    known = sorted({font.code[ch] for ch in used if ch in font.code} | set(font.codes("〓")))
    widths = " ".join(f"{code} [{font.em.get(code, 1000)}]" for code in known)
    below = objects.add(
        f"<< /Type /Font /Subtype /{kind} /BaseFont /{name} /CIDSystemInfo << /Registry (Adobe) "
        f"/Ordering (Identity) /Supplement 0 >> /FontDescriptor {descriptor} 0 R /DW 1000 "
        f"/W [{widths}]{extra} >>"
    )
    unicode = objects.stream(_to_unicode({font.code[ch]: ch for ch in sorted(used, reverse=True)
                                          if ch in font.code}))  # fmt: skip
    return objects.add(
        f"<< /Type /Font /Subtype /Type0 /BaseFont /{name} /Encoding /Identity-H "
        f"/DescendantFonts [{below} 0 R] /ToUnicode {unicode} 0 R >>"
    )


def _to_unicode(characters: dict[int, str]) -> bytes:
    """The map back to characters, so that a sheet can be searched and copied from."""
    rows = [
        f"<{code:04X}> <{ch.encode('utf-16-be').hex().upper()}>"
        for code, ch in sorted(characters.items())
    ]
    blocks = [rows[i : i + 100] for i in range(0, len(rows), 100)]  # the format's limit a block
    body = "\n".join(
        f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks
    )
    return (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
        "1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n"
        f"{body}\nendcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
    ).encode("ascii")
