"""Schemas of Calico's own kinds and of the operator's GatewayAPI.

Fields are those of Calico 3.30 (https://docs.tigera.io/calico/latest/reference/resources/) and of operator 1.38. Those
that the lab does not implement stand here by their name alone. Calico's rules are not in its schemas: see
``calico_rules.py``.
"""

from __future__ import annotations

from calico_lab.local.custom_resources.structural import ANYTHING, flag, integer, listing, record, text
from calico_lab.local.wire import JsonObject

_NUMBER_OR_STRING: JsonObject = {"x-kubernetes-int-or-string": True}
_BLOCKS = listing(record({"cidr": text()}))

_IP_POOL = record(
    {
        "allowedUses": listing(text()),
        "assignmentMode": text(),
        "awsSubnetID": ANYTHING,
        "blockSize": integer(form="int32"),
        "cidr": text(),
        "disableBGPExport": flag(),
        "disabled": flag(),
        "ipipMode": text(),
        "natOutgoing": flag(),
        "nodeSelector": text(),
        "vxlanMode": text(),
    }
)

_BGP_CONFIGURATION = record(
    {
        "asNumber": _NUMBER_OR_STRING,
        "bindMode": text(),
        "communities": ANYTHING,
        "ignoredInterfaces": ANYTHING,
        "listenPort": integer(form="uint16"),
        "localWorkloadPeeringIPV4": ANYTHING,
        "localWorkloadPeeringIPV6": ANYTHING,
        "logSeverityScreen": text(),
        "nodeMeshMaxRestartTime": text(form="duration"),
        "nodeMeshPassword": ANYTHING,
        "nodeToNodeMeshEnabled": flag(),
        "prefixAdvertisements": ANYTHING,
        "serviceClusterIPs": _BLOCKS,
        "serviceExternalIPs": _BLOCKS,
        "serviceLoadBalancerIPs": _BLOCKS,
    }
)

_BGP_PEER = record(
    {
        "asNumber": _NUMBER_OR_STRING,
        "filters": ANYTHING,
        "keepOriginalNextHop": flag(),
        "localWorkloadSelector": text(),
        "maxRestartTime": text(form="duration"),
        "nextHopMode": text(),
        "node": text(),
        "nodeSelector": text(),
        "numAllowedLocalASNumbers": integer(form="int32"),
        "password": ANYTHING,
        "peerIP": text(),
        "peerSelector": text(),
        "reachableBy": text(),
        "reversePeering": text(),
        "sourceAddress": text(),
        "ttlSecurity": integer(form="int32"),
    }
)

_GATEWAY_API = record(
    {
        "crdManagement": text(choices=["Reconcile", "PreferExisting"]),
        "gatewayCertgenJob": ANYTHING,
        "gatewayControllerDeployment": ANYTHING,
        "gatewayDeployment": ANYTHING,
    }
)


def _custom_resource(spec: JsonObject) -> JsonObject:
    return record({"apiVersion": text(), "kind": text(), "spec": spec})


def _kind(name: str, spec: JsonObject) -> JsonObject:
    """Return the schema of a kind that Calico's API server decodes, under the names that its decoder would say."""
    return _custom_resource(spec | {"$name": f"v3.{name}Spec"}) | {"$name": f"v3.{name}"}


SCHEMAS = {
    ("operator.tigera.io", "v1", "GatewayAPI"): _custom_resource(_GATEWAY_API),
    ("projectcalico.org", "v3", "BGPConfiguration"): _kind("BGPConfiguration", _BGP_CONFIGURATION),
    ("projectcalico.org", "v3", "BGPPeer"): _kind("BGPPeer", _BGP_PEER),
    ("projectcalico.org", "v3", "IPPool"): _kind("IPPool", _IP_POOL),
}
