"""The audit trail as a file for those who look through it: CSV for a spreadsheet, or JSON lines."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

from geo.messages import register
from geo.problems import InputError, Problem
from store.atomic import beside
from store.audit import Note
from store.database import telling

register(
    {
        "store-trail-format": (
            "不支持的格式;请用 .csv 或 .jsonl。",
            "is of no known format; name it .csv or .jsonl.",
        ),
    }
)

SUFFIXES = (".csv", ".jsonl")


def check_name(path: Path) -> None:
    """Raise :class:`InputError` unless the name tells one of the formats."""
    if path.suffix.lower() not in SUFFIXES:
        raise InputError([Problem("store-trail-format", path.name)])


def write_trail(notes: Sequence[Note], path: Path) -> None:
    """Write entries as CSV or JSON lines, as the name tells; whole or not at all.

    JSON lines hold what the hashes were made of, so that anybody can compute them again
    (docs/store.md). In CSV, text that a spreadsheet would take for a formula gets an apostrophe.
    """
    check_name(path)
    with telling(path.name), beside(path) as temporary:
        if path.suffix.lower() == ".jsonl":
            lines = [json.dumps(asdict(note), ensure_ascii=False) for note in notes]
            temporary.write_text("".join(f"{line}\n" for line in lines), "utf-8")
            return
        names = [field.name for field in fields(Note)]
        with temporary.open("w", encoding="utf-8-sig", newline="") as file:
            table = csv.writer(file)
            table.writerow(names)
            for note in notes:
                detail = json.dumps(note.detail, ensure_ascii=False, sort_keys=True)
                row = {**asdict(note), "detail": detail}
                table.writerow([_text(row[name]) for name in names])


def _text(value: object) -> object:
    told = str(value)
    return f"'{told}" if told[:1] in ("=", "+", "-", "@", "\t", "\r") else value
