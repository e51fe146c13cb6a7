"""The lesson on TLS: each fault is told by its own key, what the bastion sees, and that no key is shown."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from support.eventually import wait_until
from support.labs import RunningLab
from support.lesson_lab import LessonLab, applied_in

from calico_lab.lessons import certificates, renewal, tls
from calico_lab.lessons.steps import manifest

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "16-tls.ipynb"
HOST, PRIVATE = "www.example.com", "private.example.com"


class Lesson(LessonLab):
    """A lab in which the lesson's objects can be put back."""

    def __init__(self, running: RunningLab) -> None:
        super().__init__(running)
        self.authority = certificates.Authority()
        self.objects = [applied_in("16-tls", name) for name in ("listeners", "passthrough")]
        self.certificates = {
            f"{name}-certificate": self.authority.issue(f"{name}.example.com") for name in ("www", "private")
        }
        self.put_back()
        self.lab.cluster.apply(manifest("tls/private"))

    def put_back(self) -> None:
        for name, issued in self.certificates.items():
            issued.into_secret(self.lab.cluster, name)
        for text in self.objects:
            self.lab.cluster.apply(text)

    def secret(self, name: str, *names: str, **options: timedelta) -> None:
        self.authority.issue(*names, **options).into_secret(self.lab.cluster, f"{name}-certificate")

    def patch(self, what: str, path: str, value: str) -> None:
        change = f'[{{"op": "replace", "path": "{path}", "value": {value}}}]'
        self.running.kubectl("patch", *what.split(), "--type=json", "-p", change)


GATEWAY = "gateway load-balancing-gateway"
# The step that tells of a fault, its key, and what is done.
FAULTS: dict[str, tuple[str, str, Callable[[Lesson], object]]] = {
    "no listener for HTTPS": (
        "tls", "tls-listener", lambda it: it.patch(GATEWAY, "/spec/listeners/1/hostname", '"w.example.com"'),
    ),
    "no Secret": ("tls", "tls-secret", lambda it: it.running.kubectl("delete", "secret", "www-certificate")),
    "a certificate for another name": ("tls", "tls-name", lambda it: it.secret("www", "w.example.com")),
    "no route": ("passthrough", "passthrough-missing", lambda it: it.running.kubectl("delete", "tlsroute", "private")),
    "no listener for TLS": (
        "passthrough", "passthrough-listener",
        lambda it: it.patch(GATEWAY, "/spec/listeners/3/hostname", '"p.example.com"'),
    ),
    "a listener that ends TLS": (
        "passthrough", "passthrough-mode",
        lambda it: it.patch(
            GATEWAY, "/spec/listeners/3/tls", '{"mode": "Terminate", "certificateRefs": [{"name": "www-certificate"}]}',
        ),
    ),
    "a Service that there is not": (
        "passthrough", "passthrough-not-accepted",
        lambda it: it.patch("tlsroute private", "/spec/rules/0/backendRefs/0/name", '"public"'),
    ),
    "a Secret that the pod has not read": (
        "passthrough", "passthrough-other-certificate", lambda it: it.secret("private", PRIVATE),
    ),
    "nobody behind the route": (
        "passthrough", "passthrough-closed",
        lambda it: it.running.kubectl("scale", "deployment", "private", "--replicas=0"),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def lesson() -> Iterator[Lesson]:
    with Lesson.started("tls", "route") as lesson:
        yield lesson


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_by_its_key(lesson, fault):
    step, key, seed = FAULTS[fault]
    lesson.put_back()
    lesson.running.kubectl("scale", "deployment", "private", "--replicas=1")
    lesson.until("tls", "")
    lesson.until("passthrough", "")
    seed(lesson)
    lesson.until(step, key)
    verdict = lesson.lab.check(step)
    assert verdict.hint
    assert verdict.evidence
    assert "PRIVATE" not in repr(verdict)


def test_a_certificate_that_has_expired_is_told(lesson, monkeypatch):
    """A gateway does not take one, so that it must expire where it is."""
    lesson.put_back()
    lesson.until("tls", "")
    monkeypatch.setattr("calico_lab.lessons.checks.tls.datetime", Tomorrow)
    assert lesson.lab.check("tls").key == "tls-expired"


class Tomorrow:
    @staticmethod
    def now(zone):
        from datetime import datetime

        return datetime.now(zone) + timedelta(days=2)


def test_a_renewal_is_seen_and_loses_nothing(lesson):
    lesson.put_back()
    lesson.until("tls", "")
    renewed = lesson.authority.issue(HOST)
    found = renewal.under_load(lesson.lab, lesson.address, HOST, "www-certificate", renewed)
    before = lesson.certificates["www-certificate"].certificate.serial
    assert found.serials == [before, renewed.certificate.serial]
    assert found.disturbance.served == found.disturbance.sent == renewal.REQUESTS


# Two requests over one connection, and between them the wait until another one is shown the new certificate.
HELD_OPEN = """
coproc held { openssl s_client -quiet -connect %(address)s:443 -servername %(host)s 2> /dev/null; }
ask() {
  printf 'HEAD /round HTTP/1.1\\r\\nHost: %(host)s\\r\\n\\r\\n' >&${held[1]}
  while read -t 10 -r line && [ "$line" != $'\\r' ]; do [[ $line == HTTP* ]] && echo "$line"; done <&${held[0]}
}
shown() {
  openssl s_client -connect %(address)s:443 -servername %(host)s < /dev/null 2> /dev/null | openssl x509 -noout -serial
}
ask; touch %(asked)s
for n in $(seq 200); do [ "$(shown)" = "serial=%(serial)02X" ] && break; done
ask; echo "then $(shown)"
"""


def test_a_connection_that_is_open_goes_on_when_the_certificate_is_renewed(lesson):
    lesson.put_back()
    lesson.until("tls", "")
    renewed = lesson.authority.issue(HOST)
    serial, asked = renewed.certificate.serial, f"/tmp/asked-{renewed.certificate.serial}"
    script = HELD_OPEN % {"address": lesson.address, "host": HOST, "asked": asked, "serial": serial}
    run = lesson.lab.bastion.run
    with ThreadPoolExecutor(1) as client:
        held = client.submit(run, script, check=False)
        wait_until(lambda: not run(f"test -e {asked}", check=False).exit_code)
        renewed.into_secret(lesson.lab.cluster, "www-certificate")
    answers = [line.rstrip() for line in held.result().output.splitlines()]
    assert answers == ["HTTP/1.1 200 OK", "HTTP/1.1 200 OK", f"then serial={serial:02X}"]


def test_a_secret_that_goes_away_is_seen_as_a_gap(lesson):
    """The lesson's text must be able to say so."""
    lesson.put_back()
    lesson.until("tls", "")

    class Broken:
        certificate = lesson.certificates["www-certificate"].certificate

        def into_secret(self, cluster, name):
            cluster.delete("Secret", name)
            wait_until(lambda: not tls.shown(lesson.lab.bastion, lesson.address, HOST))
            time.sleep(0.3)  # more requests than none come in the meantime
            lesson.put_back()

    found = renewal.under_load(lesson.lab, lesson.address, HOST, "www-certificate", Broken())
    assert found.disturbance.served < found.disturbance.sent


def test_the_stored_notebook_shows_no_key():
    text = NOTEBOOK.read_text()
    assert not re.search(r"PRIVATE KEY|LS0tLS1CRUdJTi", text)
