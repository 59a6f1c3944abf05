"""The shipped nginx example on ports of its own, with a certificate that it signed itself."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

EXAMPLE = Path(__file__).resolve().parents[1] / "docs" / "deploy" / "nginx.conf"
NAME = "grids.example.gov.cn"


@dataclass(frozen=True)
class Proxy:
    """A running nginx: its port for TLS and for plain HTTP, a context that trusts it, its logs."""

    secure: int
    plain: int
    trust: ssl.SSLContext
    folder: Path


def find_nginx() -> str:
    """nginx's program; a skip where there is none."""
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        pytest.skip("no nginx here (Debian: nginx-light), and the example is for nginx")
    return found


def write_certificate(folder: Path) -> None:
    """``certificate.pem`` and ``key.pem``, good for a day, for the example's name."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
    )
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def write_settings(folder: Path, application: int, secure: int, plain: int) -> Path:
    """The example as it is shipped, but for ports, folders and the loopback address."""
    changes = {
        "listen 443 ssl": f"listen 127.0.0.1:{secure} ssl",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "/etc/gridwright/tls": str(folder),
        "/var/log/nginx": str(folder),
        "server 127.0.0.1:8501;": f"server 127.0.0.1:{application};",
        "Host $host;": f"Host $host:{secure};",  # as browsers name a port that is not 443
    }
    text = EXAMPLE.read_text("utf-8")
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    user = "user root;" if os.geteuid() == 0 else ""
    settings = folder / "nginx.conf"
    settings.write_text(
        f"{user} daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;\n"
        f"events {{ }}\nhttp {{ {places}\n{text}\n}}\n",
        encoding="utf-8",
    )
    return settings


@contextmanager
def proxied(folder: Path, application: int) -> Iterator[Proxy]:
    """The example before the application on the port given, while the block runs."""
    program = find_nginx()
    write_certificate(folder)
    secure, plain = free_ports(2)
    settings = write_settings(folder, application, secure, plain)
    # -e: what it says before it has read where to say it
    command = [program, "-e", str(folder / "start.log"), "-p", str(folder), "-c", str(settings)]
    tried = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert tried.returncode == 0, tried.stderr
    assert "warn" not in tried.stderr, tried.stderr
    server = subprocess.Popen(command)
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", secure), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        else:
            raise RuntimeError("nginx did not start: " + (folder / "error.log").read_text())
        trust = ssl.create_default_context(cafile=folder / "certificate.pem")
        yield Proxy(secure, plain, trust, folder)
    finally:
        server.terminate()
        server.wait(10)
