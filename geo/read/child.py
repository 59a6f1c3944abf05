"""The child process's side of :mod:`geo.read.isolate`; run as ``python -m geo.read.child``."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from geo.read.limits import LIMITS


def _bind() -> None:
    """Take the process's means away before anything of the file is looked at."""
    try:
        import resource
    except ImportError:  # no such limits on this system; the parent's deadline still holds
        return
    seconds = round(LIMITS.seconds)
    for kind, value in (
        (resource.RLIMIT_AS, LIMITS.memory_bytes),
        (resource.RLIMIT_CPU, seconds * 2),
        (resource.RLIMIT_FSIZE, LIMITS.unpacked_bytes),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (bound, bound))


def _work(request: dict[str, Any]) -> dict[str, Any]:
    from geo.problems import InputError
    from geo.read.isolate import answer_table
    from geo.read.report import Report
    from geo.read.source import Source, layers_of, read_source

    report = Report(request["file"])
    answer: dict[str, Any] = {}
    source = Source(Path(request["path"]), request["layer"])
    try:
        if request["task"] == "layers":
            answer["layers"] = layers_of(source, report)
        else:
            made = read_source(source, request["role"], request["columns"], report)
            import pyarrow.parquet as pq

            table = answer_table(made.columns, made.shapes, made.raw)
            pq.write_table(table, Path(request["folder"]) / "rows.parquet", compression="zstd")
            answer |= {
                "name": made.raw.name,
                "names": made.raw.names,
                "crs": made.raw.crs.to_wkt() if made.raw.crs is not None else "",
                "encoding": made.raw.encoding,
                "datum_hint": made.raw.datum_hint,
                "found": [asdict(column) for column in made.found],
                "dropped": [asdict(item) for item in made.dropped],
            }
    except InputError:
        pass  # its problems are in the report
    except MemoryError:
        report.error("too_much_memory", megabytes=LIMITS.memory_bytes >> 20)
    except Exception as error:  # whatever a hostile file provokes must become one sentence
        report.error("unreadable", reason=type(error).__name__)
    answer["columns"] = report.columns
    answer["problems"] = [{**asdict(p), "params": _plain(p.params)} for p in report.problems]
    return answer


def _plain(params: Any) -> dict[str, object]:
    return {
        key: value if isinstance(value, (int, float, str)) else str(value)
        for key, value in params.items()
    }


def main() -> None:
    """Read one request from standard input and leave the answer in its folder."""
    request = json.loads(sys.stdin.buffer.read())
    _bind()
    answer = _work(request)
    text = json.dumps(answer, ensure_ascii=True)
    (Path(request["folder"]) / "answer.json").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
