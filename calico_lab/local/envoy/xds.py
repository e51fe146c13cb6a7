"""Everything that changes while Envoy runs, as the files that it reads, and how to change them without a gap."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from calico_lab.local.envoy.bootstrap import Ports
from calico_lab.local.envoy.clusters import cluster, clusters_of
from calico_lab.local.envoy.endpoints import load_assignment
from calico_lab.local.envoy.file_source import (
    CERTIFICATES_PREFIX,
    CLUSTERS_FILE,
    DIRECTORY,
    ENDPOINTS_PREFIX,
    LISTENERS_FILE,
    ROUTES_PREFIX,
    certificate_file,
    endpoints_file,
    routes_file,
)
from calico_lab.local.envoy.listeners import connects_nowhere, listeners, ready_listener
from calico_lab.local.envoy.messages import type_url
from calico_lab.local.envoy.routes import route_configuration
from calico_lab.local.envoy.tls import secret
from calico_lab.local.gateway_api.model import Gateway
from calico_lab.local.wire import JsonObject

Resources = Mapping[str, JsonObject]

_VERSION = re.compile(r'\{"version_info":"([0-9a-f]+)"')


@dataclass(frozen=True)
class Configuration:
    """The resources of each kind, by name; endpoints, of clusters that have them apart, by the cluster's."""

    listeners: Resources
    routes: Resources
    clusters: Resources
    endpoints: Resources = field(default_factory=dict)
    certificates: Resources = field(default_factory=dict, repr=False)

    def files(self) -> dict[str, str]:
        """Return the contents of the files, by file name."""
        routes = {
            routes_file(name): _response("config.route.v3.RouteConfiguration", [item])
            for name, item in self.routes.items()
        }
        endpoints = {
            endpoints_file(name): _response("config.endpoint.v3.ClusterLoadAssignment", [item])
            for name, item in self.endpoints.items()
        }
        certificates = {
            certificate_file(name): _response("extensions.transport_sockets.tls.v3.Secret", [item])
            for name, item in self.certificates.items()
        }
        return {
            LISTENERS_FILE: _response("config.listener.v3.Listener", self.listeners.values()),
            CLUSTERS_FILE: _response("config.cluster.v3.Cluster", self.clusters.values()),
            **endpoints,
            **routes,
            **certificates,
        }


def next_step(published: Configuration, wanted: Configuration) -> Configuration:
    """Return what to publish once ``published`` has been taken up, on the way to ``wanted``: that, at the last step.

    What is new comes at once. A cluster goes only after the routes that used it, because Envoy takes up clusters
    before routes, and a request that still went by the old ones would find its cluster gone. So with certificates.
    """
    if published.listeners != wanted.listeners:
        wanted = replace(wanted, certificates={**published.certificates, **wanted.certificates})
    endpoints = {**published.endpoints, **wanted.endpoints}
    if (published.routes, published.listeners) != (wanted.routes, wanted.listeners):
        return replace(wanted, clusters={**published.clusters, **wanted.clusters}, endpoints=endpoints)
    if published.clusters != wanted.clusters:
        # The file that a cluster reads goes after the cluster.
        return replace(wanted, endpoints=endpoints)
    return wanted


def versions(files: Mapping[str, str]) -> set[str]:
    """Return the versions of the resources in files, which Envoy tells in its statistics once it has taken them up.

    Certificates are left out: Envoy tells of none that no listener has any more, and nothing has to wait for them.
    So are the endpoints of a cluster that is gone, or has them within it now.
    """
    told = {name: _VERSION.match(text) for name, text in files.items() if not name.startswith(CERTIFICATES_PREFIX)}
    apart = {name for name in told if name.startswith(ENDPOINTS_PREFIX)}
    clusters = orjson.loads(files[CLUSTERS_FILE])["resources"] if apart else ()
    gone = apart - {endpoints_file(each["name"]) for each in clusters if each["type"] == "EDS"}
    return {version[1] for name, version in told.items() if version and name not in gone}


def configuration(gateway: Gateway, *, ready_port: int = Ports.ready, directory: str = DIRECTORY) -> Configuration:
    """Return what the Envoys of a Gateway are to be configured with."""
    clusters = [model for destination in gateway.destinations() for model in clusters_of(destination)]
    resources = [*listeners(gateway, directory), ready_listener(ready_port)]
    return Configuration(
        {resource["name"]: resource for resource in resources},
        {model.name: route_configuration(model) for model in gateway.listeners},
        {model.name: cluster(model, directory) for model in clusters} | connects_nowhere(gateway),
        {model.name: load_assignment(model.name, model.backends) for model in clusters if model.endpoints_apart},
        {model.name: secret(model) for model in gateway.certificates()},
    )


def read(files: Mapping[str, str]) -> Configuration:
    """Return the configuration that stands in the contents of files, empty where there are none."""

    def resources(names: Iterable[str]) -> dict[str, JsonObject]:
        found = (item for name in names if name in files for item in orjson.loads(files[name])["resources"])
        contents = [{key: item[key] for key in item if key != "@type"} for item in found]
        return {item.get("name") or item["cluster_name"]: item for item in contents}

    return Configuration(
        resources([LISTENERS_FILE]),
        resources(name for name in files if name.startswith(ROUTES_PREFIX)),
        resources([CLUSTERS_FILE]),
        resources(name for name in files if name.startswith(ENDPOINTS_PREFIX)),
        resources(name for name in files if name.startswith(CERTIFICATES_PREFIX)),
    )


def _response(message: str, resources: Iterable[Mapping[str, Any]]) -> str:
    """Return a service.discovery.v3.DiscoveryResponse; its version is the resources' digest."""
    url = type_url(message)
    text = orjson.dumps([{**resource, "@type": url} for resource in resources])
    return f'{{"version_info":"{hashlib.sha256(text).hexdigest()[:16]}","resources":{text.decode()}}}'
