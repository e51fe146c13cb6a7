import pytest

from calico_lab.local.kubelet.service_links import service_links


def service(name, *ports, namespace="default", address="10.49.0.7"):
    metadata = {"name": name, "namespace": namespace}
    return {"metadata": metadata, "spec": {"clusterIP": address, "ports": list(ports)}}


API = service("kubernetes", {"name": "https", "port": 443}, address="10.49.0.1")
SHOP = service("my-shop", {"name": "web-ui", "port": 80}, {"port": 53, "protocol": "UDP"})


def links(*services, **spec):
    return service_links({"metadata": {"namespace": "default"}, "spec": spec}, services)


def test_every_variable_of_a_service():
    assert links(SHOP) == {
        "MY_SHOP_SERVICE_HOST": "10.49.0.7",
        "MY_SHOP_SERVICE_PORT": "80",
        "MY_SHOP_SERVICE_PORT_WEB_UI": "80",
        "MY_SHOP_PORT": "tcp://10.49.0.7:80",
        "MY_SHOP_PORT_80_TCP": "tcp://10.49.0.7:80",
        "MY_SHOP_PORT_80_TCP_PROTO": "tcp",
        "MY_SHOP_PORT_80_TCP_PORT": "80",
        "MY_SHOP_PORT_80_TCP_ADDR": "10.49.0.7",
        "MY_SHOP_PORT_53_UDP": "udp://10.49.0.7:53",
        "MY_SHOP_PORT_53_UDP_PROTO": "udp",
        "MY_SHOP_PORT_53_UDP_PORT": "53",
        "MY_SHOP_PORT_53_UDP_ADDR": "10.49.0.7",
    }


def test_without_service_links_only_the_api_is_told():
    assert {name.split("_")[0] for name in links(API, SHOP, enableServiceLinks=False)} == {"KUBERNETES"}


@pytest.mark.parametrize("other", [service("s", namespace="other"), service("s", address="None")])
def test_neither_other_namespaces_nor_headless_services_are_told(other):
    assert links(other) == {}
