"""Long work: progress, result, cancel, failure; and the sentence for each failure."""

from __future__ import annotations

import errno
import threading
import weakref
import zipfile
from concurrent.futures.process import BrokenProcessPool

import pytest
from streamlit.testing.v1 import AppTest

from geo.problems import InputError, Problem
from planning.export import GRID_COLUMNS  # noqa: F401 -- registers the sentences
from ui import watch
from ui.errors import (
    SENTENCES,
    FolderNotAllowedError,
    JobGoneError,
    MapLibraryMissingError,
    sentences,
)
from ui.jobs import CancelledError, Job, Jobs, Snapshot, Step
from ui.logs import calls_of
from ui.words import WORDS


def test_the_bar_says_which_sheet_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "text", lambda key, **told: WORDS[key][0].format(**told))
    told = watch.step_text("running", Step("sheets", 120, 819, "grids-01.pdf"))
    assert told == "正在绘制图纸（第 120 张，共 819 张）"
    assert watch.step_text("running", Step("sheets", 0, 0)) == "正在绘制图纸……"


def wait_for(jobs: Jobs, job_id: str) -> Snapshot:
    for _ in range(2000):
        now = jobs.look(job_id)
        if now.over:
            return now
        threading.Event().wait(0.005)
    pytest.fail("the job never ended")


def test_a_job_reports_and_ends_with_its_result() -> None:
    jobs = Jobs()
    seen = threading.Event()
    go_on = threading.Event()

    def work(job: Job) -> str:
        job.report(Step("proposing", 3, 12, "柳塘村"))
        seen.set()
        go_on.wait(10)
        return "plan"

    job_id = jobs.start("propose", work)
    assert seen.wait(10)
    now = jobs.look(job_id)
    assert now.state == "running"
    assert now.step.share == 0.25
    assert now.step.label == "柳塘村"
    go_on.set()
    end = wait_for(jobs, job_id)
    assert (end.state, end.result) == ("done", "plan")


def test_a_cancelled_job_stops_at_its_next_report() -> None:
    jobs = Jobs()
    started = threading.Event()

    def work(job: Job) -> None:
        started.set()
        while True:
            job.report(Step("proposing"))
            threading.Event().wait(0.005)

    job_id = jobs.start("propose", work)
    assert started.wait(10)
    jobs.cancel(job_id)
    assert wait_for(jobs, job_id).state == "cancelled"


def test_a_failed_job_keeps_its_exception_and_frees_its_turn() -> None:
    jobs = Jobs(at_once=1)

    def fails(job: Job) -> None:
        raise MemoryError

    def works(job: Job) -> int:
        return 1

    first, second = jobs.start("a", fails), jobs.start("b", works)
    assert isinstance(wait_for(jobs, first).error, MemoryError)
    assert wait_for(jobs, second).result == 1


class Held:
    """What somebody brought; it can be watched going."""

    def __init__(self, content: bytearray) -> None:
        self.content = content


def test_a_failed_job_holds_no_file_that_it_read() -> None:
    """It is kept for a while; its places stay for the log, what they held does not."""
    jobs, content = Jobs(), [bytearray(b"personal")]
    held: list[weakref.ref[Held]] = []

    def start() -> str:
        brought = Held(content.pop())
        held.append(weakref.ref(brought))

        def read(what: Held) -> None:
            rows = [what]
            try:
                raise OSError(len(rows))
            except OSError as error:
                raise ValueError("no table") from error

        return jobs.start("read", lambda job: read(brought))

    job_id = start()
    error = wait_for(jobs, job_id).error
    for _ in range(400):
        if held[0]() is None:
            break
        threading.Event().wait(0.005)
    assert held[0]() is None
    assert isinstance(error, ValueError)
    assert calls_of(error)[-1].endswith(" read")  # the log still says where it was


def test_a_job_that_waits_for_its_turn_can_be_cancelled() -> None:
    jobs = Jobs(at_once=1)
    go_on = threading.Event()
    first = jobs.start("a", lambda job: go_on.wait(10))
    second = jobs.start("b", lambda job: pytest.fail("it was cancelled before its turn"))
    assert jobs.look(second).state == "waiting"
    jobs.cancel(second)
    assert wait_for(jobs, second).state == "cancelled"
    go_on.set()
    assert wait_for(jobs, first).state == "done"


def test_old_jobs_are_forgotten() -> None:
    jobs = Jobs(kept=2)
    ids = []
    for _ in range(5):
        ids.append(jobs.start("a", lambda job: None))
        wait_for(jobs, ids[-1])
    with pytest.raises(JobGoneError):
        jobs.look(ids[0])
    assert jobs.look(ids[-1]).state == "done"
    jobs.cancel(ids[0])


def test_ids_cannot_be_counted() -> None:
    jobs = Jobs()
    first, second = (jobs.start("a", lambda job: None) for _ in range(2))
    assert first != second
    assert len(first) >= 16


# --- sentences


def test_every_sentence_has_its_words() -> None:
    assert {key for _, key in SENTENCES} <= set(WORDS)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    "error",
    [
        MapLibraryMissingError("x"),
        FolderNotAllowedError("x"),
        JobGoneError("x"),
        MemoryError(),
        BrokenProcessPool(),
        zipfile.BadZipFile(),
        FileNotFoundError("/secret/path"),
        PermissionError("/secret/path"),
        TimeoutError(),
        OSError(errno.ENOSPC, "No space left on device"),
        CancelledError(),
        ZeroDivisionError("division by zero"),
    ],
)
def test_a_user_reads_one_sentence_and_no_inside(error: BaseException, language: str) -> None:
    (sentence,) = sentences(error, language)  # type: ignore[arg-type]
    assert len(sentence) > 8
    for inside in ("/secret", "Traceback", "Error", "division"):
        assert inside not in sentence


def test_a_problem_of_the_input_is_told_with_its_place() -> None:
    problem = Problem("export.not_in_gbk", "grids", "name", {"text": "䶮"})
    assert sentences(InputError([problem, problem]), "zh") == [problem.text("zh")] * 2


def test_the_unforeseen_is_found_again_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    (sentence,) = sentences(ZeroDivisionError("x"), "en")
    number = caplog.records[-1].args
    assert isinstance(number, tuple)
    assert str(number[0]) in sentence


def test_the_watch_of_one_job_does_not_end_the_next() -> None:
    def page() -> None:
        import streamlit as st

        from ui.jobs import Jobs
        from ui.watch import _watch, start

        jobs = Jobs(at_once=1)
        first, second = (jobs.start(name, lambda job: "made") for name in ("look", "accept"))
        while not (jobs.look(first).over and jobs.look(second).over):
            pass
        start("accept", second)
        _watch(first, lambda now: st.session_state.update(told="first"), jobs)

    run = AppTest.from_function(page, default_timeout=30).run()
    assert not run.exception
    assert "told" not in run.session_state
    assert run.session_state["job"] is not None


def test_what_cannot_be_taken_is_told_and_tried_again() -> None:
    def page() -> None:
        import streamlit as st

        from ui.jobs import Jobs
        from ui.watch import _watch, start

        if "jobs" not in st.session_state:
            st.session_state["jobs"] = jobs = Jobs()
            start("accept", jobs.start("accept", lambda job: "made"))
            while not jobs.look(st.session_state["job"]).over:
                pass

        def when_done(now: object) -> None:
            if not st.session_state.get("store_is_back"):
                raise TimeoutError
            st.session_state["taken"] = True

        _watch(st.session_state["job"], when_done, st.session_state["jobs"])

    run = AppTest.from_function(page, default_timeout=30).run()
    assert not run.exception
    assert len(run.error) == 1
    assert run.session_state["job"] is not None
    run.session_state["store_is_back"] = True
    run.run()
    assert not run.error
    assert run.session_state["taken"]
    assert run.session_state["job"] is None
