"""Where a proposal is planned: here, or on the cluster that the administrator names.

The administrator's setting, by environment and not by visitor: whoever may name a scheduler may
have code run on it. Nothing here knows Streamlit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planning.running import Elsewhere

SCHEDULER_VARIABLE = "GRIDWRIGHT_SCHEDULER"
CERTIFICATE_VARIABLES = ("GRIDWRIGHT_TLS_CA", "GRIDWRIGHT_TLS_CERT", "GRIDWRIGHT_TLS_KEY")


def scheduler_of(environment: Mapping[str, str]) -> str | None:
    """The scheduler's address, None where proposals are planned on this machine."""
    return environment.get(SCHEDULER_VARIABLE, "").strip() or None


@contextmanager
def workers_elsewhere(environment: Mapping[str, str]) -> Iterator[Elsewhere | None]:
    """The cluster's workers for one proposal; None without a cluster.

    Raises :class:`geo.problems.InputError` where it cannot be reached, is not safe, or goes away.
    """
    address = scheduler_of(environment)
    if address is None:
        yield None
        return
    from concurrent.futures import CancelledError

    from planning.cluster import Certificates, connected, lost  # Dask: a second of imports

    files = [environment.get(name, "").strip() for name in CERTIFICATE_VARIABLES]
    certificates = Certificates(*(Path(name).expanduser() if name else None for name in files))
    with connected(address, certificates) as cluster:
        try:
            yield cluster
        except CancelledError as error:  # Dask gives up all work of a scheduler that is gone
            raise lost(address) from error
