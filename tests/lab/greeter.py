"""An operator for ``test_operator``: a Greeting makes a ConfigMap that says hello, and one that says goodbye."""

import kopf
import kubernetes


def _write(name, namespace, text, owned):
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"text": text}}
    if owned:
        kopf.adopt(body)
    core = kubernetes.client.CoreV1Api(kubernetes.config.new_client_from_config())
    try:
        core.create_namespaced_config_map(namespace, body)
    except kubernetes.client.ApiException as error:
        if error.status != 409:
            raise
        core.patch_namespaced_config_map(name, namespace, body)


@kopf.on.create("greetings")
@kopf.on.update("greetings")
def greet(spec, name, namespace, patch, body, **_):
    text = f"hello {spec['name']}"
    _write(f"greeting-{name}", namespace, text, owned=True)
    patch.status["said"] = text
    kopf.info(body, reason="Greeted", message=f"said {text}")


@kopf.on.delete("greetings")
def part(spec, name, namespace, **_):
    _write(f"farewell-{name}", namespace, f"goodbye {spec['name']}", owned=False)
