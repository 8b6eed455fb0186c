"""Devices of guests whose frames tests write and read, on a bridge, and the filters on them: a guest is a tap, its peer a
network namespace at the end of a veth."""

import ipaddress
import json
import pathlib
import re
import socket
import struct
import subprocess

from harness import wait_for
from machines import CONNECT, QEMU, FakeQemu, definition
from machines import define as define_machine

FILTER, NATIVE_FILTER = "org.libvirt.NWFilter", "org.virtbus1.Filter"
MAC, OTHER_MAC = "52:54:00:00:00:01", "52:54:00:00:00:02"
ADDRESS, OTHER_ADDRESS, PEER = "10.88.0.5", "10.88.0.6", "10.88.0.9"
BROADCAST = "ff:ff:ff:ff:ff:ff"


def run(*words, check=True):
    return subprocess.run(words, check=check, capture_output=True, text=True)


def link(name):
    found = json.loads(run("ip", "-json", "link", "show", "dev", name, check=False).stdout or "[]")
    return found[0] if found else None


def rules():
    return run("nft", "list", "table", "bridge", "virtbus", check=False).stdout


def chains():
    """The devices' chains, by the device's index."""
    return {int(n) for n in re.findall(r"chain [a-z-]+/(\d+)", rules())}


def mac_bytes(mac):
    return bytes.fromhex(mac.replace(":", ""))


def ip_bytes(address):
    return ipaddress.ip_address(address).packed


def frame(source, destination, kind, payload):
    return (mac_bytes(destination) + mac_bytes(source) + struct.pack("!H", kind) + payload).ljust(60, b"\0")


def arp(mac=MAC, address=ADDRESS, asked=PEER, sender=None):
    """A question by ARP: who has `asked`?"""
    return frame(sender or mac, BROADCAST, 0x806, struct.pack("!HHBBH", 1, 0x800, 6, 4, 1) + mac_bytes(mac) + ip_bytes(address)
                 + bytes(6) + ip_bytes(asked))


def udp(source=ADDRESS, target=PEER, mac=MAC, to=BROADCAST, ports=(1000, 2000), payload=b"x" * 18):
    """As long as a frame has to be: with bridge-nf-call-iptables=1 the host's kernel cuts off what fills a shorter one."""
    body = struct.pack("!HHHH", *ports, 8 + len(payload), 0) + payload
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 0, 0, 64, 17, 0, ip_bytes(source), ip_bytes(target))
    total = sum(struct.unpack("!10H", header))
    total = (total & 0xffff) + (total >> 16)
    header = header[:10] + struct.pack("!H", ~(total + (total >> 16)) & 0xffff) + header[12:]
    return frame(mac, to, 0x800, header + body)


def dhcp_answer(address, mac=MAC, seconds=3600, server=PEER, message=5):
    bootp = struct.pack("!BBBBIHH", 2, 1, 6, 0, 1, 0, 0) + bytes(4) + ip_bytes(address) + bytes(8)
    bootp += mac_bytes(mac) + bytes(10 + 192) + bytes.fromhex("63825363")
    bootp += bytes((53, 1, message, 51, 4)) + struct.pack("!I", seconds) + b"\xff"
    return udp(server, "255.255.255.255", OTHER_MAC, BROADCAST, (67, 68), bootp)


class Peer:
    """A device on the bridge that sees and sends frames as they are."""

    def __init__(self, bridge="vfbr", port="vfpeer", device="vfeth"):
        self.port = port
        run("ip", "link", "add", port, "type", "veth", "peer", "name", device, "address", OTHER_MAC)
        for name in (port, device):
            # nothing of its own on the wire
            pathlib.Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("1")
        run("ip", "link", "set", port, "master", bridge, "up")
        run("ip", "link", "set", device, "up")
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.bind((device, 0))
        self.socket.settimeout(5)

    def read(self):
        while True:
            data, address = self.socket.recvfrom(2048)
            if address[2] != socket.PACKET_OUTGOING:
                return data

    def send(self, data):
        self.socket.send(data)

    def close(self):
        self.socket.close()
        run("ip", "link", "del", self.port, check=False)


class Guest:
    """A machine whose first interface the test plays."""

    def __init__(self, client, folder, content, kind="bridge", source="bridge='vfbr'", name="web", domain_uuid=None):
        self.fake = FakeQemu(folder, "wire")
        folder.chmod(0o777)  # it is not always root who runs it
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(f"{self.fake.path}.guest")
        pathlib.Path(f"{self.fake.path}.guest").chmod(0o777)
        self.socket.settimeout(5)
        self.machine = define_machine(client, definition(
            name, f"<interface type='{kind}'><mac address='{MAC}'/><source {source}/><model type='e1000'/>{content}</interface>",
            emulator=self.fake.path, domain_uuid=domain_uuid))

    @property
    def device(self):
        return self.machine.tree().find("devices/interface/target").get("dev")

    @property
    def index(self):
        return link(self.device)["ifindex"]

    def start(self):
        self.machine.create()
        wait_for(lambda: "LOWER_UP" in link(self.device)["flags"])
        return self

    def send(self, data):
        self.socket.sendto(data, f"{self.fake.path}.wire")

    def read(self):
        return self.socket.recv(2048)


MARK = 0


def mark(sender=MAC):
    """A frame like no other, of a kind for experiments."""
    global MARK
    MARK += 1
    return frame(sender, BROADCAST, 0x88b5, b"mark" + struct.pack("!I", MARK))


def is_among(data, found):
    """What tracks connections cuts off what fills a frame up."""
    return data.rstrip(b"\0") in (each.rstrip(b"\0") for each in found)


def passes_out(guest, peer, data):
    """Whether the frame gets from the guest to its peer; the one behind it shows that it would have been there."""
    guard = mark()
    guest.send(data)
    guest.send(guard)
    found = []
    while guard not in found:
        found.append(peer.read())
    return is_among(data, found)


def passes_in(guest, peer, data):
    guard = mark(OTHER_MAC)
    peer.send(data)
    peer.send(guard)
    found = []
    while guard not in found:
        found.append(guest.read())
    return is_among(data, found)


def what_the_kernel_says(rule):
    """Nothing, if it takes the rule on bridges."""
    text = f"table bridge t {{\nchain c {{\ntype filter hook prerouting priority 0;\n{rule}\n}}\n}}\n"
    return subprocess.run(["nft", "-c", "-f", "-"], input=text, text=True, capture_output=True, check=False).stderr


# What the tests use to see that a frame would have come lets itself through.
GUARD = "<rule action='accept' direction='inout' priority='-999'><mac protocolid='0x88b5'/></rule>"


def filter_xml(name, content, chain="root", filter_uuid=None):
    identity = f"<uuid>{filter_uuid}</uuid>" if filter_uuid else ""
    return f"<filter name='{name}' chain='{chain}'>{identity}{content}</filter>"


def define(client, *arguments, **options):
    return client.call(QEMU, CONNECT, "NWFilterDefineXML", "s", filter_xml(*arguments, **options))


def reference(name, **parameters):
    values = "".join(f"<parameter name='{n}' value='{v}'/>" for n, vs in parameters.items() for v in ([vs] if isinstance(vs, str) else vs))
    return f"<filterref filter='{name}'>{values}</filterref>"
