"""Discovery: which groups, versions and resources this server has.

Aggregated discovery (v2) and its older form, a list a group version
(https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api).
"""

from __future__ import annotations

from collections.abc import Mapping

from calico_lab.local import topology
from calico_lab.local.apiserver.kinds import SUBRESOURCE_KINDS, Kind
from calico_lab.local.wire import JsonObject, Request

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
STATUS_VERBS = ("get", "patch", "update")

Groups = Mapping[str, Mapping[str, list[Kind]]]


def answer_core(parts: list[str], groups: Groups, request: Request) -> JsonObject | None:
    """Answer /api and /api/VERSION; None for what is not there."""
    versions = groups.get("", {})
    if not parts:
        return _aggregated(groups, core=True) if _wants_aggregated(request) else _api_versions()
    return _api_resource_list(parts[0], versions[parts[0]]) if parts[0] in versions else None


def answer_groups(parts: list[str], groups: Groups, request: Request) -> JsonObject | None:
    """Answer /apis, /apis/GROUP and /apis/GROUP/VERSION; None for what is not there."""
    if not parts:
        return _aggregated(groups, core=False) if _wants_aggregated(request) else _api_group_list(groups)
    group, version = (*parts, "")[:2]
    versions = groups.get(group, {})
    if len(parts) == 1:
        return _api_group(group, versions) if group and versions else None
    return _api_resource_list(f"{group}/{version}", versions[version]) if group and version in versions else None


def _wants_aggregated(request: Request) -> bool:
    """Whether a client takes aggregated discovery before anything else."""
    first = request.headers.get("accept", "").partition(",")[0].replace(" ", "").split(";")
    return {"as=APIGroupDiscoveryList", "g=apidiscovery.k8s.io", "v=v2"} <= set(first)


def _aggregated(groups: Groups, *, core: bool) -> JsonObject:
    """Return the APIGroupDiscoveryList of /api (``core``) or /apis."""
    items = [
        {
            "metadata": {"name": group, "creationTimestamp": None} if group else {"creationTimestamp": None},
            "versions": [
                {"version": version, "freshness": "Current", "resources": [_discovered(kind) for kind in kinds]}
                for version, kinds in versions.items()
            ],
        }
        for group, versions in groups.items()
        if (group == "") == core
    ]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _discovered(kind: Kind) -> JsonObject:
    resource: JsonObject = {
        "resource": kind.plural,
        "responseKind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular or kind.kind.lower(),
        "verbs": list(kind.verbs),
    }
    if kind.short_names:
        resource["shortNames"] = list(kind.short_names)
    if kind.categories:
        resource["categories"] = list(kind.categories)
    if kind.subresources:
        resource["subresources"] = [_discovered_subresource(kind, name) for name in sorted(kind.subresources)]
    return resource


def _discovered_subresource(kind: Kind, name: str) -> JsonObject:
    group, version, answer, verbs = _subresource(kind, name)
    return {
        "subresource": name,
        "responseKind": {"group": group, "version": version, "kind": answer},
        "verbs": list(verbs),
    }


def _subresource(kind: Kind, name: str) -> tuple[str, str, str, tuple[str, ...]]:
    return SUBRESOURCE_KINDS.get(name, (kind.group, kind.version, kind.kind, STATUS_VERBS))


def _api_versions() -> JsonObject:
    """Return the APIVersions of /api."""
    address = f"{topology.CONTROL1.address}:{topology.API_PORT}"
    by_client = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": by_client}


def _api_group_list(groups: Groups) -> JsonObject:
    """Return the APIGroupList of /apis."""
    return {
        "kind": "APIGroupList",
        "apiVersion": "v1",
        "groups": [_group(group, versions) for group, versions in groups.items() if group],
    }


def _api_group(group: str, versions: Mapping[str, list[Kind]]) -> JsonObject:
    """Return the APIGroup of /apis/GROUP."""
    return {"kind": "APIGroup", "apiVersion": "v1"} | _group(group, versions)


def _group(group: str, versions: Mapping[str, list[Kind]]) -> JsonObject:
    listed = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
    return {"name": group, "versions": listed, "preferredVersion": listed[0]}


def _api_resource_list(group_version: str, kinds: list[Kind]) -> JsonObject:
    """Return the APIResourceList of one group version."""
    resources: list[JsonObject] = []
    for kind in kinds:
        resources.append(_resource(kind))
        resources += [_subresource_entry(kind, name) for name in sorted(kind.subresources)]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources}


def _resource(kind: Kind) -> JsonObject:
    resource: JsonObject = {
        "name": kind.plural,
        "singularName": kind.singular or kind.kind.lower(),
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": list(kind.verbs),
    }
    if kind.short_names:
        resource["shortNames"] = list(kind.short_names)
    if kind.categories:
        resource["categories"] = list(kind.categories)
    return resource


def _subresource_entry(kind: Kind, name: str) -> JsonObject:
    group, version, answer, verbs = _subresource(kind, name)
    entry: JsonObject = {
        "name": f"{kind.plural}/{name}",
        "singularName": "",
        "namespaced": kind.namespaced,
        "kind": answer,
        "verbs": list(verbs),
    }
    return entry if (group, version) == (kind.group, kind.version) else entry | {"group": group, "version": version}


def version_info() -> JsonObject:
    """Return what /version says."""
    major, minor, _ = topology.KUBERNETES_VERSION.removeprefix("v").split(".")
    return {
        "major": major,
        "minor": minor,
        "gitVersion": topology.KUBERNETES_VERSION,
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "2026-08-26T00:00:00Z",
        "goVersion": "",
        "compiler": "",
        "platform": "linux/amd64",
    }
