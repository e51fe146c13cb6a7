"""What to tell an Envoy next, pure: the server's side of the incremental, aggregated xDS protocol.

Envoy says which resources it wants, and acknowledges or refuses each response; all kinds share one stream
(https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#incremental-xds). In which order the kinds come is
what keeps requests from being lost: clusters with their endpoints and certificates first, then what leads to them, and
clusters that nothing leads to any more are taken away at the end. Envoy acknowledges clusters once they are warm.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from calico_lab.local.envoy.protobuf import Message, message_class
from calico_lab.local.envoy.snapshot import Kind, Resource, Snapshot

_FIRST = (Kind.CERTIFICATE, Kind.CLUSTER, Kind.ENDPOINTS)
_THEN = (Kind.LISTENER, Kind.ROUTES)
# Of these Envoy wants all that there are, of the others those that it names.
_ALL = (Kind.CLUSTER, Kind.LISTENER)

DeltaDiscoveryRequest = message_class("service.discovery.v3.DeltaDiscoveryRequest")
DeltaDiscoveryResponse = message_class("service.discovery.v3.DeltaDiscoveryResponse")


@dataclass
class _Told:
    """What Envoy was told of one kind: the names that it wants, the versions it has, the response it has not answered.

    ``since``: when that was told. ``asked``: Envoy wants to know even that there is nothing.
    """

    wanted: set[str] = field(default_factory=set)
    versions: dict[str, str] = field(default_factory=dict)
    nonce: str = ""
    since: float = 0.0
    asked: bool = False


class Conversation:
    """One Envoy on one stream."""

    def __init__(self) -> None:
        self._told: dict[Kind, _Told] = {}
        self._responses = 0
        self._now = 0.0

    @property
    def waiting_since(self) -> float | None:
        """When the oldest of what Envoy has not answered was told, None if it has answered everything."""
        return min((told.since for told in self._told.values() if told.nonce), default=None)

    def give_up_waiting(self) -> None:
        """Go on as if Envoy had answered."""
        for told in self._told.values():
            told.nonce = ""

    def receive(self, request: Message) -> str:
        """Take in a request; returns why Envoy refuses what it was told, which is empty if it doesn't."""
        try:
            kind = Kind(request.type_url)
        except ValueError:
            return ""  # a kind of which there is nothing
        if kind not in self._told:
            # The first request of a stream, which may not be Envoy's first.
            self._told[kind] = _Told(versions=dict(request.initial_resource_versions), asked=kind in _ALL)
        told = self._told[kind]
        for name in request.resource_names_unsubscribe:
            told.wanted.discard(name)
            told.versions.pop(name, None)
        for name in request.resource_names_subscribe:
            told.wanted.add(name)
            if name not in request.initial_resource_versions:
                told.versions.pop(name, None)
        if request.response_nonce and request.response_nonce == told.nonce:
            told.nonce = ""
        return str(request.error_detail.message)

    def responses(self, snapshot: Snapshot, now: float) -> Iterator[Message]:
        """Yield what can be told now on the way to a snapshot; to be asked again after each answer."""
        self._now = now
        yield from self._changes(_FIRST, snapshot)
        if self._waits(_FIRST):
            return
        yield from self._changes(_THEN, snapshot)
        if not self._waits(_THEN):
            yield from self._removals(snapshot)

    def _waits(self, kinds: tuple[Kind, ...]) -> bool:
        return any(self._told[kind].nonce for kind in kinds if kind in self._told)

    def _changes(self, kinds: tuple[Kind, ...], snapshot: Snapshot) -> Iterator[Message]:
        for kind in kinds:
            told = self._told.get(kind)
            if told is None or told.nonce:
                continue
            resources = snapshot[kind]
            changed = [
                resource
                for name, resource in resources.items()
                if (kind in _ALL or name in told.wanted) and told.versions.get(name) != resource.version
            ]
            # A listener goes at once: nothing leads to it.
            gone = told.versions.keys() - resources.keys() if kind is Kind.LISTENER else set()
            if changed or gone or told.asked:
                yield self._response(kind, changed, gone)
            if kind is Kind.CLUSTER:
                self._tell_endpoints_again(changed)

    def _tell_endpoints_again(self, clusters: list[Resource]) -> None:
        """See that replaced clusters get their endpoints, for which Envoy does not ask a second time."""
        endpoints = self._told.get(Kind.ENDPOINTS)
        if endpoints is not None:
            for cluster in clusters:
                endpoints.versions.pop(cluster.name, None)

    def _removals(self, snapshot: Snapshot) -> Iterator[Message]:
        told = self._told.get(Kind.CLUSTER)
        gone = told.versions.keys() - snapshot[Kind.CLUSTER].keys() if told else set()
        if gone:
            yield self._response(Kind.CLUSTER, [], gone)

    def _response(self, kind: Kind, changed: list[Resource], gone: set[str]) -> Message:
        told = self._told[kind]
        self._responses += 1
        told.nonce, told.since, told.asked = str(self._responses), self._now, False
        told.versions |= _versions(changed)
        for name in gone:
            del told.versions[name]
        response = DeltaDiscoveryResponse(
            system_version_info=told.nonce, type_url=kind, nonce=told.nonce, removed_resources=sorted(gone)
        )
        for each in changed:
            added = response.resources.add(name=each.name, version=each.version)
            added.resource.type_url, added.resource.value = kind, each.body
        return response


def _versions(resources: list[Resource]) -> Mapping[str, str]:
    return {resource.name: resource.version for resource in resources}
