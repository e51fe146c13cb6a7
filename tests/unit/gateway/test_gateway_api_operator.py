"""What a GatewayAPI resource brings, seen at the real API server in this process."""

import asyncio
import base64

import pytest
from cryptography import x509
from support.eventually import eventually

from calico_lab.local import resources
from calico_lab.local.client import ApiClient
from calico_lab.local.controllers.gateway_api_operator import GatewayApiOperator
from calico_lab.local.controllers.tigera_gateway import NAMESPACE
from tests.unit.gateway.conftest import TOKEN, Cluster


@pytest.fixture
async def cluster(server):
    client = ApiClient(server.handle, token=TOKEN)
    controller = asyncio.create_task(GatewayApiOperator(client).run())
    await client.create(resources.GATEWAY_APIS, {"metadata": {"name": "default"}})
    yield Cluster(client)
    assert not controller.done()
    controller.cancel()
    await asyncio.gather(controller, return_exceptions=True)


async def secret(cluster, name):
    item = await eventually(lambda: cluster.find(resources.SECRETS, name, NAMESPACE))
    return {key: base64.b64decode(text) for key, text in item["data"].items()}


async def test_envoys_and_envoy_gateway_can_know_each_other(cluster):
    server, client = await secret(cluster, "envoy-gateway"), await secret(cluster, "envoy")
    assert server["ca.crt"] == client["ca.crt"]
    authority = x509.load_pem_x509_certificate(server["ca.crt"])
    for each in (server, client):
        x509.load_pem_x509_certificate(each["tls.crt"]).verify_directly_issued_by(authority)
    names = x509.load_pem_x509_certificate(server["tls.crt"]).extensions
    found = names.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    assert "envoy-gateway.tigera-gateway.svc.cluster.local" in found


async def test_certificates_of_which_one_is_lost_are_both_made_anew(cluster):
    before = await secret(cluster, "envoy")
    await cluster.client.delete(resources.SECRETS, "envoy-gateway", NAMESPACE)

    async def anew():
        found = await cluster.find(resources.SECRETS, "envoy", NAMESPACE)
        return base64.b64decode(found["data"]["tls.crt"]) != before["tls.crt"]

    await eventually(anew)
    assert (await secret(cluster, "envoy-gateway"))["ca.crt"] == (await secret(cluster, "envoy"))["ca.crt"]
