"""One code path here, on local workers and on a cluster; workers that die; who is let in."""

from __future__ import annotations

import datetime
import ipaddress
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import towns
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cli.main import main
from geo.problems import InputError
from planning import cluster
from planning.cluster import Certificates, connected, security_for
from planning.county import Progress, propose_county
from planning.running import Job, Lost, each
from planning.saved import to_bytes
from planning.settings import Settings

PICTURE = "12.|.23\n3.1|4..\n---+---\n.31|222\n2..|1.3"


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    x, y = towns.ORIGIN
    held = [
        towns.village(PICTURE, times=10, persons=3, code=f"32011600120{i}", at=(x + i * 2e3, y))
        for i in range(6)
    ]
    return towns.write_files(towns.county(held), tmp_path_factory.mktemp("county"))


def command(county: dict[str, Path], output: Path, *more: str) -> list[str]:
    return [
        "propose", "--villages", str(county["villages"]), "--households",
        str(county["households"]), "--target", "120", "-o", str(output), *more,
    ]  # fmt: skip


@contextmanager
def hosts(
    folder: Path, *tls: str, scheme: str = "tcp", workers: int = 2, **configured: str
) -> Iterator[str]:
    """A scheduler and its workers as the documentation starts them; the scheduler's address."""
    file = folder / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    folders = {
        **os.environ, "PYTHONPATH": os.pathsep.join(map(str, Path(__file__).parents[:2])),
        "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
        "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",  # fewer workers have to die
        **{f"DASK_DISTRIBUTED__SCHEDULER__{name}": value for name, value in configured.items()},
    }  # fmt: skip
    started = [
        subprocess.Popen(
            [
                sys.executable, "-m", "distributed.cli.dask_scheduler", "--host",
                f"{scheme}://127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file",
                str(file), *tls,
            ],
            env=folders, **quiet,
        )
    ]  # fmt: skip
    try:
        until = time.monotonic() + 60
        while not file.exists() or not file.read_text():
            assert started[0].poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        started.append(
            subprocess.Popen(
                [
                    sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file",
                    str(file), "--nworkers", str(workers), "--nthreads", "1", "--no-dashboard",
                    "--local-directory", str(folder), "--death-timeout", "60", *tls,
                ],
                env=folders, **quiet,
            )
        )  # fmt: skip

        yield str(json.loads(file.read_text())["address"])
    finally:
        for process in reversed(started):
            process.terminate()
        for process in reversed(started):
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with hosts(tmp_path_factory.mktemp("hosts")) as address:
        yield address


def test_a_cluster_gives_the_plan_of_one_process_to_the_byte(
    county: dict[str, Path], scheduler: str, tmp_path: Path
) -> None:
    here, there = tmp_path / "here" / "plan.gpkg", tmp_path / "there" / "plan.gpkg"
    for path in (here, there):
        path.parent.mkdir()
    assert main(command(county, here, "--workers", "1")) == 0
    assert main(command(county, there, "--scheduler", scheduler)) == 0
    assert there.read_bytes() == here.read_bytes()


def double_or_die(parcel: tuple[int, int, str]) -> tuple[int, int]:
    """The doubled number and the worker's process; item ``fatal`` kills its worker."""
    item, fatal, log = parcel
    with open(log, "a") as file:
        file.write(f"{item}\n")
    if item == fatal:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.02)
    return 2 * item, os.getpid()


def waiting_for(parcel: tuple[int, int, str]) -> tuple[int, int]:
    """As :func:`double_or_die`, slow enough for somebody to kill the worker meanwhile."""
    time.sleep(0.3)
    return double_or_die(parcel)


def test_a_worker_killed_in_mid_run_loses_nothing(scheduler: str, tmp_path: Path) -> None:
    log = str(tmp_path / "log")
    job = Job(lambda item: (item, -1, log), waiting_for)
    with connected(scheduler) as workers:
        found: dict[int, int] = {}
        for item, result in each(job, list(range(12)), elsewhere=workers):
            assert not isinstance(result, Lost)
            found[item] = result[0]
            if len(found) == 3:
                os.kill(result[1], signal.SIGKILL)
    assert found == {i: 2 * i for i in range(12)}


@pytest.mark.skipif(
    not os.environ.get("GRIDWRIGHT_LONG"), reason="half a minute of silence: GRIDWRIGHT_LONG=1"
)
def test_real_villages_survive_a_worker_that_is_cut_off(tmp_path: Path) -> None:
    x, y = towns.ORIGIN
    held = towns.county([
        towns.village(PICTURE, times=10, persons=3, code=f"3201160012{i:02d}", at=(x + i * 2e3, y))
        for i in range(8)
    ])  # fmt: skip
    here = propose_county(held, Settings(target=120))
    struck: list[int] = []

    def strike(_: Progress) -> None:
        if not struck:
            struck.extend(workers._client.run(os.getpid).values())
            os.kill(struck[0], signal.SIGSTOP)  # its connection stays open, and it says nothing

    # silent for two seconds is gone; a machine under load may be silent, and that costs nobody
    told = {"WORKER_TTL": "2s", "ALLOWED_FAILURES": "20"}
    with hosts(tmp_path, **told) as address, connected(address) as workers:
        workers._client.wait_for_workers(2, timeout=60)
        try:
            there = propose_county(held, Settings(target=120), elsewhere=workers, progress=strike)
        finally:
            with suppress(ProcessLookupError):  # its keeper has ended it
                os.kill(struck[0], signal.SIGCONT)
    assert [to_bytes(v) for v in there.villages] == [to_bytes(v) for v in here.villages]


def test_a_piece_that_kills_its_workers_fails_alone(scheduler: str, tmp_path: Path) -> None:
    log = str(tmp_path / "log")
    job = Job(lambda item: (item, 3, log), double_or_die)
    with connected(scheduler) as workers:
        found = dict(each(job, list(range(8)), elsewhere=workers))
    assert found.pop(3) == Lost()
    assert {i: r[0] for i, r in found.items() if not isinstance(r, Lost)} == {
        i: 2 * i for i in (0, 1, 2, 4, 5, 6, 7)
    }


def test_forked_workers_too_lose_only_the_piece_that_kills_them(tmp_path: Path) -> None:
    # a process of its own: this one has threads by now, and would not fork
    program = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_scheduler import double_or_die
from planning.running import Job, Lost, each
log = {str(tmp_path / "log")!r}
found = dict(each(Job(lambda i: (i, 3, log), double_or_die), list(range(8)), workers=2))
print([i for i in sorted(found) if isinstance(found[i], Lost)], len(found))
"""
    folders = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=folders
    )
    assert done.stdout == "[3] 8\n"


def test_a_village_that_kills_its_worker_is_named_and_the_others_are_kept(
    county: dict[str, Path], tmp_path: Path
) -> None:
    program = """
import os, signal, sys
from planning import county
quick = county.plan_parcel
def deadly(parcel):
    if parcel.share.code.endswith("3"):
        os.kill(os.getpid(), signal.SIGKILL)
    return quick(parcel)
county.plan_parcel = deadly
from cli.main import main
sys.exit(main(sys.argv[1:]))
"""
    output = tmp_path / "plan.gpkg"
    arguments = command(county, output, "--workers", "2")
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.count("killed the process that planned it") == 1
    assert not output.exists()
    assert len(list(tmp_path.glob(".*.unfinished/*.village"))) == 5


def test_a_worker_with_another_program_is_refused(
    scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "program", lambda: "another")
    with pytest.raises(InputError, match="another version"), connected(scheduler):
        pass


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("tcp://192.0.2.7:8786", "not on this machine"),
        ("tcp://example.org:8786", "not on this machine"),
        ("tcp://localhost.example.org:8786", "not on this machine"),
        ("tcp://[2001:db8::1]:8786", "not on this machine"),
        ("tls://192.0.2.7:8786", "--tls-ca is missing"),
        ("127.0.0.1:8786", "no address"),
        ("ws://127.0.0.1:8786", "no address"),
        ("inproc://1/2/3", "no address"),
    ],
)
def test_an_address_that_is_not_safe_is_refused_before_anything_is_sent(
    address: str, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        security_for(address, Certificates())


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.1", "[::1]"])
def test_plain_tcp_is_for_this_machine(host: str) -> None:
    assert security_for(f"tcp://{host}:8786", Certificates()) is None


def test_a_scheduler_that_is_not_there_is_one_sentence(
    county: dict[str, Path], tmp_path: Path, capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    held = connected

    def soon(address: str, files: Certificates) -> object:
        return held(address, files, wait_s=0.5)

    monkeypatch.setattr(cluster, "connected", soon)
    output = tmp_path / "plan.gpkg"
    assert main(command(county, output, "--scheduler", "tcp://127.0.0.1:1")) == 2
    assert "cannot be reached" in capfd.readouterr().err


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate that is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "grid workers")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    folder.mkdir(exist_ok=True)
    files = folder / "cert.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )  # fmt: skip
    return files


def test_over_tls_only_a_client_with_the_cluster_s_certificate_gets_in(
    county: dict[str, Path], tmp_path: Path
) -> None:
    cert, key = certificate(tmp_path / "ours")
    tls = ["--tls-ca-file", str(cert), "--tls-cert", str(cert), "--tls-key", str(key)]
    with hosts(tmp_path, *tls, scheme="tls", workers=1) as address:
        assert address.startswith("tls://")
        output = tmp_path / "plan.gpkg"
        files = ["--tls-ca", str(cert), "--tls-cert", str(cert), "--tls-key", str(key)]
        assert main(command(county, output, "--scheduler", address, *files)) == 0
        assert output.exists()
        stranger = certificate(tmp_path / "stranger")
        with (
            pytest.raises(InputError, match="cannot be reached"),
            connected(address, Certificates(stranger[0], *stranger), wait_s=2),
        ):
            pass


def test_a_certificate_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    spoilt = tmp_path / "cert.pem"
    spoilt.write_text("no certificate")
    with pytest.raises(InputError, match="cannot be read"):
        security_for("tls://192.0.2.7:8786", Certificates(spoilt, spoilt, spoilt))
    missing = tmp_path / "missing.pem"
    with pytest.raises(InputError, match="cannot be read"):
        security_for("tls://192.0.2.7:8786", Certificates(missing, missing, missing))
