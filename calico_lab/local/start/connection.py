"""The two files by which clients find a lab: a kubeconfig and an SSH configuration, as text.

Formats: https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ and ssh_config(5).
"""

from __future__ import annotations

import base64
from pathlib import Path

from calico_lab.local.start.settings import Credentials
from calico_lab.local.topology import BASTION, NODES

USER = "kubernetes-admin"
WITH_CERTIFICATE = "calico-lab-certificate"
EXTENSION = "calico-lab"


def kubeconfig(
    server: str, credentials: Credentials, *, lab: str = "", ssh_config: Path | None = None, reset: str = ""
) -> str:
    """Return the kubeconfig for an API server at the URL ``server``.

    With ``ssh_config`` the cluster carries the extension that announces to the course the lab, its bastion, its nodes
    and ``reset``, the shell command that makes it fresh; and there is a second context, with a client certificate in
    place of the token.
    """
    authority = _base64(credentials.certificate_authority)
    extensions = _extensions(lab, ssh_config, reset) if ssh_config is not None else ""
    second_context, second_user = _with_certificate(credentials) if ssh_config is not None else ("", "")
    return f"""\
apiVersion: v1
kind: Config
current-context: calico-lab
clusters:
- name: calico-lab
  cluster:
    server: {server}
    certificate-authority-data: {authority}
{extensions}contexts:
- name: calico-lab
  context:
    cluster: calico-lab
    user: {USER}
    namespace: default
{second_context}users:
- name: {USER}
  user:
    token: {credentials.token}
{second_user}"""


def _with_certificate(credentials: Credentials) -> tuple[str, str]:
    context = f"""\
- name: {WITH_CERTIFICATE}
  context:
    cluster: calico-lab
    user: {WITH_CERTIFICATE}
    namespace: default
"""
    user = f"""\
- name: {WITH_CERTIFICATE}
  user:
    client-certificate-data: {_base64(credentials.admin_certificate)}
    client-key-data: {_base64(credentials.admin_key)}
"""
    return context, user


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _extensions(lab: str, ssh_config: Path, reset: str) -> str:
    return f"""\
    extensions:
    - name: {EXTENSION}
      extension:
        name: {lab}
        ssh_config: {_quoted(str(ssh_config))}
        nodes: {_quoted(" ".join(node.name for node in NODES))}
        reset: {_quoted(reset)}
"""


def ssh_config(port: int, identity: Path, known_hosts: Path) -> str:
    """Return an SSH configuration with all hosts of the lab, at ``port`` of this machine.

    One server answers for all of them: the name of the user says on which host.
    """
    users = {BASTION.name: "root"} | {node.name: node.name for node in NODES}
    each = "\n".join(f"Host {host}\n    User {user}\n" for host, user in users.items())
    return f"""\
{each}
Host {" ".join(users)}
    HostName 127.0.0.1
    Port {port}
    IdentityFile {_quoted(str(identity))}
    IdentitiesOnly yes
    UserKnownHostsFile {_quoted(str(known_hosts))}
    StrictHostKeyChecking yes
"""


def known_hosts(port: int, credentials: Credentials) -> str:
    """Return the line of a known_hosts file that vouches for the lab's hosts."""
    return f"[127.0.0.1]:{port} {credentials.ssh_host_public_key}\n"


def _quoted(text: str) -> str:
    """Quote a line alike for YAML and ssh_config."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
