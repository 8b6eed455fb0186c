#!/usr/bin/python3
"""storage.py [NUMBER]: starts a pool in a folder with that many volumes (10000) and lists it.

Prints the times of the pool's start, of ListStorageVolumes when nothing changed, and of the same after one file came,
through a bus of its own.
"""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from devices import BUILD, CONFIGURATION, wait_for  # noqa: E402


def measure(number, folder):
    (folder / "disks").mkdir()
    for i in range(number):
        with open(folder / f"disks/v{i:05}.img", "wb") as file:
            file.truncate(2**20)
    address = f"{folder}/bus"
    (folder / "bus.conf").write_text(CONFIGURATION.format(address))
    bus = subprocess.Popen(["dbus-daemon", "--nofork", f"--config-file={folder}/bus.conf"], stderr=subprocess.DEVNULL)
    wait_for(lambda: os.path.exists(address))
    daemon = subprocess.Popen([BUILD / "service/virtbusd", "--session", f"--address=unix:path={address}", f"--root={folder}/root"],
                              stderr=subprocess.DEVNULL)
    flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
    connection = Gio.DBusConnection.new_for_address_sync(f"unix:path={address}", flags, None, None)

    def call(name, path, interface, member, signature, *arguments):
        answer = connection.call_sync(name, path, interface, member, GLib.Variant(f"({signature})", arguments), None, 0, 60000, None)
        return answer.unpack()[0] if answer.n_children() else None

    def timed(what, path, member, signature, *arguments):
        before = time.monotonic()
        answer = call("org.libvirt", path, "org.libvirt.StoragePool", member, signature, *arguments)
        if what:
            print(f"{what:36} {1000 * (time.monotonic() - before):8.2f} ms")
        return answer, 1000 * (time.monotonic() - before)

    def listed():
        return timed(None, pool, "ListStorageVolumes", "u", 0)
    try:
        wait_for(lambda: call("org.freedesktop.DBus", "/", "org.freedesktop.DBus", "NameHasOwner", "s", "org.libvirt"))
        xml = f"<pool type='dir'><name>disks</name><target><path>{folder}/disks</path></target></pool>"
        pool = call("org.libvirt", "/org/libvirt/QEMU", "org.libvirt.Connect", "StoragePoolDefineXML", "su", xml, 0)
        timed("Create", pool, "Create", "u", 0)
        assert len(listed()[0]) == number
        times = [listed()[1] for _ in range(50)]
        print(f"{'ListStorageVolumes':36} {statistics.median(times):8.2f} ms, p95 {sorted(times)[47]:.2f} ms")
        times = []
        for i in range(20):
            (folder / f"disks/new{i}").touch()
            answer, taken = listed()
            assert len(answer) == number + i + 1
            times.append(taken)
        print(f"{'ListStorageVolumes after a new file':36} {statistics.median(times):8.2f} ms")
        timed("Refresh", pool, "Refresh", "u", 0)
    finally:
        for process in (daemon, bus):
            process.terminate()
            process.wait()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        measure(int(sys.argv[1]) if len(sys.argv) > 1 else 10000, pathlib.Path(name))
