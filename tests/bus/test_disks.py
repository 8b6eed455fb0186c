"""Disks that are elsewhere, for real: a server of the NBD protocol."""

import os
import subprocess

import pytest

from harness import BusError, wait_exit, wait_for
from machines import NATIVE, boot_sector, define, definition
from test_volumes import opened

pytestmark = pytest.mark.qemu


def test_nbd(client, tmp_path):
    """The guest boots from what qemu-nbd serves, writes to it, and finds it again."""
    image, socket, output = tmp_path / "image", tmp_path / "nbd", tmp_path / "output"
    image.write_bytes(boot_sector() + bytes(2047 * 512))
    server = subprocess.Popen(["qemu-nbd", "--persistent", "--format=raw", f"--socket={socket}", "--export-name=boot", image])
    try:
        wait_for(socket.exists)
        machine = define(client, definition(
            "one", "<disk type='network'><driver name='qemu' type='raw'/><source protocol='nbd' name='boot'>"
                   f"<host transport='unix' socket='{socket}'/></source><target dev='vda' bus='virtio'/></disk>"
                   f"<serial type='file'><source path='{output}'/></serial>"))
        for expected in (b"READY", b"WRITTENREADY"):
            output.unlink(missing_ok=True)
            machine.create()
            wait_for(lambda: output.exists() and b"READY" in output.read_bytes(), 30)
            assert output.read_bytes().strip(b"\0") == expected
            machine.destroy()
    finally:
        server.terminate()
        wait_exit(server)
    assert image.read_bytes()[512:519] == b"WRITTEN"


def refused(call, *arguments, word):
    with pytest.raises(BusError) as e:
        call(*arguments)
    assert word in e.value.message, e.value.message


def group_disk(group, inner="", target="vda"):
    return (f"<disk type='file'><driver name='qemu' type='raw'/><source file='/nowhere/at/all' fdgroup='{group}'/>"
            f"<target dev='{target}' bus='virtio'/>{inner}</disk>")


def associate(client, machine, group, *fds):
    client.call(machine.path, NATIVE, "AssociateFiles", "sah", group, list(range(len(fds))), fds=list(fds))


class TestFilesOfTheCaller:
    def test_boots_and_writes(self, client, daemon, tmp_path):
        """Nobody opens a path: the file has none any more."""
        image, output = tmp_path / "image", tmp_path / "output"
        image.write_bytes(boot_sector() + bytes(2047 * 512))
        serial = f"<serial type='file'><source path='{output}'/></serial>"
        machine = define(client, definition("one", group_disk("system") + serial))
        refused(machine.create, word="fdgroup='system'")
        with opened(image, os.O_RDWR) as fd:
            image.unlink()
            associate(client, machine, "system", fd)
            other = define(client, definition("other", group_disk("same")))
            associate(client, other, "same", fd)
            for expected in (b"READY", b"WRITTENREADY"):
                output.unlink(missing_ok=True)
                machine.create()
                wait_for(lambda: output.exists() and b"READY" in output.read_bytes(), 30)
                assert output.read_bytes().strip(b"\0") == expected
                refused(associate, client, machine, "system", word="running")
                refused(other.create, word="one")
                machine.destroy()
            assert os.pread(fd, 7, 512) == b"WRITTEN"
            associate(client, machine, "system")
            refused(machine.create, word="AssociateFiles")
            associate(client, machine, "system", fd)
            daemon.kill()
            daemon.start()
            refused(machine.create, word="outlast the daemon")

    def test_bad_files(self, client, tmp_path):
        image = tmp_path / "image"
        image.write_bytes(bytes(512))
        (tmp_path / "other").write_bytes(bytes(512))
        os.mkfifo(tmp_path / "fifo")
        machine = define(client, definition("one", group_disk("g")))
        for path, flags, word in ((tmp_path, os.O_RDONLY, "file 0 is a folder"), (image, os.O_WRONLY, "not open for reading"),
                                  (tmp_path / "fifo", os.O_RDWR, "a pipe"), ("/dev/null", os.O_RDWR, "a character device"),
                                  (image, os.O_PATH, "not open for reading"),
                                  (image, os.O_RDWR | os.O_APPEND, "appending")):
            with opened(path, flags) as fd:
                refused(associate, client, machine, "g", fd, word=word)
        with opened(image, os.O_RDWR) as fd, opened(image) as reader, opened(tmp_path / "other") as other:
            refused(associate, client, machine, "", fd, word="1 to 255")
            refused(associate, client, machine, "g" * 256, fd, word="1 to 255")
            refused(associate, client, machine, "g", fd, reader, reader, word="at most 2")
            refused(associate, client, machine, "g", fd, other, word="not the same file")
            refused(lambda: client.call(machine.path, NATIVE, "AssociateFiles", "sah", "g", [1], fds=[fd]), word="")
            refused(machine.create, word="fdgroup='g'")
            associate(client, machine, "g", reader)
            refused(machine.create, word="for reading and writing")
            associate(client, machine, "g", fd, reader)
            machine.create(1)
            machine.destroy()
            for i in range(127):
                associate(client, machine, f"g{i}", fd, reader)
            refused(associate, client, machine, "one more", fd, word="at most 256")
            machine.undefine()
            machine = define(client, definition("two", group_disk("g", "<readonly/>")))
            associate(client, machine, "g", fd)
            refused(machine.create, word="for reading only")
            associate(client, machine, "g", fd, reader)
            machine.create(1)
            machine.destroy()
            machine = define(client, definition("three", group_disk("g", "<transient/>")))
            associate(client, machine, "g", fd)
            refused(machine.create, word="transient")


@pytest.mark.system
def test_files_of_a_user(system_daemon, tmp_path):
    """A machine of a user has a disk that only its descriptor opens; others cannot give it one."""
    alice, bob = system_daemon.client("alice"), system_daemon.client("bob")
    image = tmp_path / "image"
    image.write_bytes(bytes(512))
    image.chmod(0o600)
    machine = define(alice, definition("one", group_disk("g")))
    with opened(image, os.O_RDWR) as fd:
        refused(associate, bob, machine, "g", fd, word="no domain with matching")
        associate(alice, machine, "g", fd)
        machine.create()
        machine.destroy()
