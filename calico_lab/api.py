"""The official Kubernetes client, imported when it is first needed, with its errors turned into this package's.

Every request has a time limit, and so has the program by which a kubeconfig may have its credentials fetched.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from calico_lab import errors, tls_problems
from calico_lab.credentials import loaded
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
    "Ingress": "networking.k8s.io/v1",
    "IPPool": "projectcalico.org/v3",
    "BGPConfiguration": "projectcalico.org/v3",
    "BGPPeer": "projectcalico.org/v3",
    "ClusterInformation": "projectcalico.org/v3",
    "Installation": "operator.tigera.io/v1",
    "GatewayAPI": "operator.tigera.io/v1",
    "GatewayClass": "gateway.networking.k8s.io/v1",
    "Gateway": "gateway.networking.k8s.io/v1",
    "HTTPRoute": "gateway.networking.k8s.io/v1",
    "GRPCRoute": "gateway.networking.k8s.io/v1",
    "TCPRoute": "gateway.networking.k8s.io/v1alpha2",
    "TLSRoute": "gateway.networking.k8s.io/v1alpha2",
    "BackendTrafficPolicy": "gateway.envoyproxy.io/v1alpha1",
    "Backend": "gateway.envoyproxy.io/v1alpha1",
    "SecurityPolicy": "gateway.envoyproxy.io/v1alpha1",
}


class Api:
    """A connection to one API server."""

    def __init__(self, kubeconfig: Kubeconfig) -> None:
        self._kubeconfig = kubeconfig

    @cached_property
    def client(self) -> Any:
        """The client's connection pool; raises ``NoClusterError`` when the kubeconfig is of no use."""
        from kubernetes import client

        api = client.ApiClient(loaded(self._kubeconfig))
        api.rest_client.request = _limited(api.rest_client.request)  # type: ignore[method-assign]
        return api

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
        """Return what a GET of a path brings."""
        return self._send("GET", path, query, None)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Return what a POST of a JSON object brings, read as JSON."""
        return json.loads(self._send("POST", path, {}, body))

    def _send(self, method: str, path: str, query: Mapping[str, str], body: Mapping[str, Any] | None) -> bytes:
        """Send a request without the client's class for an API group: that of the core group takes a second to load."""
        headers = {"Accept": "application/json, */*"} | ({"Content-Type": "application/json"} if body else {})
        with self.speaking():
            request = self.client.param_serialize(
                method, path, query_params=list(query.items()), header_params=headers, body=body,
                auth_settings=["BearerToken"],
            )  # fmt: skip
            answer = self.client.call_api(*request)
            content: bytes = answer.read()
            if answer.status >= 400:
                raise self._explained(_api_error(answer))
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
            if not error.status:  # so the client tells of TLS that has failed: nothing has answered
                raise self._no_answer(error) from None
            raise self._explained(_api_error(error)) from None
        except (HTTPError, OSError) as error:
            raise self._no_answer(error) from None

    def _no_answer(self, error: Exception) -> errors.NoClusterError:
        server = self._kubeconfig.server
        if found := tls_problems.explain(error):
            return errors.NoClusterError(f"no trust between this machine and {server}: {found[0]}", remedy=found[1])
        if "closed connection without response" in str(error) and self.client.configuration.cert_file:
            return errors.NoClusterError(
                f"{server} hangs up: it does not seem to take the client certificate of {self._kubeconfig.user!r}",
                remedy="get a fresh kubeconfig from whoever runs the cluster",
            )
        by_hand = f"kubectl --context={self._kubeconfig.context} version"
        remedy = "calico-lab status" if self._kubeconfig.lab else by_hand
        return errors.NoClusterError(f"no API server answers at {server}: {error}", remedy=remedy)

    def _explained(self, error: errors.ApiError) -> errors.ApiError:
        """Say of a refusal whom it concerns and how to look further."""
        user, context = self._kubeconfig.user, self._kubeconfig.context
        if isinstance(error, errors.Unauthorized):
            said = f"{self._kubeconfig.server} does not take the credentials of {user!r}; have they expired? ({error})"
            return errors.Unauthorized(said, remedy=f"kubectl --context={context} auth whoami", details=error.details)
        if isinstance(error, errors.Forbidden) and " cannot " in error.problem:  # the words of RBAC, not of admission
            error.remedy = f"kubectl --context={context} auth can-i --list --namespace={self._kubeconfig.namespace}"
        return error


def _limited(request: Callable[..., Any]) -> Callable[..., Any]:
    """Give every request a time limit that has none: the client's own discovery sets none."""

    def limited(*arguments: Any, **options: Any) -> Any:
        return request(*arguments, **options | {"_request_timeout": options.get("_request_timeout") or REQUEST_SECONDS})

    return limited


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
