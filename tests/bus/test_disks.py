"""Disks that are elsewhere, for real: a server of the NBD protocol."""

import subprocess

import pytest

from harness import wait_exit, wait_for
from machines import boot_sector, define, definition

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
