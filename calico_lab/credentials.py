"""What a kubeconfig's user brings: certificates, a token, a file with one, or a program that fetches them.

Whatever the official Python client can read counts (https://kubernetes.io/docs/reference/access-authn-authz/authentication/).
That client goes on without credentials when such a program fails, and waits for it for ever; here both is an error.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any

from calico_lab.errors import NoClusterError
from calico_lab.kubeconfig import Kubeconfig

# Time enough for somebody to log in with a browser.
PROGRAM_SECONDS = 120.0


def loaded(kubeconfig: Kubeconfig, *, time_limit: float | None = None) -> Any:
    """Return the client's configuration for a context; raises ``NoClusterError`` when the credentials are of no use."""
    from kubernetes import client

    settings = client.Configuration()
    settings.retries = False  # a server that is not there is an answer, not a reason to ask twice
    limit = time_limit or PROGRAM_SECONDS
    failures: list[str] = []
    loading = threading.Thread(target=_load, args=(kubeconfig, settings, failures), daemon=True)
    loading.start()
    loading.join(limit)
    if loading.is_alive():
        failures.append(f"what fetches them has not ended within {limit:g} s")
    if not failures and settings.cert_file:
        _require_valid(settings.cert_file, kubeconfig)
    if failures:
        raise NoClusterError(
            f"the kubeconfig {kubeconfig.files} gives no credentials for {kubeconfig.user!r}: {'; '.join(failures)}",
            remedy=f"kubectl --context={kubeconfig.context} auth whoami",
        )
    return settings


def _require_valid(certificate: str, kubeconfig: Kubeconfig) -> None:
    """Raise ``NoClusterError`` for a certificate that has expired: servers only hang up on it, without a word."""
    from datetime import UTC, datetime

    from cryptography import x509

    try:
        end = x509.load_pem_x509_certificate(Path(certificate).read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        return  # said better by the connection
    if end < datetime.now(UTC):
        raise NoClusterError(
            f"the client certificate of {kubeconfig.user!r} in {kubeconfig.files} has expired on {end:%Y-%m-%d}",
            remedy="get a fresh kubeconfig from whoever runs the cluster",
        )


def _load(kubeconfig: Kubeconfig, settings: Any, failures: list[str]) -> None:
    from kubernetes import config

    listener = _Listener(failures)
    logging.getLogger().addHandler(listener)
    try:
        config.load_kube_config(  # type: ignore[no-untyped-call]
            kubeconfig.files, kubeconfig.context, client_configuration=settings
        )
    except (config.ConfigException, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        failures.append(str(error))
    finally:
        logging.getLogger().removeHandler(listener)


class _Listener(logging.Handler):
    """Hears what the client only logs: that the program which fetches credentials has failed."""

    def __init__(self, failures: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._failures = failures
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what this thread has said."""
        if record.thread == self._thread:
            self._failures.append(record.getMessage())
