import pytest

from calico_lab.local.kubelet.name_resolution import resolv_conf

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
