"""Calico's refusals, with the names of fields and the reasons that Calico gives."""

import pytest

CIDR = "IPPool.Spec.CIDR: Invalid value"
USES = 'IPPool.Spec.AllowedUses: Invalid value: ["LoadBalancer"'

POOLS = [
    ("cidr", "", f"{CIDR}: null: IPPool CIDR must be specified"),
    ("cidr", "10.10.10.0/99", f'{CIDR}: "10.10.10.0/99": IPPool CIDR must be a valid subnet'),
    ("cidr", "10.10.10.1/26", f'{CIDR}: "10.10.10.1/26": IPPool CIDR is not strictly masked'),
    (
        "cidr",
        "169.254.10.0/26",
        f'{CIDR}: "169.254.10.0/26": IPPool CIDR overlaps with IPv4 Link Local range 169.254.0.0/16',
    ),
    (
        "cidr",
        "10.10.10.0/32",
        f'{CIDR}: "10.10.10.0/32": IP pool size is too small for use with Calico IPAM. It must be equal to or greater '
        "than the block size.",
    ),
    ("blockSize", 19, "IPPool.Spec.BlockSize: Invalid value: 19: IPv4 block size must be between 20 and 32"),
    ("allowedUses", ["LoadBalancer", "Pods"], f'{USES},"Pods"]: unknown use: Pods'),
    (
        "allowedUses",
        ["LoadBalancer", "Workload"],
        f'{USES},"Workload"]: LoadBalancer cannot be used at the same time as: Workload',
    ),
    (
        "ipipMode",
        "Always",
        f"{USES}]: Neither IPIPMode nor VXLANMode can be enabled on AllowedUses LoadBalancer IP pool",
    ),
    (
        "nodeSelector",
        "rack == 'a'",
        "IPPool.Spec.NodeSelector: Invalid value: \"rack == 'a'\": IP Pool with AllowedUse LoadBalancer must have node "
        "selector set to all()",
    ),
    (
        "disableBGPExport",
        True,
        "IPPool.Spec.DisableBGPExport: Invalid value: true: IP Pool with AllowedUse LoadBalancer must have "
        "DisableBGPExport set to true",
    ),
]


@pytest.mark.parametrize(("field", "value", "message"), POOLS)
def test_a_pool_that_calico_refuses(judge, guide, changed, field, value, message):
    assert judge.refuse(changed(guide["IPPool"], f"spec.{field}", value)) == [message]


def test_pools_do_not_overlap(judge, guide, changed):
    new = changed(changed(guide["IPPool"], "metadata.name", "second"), "spec.cidr", "10.10.0.0/16")
    assert judge.refuse(new, others=[guide["IPPool"]]) == [
        f'{CIDR}: "10.10.0.0/16": IPPool(second) CIDR overlaps with IPPool(loadbalancer-ip-pool) CIDR 10.10.10.0/26'
    ]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("cidr", "10.10.11.0/26", f'{CIDR}: "10.10.11.0/26": IPPool CIDR cannot be modified'),
        ("blockSize", 30, "IPPool.Spec.BlockSize: Invalid value: 30: IPPool BlockSize cannot be modified"),
        (
            "allowedUses",
            ["Workload"],
            'IPPool.Spec.AllowedUses: Invalid value: ["Workload"]: IPPool allowed use cannot be changed from '
            "LoadBalacer to Workload or Tunnel",
        ),
    ],
)
def test_a_pool_keeps_what_it_was_made_for(judge, guide, changed, field, value, message):
    assert judge.refuse(changed(guide["IPPool"], f"spec.{field}", value), old=guide["IPPool"]) == [message]


def test_a_second_configuration_may_not_set_what_only_default_may(judge, guide, changed):
    found = judge.refuse(changed(guide["BGPConfiguration"], "metadata.name", "node.worker1"))
    assert found[0] == (
        "BGPConfiguration.Spec.NodeToNodeMeshEnabled: Invalid value: null: Cannot set nodeToNodeMeshEnabled on a non "
        "default BGP Configuration."
    )
    assert len(found) == 4


def test_without_the_mesh_there_is_no_restart_time(judge, guide, changed):
    (message,) = judge.refuse(changed(guide["BGPConfiguration"], "spec.nodeToNodeMeshEnabled", False))
    assert message.endswith("spec.NodeMeshMaxRestartTime cannot be set if spec.NodeToNodeMesh is disabled")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (
            "peerIP",
            "bastion",
            'PeerIP: Invalid value: "bastion": Reason: failed to validate Field: PeerIP because of Tag: IP:port ',
        ),
        (
            "peerSelector",
            "all()",
            'PeerIP: Invalid value: "10.0.1.10": PeerIP field must be empty when PeerSelector is specified',
        ),
        ("asNumber", 2**32, "ASNumber: Invalid value: 4294967296: '4294967296' is not a valid AS Number"),
    ],
)
def test_a_peer_that_calico_refuses(judge, guide, changed, field, value, message):
    assert judge.refuse(changed(guide["BGPPeer"], f"spec.{field}", value))[0] == message


def test_a_node_and_a_selector_of_nodes_exclude_each_other(judge, guide, changed):
    peer = changed(changed(guide["BGPPeer"], "spec.node", "worker1"), "spec.nodeSelector", "all()")
    assert judge.refuse(peer) == [
        'Node: Invalid value: "worker1": Node field must be empty when NodeSelector is specified'
    ]
