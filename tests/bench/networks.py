#!/usr/bin/python3
"""networks.py [ROUNDS]: what networks cost, in a network namespace that it makes (as root).

Start and destroy of a NAT network against ip, nft and dnsmasq doing the same by hand in the same run; a network with 1,000
static hosts; and the time from a DHCPACK on the wire to the Addresses signal of the machine that has that card (a QEMU that
stands still, a client of DHCP that speaks for it).
"""

import os
import pathlib
import re
import socket
import statistics
import struct
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
QEMU, NETWORK, CONNECT = "/org/libvirt/QEMU", "org.libvirt.Network", "org.libvirt.Connect"
NAT = ("<network><name>bench</name><forward mode='nat'/><bridge name='vbbench'/><ip address='10.99.0.1' prefix='16'>"
       "<dhcp><range start='10.99.200.1' end='10.99.200.254'/>{}</dhcp></ip></network>")
MAC = bytes.fromhex("525400000077")
RULES = """table inet byhand {
chain forward { type filter hook forward priority filter; policy accept;
iifname "byhand0" oifname "byhand0" accept
oifname "byhand0" ip daddr 10.98.0.0/16 ct state established,related accept
oifname "byhand0" reject
iifname "byhand0" ip saddr 10.98.0.0/16 accept
iifname "byhand0" reject
}
chain postrouting { type nat hook postrouting priority srcnat;
ip saddr 10.98.0.0/16 ip daddr { 224.0.0.0/24, 255.255.255.255 } return
ip saddr 10.98.0.0/16 ip daddr != 10.98.0.0/16 meta l4proto { tcp, udp } masquerade to :1024-65535
ip saddr 10.98.0.0/16 ip daddr != 10.98.0.0/16 masquerade
}
}
"""


def run(*words, **options):
    return subprocess.run(words, check=True, capture_output=True, text=True, **options)


def by_hand_up(folder):
    run("ip", "link", "add", "byhand0", "type", "bridge")
    run("ip", "addr", "add", "10.98.0.1/16", "dev", "byhand0")
    run("ip", "link", "set", "byhand0", "up")
    run("sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
    run("nft", "-f", "-", input=RULES)
    run("dnsmasq", "--conf-file=/dev/null", "--strict-order", "--except-interface=lo", "--bind-dynamic", "--interface=byhand0",
        "--dhcp-range=10.98.200.1,10.98.200.254,255.255.0.0", f"--pid-file={folder}/pid", f"--dhcp-leasefile={folder}/leases")


def by_hand_down(folder):
    pid = int((folder / "pid").read_text())
    run("kill", str(pid))
    while (pathlib.Path("/proc") / str(pid) / "cmdline").exists() and (pathlib.Path("/proc") / str(pid) / "cmdline").read_bytes():
        time.sleep(0.0005)  # without a command line it has ended, whoever reaps it
    run("nft", "delete", "table", "inet", "byhand")
    run("ip", "link", "del", "byhand0")


def show(what, times):
    print(f"{what:44} {statistics.median(times):8.2f} ms, p99 {sorted(times)[min(len(times) - 1, len(times) * 99 // 100)]:.2f} ms")


def timed(function, *arguments):
    before = time.monotonic()
    function(*arguments)
    return 1000 * (time.monotonic() - before)


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def frame(to, source, target, payload):
    udp = struct.pack("!HHHH", 68, 67, 8 + len(payload), 0) + payload
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, source, target)
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return to + MAC + b"\x08\x00" + head + udp


class Client:
    """DHCP by raw frames, on the far end of a veth."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
        self.socket.bind(("vbfar", 0))
        self.socket.settimeout(0.2)
        self.identity = 1

    def say(self, kind, options=b"", client=bytes(4), to=b"\xff" * 6, source=bytes(4), target=b"\xff" * 4):
        packet = struct.pack("!BBBBIHH4s4s4s4s16s", 1, 1, 6, 0, self.identity, 0, 0x8000, client, bytes(4), bytes(4), bytes(4),
                             MAC + bytes(10)) + bytes(192) + b"\x63\x82\x53\x63" + bytes([53, 1, kind]) + options + b"\xff"
        self.socket.send(frame(to, source, target, packet))

    def hear(self, kind):
        while True:
            data = self.socket.recv(2048)
            found = re.search(b"\x63\x82\x53\x63.*\x35\x01" + bytes([kind]), data, re.S)
            if found and data[42] == 2:
                return data, time.monotonic()

    def lease(self):
        """The address, and when it was acknowledged."""
        self.identity += 1
        while True:
            self.say(1)
            try:
                offer, _ = self.hear(2)
                break
            except TimeoutError:
                continue  # a port of a bridge is deaf at first
        address, server = offer[58:62], offer[26:30]
        self.say(3, b"\x32\x04" + address + b"\x36\x04" + server)
        answer, arrived = self.hear(5)
        return address, server, answer[6:12], arrived

    def release(self, address, server, router):
        self.say(7, b"\x36\x04" + server, client=address, to=router, source=address, target=server)


def measure_addresses(connection, call, rounds):
    machine = ("<domain type='qemu'><name>bench</name><memory unit='MiB'>32</memory><os><type arch='x86_64' machine='pc'>hvm</type>"
               "</os><devices><interface type='network'><mac address='52:54:00:00:00:77'/><source network='bench'/>"
               "<model type='virtio'/></interface><memballoon model='none'/></devices></domain>")
    path = call(QEMU, CONNECT, "DomainCreateXML", GLib.Variant("(su)", (machine, 1)))
    run("ip", "link", "add", "vbnear", "type", "veth", "peer", "name", "vbfar")
    run("ip", "link", "set", "vbnear", "master", "vbbench", "up")
    run("ip", "link", "set", "vbfar", "up", "promisc", "on")
    heard = []

    def changed(_connection, _sender, _path, _interface, _member, parameters):
        addresses = parameters.unpack()[1].get("Addresses")
        if addresses is not None:
            heard.append((time.monotonic(), [a for a in addresses if a["source"] == "lease"]))
    connection.signal_subscribe(None, "org.freedesktop.DBus.Properties", "PropertiesChanged", path, None, 0, changed)
    call(path, "org.libvirt.Domain", "GetState", GLib.Variant("(u)", (0,)))
    context, client, times = GLib.MainContext.default(), Client(), []

    def wait(condition):
        while not condition():
            context.iteration(True)
    for _ in range(rounds):
        del heard[:]
        address, server, router, acknowledged = client.lease()
        wait(lambda: heard and heard[-1][1])
        times.append(1000 * (heard[-1][0] - acknowledged))
        client.release(address, server, router)
        wait(lambda: not heard[-1][1])
    show("DHCPACK to Addresses of the machine", times)
    call(path, "org.libvirt.Domain", "Destroy", GLib.Variant("(u)", (0,)))


def inside(rounds, folder):
    run("mount", "-t", "sysfs", "sysfs", "/sys")
    run("ip", "link", "set", "lo", "up")
    run("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", folder)  # as /run is
    address = f"{folder}/bus"
    (folder / "bus.conf").write_text(CONFIGURATION.format(address))
    bus = subprocess.Popen(["dbus-daemon", "--nofork", f"--config-file={folder}/bus.conf"], stderr=subprocess.DEVNULL)
    while not os.path.exists(address):
        time.sleep(0.001)
    flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
    connection = Gio.DBusConnection.new_for_address_sync(f"unix:path={address}", flags, None, None)

    def call(path, interface, member, arguments=None, name="org.libvirt"):
        return (connection.call_sync(name, path, interface, member, arguments, None, 0, 60000, None).unpack() or (None,))[0]
    daemon = subprocess.Popen([BUILD / "service/virtbusd", "--session", f"--address=unix:path={address}", f"--root={folder}/root"],
                              stderr=subprocess.DEVNULL)
    while not call("/", "org.freedesktop.DBus", "NameHasOwner", GLib.Variant("(s)", ("org.libvirt",)), "org.freedesktop.DBus"):
        time.sleep(0.001)

    def define(hosts=""):
        return call(QEMU, CONNECT, "NetworkDefineXML", GLib.Variant("(s)", (NAT.format(hosts),)))
    path, times = define(), [[], [], [], []]
    for _ in range(rounds):  # turn by turn, so that both have the same machine
        times[0].append(timed(call, path, NETWORK, "Create"))
        times[1].append(timed(call, path, NETWORK, "Destroy"))
        times[2].append(timed(by_hand_up, folder))
        times[3].append(timed(by_hand_down, folder))
    for what, found in zip(("start", "destroy", "ip, nft, dnsmasq: start", "ip, nft, dnsmasq: destroy"), times):
        show(what, found)
    call(path, NETWORK, "Create")
    measure_addresses(connection, call, rounds)
    call(path, NETWORK, "Destroy")
    call(path, NETWORK, "Undefine")
    hosts = "".join(f"<host mac='52:54:01:00:{i >> 8:02x}:{i & 255:02x}' name='h{i}' ip='10.99.{i >> 8}.{i & 255}'/>"
                    for i in range(256, 1256))
    print(f"{'1,000 static hosts: define':44} {timed(define, hosts):8.2f} ms")
    path = call(QEMU, CONNECT, "NetworkLookupByName", GLib.Variant("(s)", ("bench",)))
    print(f"{'1,000 static hosts: start':44} {timed(call, path, NETWORK, 'Create'):8.2f} ms")
    added = GLib.Variant("(uuisu)", (3, 4, -1, "<host mac='52:54:02:00:00:01' ip='10.99.99.1'/>", 3))
    print(f"{'1,000 static hosts: one more, live and stored':44} {timed(call, path, NETWORK, 'Update', added):8.2f} ms")
    call(path, NETWORK, "Destroy")
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
                                     (sys.argv + ["30"])[1], scratch], check=False).returncode)
