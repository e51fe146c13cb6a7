"""HTTPS, TLS passthrough and TCP from the bastion to nginx and echo-basic; a certificate that is rotated under load."""

import json
import threading
import time
from pathlib import Path

import pytest
from support import certificates, labs
from support.eventually import wait_until

MANIFESTS = Path(__file__).with_name("listeners.yaml")
OWN, FIRST, SECOND = (certificates.pair(name) for name in ("echo.example.com", *["www.example.com"] * 2))


@pytest.fixture(scope="module")
def lab():
    with labs.running_lab("listeners") as lab:
        labs.calico_lab("reset", "--name", lab.name, "--to", "hey")
        for name, content in (("own", OWN), ("edge", FIRST)):
            apply_secret(lab, name, content)
        lab.kubectl("apply", "-f", str(MANIFESTS))
        lab.kubectl("rollout", "status", "deployment/echo", "deployment/web")
        lab.kubectl("wait", "--for=condition=Programmed", "gateway/gw", "--timeout=10s")
        yield lab


def apply_secret(lab, name, content):
    secret = certificates.tls_secret(name, content)
    manifest = {"apiVersion": "v1", "kind": "Secret", "type": secret["type"], "data": secret["data"]}
    lab.kubectl("apply", "-f", "-", stdin=json.dumps(manifest | {"metadata": {"name": name}}))


@pytest.fixture(scope="module")
def address(lab):
    return lab.get("gateway", "gw")["status"]["addresses"][0]["value"]


def curl(lab, address, url, *options):
    host = url.split("/")[2].partition(":")[0]
    resolve = " ".join(f"--resolve {host}:{port}:{address}" for port in (80, 443, 8080))
    return lab.bastion(f"curl -sk {resolve} {' '.join(options)} {url}").stdout


def test_nginx_answers_over_http_https_and_tcp(lab, address):
    urls = ["http://www.example.com/", "https://www.example.com/", "http://www.example.com:8080/"]
    assert [curl(lab, address, url) for url in urls] == ["a page\n"] * 3


def test_the_name_decides_who_ends_tls(lab, address):
    """For one the gateway, for the other the pod: it sees TLS itself."""
    assert "HTTP/2" in curl(lab, address, "https://www.example.com/", "-o /dev/null -w 'HTTP/%{http_version}'")
    answer = json.loads(curl(lab, address, "https://echo.example.com/hello"))
    assert (answer["path"], answer["tls"]["serverName"]) == ("/hello", "echo.example.com")


def shown(lab, address, name="www.example.com"):
    script = (
        f"echo | openssl s_client -connect {address}:443 -servername {name} 2>/dev/null | openssl x509 -noout -serial"
    )
    return lab.bastion(script).stdout


def test_a_rotated_certificate_is_taken_up_while_requests_run(lab, address):
    before = shown(lab, address)
    load = f"hey -z 3s -c 4 -disable-keepalive -host www.example.com https://{address}/"
    outcome = []
    thread = threading.Thread(target=lambda: outcome.append(lab.bastion(load).stdout))
    time.sleep(0.5)
    thread.start()
    for content in (SECOND, FIRST, SECOND):
        time.sleep(0.7)
        apply_secret(lab, "edge", content)
    thread.join()
    assert shown(lab, address) not in ("", before)
    assert "[200]" in outcome[0], outcome[0]
    assert "Error distribution" not in outcome[0], outcome[0]


def test_the_service_has_the_listeners_ports(lab):
    (service,) = lab.get("service", "-n", "tigera-gateway", "-l", "gateway.envoyproxy.io/owning-gateway-name=gw")[
        "items"
    ]
    ports = [(port["name"], port["port"], port["targetPort"]) for port in service["spec"]["ports"]]
    assert ports == [("http-80", 80, 10080), ("https-443", 443, 10443), ("tcp-8080", 8080, 8080)]


def test_no_private_key_stands_in_a_config_map(lab):
    everything = lab.kubectl("get", "configmaps", "-A", "-o", "json")
    assert FIRST.certificate.splitlines()[1] not in everything
    assert "PRIVATE KEY" not in everything


def test_a_listener_whose_secret_is_gone_says_so_and_the_others_go_on(lab, address):
    lab.kubectl("delete", "secret", "edge")
    path = '{.status.listeners[?(@.name=="https")].conditions[?(@.type=="ResolvedRefs")].reason}'
    lab.kubectl("wait", f"--for=jsonpath={path}=InvalidCertificateRef", "gateway/gw", "--timeout=10s")
    assert curl(lab, address, "http://www.example.com/") == "a page\n"
    assert json.loads(curl(lab, address, "https://echo.example.com/"))["tls"]
    apply_secret(lab, "edge", SECOND)
    wait_until(lambda: curl(lab, address, "https://www.example.com/") == "a page\n")


def test_an_added_and_a_removed_port_follow(lab, address):
    added = '[{"op": "add", "path": "/spec/listeners/-", "value": {"name": "late", "protocol": "TCP", "port": 9000}}]'
    lab.kubectl("patch", "gateway", "gw", "--type=json", "-p", added)
    route = '[{"op": "replace", "path": "/spec/parentRefs/0/sectionName", "value": "late"}]'
    lab.kubectl("patch", "tcproute", "pages", "--type=json", "-p", route)
    wait_until(lambda: lab.bastion(f"curl -s --max-time 1 http://{address}:9000/").stdout == "a page\n")
    # Nobody is behind the old port now: connections are closed.
    assert lab.bastion(f"curl -s --max-time 1 http://{address}:8080/").returncode != 0


def test_envoy_took_all_of_it(lab):
    log = lab.kubectl("logs", "-n", "tigera-gateway", "-l", "app.kubernetes.io/component=proxy", "--tail=-1")
    warnings = [line for line in log.splitlines() if "[warning]" in line and "Invalid path" not in line]
    assert warnings == []
