import json

from calico_lab.tools import access_log
from calico_lab.tools.access_log import Request

ENTRY = {
    "start_time": "2026-11-25T22:53:52.397Z", ":authority": "www.example.com", "x-envoy-origin-path": "/round",
    "response_code": 200, "response_flags": "-", "response_code_details": "via_upstream",
    "downstream_remote_address": "10.0.1.10:56488", "downstream_local_address": "10.48.2.2:10080",
    "upstream_local_address": "10.48.2.2:37834", "upstream_host": "10.48.1.2:3000", "x-forwarded-for": "10.0.1.10",
}  # fmt: skip


def test_a_request_with_every_address_on_its_way():
    (request,) = access_log.parse(json.dumps(ENTRY))
    assert request == Request(
        "2026-11-25T22:53:52.397Z", "www.example.com", "/round", 200, "-", "10.48.1.2:3000", "via_upstream",
        "10.0.1.10:56488", "10.48.2.2:10080", "10.48.2.2:37834", "10.0.1.10",
    )  # fmt: skip


def test_a_request_that_envoy_answered_itself_went_to_nobody():
    (request,) = access_log.parse(json.dumps(ENTRY | {"upstream_host": None, "response_code": 500}))
    assert (request.status, request.upstream) == (500, "")


def test_what_is_no_request_is_left_out():
    lines = ["[info] starting", "[]", "7", '{"start_time": "now"}', json.dumps(ENTRY | {"response_code": "-"}), ""]
    assert access_log.parse("\n".join(lines)) == []
