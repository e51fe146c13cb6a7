"""In which order certificates, clusters and listeners of connections are published."""

from support.certificates import pair, tls_secret
from support.gateway_api import GATEWAY, connection_route, gateway, listener, resolved, secure

from calico_lab.local.envoy import xds

SECRETS = [tls_secret(name, pair(f"{name}.example.com")) for name in ("one", "two")]


def configuration(asked, **changes):
    return xds.configuration(resolved(gateways=[gateway(asked)], secrets=SECRETS, **changes).gateways[GATEWAY])


def test_a_certificate_goes_after_the_listener_that_had_it():
    before, wanted = configuration(secure("https", "one")), configuration(secure("https", "two"))
    step = xds.next_step(before, wanted)
    assert (step.listeners, set(step.certificates)) == (wanted.listeners, {"default/one", "default/two"})
    assert xds.next_step(step, wanted) == wanted


def test_a_cluster_goes_after_the_listener_that_led_to_it():
    def tcp(name):
        return configuration(listener("tcp", 90, "TCP"), tcp_routes=[connection_route("TCPRoute", name=name)])

    before, wanted = tcp("first"), tcp("second")
    step = xds.next_step(before, wanted)
    names = {f"tcproute/default/{name}/rule/-1" for name in ("first", "second")}
    assert names <= set(step.clusters)
    assert step.listeners == wanted.listeners
    assert xds.next_step(step, wanted) == wanted


def test_what_is_published_can_be_read_again_keys_included():
    published = configuration(secure("https", "one", "two"))
    assert xds.read(published.files()) == published


def test_versions_to_wait_for_are_those_that_envoy_tells_always():
    plain, secured = configuration(listener()), configuration(secure("https", "one"))
    assert len(xds.versions(secured.files())) == len(xds.versions(plain.files()))
