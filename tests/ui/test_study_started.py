"""Who starts a reading of events, who joins it, and who is told to wait."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from ui import study
from ui.errors import BusyError
from ui.jobs import Job, Jobs
from ui.study import start_study


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> Jobs:
    jobs = Jobs(kept=2)
    monkeypatch.setattr(study, "SURVEYS", jobs)
    monkeypatch.setattr(study, "_RUNNING", {})
    monkeypatch.setattr(study, "shelve", lambda made: None)
    return jobs


def over(jobs: Jobs, job_id: str) -> None:
    while not jobs.look(job_id).over:
        threading.Event().wait(0.002)


def test_a_county_is_read_again_long_after_its_first_reading(readings: Jobs) -> None:
    made: Any = object()
    first = start_study("county", lambda job: made)
    over(readings, first)
    for number in range(4):  # more than are kept: nobody knows of the first any more
        over(readings, start_study(str(number), lambda job: made))
    again = start_study("county", lambda job: made)
    assert again != first
    over(readings, again)
    assert readings.look(again).state == "done"


def test_who_brings_files_of_their_own_does_not_join_another_reading(readings: Jobs) -> None:
    go_on, made = threading.Event(), object()

    def slow(job: Job) -> Any:
        go_on.wait(10)
        return made

    running = start_study("county", slow)
    assert start_study("county", slow) == running
    with pytest.raises(BusyError):
        start_study("county", slow, joins=False)
    go_on.set()
    over(readings, running)
    assert start_study("county", slow, joins=False) != running
