"""A certificate is renewed while requests come in, each with a handshake of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from calico_lab.lessons import disturbance, tls, waits
from calico_lab.lessons.disturbance import Disturbance
from calico_lab.lessons.steps import GATEWAY

if TYPE_CHECKING:
    from calico_lab.lab import Lab
    from calico_lab.lessons.certificates import Certificate, Issued

REQUESTS = 600
HANDSHAKES = 4  # looked at before, and after


@dataclass(frozen=True, repr=False)
class Renewal:
    """What became of the requests, and which serial number each of some more handshakes was shown, and when.

    ``handshakes`` are pairs of seconds, on the clock of the requests, and a serial number; None for no certificate.
    """

    disturbance: Disturbance
    handshakes: tuple[tuple[float, int | None], ...]

    @property
    def serials(self) -> list[int | None]:
        """The serial numbers in the order in which they were shown, each once for as long as it did not change."""
        return [serial for serial, _group in groupby(serial for _seconds, serial in self.handshakes)]

    def __repr__(self) -> str:
        shown = ", then ".join("no certificate" if serial is None else f"serial {serial}" for serial in self.serials)
        return f"{self.disturbance}\nclients were shown {shown}"


def under_load(lab: Lab, address: str, host: str, secret: str, issued: Issued) -> Renewal:
    """Put another certificate into a Secret in the midst of a load, and wait until clients are shown it.

    Every request of the load opens a connection of its own: those that are open already keep what they began with.
    """
    start, seen = time.monotonic(), []

    def look() -> Certificate | None:
        certificate = tls.shown(lab.bastion, address, host)
        seen.append((time.monotonic() - start, certificate.serial if certificate else None))
        return certificate

    def renew() -> None:
        _times(look)
        issued.into_secret(lab.cluster, secret)
        waits.until(
            lambda: look() == issued.certificate, f"{host} is shown serial {issued.certificate.serial}",
            remedy=f"kubectl describe gateway {GATEWAY}", poll_seconds=0.0, shown=False,
        )  # fmt: skip
        _times(look)

    found = disturbance.under_load(lab, renew, requests=REQUESTS, scheme="https", options="-disable-keepalive")
    return Renewal(found, tuple(seen))


def _times(look: Callable[[], object]) -> None:
    for _number in range(HANDSHAKES):
        look()
