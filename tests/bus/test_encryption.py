"""Encrypted disks: what opens them reaches QEMU, and nobody else."""

import os
import pathlib
import subprocess

import pytest

from harness import BusError
from machines import CONNECT, QEMU, SHUTOFF, define, definition, pid_of

PASSPHRASE = "opens this disk and nothing else"
SECRET_UUID = "0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f"


def image(folder, driver):
    """A small encrypted image."""
    path = pathlib.Path(folder) / f"secret.{driver}"
    options = "key-secret=key" if driver == "luks" else "encrypt.format=luks,encrypt.key-secret=key"
    prefix = "" if driver == "luks" else "encrypt."
    options += f",{prefix}iter-time=10,{prefix}hash-alg=sha512"  # by sha256 QEMU 7.2 fails now and then (image.c)
    command = ["qemu-img", "create", "-q", "--object", f"secret,id=key,data={PASSPHRASE}", "-f", driver,
               "-o", options, path, "1M"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return path


def encrypted_disk(source, driver="qcow2", secret=f"uuid='{SECRET_UUID}'"):
    return (f"<disk type='file' device='disk'><driver name='qemu' type='{driver}'/>"
            f"<source file='{source}'><encryption format='luks'><secret type='passphrase' {secret}/></encryption>"
            "</source><target dev='vda' bus='virtio'/></disk>")


def define_secret(client, value=PASSPHRASE, usage="<usage type='volume'><volume>/a</volume></usage>"):
    path = client.call(QEMU, CONNECT, "SecretDefineXML", "su",
                       f"<secret private='yes'><uuid>{SECRET_UUID}</uuid>{usage}</secret>", 0)
    if value is not None:
        client.call(path, "org.libvirt.Secret", "SetValue", "ayu", value.encode(), 0)
    return path


def fails(machine, *words):
    with pytest.raises(BusError) as e:
        machine.create()
    for word in words:
        assert word in e.value.message, e.value.message
    assert machine.state[0] == SHUTOFF


@pytest.mark.qemu
class TestDisks:
    @pytest.mark.parametrize("kind, driver", [("qcow2", "qcow2"), ("luks", "raw")])
    def test_a_disk_is_opened(self, daemon, client, root_dir, kind, driver):
        define_secret(client)
        machine = define(client, definition("web", encrypted_disk(image(root_dir, kind), driver)))
        machine.create()
        line = daemon.machines()[pid_of(daemon, machine)]
        assert any('"keyid":"masterKey0"' in argument for argument in line)
        assert not any(PASSPHRASE in argument for argument in line)
        key = next(argument for argument in line if '"id":"masterKey0"' in argument)
        path = pathlib.Path(key.split('"file":"')[1].split('"')[0])
        assert path.stat().st_mode & 0o777 == 0o400 and path.stat().st_size == 32
        assert PASSPHRASE not in daemon.read_log()
        machine.destroy()
        assert not path.exists()

    def test_it_is_found_by_its_usage(self, client, root_dir):
        define_secret(client)
        machine = define(client, definition("web", encrypted_disk(image(root_dir, "qcow2"), secret="usage='/a'")))
        machine.create()
        machine.destroy()

    def test_each_start_has_a_key_of_its_own(self, client, root_dir):
        define_secret(client)
        machine = define(client, definition("web", encrypted_disk(image(root_dir, "qcow2"))))
        keys = set()
        for _ in range(2):
            machine.create()
            keys |= {path.read_bytes() for path in pathlib.Path(root_dir).rglob("master-key.aes")}
            machine.destroy()
        assert len(keys) == 2

    def test_what_is_missing_is_said(self, client, root_dir):
        machine = define(client, definition("web", encrypted_disk(image(root_dir, "qcow2"))))
        fails(machine, f"There is no secret with UUID {SECRET_UUID}")
        define_secret(client, value=None)
        fails(machine, "has no value")
        define_secret(client, value="something else")
        fails(machine, "Invalid password")
        other = define(client, definition("other", encrypted_disk(image(root_dir, "qcow2"), secret="usage='/b'")))
        fails(other, "There is no secret for volume '/b'")
        assert not list(pathlib.Path(root_dir).rglob("master-key.aes"))

    def test_nothing_secret_is_shown(self, client, root_dir):
        define_secret(client)
        xml = definition("web", encrypted_disk(image(root_dir, "qcow2")))
        line = client.call(QEMU, "org.virtbus1.Connect", "DomainXMLToNative", "ssu", "qemu-argv", xml, 0)
        assert '"keyid":"masterKey0"' in line and PASSPHRASE not in line


@pytest.mark.qemu
@pytest.mark.system
class TestOwners:
    def test_a_secret_is_for_machines_of_its_owner(self, system_daemon, root_dir):
        root, user = system_daemon.client(), system_daemon.client("alice")
        path = image(root_dir, "qcow2")
        path.chmod(0o666)
        define_secret(root)
        shared = define(root, definition("shared", encrypted_disk(path)))
        shared.create()
        key = next(pathlib.Path(root_dir).rglob("master-key.aes"))
        assert key.stat().st_uid not in (0, os.getuid())
        shared.destroy()
        fails(define(user, definition("own", encrypted_disk(path))), f"no secret with UUID {SECRET_UUID}")
