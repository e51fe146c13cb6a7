"""The official Kubernetes client, imported when it is first needed, with its errors turned into this package's."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from calico_lab import errors
from calico_lab.kubeconfig import NO_CACHE, Kubeconfig

REQUEST_SECONDS = 10.0

# Kinds whose name alone could mean another API's: Calico serves some under two groups, and Istio has Gateways too.
API_VERSIONS: Mapping[str, str] = {
    "Pod": "v1",
    "Service": "v1",
    "ServiceAccount": "v1",
    "Node": "v1",
    "Event": "v1",
    "Deployment": "apps/v1",
    "IPPool": "projectcalico.org/v3",
    "BGPConfiguration": "projectcalico.org/v3",
    "BGPPeer": "projectcalico.org/v3",
    "GatewayAPI": "operator.tigera.io/v1",
    "GatewayClass": "gateway.networking.k8s.io/v1",
    "Gateway": "gateway.networking.k8s.io/v1",
    "HTTPRoute": "gateway.networking.k8s.io/v1",
    "BackendTrafficPolicy": "gateway.envoyproxy.io/v1alpha1",
}


class Api:
    """A connection to one API server."""

    def __init__(self, kubeconfig: Kubeconfig) -> None:
        self._kubeconfig = kubeconfig

    @cached_property
    def client(self) -> Any:
        """The client's connection pool; raises ``NoClusterError`` when the kubeconfig is of no use."""
        from kubernetes import client, config

        settings = client.Configuration()
        settings.retries = False  # a server that is not there is an answer, not a reason to ask twice
        try:
            config.load_kube_config(  # type: ignore[no-untyped-call]
                self._kubeconfig.files, self._kubeconfig.context, client_configuration=settings
            )
        except config.ConfigException as error:
            raise errors.NoClusterError(str(error), remedy="kubectl config view") from None
        return client.ApiClient(settings)

    @cached_property
    def _dynamic(self) -> Any:
        from kubernetes.dynamic import DynamicClient

        return DynamicClient(self.client, cache_file=str(NO_CACHE))  # type: ignore[no-untyped-call]

    def resource(self, kind: str, api_version: str) -> Any:
        """Return the client's handle on a kind; raises ``NotFound`` when the cluster does not serve it."""
        from kubernetes.dynamic.exceptions import ResourceNotFoundError, ResourceNotUniqueError

        wanted = {"kind": kind} | ({"api_version": found} if (found := api_version or API_VERSIONS.get(kind)) else {})
        try:
            return self._dynamic.resources.get(**wanted)
        except ResourceNotFoundError:
            raise errors.NotFound(f'the server doesn\'t have a resource type "{kind}"') from None
        except ResourceNotUniqueError:
            raise errors.BadRequest(f"several APIs of this cluster have a {kind}: name the api_version") from None

    def read(self, path: str, **query: str) -> bytes:
        """Return what a GET of a path brings.

        Without the client's class for the API group: that of the core group alone takes a second to import.
        """
        accept = {"Accept": "application/json, */*"}
        with self.speaking():
            request = self.client.param_serialize(
                "GET", path, query_params=list(query.items()), header_params=accept, auth_settings=["BearerToken"]
            )
            answer = self.client.call_api(*request, _request_timeout=REQUEST_SECONDS)
            content: bytes = answer.read()
            if answer.status >= 400:
                raise _api_error(answer)
            return content

    @contextmanager
    def speaking(self) -> Iterator[None]:
        """Turn the Python client's errors into those of this package."""
        from kubernetes.client.exceptions import ApiException
        from kubernetes.dynamic.exceptions import DynamicApiError
        from urllib3.exceptions import HTTPError

        try:
            yield
        except (ApiException, DynamicApiError) as error:
            raise _api_error(error) from None
        except HTTPError as error:
            server = self._kubeconfig.server
            remedy = "calico-lab status" if self._kubeconfig.lab else "kubectl cluster-info"
            raise errors.NoClusterError(f"no API server answers at {server}: {error}", remedy=remedy) from None


def _api_error(error: Any) -> errors.ApiError:
    """Turn an exception of the Python client into the error that stands for its Status."""
    try:
        status: dict[str, Any] = json.loads(error.body if hasattr(error, "body") else error.data)
    except (TypeError, ValueError):
        status = {}
    known = {kind.reason: kind for kind in _subclasses(errors.ApiError)}
    by_code = {kind.code: kind for kind in _subclasses(errors.ApiError) if kind is not errors.AlreadyExists}
    kind = known.get(status.get("reason", "")) or by_code.get(error.status, errors.ApiError)
    return kind(status.get("message") or str(error.reason), details=status.get("details"))


def _subclasses(kind: type[errors.ApiError]) -> Iterator[type[errors.ApiError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _subclasses(child)
