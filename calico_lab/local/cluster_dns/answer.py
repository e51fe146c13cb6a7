"""From a DNS query to its answer, both as bytes (RFC 1035), with the library dnspython."""

from __future__ import annotations

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdatatype
import dns.rrset

from calico_lab.local.cluster_dns.records import ZONE, Cluster, Records, find, in_zone

TTL_SECONDS = 5
_ORIGIN = ".".join(ZONE) + "."
_AUTHORITY = f"ns.dns.{_ORIGIN} hostmaster.{_ORIGIN} 1 7200 1800 86400 {TTL_SECONDS}"
# What fits into a UDP packet where a client doesn't say that it takes more (RFC 6891).
_SMALLEST_PAYLOAD = 512


def answer(query: bytes, cluster: Cluster, *, over_udp: bool = True) -> bytes | None:
    """Answer a query; None for bytes that are no query at all.

    Names outside the cluster's zone are refused: the lab has no way out, so nobody can be asked.
    """
    try:
        asked = dns.message.from_wire(query)
    except dns.exception.DNSException:
        return None
    if asked.flags & dns.flags.QR:
        return None
    reply = dns.message.make_response(asked)
    if asked.opcode() != dns.opcode.QUERY or len(asked.question) != 1:
        reply.set_rcode(dns.rcode.NOTIMP)
    else:
        _fill(reply, cluster)
    size = max(asked.payload, _SMALLEST_PAYLOAD) if over_udp else 65535
    try:
        return reply.to_wire(max_size=size)
    except dns.exception.TooBig:
        reply.answer.clear()
        reply.flags |= dns.flags.TC
        return reply.to_wire(max_size=size)


def _fill(reply: dns.message.Message, cluster: Cluster) -> None:
    question = reply.question[0]
    labels = tuple(label.decode(errors="replace").lower() for label in question.name.labels if label)
    if not in_zone(labels):
        reply.set_rcode(dns.rcode.REFUSED)
        return
    reply.flags |= dns.flags.AA
    records = find(labels, cluster)
    found = _texts(records or Records(), question.rdtype)
    if found:
        reply.answer.append(dns.rrset.from_text(question.name, TTL_SECONDS, "IN", question.rdtype, *found))
        return
    if records is None:
        reply.set_rcode(dns.rcode.NXDOMAIN)
    reply.authority.append(dns.rrset.from_text(_ORIGIN, TTL_SECONDS, "IN", "SOA", _AUTHORITY))


def _texts(records: Records, kind: int) -> list[str]:
    if kind == dns.rdatatype.A:
        return list(records.addresses)
    if kind == dns.rdatatype.SRV:
        return [f"0 100 {target.port} {target.host}." for target in records.targets]
    return []
