"""Real kubectl against an API server in this process, over TLS on loopback."""

import asyncio
import base64
import contextlib
import datetime
import ipaddress
import json
import os
import socket
import ssl
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from calico_lab.local.apiserver import http

KUBECTL = Path(sys.prefix) / "bin" / "kubectl"
TOKEN = "a-token-of-the-tests"


def certificate(folder):
    """Write a throwaway certificate for 127.0.0.1 and return what a server and its clients need."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(days=1))
    signed = builder.add_extension(address, critical=False).sign(key, hashes.SHA256())
    pem = signed.public_bytes(serialization.Encoding.PEM)
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "both.pem").write_bytes(pem + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    return pem, context


class Kubectl:
    """Runs kubectl with a kubeconfig and a home of its own."""

    def __init__(self, folder, port, authority):
        self.folder = folder
        self.port = port
        cluster = {
            "server": f"https://127.0.0.1:{port}",
            "certificate-authority-data": base64.b64encode(authority).decode(),
        }
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "lab", "cluster": cluster}],
            "users": [{"name": "lab", "user": {"token": TOKEN}}],
            "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab"}}],
            "current-context": "lab",
        }
        (folder / "kubeconfig").write_text(json.dumps(config))

    async def __call__(self, *arguments, given="", **environment):
        """Return the exit code and what kubectl wrote."""
        process = await asyncio.create_subprocess_exec(
            KUBECTL,
            *arguments,
            env={
                "KUBECONFIG": str(self.folder / "kubeconfig"),
                "HOME": str(self.folder),
                "PATH": os.environ["PATH"],
                **environment,
            },
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await asyncio.wait_for(process.communicate(given.encode()), 20)
        return process.returncode, output.decode()


@contextlib.asynccontextmanager
async def serving(server, folder):
    """Serve a server on loopback while the block runs; gives kubectl for it, which keeps its files in ``folder``."""
    authority, context = certificate(folder)
    listening = socket.create_server(("127.0.0.1", 0))
    task = asyncio.create_task(http.serve(server.handle, [listening], context))
    await asyncio.sleep(0)
    try:
        yield Kubectl(folder, listening.getsockname()[1], authority)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
