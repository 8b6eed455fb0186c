"""Volumes when the daemon or its tool is killed, at each system call that changes something."""

import os
import shutil

import pytest

from gi.repository import GLib
from harness import wait_for
from test_storage import MIB, POOL, image_info, names, started, volume_xml
from test_volumes import NATIVE, folder, opened, parts, pool  # noqa: F401: fixtures


STEPS = ["openat", "unlinkat", "renameat", "renameat2", "ftruncate", "fallocate", "fchown", "fchmod", "fsync", "copy_file_range",
         "pwrite64", "execve", "exit_group"]


def killed_at(daemon, steps, count):
    """The COUNTth call of the steps in one thread of the daemon, or of a tool, is the last thing that it does."""
    return daemon.traced("-e", f"trace={steps}", "-e", f"inject={steps}:signal=KILL:when={count}")


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("strace"), reason="needs root and strace")
class TestKilled:
    """What is there is what was or what shall be, wherever the daemon or its tool is killed."""
    old, new = os.urandom(MIB), os.urandom(MIB)

    def begin(self, client, folder, pool, what, fd):
        (folder / "a").write_bytes(self.old)
        client.call(pool, POOL, "Refresh", "u", 0)
        volume = client.call(pool, POOL, "StorageVolLookupByName", "s", "a")
        call = {"create": (pool, POOL, "StorageVolCreateXML", "su", volume_xml("b", 2 * MIB, kind="qcow2"), 0),
                "raw": (pool, POOL, "StorageVolCreateXML", "su", volume_xml("b", 2 * MIB, 2 * MIB), 0),
                "clone": (volume, NATIVE, "Clone", "ssa{sv}", "b", "", {}),
                "convert": (volume, NATIVE, "Clone", "ssa{sv}", "b", "qcow2", {}),
                "resize": (volume, NATIVE, "Resize", "ta{sv}", 2 * MIB, {"allocate": GLib.Variant("b", True)}),
                "upload": (volume, NATIVE, "Upload", "htta{sv}", 0, 0, 0, {}),
                "delete": (volume, NATIVE, "Delete", "a{sv}", {})}[what]
        return lambda: client.begin(*call, fds=[fd] if what == "upload" else None)

    def check(self, client, folder, pool, what):
        assert parts(folder) == [] and set(names(client, pool)) <= {"a", "b"}
        if what != "delete" or (folder / "a").exists():
            data = (folder / "a").read_bytes()
            assert data[:MIB] == self.old or (what == "upload" and data == self.new)
            assert len(data) in ((MIB, 2 * MIB) if what == "resize" else (MIB,))
        if (folder / "b").exists():
            if what == "clone":
                assert (folder / "b").read_bytes() == self.old
            else:
                assert image_info(folder / "b")["virtual-size"] == (MIB if what == "convert" else 2 * MIB)
            (folder / "b").unlink()

    @pytest.mark.parametrize("what", ["create", "raw", "clone", "convert", "resize", "upload", "delete"])
    def test_at_each_step(self, client, daemon, tmp_path, folder, pool, what):
        (tmp_path / "new").write_bytes(self.new)
        kills = 0
        for steps in [*STEPS, ",".join(STEPS)]:
            for count in range(1, 100):
                with opened(tmp_path / "new") as fd:
                    begin = self.begin(client, folder, pool, what, fd)
                    with killed_at(daemon, steps, count):
                        reply = begin()
                        wait_for(lambda: reply.done or daemon.process.poll() is not None)
                        if "NoReply" in str(reply.error):  # the bus may know it before we do
                            wait_for(lambda: daemon.process.poll() is not None)
                is_dead = daemon.process.poll() is not None
                if is_dead:
                    daemon.kill()
                    daemon.start()
                    wait_for(lambda: client.get(pool, POOL, "Active"))
                kills += is_dead or reply.error is not None
                self.check(client, folder, pool, what)
                if not is_dead and not reply.error:
                    break
        assert kills >= 3
