"""DNS queries and their answers, as bytes."""

import dns.flags
import dns.message
import dns.rcode
import pytest
from hypothesis import given
from hypothesis import strategies as some

from calico_lab.local.cluster_dns.answer import answer
from calico_lab.local.cluster_dns.records import Cluster

MANY = [{"addresses": [f"10.48.1.{number}"]} for number in range(1, 61)]
CLUSTER = Cluster(
    namespaces=lambda: ["default"],
    service=lambda _, name: {"web": {"spec": {"clusterIP": "10.49.1.1"}}, "many": {"spec": {"clusterIP": "None"}}}.get(
        name
    ),
    slices=lambda _, name: [{"endpoints": MANY}] if name == "many" else [],
)


def ask(name, kind="A", **options):
    query = dns.message.make_query(name, kind)
    reply = dns.message.from_wire(answer(query.to_wire(), CLUSTER, **options))
    assert query.is_response(reply)
    return reply


def test_address_of_a_service():
    reply = ask("Web.default.svc.CLUSTER.local")
    assert str(reply.answer[0]) == "Web.default.svc.CLUSTER.local. 5 IN A 10.49.1.1"
    assert reply.flags & dns.flags.AA


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("gone.default.svc.cluster.local", "A", dns.rcode.NXDOMAIN),
        ("web.default.svc.cluster.local", "AAAA", dns.rcode.NOERROR),
        ("web.default.svc.cluster.local", "TXT", dns.rcode.NOERROR),
    ],
)
def test_what_is_not_there_comes_with_the_zones_authority(name, kind, code):
    reply = ask(name, kind)
    assert (reply.rcode(), reply.answer) == (code, [])
    assert str(reply.authority[0]).startswith("cluster.local. 5 IN SOA ns.dns.cluster.local. ")


@pytest.mark.parametrize("name", ["www.example.com", "1.0.49.10.in-addr.arpa", "."])
def test_names_outside_the_cluster_are_refused(name):
    assert ask(name).rcode() == dns.rcode.REFUSED


def test_what_does_not_fit_is_cut_off_over_udp_and_whole_over_tcp():
    assert ask("many.default.svc.cluster.local").flags & dns.flags.TC
    whole = ask("many.default.svc.cluster.local", over_udp=False)
    assert len(whole.answer[0]) == 60


def test_other_operations_are_not_implemented():
    query = dns.message.make_query("web.default.svc.cluster.local", "A")
    query.set_opcode(dns.opcode.NOTIFY)
    assert dns.message.from_wire(answer(query.to_wire(), CLUSTER)).rcode() == dns.rcode.NOTIMP


@given(some.binary(max_size=200))
def test_bytes_that_are_no_query_do_no_harm(data):
    reply = answer(data, CLUSTER)
    assert reply is None or len(reply) >= 12
