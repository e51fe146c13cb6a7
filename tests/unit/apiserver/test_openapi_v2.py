"""OpenAPI v2 in Protobuf: what kubectl 1.20 reads."""

from calico_lab.local.apiserver.openapi_v2 import CONTENT_TYPE
from calico_lab.local.apiserver.protobuf import _entries


def inner(data, *numbers):
    """Return the contents of a field of a field of a message."""
    for number in numbers[:-1]:
        data = next(value for found, value in _entries(data) if found == number)
    return [value for found, value in _entries(data) if found == numbers[-1]]


def definitions(body):
    """Return the schemas by name."""
    return {inner(entry, 1)[0].decode(): inner(entry, 2)[0] for entry in inner(body, 9, 1)}


async def test_every_kind_has_its_schema(ask, gateway_api):
    answer = await ask("GET", "/openapi/v2")
    found = definitions(answer.body)
    assert inner(answer.body, 1) == [b"2.0"]
    assert {"io.k8s.api.apps.v1.Deployment", "io.k8s.api.core.v1.PodSpec"} <= found.keys()
    assert any(name.endswith("v1.HTTPRoute") for name in found)
    # A reference to another definition, and what names the kind.
    properties = {
        inner(entry, 1)[0]: inner(entry, 2)[0] for entry in inner(found["io.k8s.api.apps.v1.Deployment"], 25, 1)
    }
    assert inner(properties[b"spec"], 1) == [b"#/definitions/io.k8s.api.apps.v1.DeploymentSpec"]
    names = [inner(entry, 1)[0] for entry in inner(found["io.k8s.api.apps.v1.Deployment"], 31)]
    assert names == [b"x-kubernetes-group-version-kind"]


async def test_it_says_what_it_is(server, ask):
    from support.kubectl import TOKEN

    from calico_lab.local.wire import Request

    request = Request("GET", "/openapi/v2", headers={"authorization": f"Bearer {TOKEN}"})
    assert (await server.handle(request)).content_type == CONTENT_TYPE
