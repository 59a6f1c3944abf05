"""The administrator's cluster: a proposal of the application is planned there, and only there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import towns

import ui.projects
from geo.problems import InputError
from planning.settings import Settings
from ui.engine import CERTIFICATE_VARIABLES, SCHEDULER_VARIABLE, scheduler_of, workers_elsewhere
from ui.jobs import Job
from ui.projects import PLANS, Project, propose

PICTURE = "12.|.23\n3.1|4..\n---+---\n.31|222\n2..|1.3"


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, protocol="tcp", host="127.0.0.1",
        dashboard_address=None,
    ) as cluster:  # fmt: skip
        yield str(cluster.scheduler_address)


@pytest.fixture
def county(tmp_path: Path) -> Project:
    x, y = towns.ORIGIN
    held = [
        towns.village(PICTURE, times=10, persons=3, code=f"32011600120{i}", at=(x + i * 2e3, y))
        for i in range(5)
    ]
    files = towns.write_files(towns.county(held), tmp_path)
    return Project("p", "county", "folder", {role: str(path) for role, path in files.items()})


def codes_and_shapes(plan_id: str) -> list[tuple[str, bytes]]:
    grids = PLANS.get(plan_id).grids
    return list(zip(grids["code"], grids.geometry.to_wkb(), strict=True))


def test_without_the_setting_nothing_is_asked_of_a_cluster() -> None:
    assert scheduler_of({}) is None
    assert scheduler_of({SCHEDULER_VARIABLE: "  "}) is None
    with workers_elsewhere({}) as elsewhere:
        assert elsewhere is None


def test_the_application_plans_on_the_cluster_what_it_would_plan_here(
    county: Project, scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from planning.cluster import Cluster

    sent: list[object] = []
    submit = Cluster.submit

    def counted(self: Cluster, work: object, parcel: object) -> object:
        sent.append(parcel)
        return submit(self, work, parcel)  # type: ignore[arg-type]

    monkeypatch.setattr(Cluster, "submit", counted)
    here = propose(Job("propose"), county, Settings(target=120))
    assert sent == []
    monkeypatch.setenv(SCHEDULER_VARIABLE, scheduler)
    there = propose(Job("propose"), county, Settings(target=120))
    assert len(sent) == 5
    assert codes_and_shapes(there) == codes_and_shapes(here)


@pytest.mark.parametrize(
    ("environment", "code"),
    [
        ({SCHEDULER_VARIABLE: "tcp://203.0.113.9:8786"}, "scheduler-insecure"),
        ({SCHEDULER_VARIABLE: "nonsense"}, "scheduler-address"),
        (
            {SCHEDULER_VARIABLE: "tls://203.0.113.9:8786", CERTIFICATE_VARIABLES[0]: "/none.pem"},
            "scheduler-no-certificate",
        ),
    ],
)
def test_what_is_not_safe_is_refused_before_anything_is_sent(
    environment: dict[str, str], code: str
) -> None:
    with pytest.raises(InputError) as caught, workers_elsewhere(environment):
        pytest.fail("it was let in")
    assert [problem.code for problem in caught.value.problems] == [code]


def test_only_the_environment_decides(county: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proposal of the page passes the server's environment and nothing of the visitor's."""
    seen: list[object] = []
    monkeypatch.setattr(
        ui.projects, "workers_elsewhere",
        lambda environment: seen.append(environment) or workers_elsewhere({}),
    )
    propose(Job("propose"), county, Settings(target=120))
    assert seen == [os.environ]
