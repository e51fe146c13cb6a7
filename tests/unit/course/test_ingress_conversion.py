"""What Ingresses become: table by table, and for whatever annotations there may be."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from calico_lab.errors import ConversionError
from calico_lab.lessons.ingress_conversion import Outcome, convert, paths
from calico_lab.lessons.ingress_conversion.ingresses import PREFIX
from calico_lab.lessons.ingress_conversion.reasons import REASONS
from calico_lab.lessons.ingress_conversion.treatments import _CONVERTERS, COMPANIONS
from calico_lab.local import custom_resources
from calico_lab.local.apiserver import validation
from calico_lab.local.apiserver.defaults import apply_defaults
from calico_lab.views.ingress_conversion import BothSides

SCHEMAS = {
    (f"{definition['spec']['group']}/{version['name']}", definition["spec"]["names"]["kind"]): version["schema"][
        "openAPIV3Schema"
    ]
    for definition in custom_resources.definitions()
    for version in definition["spec"]["versions"]
}


def ingress(annotations: dict[str, str] | None = None, *, name: str = "shop", path: str = "/", **spec: Any) -> Any:
    kind = spec.pop("kind", "Prefix")
    backend = {"service": {"name": spec.pop("service", "v1"), "port": spec.pop("port", {"number": 80})}}
    rule = {"host": "shop.example.com", "http": {"paths": [{"path": path, "pathType": kind, "backend": backend}]}}
    said = {PREFIX + key: value for key, value in (annotations or {}).items()}
    return {
        "kind": "Ingress",
        "metadata": {"name": name, "annotations": said},
        "spec": {"ingressClassName": "nginx", "rules": [rule], **spec},
    }


def made(conversion, kind):
    return [item["spec"] for item in conversion.objects if item["kind"] == kind]


def rule_of(annotations, **more):
    (route,) = made(convert([ingress(annotations, **more)]), "HTTPRoute")
    (rule,) = route["rules"]
    return rule


def outcomes(conversion):
    return {remark.subject: remark.outcome for remark in conversion.remarks}


def assert_valid(item):
    """The API server takes it, and the lab implements it."""
    schema = SCHEMAS.get((item["apiVersion"], item["kind"]))
    if schema is None:
        return
    group = item["apiVersion"].partition("/")[0]
    apply_defaults(group, item["kind"], schema, item)
    found = validation.problems(group, item["apiVersion"].partition("/")[2], item["kind"], schema, item, None)
    assert (found, validation.unknown_fields(schema, item)) == ([], [])
    assert validation.unsupported(group, item["kind"], item) == []


def test_a_plain_ingress():
    conversion = convert([ingress()], gateway="edge")
    (gateway,), (route,), (policy,) = (
        made(conversion, kind) for kind in ("Gateway", "HTTPRoute", "BackendTrafficPolicy")
    )
    assert gateway["listeners"] == [{"name": "http", "protocol": "HTTP", "port": 80}]
    assert route == {
        "parentRefs": [{"name": "edge", "sectionName": "http"}],
        "hostnames": ["shop.example.com"],
        "rules": [
            {
                "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                "backendRefs": [{"name": "v1", "port": 80}],
            }
        ],
    }
    assert policy["loadBalancer"] == {"type": "RoundRobin"}
    assert [target["name"] for target in policy["targetRefs"]] == ["shop-shop-example-com"]


def test_tls_becomes_a_listener_and_a_redirect():
    tls = [{"hosts": ["shop.example.com"], "secretName": "cert"}]
    conversion = convert([ingress(tls=tls)])
    (gateway,) = made(conversion, "Gateway")
    assert gateway["listeners"][1] == {
        "name": "https-shop-example-com",
        "protocol": "HTTPS",
        "port": 443,
        "hostname": "shop.example.com",
        "tls": {"mode": "Terminate", "certificateRefs": [{"name": "cert"}]},
    }
    secure, redirect = made(conversion, "HTTPRoute")
    assert secure["parentRefs"] == [{"name": "gateway", "sectionName": "https-shop-example-com"}]
    assert redirect["rules"] == [
        {"filters": [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}]}
    ]
    assert outcomes(conversion)["ssl-redirect"] is Outcome.DIFFERS
    (both,) = made(convert([ingress({"ssl-redirect": "false"}, tls=tls)]), "HTTPRoute")
    assert [parent["sectionName"] for parent in both["parentRefs"]] == ["https-shop-example-com", "http"]
    bare = convert([ingress(tls=[{}])])
    assert outcomes(bare)["tls"] is Outcome.LEFT
    assert len(made(bare, "HTTPRoute")) == 1


@pytest.mark.parametrize(
    ("annotations", "field", "wanted"),
    [
        ({"proxy-connect-timeout": "5"}, "timeout", {"tcp": {"connectTimeout": "5s"}}),
        ({"load-balance": "ewma"}, "loadBalancer", {"type": "LeastRequest"}),
        (
            {"upstream-hash-by": "$http_x_user"},
            "loadBalancer",
            {"type": "ConsistentHash", "consistentHash": {"type": "Header", "header": {"name": "x-user"}}},
        ),
        (
            {"upstream-hash-by": "$binary_remote_addr", "load-balance": "ewma"},
            "loadBalancer",
            {"type": "ConsistentHash", "consistentHash": {"type": "SourceIP"}},
        ),
        ({"proxy-next-upstream": "off"}, "retry", {"numRetries": 0}),
        (
            {"proxy-next-upstream": "error http_502", "proxy-next-upstream-tries": "2"},
            "retry",
            {
                "numRetries": 1,
                "retryOn": {
                    "triggers": ["connect-failure", "reset-before-request", "retriable-status-codes"],
                    "httpStatusCodes": [502],
                },
            },
        ),
        (
            {"limit-rpm": "30"},
            "rateLimit",
            {
                "type": "Local",
                "local": {
                    "rules": [
                        {
                            "clientSelectors": [{"sourceCIDR": {"type": "Distinct", "value": "0.0.0.0/0"}}],
                            "limit": {"requests": 30, "unit": "Minute"},
                        }
                    ]
                },
            },
        ),
    ],
)
def test_what_becomes_a_traffic_policy(annotations, field, wanted):
    (policy,) = made(convert([ingress(annotations)]), "BackendTrafficPolicy")
    assert policy[field] == wanted


@pytest.mark.parametrize(
    ("annotations", "field", "wanted"),
    [
        ({"proxy-read-timeout": "7"}, "timeouts", {"backendRequest": "7s"}),
        ({"affinity": "cookie"}, "sessionPersistence", {"type": "Cookie", "sessionName": "INGRESSCOOKIE"}),
        (
            {"affinity": "cookie", "session-cookie-name": "s", "session-cookie-max-age": "60"},
            "sessionPersistence",
            {
                "type": "Cookie",
                "sessionName": "s",
                "absoluteTimeout": "60s",
                "cookieConfig": {"lifetimeType": "Permanent"},
            },
        ),
        (
            {"upstream-vhost": "in.example.com"},
            "filters",
            [{"type": "URLRewrite", "urlRewrite": {"hostname": "in.example.com"}}],
        ),
        (
            {"permanent-redirect": "https://new.example.com$request_uri", "permanent-redirect-code": "308"},
            "filters",
            [
                {
                    "type": "RequestRedirect",
                    "requestRedirect": {"statusCode": 301, "scheme": "https", "hostname": "new.example.com"},
                }
            ],
        ),
    ],
)
def test_what_becomes_a_part_of_a_rule(annotations, field, wanted):
    assert rule_of(annotations)[field] == wanted


def test_grpc_becomes_a_grpc_route():
    (route,) = made(
        convert([ingress({"backend-protocol": "GRPC"}, path="/pkg.Greeter/Hello", kind="Exact")]), "GRPCRoute"
    )
    assert route["rules"][0]["matches"] == [{"method": {"service": "pkg.Greeter", "method": "Hello"}}]
    assert outcomes(convert([ingress({"backend-protocol": "HTTPS"})]))["backend-protocol"] is Outcome.BY_HAND


def test_a_named_port_needs_its_service():
    alone = ingress(port={"name": "http"})
    assert outcomes(convert([alone]))["backend of /"] is Outcome.LEFT
    service = {"kind": "Service", "metadata": {"name": "v1"}, "spec": {"ports": [{"name": "http", "port": 8080}]}}
    (route,) = made(convert([alone, service]), "HTTPRoute")
    assert route["rules"][0]["backendRefs"] == [{"name": "v1", "port": 8080}]


@pytest.mark.parametrize(
    ("users", "outcome"),
    [("ann:{SHA}x", Outcome.CONVERTED), ("ann:{SHA}x\nbob:$apr1$a$b", Outcome.LEFT), ("", Outcome.LEFT)],
)
def test_users_with_a_hash_that_envoy_reads(users, outcome):
    data = {"auth": base64.b64encode(users.encode()).decode()}
    secret = {"kind": "Secret", "metadata": {"name": "users"}, "data": data}
    said = {"auth-type": "basic", "auth-secret": "default/users", "auth-realm": "shop"}
    conversion = convert([ingress(said), secret])
    assert outcomes(conversion)["auth-type"] is outcome
    assert outcomes(conversion)["auth-realm"] is Outcome.LEFT
    assert len(made(conversion, "SecurityPolicy")) == (outcome is Outcome.CONVERTED)
    assert outcomes(convert([ingress(said)]))["auth-type"] is Outcome.LEFT


def test_annotations_of_another_class_are_not_taken_for_nginxs():
    conversion = convert([ingress({"rewrite-target": "/x"}, ingressClassName="traefik")])
    assert outcomes(conversion)[f"{PREFIX}rewrite-target"] is Outcome.LEFT
    assert "filters" not in made(conversion, "HTTPRoute")[0]["rules"][0]


def test_one_expression_makes_all_paths_of_a_host_expressions():
    conversion = convert([ingress(path="/Plain"), ingress({"use-regex": "true"}, name="other", path="/x[0-9]")])
    plain, _ = made(conversion, "HTTPRoute")
    assert plain["rules"][0]["matches"][0]["path"] == {"type": "RegularExpression", "value": "(?i)/Plain.*"}


@pytest.mark.parametrize(
    ("path", "target", "why"),
    [("/a/(.*)/b/(.*)", "/$2/$1", "no groups"), ("/a/([a-z]+)", "/$1", "no groups")],
)
def test_groups_in_another_order_have_no_equivalent(path, target, why):
    conversion = convert([ingress({"rewrite-target": target}, path=path, kind="ImplementationSpecific")])
    assert made(conversion, "HTTPRoute") == []
    (remark,) = [each for each in conversion.remarks if each.subject == "rewrite-target"]
    assert (remark.outcome, why in remark.says) == (Outcome.BY_HAND, True)


def test_an_expression_that_envoy_cannot_read_is_told():
    conversion = convert([ingress({"use-regex": "true"}, path="/(?!admin).*", kind="ImplementationSpecific")])
    assert outcomes(conversion)["use-regex"] is Outcome.LEFT


def test_what_there_is_to_convert_must_be_there_and_of_one_namespace():
    with pytest.raises(ConversionError, match="no Ingress"):
        convert("kind: Service\nmetadata: {name: x}")
    two = [ingress(), ingress()]
    two[1]["metadata"]["namespace"] = "b"
    with pytest.raises(ConversionError, match="several namespaces"):
        convert(two)


def test_more_than_sixteen_rules_become_two_routes():
    many = ingress()
    entry = many["spec"]["rules"][0]["http"]["paths"][0]
    many["spec"]["rules"][0]["http"]["paths"] = [entry | {"path": f"/{number}"} for number in range(20)]
    routes = made(convert([many]), "HTTPRoute")
    assert [len(route["rules"]) for route in routes] == [16, 4]


@pytest.mark.parametrize(
    ("others", "why"),
    [
        ([], "no Ingress with the same host and path"),
        ([ingress(), ingress({"canary": "true"}, name="first")], "one canary"),
    ],
)
def test_a_canary_without_a_place_is_told(others, why):
    said = {"canary": "true", "canary-weight": "10"}
    conversion = convert([*others, ingress(said, name="second", service="v3")])
    told = [remark for remark in conversion.remarks if remark.ingress == "second"]
    assert [(each.subject, each.outcome) for each in told] == [(name, Outcome.LEFT) for name in said]
    assert all(why in each.says for each in told)
    assert "v3" not in conversion.manifest


def test_a_canary_for_one_path_is_for_that_path():
    main = ingress()
    entry = main["spec"]["rules"][0]["http"]["paths"][0]
    main["spec"]["rules"][0]["http"]["paths"].append(entry | {"path": "/cart"})
    canary = ingress({"canary": "true", "canary-weight": "10"}, name="canary", service="v2", path="/cart")
    (route,) = made(convert([main, canary]), "HTTPRoute")
    assert [len(rule["backendRefs"]) for rule in route["rules"]] == [1, 2]


def test_both_sides_are_shown():
    conversion = convert([ingress({"configuration-snippet": "<b>", "use-regex": "false"})])
    page = BothSides(conversion)._repr_html_()
    assert "<b>HTTPRoute</b> shop-shop-example-com" in page
    assert "configuration-snippet: &lt;b&gt;" in page
    assert "✗ shop  configuration-snippet: <b>\n    no equivalent: it is nginx's own" in repr(BothSides(conversion))
    assert list(yaml.safe_load_all(conversion.manifest)) == list(conversion.objects)
    assert list(conversion.frame().columns) == ["ingress", "says", "value", "outcome", "how"]


NAMES = st.sampled_from(
    [
        *_CONVERTERS,
        *REASONS,
        *COMPANIONS,
        "rewrite-target",
        "use-regex",
        "ssl-redirect",
        "force-ssl-redirect",
        "unheard-of",
    ]
)
VALUES = st.sampled_from(
    ["true", "false", "", "5", "-1", "cookie", "basic", "GRPC", "https", "/x", "/$1", "/y/$2", "error http_503", "off",
     "https://a.example.com/b?c=d", "https://a.example.com$request_uri", "$host", "a.example.com", "ewma", "users",
     "$remote_addr", "$cookie_x", "308", "ftp://a", "http://a:0/", "http://[::1", "http://A_b/", "no url", "*.a"]
)  # fmt: skip
PATHS = st.sampled_from(["/", "/a", "/A/b/", "/a(/|$)(.*)", "/a/(.*)", "/(.*)", "/x/?(.*)", "/[0-9]+$", "/(?!x)"])


@given(st.dictionaries(NAMES, VALUES, max_size=8), PATHS, st.booleans())
def test_every_annotation_is_told_of_once_and_what_is_made_is_valid(annotations, path, tls):
    secured = {"tls": [{"hosts": ["shop.example.com"], "secretName": "cert"}]} if tls else {}
    conversion = convert([ingress(annotations, path=path, kind="ImplementationSpecific", **secured)])
    subjects = [remark.subject for remark in conversion.remarks]
    assert {name: subjects.count(name) for name in annotations} == dict.fromkeys(annotations, 1)
    for item in conversion.objects:
        assert_valid(item)


SEGMENTS = st.lists(st.text("abz09", min_size=1, max_size=3), max_size=3).map(
    lambda parts: "".join(f"/{p}" for p in parts)
)


@given(SEGMENTS, SEGMENTS, SEGMENTS, st.sampled_from(["(/|$)(.*)", "/(.*)"]))
def test_a_rewrite_of_a_prefix_does_what_the_expression_did(prefix, rest, base, form):
    """Where ingress-nginx rewrites a path by its expression, the route's prefix gives the same path."""
    if form == "(/|$)(.*)" and not prefix:
        return
    expression, group = prefix + form, 2 if "|" in form else 1
    found = paths.rewritten(expression, f"{base}/${group}")
    asked = f"{prefix}{rest}" if rest else f"{prefix}/"
    by_nginx = re.sub(f"^{expression}", lambda match: f"{base}/{match[group]}", asked)
    kept = found.rewrite["replacePrefixMatch"].rstrip("/")
    by_route = (kept + asked.removeprefix(found.match["value"].rstrip("/"))) or "/"
    assert by_route == by_nginx


def decided_by_nginx(said, headers, cookies):
    """Return whom ingress-nginx sends a request to: the canary, the main one, or whoever the weights say."""
    value = headers.get("X-Canary")
    if wanted := said.get("canary-by-header-value"):
        if value == wanted:
            return "canary"
    elif value in ("always", "never"):
        return "canary" if value == "always" else "main"
    chosen = cookies.get("early")
    return {"always": "canary", "never": "main"}.get(chosen, "weights") if "canary-by-cookie" in said else "weights"


def decided_by_route(rules, headers):
    """Return the same for a route: the first of the rules that ask for a header, then the one that asks for none."""
    for rule in sorted(rules, key=lambda rule: -len(rule["matches"][0].get("headers", ()))):
        asked = rule["matches"][0].get("headers", [])
        if all(re.fullmatch(*_expression(each), headers.get(each["name"], "")) for each in asked if True):
            names = [backend["name"] for backend in rule["backendRefs"]]
            return {("v1",): "main", ("v2",): "canary"}.get(tuple(names), "weights") if asked else "weights"
    return "none"


def _expression(header):
    return (header["value"] if header.get("type") == "RegularExpression" else re.escape(header["value"]),)


@given(
    st.sampled_from([{}, {"canary-by-header-value": "blue"}]),
    st.sampled_from([{}, {"canary-by-cookie": "early"}]),
    st.sampled_from([None, "always", "never", "blue", "green"]),
    st.dictionaries(st.sampled_from(["early", "earlyish", "nearly", "x"]), st.sampled_from(["always", "never", "a"])),
)
def test_a_canary_is_chosen_as_ingress_nginx_does(by_value, by_cookie, value, cookies):
    said = {"canary": "true", "canary-by-header": "X-Canary", "canary-weight": "20", **by_value, **by_cookie}
    (route,) = made(convert([ingress(), ingress(said, name="canary", service="v2")]), "HTTPRoute")
    headers = {} if value is None else {"X-Canary": value}
    cookie = {"Cookie": "; ".join(f"{key}={content}" for key, content in cookies.items())} if cookies else {}
    assert decided_by_route(route["rules"], headers | cookie) == decided_by_nginx(said, headers, cookies)
    weights = [backend.get("weight") for backend in route["rules"][-1]["backendRefs"]]
    assert weights == [80, 20]
