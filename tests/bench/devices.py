#!/usr/bin/python3
"""devices.py [NUMBER]: lists that many network devices, which are real ones in a namespace that it makes (as root).

Prints the times of the daemon's start and of ListNodeDevices, for all and by a flag, through a bus of its own.
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

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build"))
CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={0}</listen><auth>EXTERNAL</auth><policy context="default">
<allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy></busconfig>"""


def wait_for(condition):
    deadline = time.monotonic() + 20
    while not condition():
        if time.monotonic() > deadline:
            sys.exit("devices.py: gave up waiting")
        time.sleep(0.001)


def inside(number, folder):
    subprocess.run(["mount", "-t", "sysfs", "sysfs", "/sys"], check=True)
    words = "".join(f"link add d{i} type veth peer name p{i}\n" for i in range(number // 2))
    subprocess.run(["ip", "-batch", "-"], input=words, text=True, check=True)
    address = f"{folder}/bus"
    (folder / "bus.conf").write_text(CONFIGURATION.format(address))
    bus = subprocess.Popen(["dbus-daemon", "--nofork", f"--config-file={folder}/bus.conf"], stderr=subprocess.DEVNULL)
    wait_for(lambda: os.path.exists(address))
    flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
    connection = Gio.DBusConnection.new_for_address_sync(f"unix:path={address}", flags, None, None)

    def call(name, path, interface, member, arguments):
        return connection.call_sync(name, path, interface, member, arguments, None, 0, 30000, None).unpack()[0]
    started = time.monotonic()
    daemon = subprocess.Popen([BUILD / "service/virtbusd", "--session", f"--address=unix:path={address}", f"--root={folder}/root"],
                              stderr=subprocess.DEVNULL)
    wait_for(lambda: call("org.freedesktop.DBus", "/", "org.freedesktop.DBus", "NameHasOwner", GLib.Variant("(s)", ("org.libvirt",))))
    print(f"names owned after          {1000 * (time.monotonic() - started):8.1f} ms")
    for text, flag in (("ListNodeDevices(0)", 0), ("ListNodeDevices(PCI_DEV)", 2)):
        times = []
        for _ in range(100):
            before = time.monotonic()
            listed = call("org.libvirt", "/org/libvirt/QEMU", "org.libvirt.Connect", "ListNodeDevices", GLib.Variant("(u)", (flag,)))
            times.append(1000 * (time.monotonic() - before))
        print(f"{text:26} {statistics.median(times):8.2f} ms, p99 {sorted(times)[98]:.2f} ms, {len(listed)} devices")
    daemon.terminate()
    daemon.wait()
    bus.terminate()
    bus.wait()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        inside(int(sys.argv[2]), pathlib.Path(sys.argv[3]))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            sys.exit(subprocess.run(["unshare", "--mount", "--net", sys.executable, __file__, "--inside",
                                     (sys.argv + ["1000"])[1], scratch], check=False).returncode)
