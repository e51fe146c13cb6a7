"""Why a TLS connection to an API server did not come about, in words, and what to do about it.

Alerts: RFC 8446, 6.2. Verification: the names of OpenSSL, https://docs.openssl.org/master/man1/openssl-verification-options/.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator

_FRESH = "get a fresh kubeconfig from whoever runs the cluster"
_RENEW = "ask whoever runs the cluster to renew it   (kubeadm certs check-expiration)"


def explain(error: BaseException) -> tuple[str, str] | None:
    """Return what is wrong and the remedy; None when an error is not about TLS."""
    found = next((each for each in _chain(error) if isinstance(each, ssl.SSLError)), None)
    if isinstance(found, ssl.SSLCertVerificationError):
        return _of_the_server(found.verify_message or str(found))
    if found is None:
        return None
    reason = found.reason or str(found)
    if "ALERT" in reason and any(word in reason for word in ("CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED")):
        return f"the server refuses the client certificate of the kubeconfig ({reason})", _FRESH
    if found.library in ("X509", "PEM", "ASN1") or "PEM" in str(found) or "KEY_VALUES_MISMATCH" in reason:
        return f"a certificate or key in the kubeconfig cannot be used ({found})", _FRESH
    return f"no TLS connection ({found})", "look whether it is an API server that answers there, with https in its URL"


def _of_the_server(message: str) -> tuple[str, str]:
    if "expired" in message:
        return f"the server's certificate has expired ({message})", _RENEW
    if "mismatch" in message or "doesn't match" in message:
        return f"the server's certificate is for another address ({message})", _FRESH
    return (
        f"the server's certificate is not signed by the authority in the kubeconfig ({message}): "
        "another cluster answers there now, or somebody in between",
        _FRESH,
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, what it wraps and what it came from."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop(0)
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += [inner for inner in (*each.args, getattr(each, "reason", None)) if isinstance(inner, BaseException)]
        waiting += [each.__cause__, each.__context__]
