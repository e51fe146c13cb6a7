"""A small operator, written with kopf, for a kind of its own: a stranger's controller at home in the lab."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.labs import RunningLab, running_lab

DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: greetings.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Greeting, plural: greetings, singular: greeting}
  versions:
    - name: v1
      served: true
      storage: true
      subresources: {status: {}}
      additionalPrinterColumns: [{name: Said, type: string, jsonPath: .status.said}]
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: {type: object, required: [name], properties: {name: {type: string}}}
            status: {type: object, x-kubernetes-preserve-unknown-fields: true}
"""
GREETING = "{apiVersion: example.com/v1, kind: Greeting, metadata: {name: first}, spec: {name: %s}}"
SAID = "--for=jsonpath={.status.said}="


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Iterator[RunningLab]:
    with running_lab("operator") as lab:
        lab.kubectl("apply", "-f", "-", stdin=DEFINITION)
        lab.kubectl("wait", "--for=condition=Established", "crd/greetings.example.com", "--timeout=20s")
        log = tmp_path_factory.mktemp("operator") / "log"
        program = Path(__file__).with_name("greeter.py")
        command = [sys.executable, "-m", "kopf", "run", "--standalone", "--namespace=default", str(program)]
        environment = {**os.environ, "KUBECONFIG": str(lab.kubeconfig)}
        with log.open("w") as output:
            operator = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
            try:
                yield lab
            finally:
                operator.terminate()
                operator.wait(timeout=20)
                assert "Traceback" not in log.read_text(), log.read_text()


def test_it_does_its_work_and_writes_the_status(lab):
    lab.kubectl("apply", "-f", "-", stdin=GREETING % "world")
    lab.kubectl("wait", f"{SAID}hello world", "greeting/first", "--timeout=60s", time_limit=70)
    made = lab.get("configmap", "greeting-first")
    assert made["data"] == {"text": "hello world"}
    assert made["metadata"]["ownerReferences"][0]["kind"] == "Greeting"
    assert "hello world" in lab.kubectl("get", "greetings")


def test_it_follows_a_change(lab):
    lab.kubectl("apply", "-f", "-", stdin=GREETING % "moon")
    lab.kubectl("wait", f"{SAID}hello moon", "greeting/first", "--timeout=60s", time_limit=70)


def test_its_event_is_there(lab):
    events = lab.get("events", "--field-selector", "involvedObject.kind=Greeting")["items"]
    assert "said hello world" in [event["message"] for event in events]


def test_the_object_goes_when_its_finalizer_has_run_and_takes_what_it_owns_with_it(lab):
    assert lab.get("greeting", "first")["metadata"]["finalizers"]
    lab.kubectl("delete", "greeting", "first", "--timeout=20s")
    lab.kubectl("wait", "--for=delete", "configmap/greeting-first", "--timeout=20s")
    assert lab.get("configmap", "farewell-first")["data"] == {"text": "goodbye moon"}
