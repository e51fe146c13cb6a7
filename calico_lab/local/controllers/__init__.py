"""The cluster's controllers: each reads and writes through the API client alone, none knows of another."""

from __future__ import annotations

from calico_lab.local.client import ApiClient
from calico_lab.local.controller import Controller


def all_controllers(client: ApiClient, *, certificate_authority: bytes = b"") -> list[Controller]:
    """Return the controllers of a cluster, to be run each in a task of its own.

    With a certificate authority (PEM) they include what stands on it: the controller that publishes it in every
    namespace, and cluster DNS, whose pods trust the API server by it.
    """
    from calico_lab.local.controllers.cluster_dns import ClusterDnsInstaller
    from calico_lab.local.controllers.deployment import DeploymentController
    from calico_lab.local.controllers.endpoint_slice import EndpointSliceController
    from calico_lab.local.controllers.garbage_collector import GarbageCollector
    from calico_lab.local.controllers.gateway_api_operator import GatewayApiOperator
    from calico_lab.local.controllers.load_balancer import LoadBalancerController
    from calico_lab.local.controllers.namespace import NamespaceController
    from calico_lab.local.controllers.node_lifecycle import NodeLifecycleController
    from calico_lab.local.controllers.replica_set import ReplicaSetController
    from calico_lab.local.controllers.root_certificate import RootCertificatePublisher
    from calico_lab.local.controllers.scheduler import Scheduler
    from calico_lab.local.controllers.service_account import ServiceAccountController

    controllers: list[Controller] = [
        kind(client)
        for kind in (
            DeploymentController,
            ReplicaSetController,
            Scheduler,
            EndpointSliceController,
            GarbageCollector,
            NamespaceController,
            NodeLifecycleController,
            ServiceAccountController,
            LoadBalancerController,
            GatewayApiOperator,
        )
    ]
    if certificate_authority:
        controllers += [RootCertificatePublisher(client, certificate_authority), ClusterDnsInstaller(client)]
    return controllers
