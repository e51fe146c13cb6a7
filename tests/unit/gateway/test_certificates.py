"""Secrets of listeners: what each fault makes of a listener's status."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from support.certificates import pair, tls_secret
from support.gateway_api import GATEWAY, gateway, item, resolved, secure, told

GOOD = pair("www.example.com")
BAD = ("Programmed", "False", "Invalid", "Listener is invalid, see other Conditions for details.")


def conditions(*secrets, listener=None, **changes):
    changes = {"gateways": [gateway(listener or secure())], "secrets": list(secrets)} | changes
    return told(resolved(**changes).gateway_statuses[GATEWAY]["listeners"][0]["conditions"])


def fault(*secrets, **changes):
    entries = conditions(*secrets, **changes)
    assert entries[1] == BAD
    (kind, status, reason, message) = entries[0]
    assert (kind, status) == ("ResolvedRefs", "False")
    return reason, message


def test_a_listener_with_its_certificate_is_programmed():
    assert [entry[:3] for entry in conditions(tls_secret("example-cert", GOOD))] == [
        ("Programmed", "True", "Programmed"),
        ("Accepted", "True", "Accepted"),
        ("ResolvedRefs", "True", "ResolvedRefs"),
    ]


VALID = "Secret default/example-cert must contain valid tls.crt and tls.key, "
FAULTS = {
    "missing": ([], "Secret default/example-cert does not exist."),
    "type": (
        [tls_secret("example-cert", GOOD, type="Opaque")],
        "Secret default/example-cert must be of type kubernetes.io/tls.",
    ),
    "empty": (
        [tls_secret("example-cert", GOOD, data={"tls.key": ""})],
        "Secret default/example-cert must contain tls.crt and tls.key.",
    ),
    "certificate": (
        [tls_secret("example-cert", GOOD, data={"tls.crt": "nonsense"})],
        VALID + "unable to validate certificate in tls.crt: pem decode failed.",
    ),
    "expired": (
        [tls_secret("example-cert", pair("a", age=timedelta(days=2)))],
        VALID + "unable to validate certificate in tls.crt: certificate is expired.",
    ),
    "not yet": (
        [tls_secret("example-cert", pair("a", age=timedelta(days=-2)))],
        VALID + "unable to validate certificate in tls.crt: certificate is not yet valid.",
    ),
    "key": (
        [tls_secret("example-cert", GOOD, data={"tls.key": "nonsense"})],
        VALID + "unable to decode pem data in tls.key.",
    ),
    "key format": (
        [tls_secret("example-cert", GOOD, data={"tls.key": GOOD.key.replace("PRIVATE KEY", "DSA KEY")})],
        VALID + "DSA KEY key format found in tls.key, supported formats are PKCS1, PKCS8 or EC.",
    ),
    "key content": (
        [tls_secret("example-cert", GOOD, data={"tls.key": GOOD.key[:40] + "\n" + GOOD.key[60:]})],
        VALID + "unable to parse PKCS8 formatted private key in tls.key.",
    ),
    "other key": (
        [tls_secret("example-cert", GOOD, data={"tls.key": pair("a").key})],
        "Secret default/example-cert must contain a matching tls.crt and tls.key: "
        "tls: private key does not match public key.",
    ),
    "short key": (
        [tls_secret("example-cert", pair("a", key=rsa.generate_private_key(65537, 1024)))],
        "Secret default/example-cert cannot be used: its RSA key has 1024 bits, and Envoy takes no fewer than 2048.",
    ),
}


@pytest.mark.parametrize(("secrets", "message"), FAULTS.values(), ids=FAULTS)
def test_a_listener_with_a_faulty_secret_is_not_programmed(secrets, message):
    assert fault(*secrets) == ("InvalidCertificateRef", message)


def test_two_certificates_of_one_algorithm_for_one_name_are_refused():
    secrets = [tls_secret("one", GOOD), tls_secret("two", pair("www.example.com"))]
    text = (
        "Secret default/two public key algorithm must be unique, certificate domain www.example.com has a "
        "conflicting algorithm [ECDSA]."
    )
    assert fault(*secrets, listener=secure("https", "one", "two")) == ("InvalidCertificateRef", text)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ({"group": "example.com"}, "Listener's TLS certificate ref group must be unspecified/empty."),
        ({"kind": "ConfigMap"}, "Listener's TLS certificate ref kind must be Secret."),
    ],
)
def test_only_secrets_are_certificates(reference, message):
    asked = secure(tls={"certificateRefs": [{"name": "example-cert"} | reference]})
    assert fault(tls_secret("example-cert", GOOD), listener=asked) == ("InvalidCertificateRef", message)


ELSEWHERE = secure(tls={"certificateRefs": [{"name": "example-cert", "namespace": "other"}]})


def grant(kind="Gateway", to_kind="Secret", **to):
    origin = {"group": "gateway.networking.k8s.io", "kind": kind, "namespace": "default"}
    return item("ReferenceGrant", "g", "other", spec={"from": [origin], "to": [{"group": "", "kind": to_kind} | to]})


@pytest.mark.parametrize("grants", [[], [grant("HTTPRoute")], [grant(to_kind="Service")], [grant(name="x")]])
def test_a_secret_of_another_namespace_needs_a_grant(grants):
    text = "Certificate ref to secret other/example-cert not permitted by any ReferenceGrant."
    told_so = fault(tls_secret("example-cert", GOOD, "other"), listener=ELSEWHERE, reference_grants=grants)
    assert told_so == ("RefNotPermitted", text)


def test_with_a_grant_it_is_used():
    secrets = [tls_secret("example-cert", GOOD, "other")]
    found = resolved(gateways=[gateway(ELSEWHERE)], secrets=secrets, reference_grants=[grant()]).gateways[GATEWAY]
    assert [each.name for each in found.certificates()] == ["other/example-cert"]


def test_a_key_is_not_shown_where_a_model_is_printed():
    found = resolved(gateways=[gateway(secure())], secrets=[tls_secret("example-cert", GOOD)]).gateways[GATEWAY]
    assert GOOD.certificate.splitlines()[1] in repr(found)
    assert GOOD.key.splitlines()[1] not in repr(found)
