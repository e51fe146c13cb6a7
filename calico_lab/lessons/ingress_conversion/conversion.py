"""Ingresses in, a Gateway with its routes and policies out, and a remark for each annotation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from calico_lab import manifests
from calico_lab.errors import ConversionError
from calico_lab.lessons.ingress_conversion import canaries, treatments
from calico_lab.lessons.ingress_conversion.draft import Draft
from calico_lab.lessons.ingress_conversion.ingresses import Ingress
from calico_lab.lessons.ingress_conversion.reasons import not_converted
from calico_lab.lessons.ingress_conversion.remarks import Outcome, Remark, Told, converted, differs, left
from calico_lab.lessons.ingress_conversion.routes import GATEWAY_API, Ports, Writer, https_redirect, name_of, written

if TYPE_CHECKING:
    import pandas as pd

    from calico_lab.cluster import Cluster

JsonObject = dict[str, Any]

ENVOY_GATEWAY = "gateway.envoyproxy.io/v1alpha1"
HTTP = "http"
_ANOTHERS = "it is another program's: look whether that one reads Gateways or routes, and how"
_IN_TURN = (
    "BackendTrafficPolicy.loadBalancer RoundRobin: what Ingress controllers do unasked, and Envoy Gateway does not"
)


@dataclass(frozen=True, repr=False)
class Conversion:
    """The Ingresses as they were given, the objects in their place, and what became of what they say."""

    ingresses: tuple[JsonObject, ...]
    objects: tuple[JsonObject, ...]
    remarks: tuple[Remark, ...]

    @property
    def manifest(self) -> str:
        """The objects as YAML, to be applied."""
        return as_yaml(self.objects)

    @property
    def without_equivalent(self) -> tuple[Remark, ...]:
        """What was not written: it has to be done by hand, or done without."""
        return tuple(remark for remark in self.remarks if remark.outcome in (Outcome.BY_HAND, Outcome.LEFT))

    def frame(self) -> pd.DataFrame:
        """Return the remarks as a table: columns ``ingress``, ``says``, ``value``, ``outcome``, ``how``."""
        import pandas as pd

        rows = [(each.ingress, each.subject, each.value, str(each.outcome), each.says) for each in self.remarks]
        return pd.DataFrame(rows, columns=["ingress", "says", "value", "outcome", "how"])

    def __repr__(self) -> str:
        made = ", ".join(f"{item['kind']} {item['metadata']['name']}" for item in self.objects)
        return "\n".join([f"made: {made}", *map(str, self.remarks)])


def convert(
    given: str | Iterable[JsonObject],
    *,
    gateway: str = "gateway",
    gateway_class: str = "tigera-gateway-class",
    nginx_classes: Iterable[str] = ("nginx",),
) -> Conversion:
    """Convert the Ingresses among some objects, or in YAML, to a Gateway with HTTPRoutes and policies.

    The Services among them tell the numbers of ports that are named, the Secrets the users of basic authentication.
    The annotations of ingress-nginx are read in Ingresses of ``nginx_classes``. Raises ``ConversionError`` when there
    is no Ingress, or when there are Ingresses of several namespaces.
    """
    items = list(manifests.documents(given)) if isinstance(given, str) else list(given)
    ingresses = [Ingress(item, tuple(nginx_classes)) for item in items if item["kind"] == "Ingress"]
    if not ingresses:
        raise ConversionError("there is no Ingress to convert", remedy="kubectl get ingresses --all-namespaces")
    namespaces = sorted({ingress.namespace for ingress in ingresses})
    if len(namespaces) > 1:
        raise ConversionError(
            f"these Ingresses are in several namespaces: {', '.join(namespaces)}",
            remedy="convert those of one namespace at a time, each to a Gateway of its own",
        )
    return _Converter(ingresses, items, gateway, gateway_class).conversion()


def of_cluster(cluster: Cluster, *, gateway: str = "gateway", **more: Any) -> Conversion:
    """Convert all Ingresses of the learner's namespace; see :func:`convert`."""
    found = [
        {"kind": kind, **item}
        for kind in ("Ingress", "Service", "Secret")
        for item in cluster.list(kind, api_version="v1" if kind == "Secret" else "")
    ]
    return convert(found, gateway=gateway, **more)


def as_yaml(items: Iterable[JsonObject]) -> str:
    """Return objects as YAML documents, keys in the order in which one writes them."""
    import yaml

    return "---\n".join(yaml.safe_dump(item, sort_keys=False, width=120) for item in items)


def as_typed(item: JsonObject) -> JsonObject:
    """Return an Ingress without what the cluster has added to it."""
    metadata = {key: value for key, value in item["metadata"].items() if key in ("name", "labels")}
    said = {
        key: value for key, value in (item["metadata"].get("annotations") or {}).items() if "last-applied" not in key
    }
    metadata |= {"annotations": said} if said else {}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": item["spec"]}


@dataclass
class _Converter:
    ingresses: Sequence[Ingress]
    items: Sequence[JsonObject]
    gateway: str
    gateway_class: str
    remarks: list[Remark] = field(default_factory=list)

    def conversion(self) -> Conversion:
        expressions = frozenset(
            host for ingress in self.ingresses if ingress.uses_expressions for host in ingress.hosts
        )
        secrets = {item["metadata"]["name"]: item for item in self.items if item["kind"] == "Secret"}
        made: list[JsonObject] = []
        for ingress in self.ingresses:
            if not ingress.is_canary:
                made += self._convert(Draft(ingress, secrets), Writer(self._ports(), expressions))
        for ingress in self.ingresses:
            if ingress.is_canary:
                beside = [self._canaries(other, host) for other in self.ingresses for host in other.hosts]
                why = canaries.passed_over(ingress, [each for each in beside if ingress in each])
                self._tell(ingress, canaries.remarks(ingress, why))
                self._tell_others(ingress)
        order = {ingress.name: number for number, ingress in enumerate(self.ingresses)}
        remarks = sorted(self.remarks, key=lambda remark: order[remark.ingress])
        return Conversion(tuple(ingress.item for ingress in self.ingresses), (self._gateway(), *made), tuple(remarks))

    def _ports(self) -> Ports:
        services = (item for item in self.items if item["kind"] == "Service")
        return {
            (item["metadata"]["name"], port["name"]): port["port"]
            for item in services
            for port in item["spec"].get("ports") or ()
            if "name" in port
        }

    def _convert(self, draft: Draft, writer: Writer) -> Iterator[JsonObject]:
        ingress = draft.ingress
        told = treatments.treat(draft)
        routes: list[JsonObject] = []
        to_https: list[JsonObject] = []
        for host in ingress.hosts:
            groups = writer.rules(draft, host, self._canaries(ingress, host))
            has_tls = ingress.secret_of(host)
            redirects = bool(has_tls) and ingress.is_nginx and ingress.nginx.get("ssl-redirect") != "false"
            sections = [self._section(host)] if has_tls else []
            sections += [] if redirects else [HTTP]
            routes += written(draft, host, groups, [self._parent(section) for section in sections])
            to_https += [https_redirect(draft, host, [self._parent(HTTP)])] if redirects else []
        self._tell(ingress, told | _of_paths(draft, writer) | _of_tls(ingress, bool(to_https)))
        self._tell_fields(ingress, writer)
        self._tell_others(ingress)
        yield from draft.made_secrets
        yield from routes
        yield from to_https
        if routes and draft.redirect is None:
            yield _policy("BackendTrafficPolicy", ingress.name, routes, draft.traffic)
            if draft.security:
                yield _policy("SecurityPolicy", ingress.name, routes, draft.security)

    def _canaries(self, ingress: Ingress, host: str) -> list[Ingress]:
        """Return the canaries that stand beside an Ingress for a path of a host."""
        own = {path.path for path in ingress.paths if path.host == host}
        return [
            other
            for other in self.ingresses
            if other.is_canary and not ingress.is_canary
            and own & {path.path for path in other.paths if path.host == host}
        ]  # fmt: skip

    def _parent(self, section: str) -> JsonObject:
        return {"name": self.gateway, "sectionName": section}

    @staticmethod
    def _section(host: str) -> str:
        return f"https-{name_of(host)}"

    def _gateway(self) -> JsonObject:
        listeners: list[JsonObject] = [{"name": HTTP, "protocol": "HTTP", "port": 80}]
        for host in dict.fromkeys(host for ingress in self.ingresses for host in ingress.hosts):
            secret = next(filter(None, (ingress.secret_of(host) for ingress in self.ingresses)), None)
            if secret:
                tls = {"mode": "Terminate", "certificateRefs": [{"name": secret}]}
                listener: JsonObject = {"name": self._section(host), "protocol": "HTTPS", "port": 443}
                listeners.append(listener | ({"hostname": host} if host else {}) | {"tls": tls})
        spec = {"gatewayClassName": self.gateway_class, "listeners": listeners}
        return {"apiVersion": GATEWAY_API, "kind": "Gateway", "metadata": {"name": self.gateway}, "spec": spec}

    def _tell(self, ingress: Ingress, told: Mapping[str, Told]) -> None:
        values, order = ingress.nginx, list(ingress.nginx)
        in_order = sorted(told.items(), key=lambda entry: order.index(entry[0]) if entry[0] in order else len(order))
        self.remarks += [
            Remark(ingress.name, name, values.get(name, "not said"), one.outcome, one.says) for name, one in in_order
        ]

    def _tell_fields(self, ingress: Ingress, writer: Writer) -> None:
        for path in writer.nameless:
            port = f"{path.service or 'no Service'} {path.port}".strip()
            one = left("a backendRef has a Service and the number of its port: hand the Service over, too")
            self.remarks.append(Remark(ingress.name, f"backend of {path.path}", port, one.outcome, one.says))
        if "rewrite-target" not in ingress.nginx and "use-regex" not in ingress.nginx:
            told = {path: differs(text) for path, text in writer.differences.items()}
            told |= {path: not_converted(text) for path, text in writer.impossible.items()}
            self.remarks += [Remark(ingress.name, "path", path, each.outcome, each.says) for path, each in told.items()]

    def _tell_others(self, ingress: Ingress) -> None:
        for name, value in ingress.others.items():
            told = left(_ANOTHERS)
            self.remarks.append(Remark(ingress.name, name, value, told.outcome, told.says))


def _of_paths(draft: Draft, writer: Writer) -> dict[str, Told]:
    """Return what becomes of what is said of paths, and of load balancing where nothing is said of that."""
    said, told = draft.said, {}
    if "rewrite-target" in said:
        told["rewrite-target"] = _judged(writer, "a URLRewrite")
    if said.get("use-regex") == "true":
        told["use-regex"] = (
            converted("with rewrite-target") if "rewrite-target" in said else _judged(writer, "a RegularExpression")
        )
    elif "use-regex" in said:
        told["use-regex"] = converted("nothing: that is the default")
    if draft.redirect is None and not {"load-balance", "upstream-hash-by"} & said.keys():
        told["load balancing"] = converted(_IN_TURN)
    return told


def _judged(writer: Writer, what: str) -> Told:
    if writer.impossible:
        return not_converted("; ".join(dict.fromkeys(writer.impossible.values())))
    if writer.differences:
        return differs("; ".join([what, *dict.fromkeys(writer.differences.values())]))
    return converted(what)


def _of_tls(ingress: Ingress, redirects: bool) -> dict[str, Told]:
    """Return what becomes of TLS, and of the redirect to it, which ingress-nginx sends unless told not to."""
    told: dict[str, Told] = {}
    secrets = [ingress.secret_of(host) for host in ingress.hosts]
    if any(secret == "" for secret in secrets):
        told["tls"] = left("there is no secretName: the certificate of the controller itself is not the Gateway's")
    elif any(secrets):
        told["tls"] = converted("a listener HTTPS for each host, with the certificate of its Secret")
    for name in treatments.BY_HOST:
        value = ingress.nginx.get(name)
        if value == "true" and redirects:
            told[name] = differs("301 in place of 308: after it, a client may send a POST again as a GET")
        elif value == "true" and name.startswith("force"):
            told[name] = left("TLS ends before the Gateway, and a route cannot tell by X-Forwarded-Proto")
        elif value is not None:
            told[name] = converted("nothing: there is no certificate" if value == "true" else "no route that redirects")
    if redirects and not told.keys() & set(treatments.BY_HOST):
        told["ssl-redirect"] = differs("301 in place of 308, which ingress-nginx sends unasked")
    return told


def _policy(kind: str, name: str, routes: list[JsonObject], spec: JsonObject) -> JsonObject:
    group = GATEWAY_API.partition("/")[0]
    targets = [{"group": group, "kind": route["kind"], "name": route["metadata"]["name"]} for route in routes]
    return {
        "apiVersion": ENVOY_GATEWAY,
        "kind": kind,
        "metadata": {"name": name},
        "spec": {"targetRefs": targets} | spec,
    }
