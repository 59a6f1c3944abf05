"""Household layers under a key: in a plan.gpkg they can be read by nobody who has not got it.

AES-256 in GCM, with a fresh nonce for every layer that is written; the layer's name and the key's
mark are authenticated with it, so that nothing can be exchanged unnoticed. The key comes from
:data:`VARIABLE` or from the file that :data:`FILE_VARIABLE` names, and is written nowhere.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import pandas as pd
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from geo.messages import register
from geo.problems import InputError, Problem

register(
    {
        "key-unfit": (
            "不是可用的密钥;请用 gridwright store key 生成。",
            "holds no key; make one with gridwright store key.",
        ),
        "key-not-written": (
            "无法写入({reason});请另选一个还不存在的文件名。",
            "cannot be written ({reason}); choose a name that no file has.",
        ),
        "key-missing": (
            "户点已加密;请用 GRIDWRIGHT_KEY 或 GRIDWRIGHT_KEY_FILE 给出密钥。",
            "has its households under a key; give it in GRIDWRIGHT_KEY or GRIDWRIGHT_KEY_FILE.",
        ),
        "key-wrong": (
            "户点是用另一个密钥加密的;请给出写入时的密钥。",
            "has its households under another key; give the one it was written with.",
        ),
        "key-broken": (
            "加密的户点已损坏或被改动;请恢复备份。",
            "has households under a key that are damaged or were changed; restore a backup.",
        ),
    }
)

VARIABLE = "GRIDWRIGHT_KEY"
FILE_VARIABLE = "GRIDWRIGHT_KEY_FILE"
SEALED = ("households", "unplaced")
_MAGIC = b"GWS1"
_BYTES = 32


@dataclass(frozen=True)
class Key:
    """A key of 256 bits; never shown."""

    secret: bytes = field(repr=False)

    @property
    def mark(self) -> bytes:
        """Eight bytes that tell this key from another, and from which nobody gets it back."""
        return hashlib.sha256(b"gridwright key mark" + self.secret).digest()[:8]


def new_key() -> str:
    """A key as text, for a file or the environment."""
    return base64.urlsafe_b64encode(os.urandom(_BYTES)).decode("ascii")


def key_of(environment: Mapping[str, str]) -> Key | None:
    """The key this program was given, None for none. :class:`InputError` for one that is none."""
    text, where = environment.get(VARIABLE, ""), VARIABLE
    named = environment.get(FILE_VARIABLE, "")
    if not text and named:
        where = Path(named).name
        try:
            text = Path(named).read_text("ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError([Problem("key-unfit", where)]) from error
    elif not text:
        return None
    try:
        secret = base64.b64decode(text.strip(), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError([Problem("key-unfit", where)]) from error
    if len(secret) != _BYTES:
        raise InputError([Problem("key-unfit", where)])
    return Key(secret)


def seal(content: bytes, name: str, key: Key) -> bytes:
    """Content under a key: magic, the key's mark, nonce, and what AES-GCM made of it."""
    head, nonce = _MAGIC + key.mark, os.urandom(12)
    return head + nonce + AESGCM(key.secret).encrypt(nonce, content, head + name.encode())


def unseal(sealed: bytes, name: str, key: Key | None, file: str) -> bytes:
    """The content again. :class:`InputError` without the key, with another, and for damage."""
    if key is None:
        raise InputError([Problem("key-missing", file)])
    head, nonce = sealed[:12], sealed[12:24]
    if head[:4] != _MAGIC or len(nonce) != 12:
        raise InputError([Problem("key-broken", file)])
    if head[4:] != key.mark:
        raise InputError([Problem("key-wrong", file)])
    try:
        return AESGCM(key.secret).decrypt(nonce, sealed[24:], head + name.encode())
    except InvalidTag as error:
        raise InputError([Problem("key-broken", file)]) from error


def packed(frame: pd.DataFrame) -> bytes:
    """A table, with or without shapes, as the bytes of a Parquet file."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


def unpacked(content: bytes) -> pd.DataFrame:
    """The table again, with the types that a GeoPackage would have given it."""
    buffer = io.BytesIO(content)
    try:
        frame: pd.DataFrame = gpd.read_parquet(buffer)
    except ValueError:  # a table without shapes
        frame = pd.read_parquet(buffer)
    for name in frame.columns:
        if frame[name].dtype == object:  # all missing: texts, too
            frame[name] = frame[name].astype("str")
        elif isinstance(frame[name].dtype, pd.Int64Dtype):
            whole = frame[name].notna().all()
            frame[name] = frame[name].astype("int64" if whole else "float64")
    return frame


def put_sealed(path: Path, frames: Mapping[str, pd.DataFrame], key: Key) -> None:
    """Add layers under a key to a GeoPackage that is being written."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "create table gridwright_sealed (name text primary key, content blob not null)"
        )
        for name, frame in frames.items():
            row = (name, seal(packed(frame), name, key))
            connection.execute("insert into gridwright_sealed values (?, ?)", row)


def sealed_layers(path: Path) -> dict[str, bytes]:
    """The layers that a GeoPackage holds under a key, still closed."""
    address = f"{path.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as connection:
        connection.execute("pragma trusted_schema = off")
        there = "select 1 from sqlite_master where type = 'table' and name = 'gridwright_sealed'"
        if connection.execute(there).fetchone() is None:
            return {}
        rows = connection.execute("select name, content from gridwright_sealed").fetchall()
    return {
        name: content if isinstance(content, bytes) else b""
        for name, content in rows
        if name in SEALED
    }
