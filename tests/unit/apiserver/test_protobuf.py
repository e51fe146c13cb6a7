"""Kubernetes' Protobuf bodies, down to the bytes."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calico_lab import errors
from calico_lab.local.apiserver.protobuf import decode

# A type's name, and a ConfigMap with the name "a" and the datum x=y.
NAMESPACE = b"\x0a\x0f\x0a\x02v1\x12\x09Namespace"
CONFIG_MAP = b"\x0a\x0f\x0a\x02v1\x12\x09ConfigMap" + b"\x12\x0d" + b"\x0a\x03\x0a\x01a" + b"\x12\x06\x0a\x01x\x12\x01y"


def test_a_message_is_what_its_json_would_be():
    identity = {"apiVersion": "v1", "kind": "ConfigMap"}
    assert decode(b"k8s\0" + CONFIG_MAP) == identity | {"metadata": {"name": "a"}, "data": {"x": "y"}}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "does not appear to be a protobuf message"),
        (b"k8s\0", 'no kind "" is registered'),
        (b"k8s\0" + CONFIG_MAP[:-1], "unexpected EOF"),
        (b"k8s\0" + NAMESPACE + b"\x12\x02\x0a\xff", "unexpected EOF"),
        (b"k8s\0" + NAMESPACE + b"\x12\x02\x0b\x00", "illegal wireType 3"),
        (b"k8s\0" + NAMESPACE + b"\x12\x02\x08\x01", "wrong wireType"),
        (b"k8s\0" + NAMESPACE + b"\x12\x05\x0a\x03\x0a\x01\xff", "can't decode byte"),
        (b"k8s\0" + NAMESPACE.replace(b"Namesp", b"Namesq"), 'no kind "Namesqace" is registered'),
    ],
)
def test_what_is_no_such_message_is_refused(body, message):
    with pytest.raises(errors.BadRequest, match=message):
        decode(body)


@given(st.binary(max_size=60), st.integers(0, 40))
def test_no_bytes_do_harm(noise, position):
    body = CONFIG_MAP[:position] + noise + CONFIG_MAP[position:]
    with contextlib.suppress(errors.BadRequest):
        assert isinstance(decode(b"k8s\0" + body), dict)


async def test_fields_of_a_later_version_are_left_out(ask):
    later = b"k8s\0" + CONFIG_MAP.replace(b"\x12\x0d", b"\x12\x11") + b"\xfa\x01\x01z"
    answer = await ask(
        "POST", "/api/v1/namespaces/default/configmaps", later, content_type="application/vnd.kubernetes.protobuf"
    )
    assert (answer.status, answer.body["data"]) == (201, {"x": "y"})
