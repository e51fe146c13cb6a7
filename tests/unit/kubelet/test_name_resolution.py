import pytest

from calico_lab.local.kubelet.name_resolution import host_name, names, resolv_conf

METADATA = {"name": "p", "namespace": "shop"}
CONFIG = {"nameservers": ["10.0.1.1"], "searches": ["example.com"], "options": [{"name": "ndots", "value": "1"}]}


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (
            {"dnsPolicy": "ClusterFirst"},
            "search shop.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.49.0.10\noptions ndots:5\n",
        ),
        ({"dnsPolicy": "None", "dnsConfig": CONFIG}, "search example.com\nnameserver 10.0.1.1\noptions ndots:1\n"),
        (
            {"dnsConfig": CONFIG},
            "search shop.svc.cluster.local svc.cluster.local cluster.local example.com\n"
            "nameserver 10.49.0.10\nnameserver 10.0.1.1\noptions ndots:1\n",
        ),
    ],
)
def test_resolv_conf(spec, text):
    assert resolv_conf({"metadata": METADATA, "spec": spec}) == text


@pytest.mark.parametrize(
    ("spec", "known_as"),
    [
        ({}, ["p"]),
        ({"hostname": "captain"}, ["captain"]),
        ({"subdomain": "crew"}, ["p.crew.shop.svc.cluster.local", "p"]),
        ({"hostname": "captain", "subdomain": "crew"}, ["captain.crew.shop.svc.cluster.local", "captain"]),
    ],
)
def test_names_of_a_pod(spec, known_as):
    pod = {"metadata": METADATA, "spec": spec}
    assert names(pod) == known_as
    assert host_name(pod) == known_as[-1]


def test_a_host_name_is_cut_to_what_the_kernel_takes():
    assert host_name({"metadata": {"name": "a" * 100}, "spec": {}}) == "a" * 63
