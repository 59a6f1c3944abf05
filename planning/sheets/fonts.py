"""The font of the sheets: found on the machine or given, measured, and embedded as a subset.

Chinese needs a font of its own in the file, or another computer shows boxes. Whole, such a font is
20 MB; a sheet carries only the glyphs it uses (fontTools makes the subset).
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from fontTools import subset
from fontTools.ttLib import TTCollection, TTFont, TTLibError

from geo.messages import register
from geo.problems import InputError, Problem

register(
    {
        "sheets-no-font": (
            "本机没有找到中文字体;请安装 Noto Sans CJK(fonts-noto-cjk),或用 --font 指定字体文件。",
            "no Chinese font was found on this machine; install Noto Sans CJK (fonts-noto-cjk) or "
            "name a font file with --font.",
        ),
        "sheets-font-unusable": (
            "这个字体不能用于图纸({reason});请换一个 TTF、OTF 或 TTC 字体。",
            "cannot be used for the sheets ({reason}); give another TTF, OTF or TTC font.",
        ),
    }
)

VARIABLE = "GRIDWRIGHT_FONT"
# In order of preference; the first that is there and holds Chinese is taken.
_NAMES = (
    "NotoSansCJK-Regular.ttc", "NotoSansCJKsc-Regular.otf", "NotoSansSC-Regular.otf",
    "NotoSansSC-Regular.ttf", "SourceHanSansSC-Regular.otf", "SourceHanSansCN-Regular.otf",
    "SourceHanSans-Regular.ttc", "wqy-microhei.ttc", "wqy-zenhei.ttc", "msyh.ttc", "simhei.ttf",
    "Deng.ttf", "simsun.ttc", "STHeiti Light.ttc", "Hiragino Sans GB.ttc",
    "DroidSansFallbackFull.ttf", "DroidSansFallback.ttf",
)  # fmt: skip
_SAMPLE = "网格户至东南西北"
_MISSING = "〓"  # the printers' sign for a character the font lacks
_NEVER_EMBED = 0x0002  # OS/2 fsType: "restricted licence embedding"


def _folders() -> Iterator[Path]:
    home = Path.home()
    if sys.platform == "win32":
        yield Path(os.environ.get("WINDIR", "C:\\Windows")) / "Fonts"
    elif sys.platform == "darwin":
        yield from (home / "Library/Fonts", Path("/Library/Fonts"), Path("/System/Library/Fonts"))
    yield from (home / ".local/share/fonts", home / ".fonts")
    yield from (Path("/usr/local/share/fonts"), Path("/usr/share/fonts"))


def find_font() -> Path:
    """The font named by GRIDWRIGHT_FONT, else a usual Chinese font of the machine.

    Raises :class:`InputError` where there is none.
    """
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    found: dict[str, Path] = {}
    for folder in _folders():
        if folder.is_dir():
            for path in sorted(folder.rglob("*.[toTO][tT][fFcC]")):
                found.setdefault(path.name, path)
    for name in _NAMES:
        if name in found:
            return found[name]
    raise InputError([Problem("sheets-no-font")])


Flavour = Literal["cid", "cff", "glyf"]


@dataclass(frozen=True)
class Font:
    """One face, measured. ``code`` maps characters to the numbers a PDF text is written in.

    Those are CIDs where the font has them and glyph numbers else; a subset keeps either. ``em``
    maps the same numbers to widths, in thousandths of the size. ``data`` is a font file.
    """

    name: str
    flavour: Flavour
    data: bytes
    code: dict[str, int]
    em: dict[int, int]
    ascent: int
    descent: int
    cap_height: int
    box: tuple[int, int, int, int]
    version: str

    def codes(self, text: str) -> list[int]:
        """The numbers to write for a text; one the font lacks becomes 〓."""
        missing = self.code.get(_MISSING, 0)
        return [self.code.get(ch, missing) for ch in text]

    def width(self, text: str, size: float) -> float:
        """Width of a text in the unit of ``size``."""
        return sum(self.em.get(code, 1000) for code in self.codes(text)) * size / 1000

    def program(self, characters: Iterable[str]) -> bytes:
        """The font program to embed for these characters: a bare CFF, or a TrueType file."""
        font = TTFont(io.BytesIO(self.data), lazy=True)
        _reduce(font, {*characters, _MISSING}, self.flavour)
        if self.flavour == "glyf":
            return _saved(font)
        return bytes(font.getTableData("CFF "))


def _reduce(font: TTFont, characters: set[str], flavour: Flavour) -> None:
    options = subset.Options()
    options.layout_features = []
    options.drop_tables += ["GSUB", "GPOS", "GDEF", "BASE", "vhea", "vmtx", "VORG", "DSIG"]
    options.hinting = False
    options.desubroutinize = True
    options.notdef_outline = True
    options.name_IDs = []
    options.recalc_timestamp = False
    # CIDs survive in the CFF's own charset; glyph numbers only where they are kept
    options.retain_gids = flavour != "cid"
    maker = subset.Subsetter(options)
    maker.populate(unicodes=[ord(ch) for ch in characters])
    maker.subset(font)


def _saved(font: TTFont) -> bytes:
    buffer = io.BytesIO()
    font.save(buffer, reorderTables=False)
    return buffer.getvalue()


def _face(path: Path) -> TTFont:
    """The face to take from a file: in a collection the one for simplified Chinese.

    From a copy in memory, because a face that is read lazily would keep the file open.
    """
    data = path.read_bytes()
    if data[:4] != b"ttcf":
        return TTFont(io.BytesIO(data), lazy=True, recalcTimestamp=False)
    faces = TTCollection(io.BytesIO(data), lazy=True)
    names = [str(face["name"].getDebugName(4) or "") for face in faces]
    wanted = [i for i, name in enumerate(names) if " SC" in f" {name}" and "Mono" not in name]
    return TTFont(io.BytesIO(data), fontNumber=wanted[0] if wanted else 0, lazy=True,
                  recalcTimestamp=False)  # fmt: skip


def load_font(path: Path, characters: Iterable[str]) -> Font:
    """Read a font and keep of it what ``characters`` need (and printable ASCII).

    Raises :class:`InputError` for a file that is no font, holds no Chinese or forbids embedding.
    """
    ascii_too = {chr(number) for number in range(32, 127)}
    return _load(path, "".join(sorted({*characters, *ascii_too, *_SAMPLE, _MISSING})))


@lru_cache(maxsize=4)
def _load(path: Path, characters: str) -> Font:
    try:
        face = _face(path)
        cmap: dict[int, str] = face.getBestCmap() or {}
        if any(ord(ch) not in cmap for ch in _SAMPLE):
            raise _unusable(path, "no Chinese / 不含中文")
        table = face["OS/2"]
        if table.fsType & 0x000F == _NEVER_EMBED:
            raise _unusable(path, "its licence forbids embedding / 授权不允许嵌入")
        return _measured(face, {ch: cmap[ord(ch)] for ch in characters if ord(ch) in cmap})
    except (OSError, TTLibError, KeyError, AssertionError) as error:
        raise _unusable(path, type(error).__name__) from error


def _measured(face: TTFont, glyph: dict[str, str]) -> Font:
    upm = face["head"].unitsPerEm
    order = {name: number for number, name in enumerate(face.getGlyphOrder())}
    flavour: Flavour = "glyf"
    if "CFF " in face:
        flavour = "cid" if hasattr(face["CFF "].cff.topDictIndex[0], "ROS") else "cff"
    advance = face["hmtx"].metrics
    code = {
        ch: int(name[3:]) if flavour == "cid" else order[name] for ch, name in glyph.items()
    }
    em = {code[ch]: round(advance[name][0] * 1000 / upm) for ch, name in glyph.items()}
    head, os2, name = face["head"], face["OS/2"], face["name"]
    told = str(name.getDebugName(6) or "Font")
    version = str(name.getDebugName(5) or "")
    ascent, descent = face["hhea"].ascent, face["hhea"].descent
    box = (head.xMin, head.yMin, head.xMax, head.yMax)
    cap = getattr(os2, "sCapHeight", 0) or round(0.7 * upm)
    _reduce(face, set(glyph), flavour)

    def per_mille(value: float) -> int:
        scaled: int = round(value * 1000 / upm)
        return scaled

    return Font(
        name="".join(ch for ch in told if ch.isascii() and (ch.isalnum() or ch == "-")) or "Font",
        flavour=flavour,
        data=_saved(face),
        code=code,
        em=em,
        ascent=per_mille(ascent),
        descent=per_mille(descent),
        cap_height=per_mille(cap),
        box=(per_mille(box[0]), per_mille(box[1]), per_mille(box[2]), per_mille(box[3])),
        version=version,
    )


def _unusable(path: Path, reason: str) -> InputError:
    return InputError([Problem("sheets-font-unusable", path.name, params={"reason": reason})])
