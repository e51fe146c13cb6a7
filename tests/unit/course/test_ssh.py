"""The way to the bastion over SSH, against a real SSH server that runs commands on this machine."""

import asyncio
import os
import subprocess
import sys
import threading

import asyncssh
import pytest

from calico_lab.bastion import Bastion
from calico_lab.errors import CommandError, NoBastionError
from calico_lab.ssh import Address, look_up

HOST_KEY = asyncssh.generate_private_key("ssh-ed25519")
USER_KEY = asyncssh.generate_private_key("ssh-ed25519")


async def run_command(process):
    shell = await asyncio.create_subprocess_shell(process.command or "bash", stdin=-1, stdout=-1, stderr=-1)
    await process.redirect(stdin=shell.stdin, stdout=shell.stdout, stderr=shell.stderr)
    process.exit(await shell.wait())


@pytest.fixture(scope="module")
def port():
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    authorized = asyncssh.import_authorized_keys(USER_KEY.export_public_key().decode())

    async def listen():
        return await asyncssh.listen(
            "127.0.0.1", 0, server_host_keys=[HOST_KEY], authorized_client_keys=authorized,
            encoding=None, process_factory=run_command,
        )  # fmt: skip

    yield asyncio.run_coroutine_threadsafe(listen(), loop).result().get_port()
    loop.call_soon_threadsafe(loop.stop)


@pytest.fixture
def ssh_config(tmp_path, port):
    USER_KEY.write_private_key(tmp_path / "key")
    known = f"[127.0.0.1]:{port} {HOST_KEY.export_public_key().decode()}"
    (tmp_path / "known_hosts").write_text(known)
    config = tmp_path / "ssh_config"
    config.write_text(
        f'Host bastion\n HostName 127.0.0.1\n Port {port}\n User user\n IdentityFile "{tmp_path}/key"\n'
        f' IdentitiesOnly yes\n UserKnownHostsFile "{tmp_path}/known_hosts"\n'
    )
    return config


@pytest.fixture
def bastion(ssh_config):
    return Bastion.find(ssh_config, {})


def test_output_errors_and_exit_code(bastion):
    done = bastion.run("echo out; echo err >&2; exit 7", check=False)
    assert (done.exit_code, done.output, done.errors) == (7, "out\n", "err\n")


def test_input_reaches_the_command(bastion):
    assert bastion.run("wc -c", stdin="x" * 300_000).output.strip() == "300000"


def test_much_on_both_outputs_is_no_deadlock(bastion):
    done = bastion.run("head -c 4000000 /dev/zero >&2; head -c 4000000 /dev/zero")
    assert (len(done.output), len(done.errors)) == (4_000_000, 4_000_000)


def test_a_command_that_takes_too_long(bastion):
    with pytest.raises(CommandError, match="still running"):
        bastion.run("sleep 30", time_limit=0.3)
    assert bastion.run("echo still here").output == "still here\n"


def test_a_host_whose_key_is_not_known_is_not_trusted(bastion, ssh_config):
    (ssh_config.parent / "known_hosts").write_text("")
    with pytest.raises(NoBastionError, match="not found in known_hosts"):
        bastion.run("true")


def test_a_host_with_another_key_than_the_known_one_is_not_trusted(bastion, ssh_config):
    known = ssh_config.parent / "known_hosts"
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    known.write_text(known.read_text().replace(HOST_KEY.export_public_key().decode(), other))
    with pytest.raises(NoBastionError) as caught:
        bastion.run("true")
    assert "key has changed" in caught.value.remedy


def test_a_key_that_the_bastion_does_not_take(bastion, ssh_config):
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(ssh_config.parent / "key")
    with pytest.raises(NoBastionError) as caught:
        bastion.run("true")
    assert "takes none of your keys" in caught.value.remedy


def test_nothing_that_listens():
    with pytest.raises(NoBastionError, match="refused"):
        Bastion.find(None, {"CALICO_LAB_BASTION": "user@127.0.0.1:1"}).run("true")


def test_a_name_that_the_configuration_does_not_know_is_an_address(ssh_config):
    found = look_up("me@198.51.100.7:2222", ssh_config, must_exist=True)
    assert (found.user, found.host, found.port) == ("me", "198.51.100.7", 2222)


def test_without_a_configuration_the_name_is_the_address(tmp_path):
    assert look_up("me@bastion", tmp_path / "none", must_exist=False) == Address("bastion", 22, "me")


def test_a_way_through_another_host_is_refused(ssh_config):
    ssh_config.write_text("Host far\n ProxyJump near\n")
    with pytest.raises(NoBastionError, match="by way of another host"):
        look_up("far", ssh_config, must_exist=True)


def test_interactive_keeps_streams_apart_and_hands_on_the_code(ssh_config):
    program = (
        "import pathlib, sys; from calico_lab.bastion import Bastion\n"
        "sys.exit(Bastion.find(pathlib.Path(sys.argv[1]), {}).interactive('cat; echo err >&2; exit 9'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, ssh_config], input="typed", capture_output=True, text=True, env=os.environ
    )
    assert (done.returncode, done.stdout, done.stderr) == (9, "typed", "err\n")
