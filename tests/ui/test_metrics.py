"""Figures in Prometheus' text format: right numbers, no word of anybody's in them."""

from __future__ import annotations

import asyncio
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.requests import Request

from ui.errors import sentences
from ui.jobs import Jobs
from ui.metrics import METRICS, SECONDS, Metrics
from ui.web.figures import figures as show_figures

SAMPLE = re.compile(r'([a-z_]+)(\{(?:le|state)="[^"{}\\]+"\})? (-?[0-9.e+-]+|\+Inf)')


def figures(metrics: Metrics) -> dict[str, float]:
    """Every sample; fails on a line that Prometheus would not read."""
    text = metrics.render()
    assert text.endswith("\n")
    found: dict[str, float] = {}
    told: str | None = None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            told = line.split(" ")[2]
            continue
        if line.startswith("# TYPE "):
            assert line.split(" ")[2] == told
            assert line.split(" ")[3] in ("counter", "gauge", "histogram")
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        assert told
        assert match[1].startswith(told)
        name = match[1] + (match[2] or "")
        assert name not in found
        found[name] = float(match[3])
    return found


def test_nothing_has_happened_yet() -> None:
    found = figures(Metrics())
    assert found["gridwright_reruns_total"] == 0
    assert found["gridwright_sign_ins_failed_total"] == 0
    assert found['gridwright_jobs_total{state="failed"}'] == 0
    assert "gridwright_sessions" not in found  # nobody said how to count them
    assert found["process_start_time_seconds"] > 1_700_000_000


def test_durations_fall_into_classes_that_add_up() -> None:
    metrics = Metrics()
    for seconds in (0.01, 0.05, 0.06, 3.0, 100.0):
        metrics.observe(seconds)
    found = figures(metrics)
    classes = [found[f'gridwright_rerun_seconds_bucket{{le="{end:g}"}}'] for end in SECONDS]
    assert classes == [2, 3, 3, 3, 3, 3, 4, 4, 4]  # 0.05 is in the class that ends there
    assert found['gridwright_rerun_seconds_bucket{le="+Inf"}'] == 5
    assert found["gridwright_rerun_seconds_count"] == found["gridwright_reruns_total"] == 5
    assert found["gridwright_rerun_seconds_sum"] == pytest.approx(103.12)


def test_a_run_within_a_run_is_one_and_a_failed_one_counts() -> None:
    metrics = Metrics()
    with pytest.raises(KeyError), metrics.rerun(), metrics.rerun():
        raise KeyError("王小明")
    with metrics.rerun():
        pass
    assert figures(metrics)["gridwright_reruns_total"] == 2
    assert "王" not in metrics.render()


def test_counters_from_many_threads_lose_nothing() -> None:
    metrics = Metrics()

    def work() -> None:
        for _ in range(500):
            metrics.job_started()
            metrics.count("gridwright_edits_saved_total")
            metrics.job_ended("done")
            with metrics.rerun():
                pass

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = figures(metrics)
    assert found["gridwright_edits_saved_total"] == 4_000
    assert found['gridwright_jobs_total{state="done"}'] == 4_000
    assert found["gridwright_jobs_running"] == 0
    assert found["gridwright_reruns_total"] == 4_000


def test_a_gauge_that_cannot_be_read_is_left_out() -> None:
    metrics = Metrics()
    metrics.watch("gridwright_sessions", lambda: 7)
    assert figures(metrics)["gridwright_sessions"] == 7

    def starting() -> float:
        raise RuntimeError("there is no server yet")

    metrics.watch("gridwright_sessions", starting)
    assert "gridwright_sessions" not in metrics.render()


def test_only_names_known_before_can_be_counted() -> None:
    metrics = Metrics()
    with pytest.raises(KeyError):
        metrics.count("gridwright_张三_total")
    with pytest.raises(KeyError):
        metrics.job_ended("张三")
    with pytest.raises(ValueError, match="is no gauge"):
        metrics.watch("gridwright_edits_saved_total", lambda: 1)


def asked(client: str, **headers: str) -> tuple[int, str]:
    """What /metrics answers to a client at that address."""
    scope = {
        "type": "http", "method": "GET", "path": "/metrics", "client": (client, 4711),
        "headers": [(name.replace("_", "-").encode(), value.encode())
                    for name, value in headers.items()],
    }  # fmt: skip
    with ThreadPoolExecutor(1) as pool:  # the main thread's loop may be a browser's
        answer = pool.submit(asyncio.run, show_figures(Request(scope))).result()
    return answer.status_code, bytes(answer.body).decode()


def test_figures_are_for_this_machine_and_not_through_a_proxy() -> None:
    status, text = asked("127.0.0.1")
    assert status == 200
    assert "gridwright_reruns_total" in text
    assert asked("10.1.2.3") == (404, "Not Found")
    for name in ("x_forwarded_for", "x_real_ip", "forwarded", "via"):
        assert asked("127.0.0.1", **{name: "10.1.2.3"})[0] == 404


def test_long_work_is_counted_while_it_runs_and_by_how_it_ends() -> None:
    def number(name: str) -> float:
        return figures(METRICS)[name]

    before = {end: number(f'gridwright_jobs_total{{state="{end}"}}') for end in ("done", "failed")}
    running, go = number("gridwright_jobs_running"), threading.Event()
    jobs = Jobs(at_once=2)
    good = jobs.start("look", lambda _: go.wait(20))
    bad = jobs.start("look", lambda _: go.wait(20) and 1 / 0)
    assert number("gridwright_jobs_running") == running + 2
    go.set()
    while not (jobs.look(good).over and jobs.look(bad).over):
        threading.Event().wait(0.01)
    while number("gridwright_jobs_running") != running:
        threading.Event().wait(0.01)
    assert number('gridwright_jobs_total{state="done"}') == before["done"] + 1
    assert number('gridwright_jobs_total{state="failed"}') == before["failed"] + 1


def test_an_unforeseen_error_is_counted_and_a_foreseen_one_is_not() -> None:
    before = figures(METRICS)["gridwright_errors_total"]
    sentences(FileNotFoundError("x"), "en")
    assert figures(METRICS)["gridwright_errors_total"] == before
    sentences(ZeroDivisionError("x"), "en")
    assert figures(METRICS)["gridwright_errors_total"] == before + 1
