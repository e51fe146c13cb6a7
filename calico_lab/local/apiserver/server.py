"""The API server: takes a request, finds out who asks for what, and has it answered."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from calico_lab import errors
from calico_lab.local.apiserver import answers, bootstrap, discovery, routes, schema, subresources
from calico_lab.local.apiserver.authentication import Authenticator, User
from calico_lab.local.apiserver.authorization import Attempt, Authorizer
from calico_lab.local.apiserver.bodies import (
    checked,
    delete_options,
    media_type,
    parse_object,
    parse_yaml,
    write_options,
)
from calico_lab.local.apiserver.custom_resources import DEFINITIONS, CustomResources
from calico_lab.local.apiserver.field_problems import FieldProblem
from calico_lab.local.apiserver.kinds import Kind
from calico_lab.local.apiserver.names import Generator
from calico_lab.local.apiserver.openapi import OpenApi
from calico_lab.local.apiserver.patch import APPLY_PATCH, patched
from calico_lab.local.apiserver.reads import Reader
from calico_lab.local.apiserver.registry import Registry
from calico_lab.local.apiserver.routes import Route
from calico_lab.local.apiserver.selectors import selection
from calico_lab.local.apiserver.services import SERVICES, ServiceAllocator
from calico_lab.local.apiserver.store import Store
from calico_lab.local.apiserver.strategies import (
    NAMESPACES,
    DefinitionStrategy,
    NamespaceStrategy,
    PodStrategy,
    SecretStrategy,
    ServiceStrategy,
    Strategy,
)
from calico_lab.local.apiserver.subresources import Subresources
from calico_lab.local.apiserver.watch import watch
from calico_lab.local.apiserver.writes import Writer
from calico_lab.local.wire import Handler, JsonObject, Request, Response

logger = logging.getLogger(__name__)

HEALTH_PATHS = ("/healthz", "/livez", "/readyz")
LARGEST_BODY = 3 * 1024 * 1024


class RequestTooLarge(errors.ApiError):
    """The body is larger than the API server takes."""

    code = 413
    reason = "RequestEntityTooLarge"


class ApiServer:
    """A Kubernetes API server.

    ``tokens`` says whose each bearer token is; ``seed`` decides what Kubernetes would draw at random.
    """

    def __init__(self, *, seed: str, tokens: Mapping[str, str]) -> None:
        store = Store()
        generator = Generator(seed)
        self._store = store
        self._registry = Registry(schema.load())
        self._custom_resources = CustomResources(store, self._registry)
        self._authenticator = Authenticator(tokens, store)
        self._authorizer = Authorizer(store)
        self._openapi = OpenApi(self._registry)
        self._reader = Reader(store)
        self._writer = Writer(store, self._registry, generator, self._strategies(store, generator))
        self._subresources = Subresources(store, self._writer, self._authenticator)
        bootstrap.create_first_objects(self._writer, self._registry)

    def _strategies(self, store: Store, generator: Generator) -> dict[tuple[str, str], Strategy]:
        pods = self._registry.find("", "v1", "pods")
        return {
            NAMESPACES: NamespaceStrategy(),
            SERVICES: ServiceStrategy(ServiceAllocator(store, generator)),
            DEFINITIONS: DefinitionStrategy(),
            ("", "secrets"): SecretStrategy(),
        } | ({pods.storage_key: PodStrategy(pods, store)} if pods else {})

    def connect_kubelet(self, node: str, handler: Handler) -> None:
        """Hand requests for logs, exec, attach and port-forward of a node's pods on to its kubelet."""
        self._subresources.kubelets.connect(node, handler)

    async def handle(self, request: Request) -> Response:
        """Answer a request; failures are answered with a Status, never raised."""
        try:
            return await self._answer(request)
        except errors.ApiError as error:
            return answers.failure(error)
        except RecursionError:
            return answers.failure(errors.BadRequest("the object provided is nested too deeply"))
        except Exception as error:
            # A fault of this server: the one who asked gets an answer all the same, and so does everybody else.
            logger.exception("%s %s", request.method, request.path)
            return answers.failure(errors.ApiError(f"Internal error occurred: {error}"))

    async def _answer(self, request: Request) -> Response:
        path = request.path.rstrip("/") or "/"
        if path.startswith(HEALTH_PATHS):
            return Response(200, b"ok", "text/plain; charset=utf-8")
        if path == "/version":
            return answers.answer(discovery.version_info())
        user = self._authenticator.user(request)
        if len(request.body) > LARGEST_BODY:
            raise RequestTooLarge("Request entity too large: limit is 3145728")
        described = self._describe(path, request)
        if described is not None:
            return described
        route = routes.parse(path)
        kind = self._registry.find(route.group, route.version, route.plural) if route else None
        if route is None or kind is None:
            raise answers.no_such_path()
        response = await self._resource(kind, route, user, request)
        return answers.with_warning(response, kind.deprecation) if kind.deprecation else response

    def _describe(self, path: str, request: Request) -> Response | None:
        """Answer discovery and OpenAPI; None for other paths."""
        first, *parts = path.strip("/").split("/")
        if first == "openapi":
            return self._openapi.answer(parts)
        if first == "api" and len(parts) < 2:
            item = discovery.answer_core(parts, self._registry.groups(), request)
        elif first == "apis" and len(parts) < 3:
            item = discovery.answer_groups(parts, self._registry.groups(), request)
        else:
            return None
        if item is None:
            raise answers.no_such_path()
        aggregated = item["kind"] == "APIGroupDiscoveryList"
        return Response(200, answers.encode(item), discovery.AGGREGATED if aggregated else "application/json")

    async def _resource(self, kind: Kind, route: Route, user: User, request: Request) -> Response:
        if not _fits(kind, route):
            raise answers.no_such_path()
        if kind.verbs == ("create",):
            if request.method != "POST" or route.name:
                raise answers.method_not_allowed()
            return subresources.review(kind, user, request, self._authorizer)
        self._authorizer.require(user, Attempt.of(kind, route, request))
        if not route.name:
            return self._collection(kind, route.namespace, request)
        if route.subresource and route.subresource not in kind.subresources:
            if kind.kind == "Pod" and route.subresource in ("eviction", "ephemeralcontainers"):
                raise answers.not_implemented(kind, route.name, route.subresource)
            raise answers.no_such_path()
        if route.subresource in ("", "status"):
            return self._object(kind, route, request)
        return await self._subresources.answer(kind, route, request)

    def _collection(self, kind: Kind, namespace: str, request: Request) -> Response:
        if request.method == "GET":
            if request.parameter("watch") in ("true", "1"):
                return watch(self._store, kind, namespace, request)
            return self._reader.list(kind, namespace, request)
        if kind.namespaced and not namespace:
            raise answers.method_not_allowed()
        if request.method == "POST":
            options = write_options(request)
            item = self._writer.create(kind, namespace, parse_object(request), options)
            return answers.answer(item, 201, warnings=options.warnings)
        if request.method == "DELETE":
            return self._delete_collection(kind, namespace, request)
        raise answers.method_not_allowed()

    def _delete_collection(self, kind: Kind, namespace: str, request: Request) -> Response:
        options, matches = delete_options(request), selection(kind, request)
        chosen = [s.item for s in self._store.list(kind.storage_key, namespace) if matches is None or matches(s.item)]
        for item in chosen:
            self._writer.delete(kind, namespace, item["metadata"]["name"], options)
        metadata = {"resourceVersion": str(self._store.resource_version)}
        listed: JsonObject = {"kind": kind.list_kind or f"{kind.kind}List", "apiVersion": kind.api_version}
        return answers.answer(listed | {"metadata": metadata, "items": chosen})

    def _object(self, kind: Kind, route: Route, request: Request) -> Response:
        namespace, name, subresource = route.namespace, route.name, route.subresource
        if request.method == "GET":
            return self._reader.get(kind, namespace, name, request)
        if request.method == "DELETE" and not subresource:
            return answers.answer(self._writer.delete(kind, namespace, name, delete_options(request)))
        options = write_options(request)
        if request.method == "PUT":
            item = self._writer.update(kind, namespace, name, parse_object(request), options, subresource)
        elif request.method == "PATCH" and media_type(request) == APPLY_PATCH:
            return self._apply(kind, route, request)
        elif request.method == "PATCH":
            found = self._registry.schema(kind)
            item = self._writer.change(
                kind, namespace, name, lambda current: patched(kind, found, current, request), options, subresource
            )
        else:
            raise answers.method_not_allowed()
        return answers.answer(item, warnings=options.warnings)

    def _apply(self, kind: Kind, route: Route, request: Request) -> Response:
        options = write_options(request)
        if not request.parameter("fieldManager"):
            problem = FieldProblem("fieldManager", "FieldValueRequired", "Required value: is required for apply patch")
            raise answers.invalid(Kind("meta.k8s.io", "v1", "", "PatchOptions"), "", [problem])
        config = checked(parse_yaml(request.body))
        item, created = self._writer.apply(kind, route.namespace, route.name, config, options, route.subresource)
        return answers.answer(item, 201 if created else 200, warnings=options.warnings)


def _fits(kind: Kind, route: Route) -> bool:
    """Whether a path names a namespace where the kind has one, and none where it has not."""
    if kind.namespaced:
        return bool(route.namespace or not route.name)
    return not route.namespace
