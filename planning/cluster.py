"""Planning villages on other machines, by Dask's ``distributed``.

Nothing here schedules anything: a village's parcel (:class:`planning.county.Parcel`, about 50 to
100 kB) is submitted to the scheduler, and its plan (about as much) comes back. Workers that die are
Dask's business; a village whose worker died more often than the scheduler allows is tried once more
alone (:mod:`planning.running`).

A scheduler runs whatever code it is sent, for anybody who can connect to it, and plans come back as
pickles. So beyond this machine only ``tls://`` is spoken, where both sides show a certificate
(``docs/cluster.md``).
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import dask
from distributed import Client, Security
from distributed.protocol.serialize import deserialize, serialize
from distributed.scheduler import KilledWorker

from geo.messages import register
from geo.problems import InputError, Problem
from planning import resume
from planning.resume import program

Result = TypeVar("Result")

register(
    {
        "scheduler-address": (
            "--scheduler 的地址“{address}”不对;请写成 tls://主机:端口,本机可用 tcp://127.0.0.1:端口。",
            "--scheduler {address!r} is no address; write tls://HOST:PORT, or "
            "tcp://127.0.0.1:PORT for one on this machine.",
        ),
        "scheduler-insecure": (
            "{address} 不在本机,而 tcp:// 不加密、不验证身份,任何人都能在其上运行命令;"
            "请改用 tls:// 和证书(见 docs/cluster.md)。",
            "{address} is not on this machine, and over tcp:// anybody who reaches it can run "
            "commands there; use tls:// with certificates (docs/cluster.md).",
        ),
        "scheduler-no-certificate": (
            "tls:// 需要证书;请用 --tls-ca、--tls-cert、--tls-key 给出(缺 {what})。",
            "tls:// needs certificates; give --tls-ca, --tls-cert and --tls-key ({what} is "
            "missing).",
        ),
        "scheduler-certificate-unreadable": (
            "证书或密钥无法读取({reason});请检查文件。",
            "the certificate or its key cannot be read ({reason}); check the files.",
        ),
        "scheduler-unreachable": (
            "无法连接 {address};请检查调度器是否已启动、地址和证书是否正确。",
            "{address} cannot be reached; check that the scheduler runs, its address, and that "
            "both sides have certificates of one authority.",
        ),
        "scheduler-lost": (
            "与调度器 {address} 的连接中断;已算好的村保留在方案旁,重新运行即可继续。",
            "the scheduler at {address} went away; the villages that were done are kept, run "
            "again to go on.",
        ),
        "scheduler-no-workers": (
            "{address} 上 {seconds} 秒内没有工作进程;请先启动(见 docs/cluster.md)。",
            "{address} has had no worker for {seconds} seconds; start some (docs/cluster.md).",
        ),
        "worker-other-program": (
            "工作进程 {worker} 上的格匠程序或函数库版本与本机不同,结果可能不一致;请装同一版本。",
            "the worker at {worker} has another version of Gridwright or its libraries, whose "
            "plans may differ; install the same on every machine.",
        ),
    }
)

_ASK_AGAIN_S = 2.0  # between two counts of the workers, who may come and go


@dataclass(frozen=True)
class Certificates:
    """Files of the authority, our certificate and its key; None: as Dask's configuration says."""

    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


class OtherProgram(Exception):  # noqa: N818 (told as a sentence, never raised to a user)
    """A worker would plan with other code than ours."""


def program_there() -> str:
    """What a worker runs; told by its own modules."""
    return resume.program()


def checked(
    expected: str, work: Callable[[Any], Result], header: dict[str, Any], frames: list[bytes]
) -> Result:
    """Do what was sent to a worker, if it runs the very same program."""
    if program_there() != expected:
        raise OtherProgram
    return work(deserialize(header, frames))


class Cluster:
    """An open connection to a scheduler, to which pieces of work are sent."""

    deaths: tuple[type[Exception], ...] = (KilledWorker,)

    def __init__(self, client: Client) -> None:
        self._client = client
        self._executor = client.get_executor(pure=False)
        self._asked, self._threads = 0.0, 1

    @property
    def width(self) -> int:
        """Twice the threads of all workers: each has its next village when one is done."""
        if time.monotonic() - self._asked > _ASK_AGAIN_S:
            self._threads = sum(self._client.nthreads().values())
            self._asked = time.monotonic()
        return max(2, 2 * self._threads)

    def submit(self, work: Callable[[Any], Result], parcel: object) -> Future[Result]:
        """Send work; where its worker dies, the scheduler gives it to another.

        The scheduler, which every parcel passes, would make it into what it holds and that into
        bytes again; it is handed the bytes.
        """
        header, frames = serialize(parcel, serializers=("pickle",))
        sent: Future[Result] = self._executor.submit(
            checked, program(), work, header, [bytes(frame) for frame in frames]
        )
        return sent


@contextmanager
def connected(
    address: str, certificates: Certificates | None = None, *, wait_s: float = 60.0
) -> Iterator[Cluster]:
    """A cluster's scheduler, with at least one worker within ``wait_s`` seconds.

    Raises :class:`InputError` for an address that is none or not safe, certificates that are
    missing or refused, a scheduler that cannot be reached or goes away, workers that do not come
    or run another program.
    """
    security = security_for(address, certificates or Certificates())
    try:
        client = Client(address, security=security, timeout=wait_s, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise InputError([Problem("scheduler-unreachable", params={"address": address})]) from error
    try:
        _same_program(client, address, wait_s)
        yield Cluster(client)
    except OtherProgram as error:
        raise _other(address) from error
    finally:
        client.close(timeout=5)


def lost(address: str) -> InputError:
    """What to say where the scheduler went away in mid-run."""
    return InputError([Problem("scheduler-lost", params={"address": address})])


def _other(worker: str) -> InputError:
    return InputError([Problem("worker-other-program", params={"worker": worker})])


def _same_program(client: Client, address: str, wait_s: float) -> None:
    try:
        client.wait_for_workers(1, timeout=wait_s)
    except TimeoutError as error:
        params = {"address": address, "seconds": round(wait_s)}
        raise InputError([Problem("scheduler-no-workers", params=params)]) from error
    # "return": a worker without our modules answers with its error instead of raising it here
    for worker, found in client.run(program_there, on_error="return").items():
        if found != program():
            raise _other(str(worker))


def security_for(address: str, certificates: Certificates) -> Security | None:
    """How to connect to ``address``: None for plain TCP, which only this machine is spoken to with.

    Raises :class:`InputError` otherwise.
    """
    scheme, host = _parts(address)
    if scheme == "tcp":
        if not _on_this_machine(host):
            raise InputError([Problem("scheduler-insecure", params={"address": address})])
        return None
    given = {
        "tls_ca_file": certificates.authority,
        "tls_client_cert": certificates.certificate,
        "tls_client_key": certificates.key,
    }
    configured = {
        "tls_ca_file": "ca-file", "tls_client_cert": "client.cert", "tls_client_key": "client.key",
    }  # fmt: skip
    options = {name: str(path) for name, path in given.items() if path is not None}
    for name, key in configured.items():
        if name not in options and not dask.config.get(f"distributed.comm.tls.{key}", None):
            what = {"tls_ca_file": "--tls-ca", "tls_client_cert": "--tls-cert"}.get(
                name, "--tls-key"
            )
            raise InputError([Problem("scheduler-no-certificate", params={"what": what})])
    security = Security(require_encryption=True, **options)
    try:
        security.get_connection_args("client")
    except OSError as error:  # a missing file, and every fault that the TLS library finds in one
        reason = error.strerror or type(error).__name__
        params = {"reason": reason}
        raise InputError([Problem("scheduler-certificate-unreadable", params=params)]) from error
    return security


def _parts(address: str) -> tuple[str, str]:
    """Scheme and host of tcp://HOST:PORT or tls://HOST:PORT."""
    scheme, separator, rest = address.partition("://")
    host, colon, port = rest.rpartition(":")
    if not (separator and colon and host and port.isdecimal() and scheme in ("tcp", "tls")):
        raise InputError([Problem("scheduler-address", params={"address": address[:80]})])
    return scheme, host.strip("[]")


def _on_this_machine(host: str) -> bool:
    """Whether a host is the loopback; a name other than localhost may lead anywhere."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
