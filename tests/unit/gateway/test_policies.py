from support.gateway_api import GATEWAY, POLICY, ROUTE, http_route, model, policy, resolved, told

ACCEPTED = ("Accepted", "True", "Accepted", "Policy has been accepted.")


def statuses(*policies, **changes):
    return resolved(backend_traffic_policies=policies, **changes).backend_traffic_policy_statuses


def conditions(name, *policies):
    (ancestor,) = statuses(*policies)[POLICY._replace(name=name)]["ancestors"]
    return told(ancestor["conditions"])


def spread(*policies):
    (destination,) = model(backend_traffic_policies=policies).destinations()
    return destination.traffic.load_balancer


def on_gateway(name, balancer="Random", **content):
    return policy(name, kind="Gateway", target=GATEWAY.name, load_balancer=balancer, **content)


def test_a_policy_tells_the_gateways_of_its_route():
    parents = [{"name": GATEWAY.name, "sectionName": "http"}]
    (ancestor,) = statuses(policy(), http_routes=[http_route(parentRefs=parents)])[POLICY]["ancestors"]
    assert ancestor["ancestorRef"] == {
        "group": "gateway.networking.k8s.io",
        "kind": "Gateway",
        "namespace": "default",
        "name": GATEWAY.name,
        "sectionName": "http",
    }
    assert told(ancestor["conditions"]) == [ACCEPTED]


def test_a_policy_without_its_target_has_no_status():
    assert statuses(policy(target="misspelt")) == {}


def test_without_a_policy_requests_go_to_the_least_busy():
    assert spread() == "LeastRequest"


def test_of_two_policies_on_a_route_the_older_wins():
    both = policy("young", created=2, load_balancer="Random"), policy("old", created=1)
    text = f"Unable to target HTTPRoute {ROUTE.name}, another BackendTrafficPolicy has already attached to it"
    assert spread(*both) == "RoundRobin"
    assert conditions("old", *both) == [ACCEPTED]
    assert conditions("young", *both) == [("Accepted", "False", "Conflicted", text)]


def test_of_two_policies_of_an_age_the_first_by_name_wins():
    assert spread(policy("b", load_balancer="Random"), policy("a")) == "RoundRobin"


def test_of_two_policies_on_a_gateway_the_older_wins():
    both = on_gateway("old"), on_gateway("young", "RoundRobin", created=2)
    text = f"Unable to target Gateway {GATEWAY.name}, another BackendTrafficPolicy has already attached to it"
    assert spread(*both) == "Random"
    assert conditions("young", *both) == [("Accepted", "False", "Conflicted", text)]


def test_a_policy_on_a_route_overrides_the_gateways():
    both = on_gateway("wide"), policy("narrow", created=5)
    text = f"This policy is being overridden by other backendTrafficPolicies for these routes: [{ROUTE}]"
    assert spread(*both) == "RoundRobin"
    assert conditions("wide", *both) == [ACCEPTED, ("Overridden", "True", "Overridden", text)]


def test_a_policy_selects_routes_by_label():
    selecting = policy()
    selecting["spec"] = {
        "targetSelectors": [{"kind": "HTTPRoute", "matchLabels": {"app": "x"}}],
        "loadBalancer": {"type": "Random"},
    }
    route = http_route()
    route["metadata"]["labels"] = {"app": "x"}
    (destination,) = model(backend_traffic_policies=[selecting], http_routes=[route]).destinations()
    assert destination.traffic.load_balancer == "Random"
