"""What a client sees of TLS, from the bastion: which certificate it is shown for a name, and where TLS ends.

The handshakes are OpenSSL's. Of the codes of its verdict (https://docs.openssl.org/3.0/man1/openssl-verification-options/)
the words here are ours, because OpenSSL's own differ between its releases.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from calico_lab import conditions
from calico_lab.errors import PrerequisiteError, ReportError
from calico_lab.lessons import certificates, waits
from calico_lab.lessons.certificates import Certificate
from calico_lab.lessons.steps import GATEWAY

if TYPE_CHECKING:
    import pandas as pd

    from calico_lab.bastion import Bastion
    from calico_lab.cluster import Awaited
    from calico_lab.lab import Lab

PORT = 443
TRUSTED, CLOSED = "trusted", "closed in the handshake"
ANOTHER_NAME, UNKNOWN_AUTHORITY = "for another name", "signed by nobody it knows"
_SECONDS, _RUN_SECONDS = 10, 60.0
_VERDICTS = {0: TRUSTED, 10: "expired", 62: ANOTHER_NAME} | dict.fromkeys((18, 19, 20, 21), UNKNOWN_AUTHORITY)
_CODE = re.compile(r"Verify return code: (\d+)")
_NEXT = "== handshake =="
# The authority's certificate comes by standard input, and no file of it is left on the bastion.
_SCRIPT = f"""
command -v openssl > /dev/null || exit 127
authority=$(cat)
trust() {{ [ -z "$authority" ] || echo -CAfile; }}
for name in "${{@:2}}"; do
  echo '{_NEXT}'
  timeout {_SECONDS} openssl s_client -connect "$1" -servername "$name" -verify_hostname "$name" \\
    $(trust) ${{authority:+<(echo "$authority")}} < /dev/null 2> /dev/null
done
true
"""


@dataclass(frozen=True)
class Handshake:
    """What came of asking for a name: the certificate that was shown, if any, and what the client says of it."""

    name: str
    certificate: Certificate | None
    verdict: str


def handshakes(
    bastion: Bastion, address: str, names: Sequence[str], authority: Certificate | None = None, *, port: int = PORT
) -> list[Handshake]:
    """Shake hands once for each name (SNI), as a client that trusts an authority, or those of the bastion itself.

    Raises ``PrerequisiteError`` when the bastion has no openssl.
    """
    command = shlex.join(["bash", "-c", _SCRIPT, "bash", f"{address}:{port}", *names])
    trusted = authority.pem if authority else ""
    done = bastion.run(command, stdin=trusted, check=False, time_limit=_RUN_SECONDS)
    if done.exit_code == 127:
        raise PrerequisiteError("the bastion has no openssl", remedy="sudo apt install -y openssl   (on the bastion)")
    _before, *blocks = done.output.split(f"{_NEXT}\n")
    if len(blocks) != len(names):
        raise ReportError(f"no handshake came about: {done.errors[:200]!r}", remedy="openssl s_client -help")
    return [_read(name, block) for name, block in zip(names, blocks, strict=True)]


def _read(name: str, printed: str) -> Handshake:
    try:
        certificate = certificates.read(printed)
    except ReportError:
        return Handshake(name, None, CLOSED)
    code = _CODE.findall(printed)
    return Handshake(name, certificate, _VERDICTS.get(int(code[-1]), f"code {code[-1]}") if code else CLOSED)


def shown(bastion: Bastion, address: str, name: str, *, port: int = PORT) -> Certificate | None:
    """Return the certificate that a client is shown for a name, or None when it is shown none."""
    return handshakes(bastion, address, [name], port=port)[0].certificate


def seen_by_client(
    lab: Lab, address: str, names: Sequence[str], authority: Certificate | None = None, *, port: int = PORT
) -> pd.DataFrame:
    """Return a table: a row for each name asked for, with the ``certificate`` shown and what the client ``says``."""
    import pandas as pd

    found = handshakes(lab.bastion, address, names, authority, port=port)
    rows = [(str(each.certificate or "none"), each.verdict) for each in found]
    return pd.DataFrame(rows, columns=["certificate", "the client says"], index=pd.Index(names, name="asked for"))


def in_force(lab: Lab, address: str, name: str, certificate: Certificate) -> Awaited:
    """Wait until a client that asks for a name is shown this certificate."""
    return waits.until(
        lambda: shown(lab.bastion, address, name) == certificate, f"{name} is shown the certificate for {certificate}",
        remedy=f"kubectl describe gateway {GATEWAY}",
    )  # fmt: skip


def listeners(lab: Lab, gateway: str = GATEWAY) -> pd.DataFrame:
    """Return a table of a Gateway's listeners: ``port``, ``protocol``, and what their status says.

    ``references`` is the reason of the condition ResolvedRefs, ``programmed`` is True or False.
    """
    import pandas as pd

    found = lab.cluster.get("Gateway", gateway)
    specs = {each["name"]: each for each in found["spec"]["listeners"]}
    states = (found.get("status") or {}).get("listeners") or []
    rows = []
    for state in states:
        told = {each["type"]: each for each in state["conditions"]}
        spec = specs[state["name"]]
        rows.append((spec["port"], spec["protocol"], told["ResolvedRefs"]["reason"], told["Programmed"]["status"]))
    columns = ["port", "protocol", "references", "programmed"]
    return pd.DataFrame(rows, columns=columns, index=pd.Index([each["name"] for each in states], name="listener"))


def listener_says(lab: Lab, listener: str, reason: str, gateway: str = GATEWAY) -> Awaited:
    """Wait until a listener's references are told of with this reason, such as ``InvalidCertificateRef``."""

    def is_so() -> bool:
        found = lab.cluster.get("Gateway", gateway)
        states = (found.get("status") or {}).get("listeners") or []
        return any(state["name"] == listener and _has_reason(state, reason) for state in states)

    description = f"the listener {listener} says {reason}"
    return waits.until(is_so, description, remedy=f"kubectl describe gateway {gateway}")


def _has_reason(state: conditions.JsonObject, reason: str) -> bool:
    return any(each["type"] == "ResolvedRefs" and each["reason"] == reason for each in state["conditions"])


@dataclass(frozen=True)
class Way:
    """How a request over HTTPS came to its pod, by the pod's own answer.

    ``encrypted_to_pod``: whether the pod was spoken to over TLS. ``added``: the headers that the gateway wrote into the
    request, which it can only where it reads it.
    """

    host: str
    certificate: Certificate | None
    encrypted_to_pod: bool
    added: tuple[str, ...]

    @property
    def key_at(self) -> str:
        """Who has ended the client's TLS, and so holds the private key: the gateway, or the pod."""
        return "pod" if self.encrypted_to_pod and not self.added else "gateway"

    def __str__(self) -> str:
        read = f"writes {len(self.added)} headers into it" if self.added else "writes nothing into it"
        reached = "TLS" if self.encrypted_to_pod else "plain HTTP"
        return f"{self.host}: the key is at the {self.key_at}, the gateway {read}, the pod gets {reached}"


# What Envoy writes into each request that it reads, unless it is told otherwise.
_ADDED = ("X-Envoy-External-Address", "X-Forwarded-For", "X-Forwarded-Proto", "X-Request-Id")


def ways(lab: Lab, address: str, urls: Sequence[str]) -> tuple[Way, ...]:
    """Ask for each URL, whose host is looked for at the gateway's address, and tell which way the request came.

    Raises ``PrerequisiteError`` when the bastion has no curl, ``ReportError`` when no echo server answers.
    """
    return tuple(_ways(lab, address, urls))


def _ways(lab: Lab, address: str, urls: Sequence[str]) -> Iterator[Way]:
    for url in urls:
        host = url.split("/")[2]
        options = ["-sk", "--max-time", str(_SECONDS), "--resolve", f"{host}:{PORT}:{address}", url]
        command = f"command -v curl > /dev/null || exit 127; {shlex.join(['curl', *options])}"
        done = lab.bastion.run(command, check=False, time_limit=_RUN_SECONDS)
        if done.exit_code == 127:
            raise PrerequisiteError("the bastion has no curl", remedy="sudo apt install -y curl   (on the bastion)")
        try:
            answer = json.loads(done.output)
            headers, encrypted = answer["headers"], "tls" in answer
        except (ValueError, KeyError, TypeError):
            raise ReportError(f"no echo server answers for {url}", remedy=f"curl -vk {url}") from None
        added = tuple(name for name in _ADDED if name in headers)
        yield Way(host, shown(lab.bastion, address, host), encrypted, added)


def served(lab: Lab, address: str, url: str) -> Awaited:
    """Wait until an echo server answers for a URL."""

    def is_so() -> bool:
        try:
            return bool(ways(lab, address, [url]))
        except ReportError:
            return False

    return waits.until(is_so, f"{url} is answered by a pod", remedy=f"curl -vk {url}   (on the bastion)")
