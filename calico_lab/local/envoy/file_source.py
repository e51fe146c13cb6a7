"""Where Envoy reads its changing configuration from: files of a ConfigMap volume, which Kubernetes replaces as a whole.

Envoy takes all listeners from one file and all clusters from another, but wants a file for each route configuration
and for the endpoints of each cluster that has them apart, and certificates, which stand in a Secret, one by one
(https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/config_source.proto#config-core-v3-pathconfigsource).
"""

from __future__ import annotations

import hashlib

from calico_lab.local.wire import JsonObject

DIRECTORY = "/etc/envoy/xds"
# Two volumes show the same ConfigMap, and they must be written in this order. Of files that change at the same moment
# Envoy takes up either first, and a request whose route is there before its cluster would be lost.
CLUSTERS_VOLUME = "clusters"
ROUTES_VOLUME = "routes"
VOLUMES = (CLUSTERS_VOLUME, ROUTES_VOLUME)
LISTENERS_FILE = "lds.json"
CLUSTERS_FILE = "cds.json"
ROUTES_PREFIX = "rds_"
ENDPOINTS_PREFIX = "eds_"
# A third volume shows the Secret, before the others: what a listener refers to must be there.
CERTIFICATES_VOLUME = "certificates"
CERTIFICATES_PREFIX = "sds_"
# The longest key that a ConfigMap may have.
_LONGEST = 253


def routes_file(name: str) -> str:
    """Return the file of the route configuration of this name."""
    return _file(ROUTES_PREFIX, name)


def endpoints_file(name: str) -> str:
    """Return the file of the endpoints of the cluster of this name."""
    return _file(ENDPOINTS_PREFIX, name)


def certificate_file(name: str) -> str:
    """Return the file of the certificate of this name."""
    return _file(CERTIFICATES_PREFIX, name)


def _file(prefix: str, name: str) -> str:
    # No name of a Kubernetes object has an underscore in it, so that two resources never share a file.
    file = f"{prefix}{name.replace('/', '_')}.json"
    return file if len(file) <= _LONGEST else f"{prefix}{hashlib.sha256(name.encode()).hexdigest()}.json"


def config_source(file: str, directory: str = DIRECTORY) -> JsonObject:
    """Return the source of the resources in a file.

    A ConfigMap volume changes by the renaming of the link ``..data`` in it, so that is what Envoy must watch; and
    only through that link does a new file exist at the very moment of the change.
    """
    volume = f"{directory}/{_volume(file)}"
    return {
        "path_config_source": {"path": f"{volume}/..data/{file}", "watched_directory": {"path": volume}},
        "resource_api_version": "V3",
    }


def _volume(file: str) -> str:
    if file.startswith(CERTIFICATES_PREFIX):
        return CERTIFICATES_VOLUME
    early = file == CLUSTERS_FILE or file.startswith(ENDPOINTS_PREFIX)
    return CLUSTERS_VOLUME if early else ROUTES_VOLUME
