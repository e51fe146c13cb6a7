"""Where Envoy reads its changing configuration from: files of a ConfigMap volume, which Kubernetes replaces as a whole.

Envoy takes all listeners from one file and all clusters from another, but wants a file for each route configuration
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
# The longest key that a ConfigMap may have.
_LONGEST = 253


def routes_file(name: str) -> str:
    """Return the file of the route configuration of this name."""
    # No name of a Kubernetes object has an underscore in it, so that two resources never share a file.
    file = f"{ROUTES_PREFIX}{name.replace('/', '_')}.json"
    return file if len(file) <= _LONGEST else f"{ROUTES_PREFIX}{hashlib.sha256(name.encode()).hexdigest()}.json"


def config_source(file: str, directory: str = DIRECTORY) -> JsonObject:
    """Return the source of the resources in a file.

    A ConfigMap volume changes by the renaming of the link ``..data`` in it, so that is what Envoy must watch; and
    only through that link does a new file exist at the very moment of the change.
    """
    volume = f"{directory}/{CLUSTERS_VOLUME if file == CLUSTERS_FILE else ROUTES_VOLUME}"
    return {
        "path_config_source": {"path": f"{volume}/..data/{file}", "watched_directory": {"path": volume}},
        "resource_api_version": "V3",
    }
