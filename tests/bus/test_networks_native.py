"""org.virtbus1.Network: what a client sees happen on a network, and where a guest's addresses are known from."""

import json
import os
import pathlib
import re
import shutil
import socket
import struct
import threading
import time

import pytest
from gi.repository import GLib

from harness import PROPERTIES, wait_for
from machines import CONNECT, DOMAIN, NATIVE, QEMU, SHUTOFF
from machines import define as define_machine
from machines import definition
from networks import network as lab_xml
from networks import (ADDRESS, NATIVE_CONNECT, NATIVE_NETWORK, NETWORK, clean, define, dnsmasqs, guests, interface, link,  # noqa: F401
                      refused, rules, run, up)

pytestmark = pytest.mark.skipif(not os.environ.get("VIRTBUS_NAMESPACE"), reason="only inside tests/bus/run, started as root")
MAC = "52:54:00:00:00:77"
DUAL = ("<ip address='10.77.1.1' prefix='24'><dhcp><range start='10.77.1.10' end='10.77.1.20'/></dhcp></ip>"
        "<ip family='ipv6' address='fd00:77::1' prefix='64'><dhcp><range start='fd00:77::10' end='fd00:77::20'/></dhcp></ip>")


def changes(client, path):
    return client.listen(interface=PROPERTIES, member="PropertiesChanged", path=path)


def changed(recorder, name, condition=lambda value: True, timeout=5.0):
    """The value with which the property was announced."""
    signal = recorder.wait(lambda s: name in s.values[1] and condition(s.values[1][name]), timeout)
    return signal.values[1][name]


def machine_on(client, network, mac=MAC, name="web", paused=True, devices=""):
    machine = define_machine(client, definition(name, interface(f"<mac address='{mac}'/><source network='{network}'/>") + devices))
    machine.create(1 if paused else 0)
    return machine


class TestNetwork:
    def test_life_is_announced(self, client):
        added = client.listen(interface="org.freedesktop.DBus.ObjectManager")
        path = define(client, "lab", forward="<forward mode='nat'/>")
        assert added.wait(lambda s: s.member == "InterfacesAdded" and s.values[0] == path).values[1][NATIVE_NETWORK]["Name"] == "lab"
        assert client.get_all(path, NATIVE_NETWORK) == {
            "Name": "lab", "UUID": client.get(path, NETWORK, "UUID"), "Active": False, "Persistent": True, "Autostart": False,
            "Owner": 0, "Bridge": "vblab", "Forward": "nat", "Leases": [], "Ports": [], "Health": "down"}
        heard = changes(client, path)
        client.call(path, NATIVE_NETWORK, "Start")
        assert heard.wait().values[1] == {"Active": True, "Health": "ok"}
        client.set(path, NATIVE_NETWORK, "Autostart", "b", True)
        assert changed(heard, "Autostart") is True
        client.call(path, NATIVE_NETWORK, "Undefine")
        assert heard.wait().values[1] == {"Persistent": False, "Autostart": False}
        client.call(path, NATIVE_NETWORK, "Stop")
        added.wait(lambda s: s.member == "InterfacesRemoved" and s.values[0] == path)
        assert link("vblab") is None

    def test_without_xml(self, client):
        def parsed(values):
            return {key: GLib.Variant.parse(None, value, None, None) for key, value in values.items()}
        given = parsed({"name": "'lab'", "forward": "{'mode': <'nat'>}", "bridge": "{'name': <'vblab'>}",
                        "ips": "[{'address': <'10.77.1.1'>, 'prefix': <uint32 24>}]"})
        path = client.call(QEMU, NATIVE_CONNECT, "DefineNetwork", "a{sv}a{sv}", given, {})
        assert client.call(QEMU, NATIVE_CONNECT, "ListNetworks", "a{sv}", {}) == [path]
        client.call(path, NATIVE_NETWORK, "Start")
        assert link("vblab")["addr_info"][0]["local"] == "10.77.1.1"
        assert "<forward mode='nat'" in client.call(path, NATIVE_NETWORK, "GetXML", "a{sv}", {})
        assert client.call(path, NATIVE_NETWORK, "GetDefinition", "a{sv}", {})["ips"][0]["address"] == "10.77.1.1"
        wrong = parsed({"name": "'x'", "forwardd": "'nat'"})
        refused(client.call, QEMU, NATIVE_CONNECT, "DefineNetwork", "a{sv}a{sv}", wrong, {}, word="forwardd")
        assert client.call(QEMU, CONNECT, "ListNetworks", "u", 0) == [path]
        refused(client.call, QEMU, NATIVE_CONNECT, "DefineNetwork", "a{sv}a{sv}", given, {}, word="lab")
        for options, word in (({"replaces": "true"}, "replace"), ({"replace": "1"}, "replace")):
            refused(client.call, QEMU, NATIVE_CONNECT, "DefineNetwork", "a{sv}a{sv}", given, parsed(options), word=word)
        changed_one = given | parsed({"domain": "'lab.example'"})
        assert client.call(QEMU, NATIVE_CONNECT, "DefineNetwork", "a{sv}a{sv}", changed_one, parsed({"replace": "true"})) == path
        assert "lab.example" in client.call(path, NATIVE_NETWORK, "GetXML", "a{sv}", {"inactive": GLib.Variant("b", True)})
        assert link("vblab")["addr_info"][0]["local"] == "10.77.1.1"
        other = client.call(QEMU, NATIVE_CONNECT, "DefineNetwork", "a{sv}a{sv}", parsed({"name": "'new'"}),
                            parsed({"replace": "true"}))
        assert sorted(client.call(QEMU, CONNECT, "ListNetworks", "u", 0)) == sorted([path, other])

    def test_a_dnsmasq_that_dies_is_seen(self, client):
        path = up(client, "lab")
        heard = changes(client, path)
        (pid,) = dnsmasqs()
        os.kill(pid, 9)
        assert "dnsmasq" in changed(heard, "Health")
        assert changed(heard, "Health") == "ok"

    def test_a_dnsmasq_that_cannot_be_written_down_at_once(self, client, daemon):
        """A folder is in the way of the file.  When that is gone all is well, without another dnsmasq."""
        path = up(client, "lab")
        (first,) = dnsmasqs()
        [file] = [file for file in daemon.root.rglob("network/*.xml") if f"value='{first} " in file.read_text()]
        heard = changes(client, path)
        file.unlink()
        (file / "in-the-way").mkdir(parents=True)
        os.kill(first, 9)
        assert "has ended" in changed(heard, "Health")
        assert file.name in changed(heard, "Health")
        (second,) = dnsmasqs()
        shutil.rmtree(file)
        assert changed(heard, "Health") == "ok"
        assert list(dnsmasqs()) == [second] and f"value='{second} " in file.read_text()

    def test_rules_of_others_are_seen(self, client):
        """As Docker's: a chain of its own that drops what it does not know."""
        path, alone = up(client, "lab", forward="<forward mode='nat'/>"), up(client, "alone", 2)
        bare = up(client, "bare", forward="<forward mode='open'/>", content=" ")  # its guests have their own addresses
        heard = changes(client, path)
        try:
            run("nft", "add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }")
            assert "chain FORWARD of table ip filter" in changed(heard, "Health")
            wait_for(lambda: "chain FORWARD of table ip filter" in client.get(bare, NATIVE_NETWORK, "Health"), 20)
            assert client.get(alone, NATIVE_NETWORK, "Health") == "ok"
            run("nft", "add rule ip filter FORWARD iifname vblab accept")
            assert changed(heard, "Health") == "ok"
            run("nft", "flush chain ip filter FORWARD")
            assert "policy drop" in changed(heard, "Health")
        finally:
            run("nft", "delete table ip filter")
        assert changed(heard, "Health") == "ok"

    def test_either_family_is_looked_at(self, client):
        both = up(client, "both", forward="<forward mode='nat'/>",
                  content=ADDRESS.format(1) + "<ip family='ipv6' address='fd77::1' prefix='64'/>")
        for family in ("ip6", "ip"):
            run("nft", f"add table {family} other; add chain {family} other f {{ type filter hook forward priority 0; policy drop; }}")
            try:
                wait_for(lambda: f"chain f of table {family} other" in client.get(both, NATIVE_NETWORK, "Health"), 20)
            finally:
                run("nft", f"delete table {family} other")
            wait_for(lambda: client.get(both, NATIVE_NETWORK, "Health") == "ok", 20)

    @pytest.mark.system
    def test_who_may(self, system_daemon):
        root, alice = system_daemon.client(), system_daemon.client("alice")
        path = define(root, "lab")
        for method in ("Start", "Stop", "Undefine"):
            refused(alice.call, path, NATIVE_NETWORK, method, word="")
        assert root.get(path, NATIVE_NETWORK, "Active") is False
        assert alice.call(QEMU, NATIVE_CONNECT, "ListNetworks", "a{sv}", {}) == []


class TestLeases:
    def test_come_and_go(self, daemon, client, guests, tmp_path):
        path = up(client, "lab", content=DUAL)
        heard = changes(client, path)
        web = guests("web", "vblab", mac=MAC)
        web.ask_for_address(tmp_path)
        (lease,) = changed(heard, "Leases")
        assert {k: lease[k] for k in ("address", "family", "prefix", "mac", "hostname")} == {
            "address": web.address(), "family": "ipv4", "prefix": 24, "mac": MAC, "hostname": "web"}
        assert lease["expiry"] > time.time()
        daemon.restart()
        assert client.get(path, NATIVE_NETWORK, "Leases") == [lease]  # dnsmasq's file was read
        heard = changes(client, path)
        release(web, "10.77.1.1", lease["address"], MAC)
        assert changed(heard, "Leases") == []

    def test_of_ipv6(self, daemon, client, guests):
        path = up(client, "lab", content=DUAL)
        heard = changes(client, path)
        web = guests("web", "vblab", mac=MAC)
        wait_for(lambda: "fe80" in web.run("ip", "-6", "addr", "show", "dev", "eth0", "-tentative").stdout, timeout=20)
        got = web.run(str(pathlib.Path(__file__).with_name("dhcp6.py")), "eth0").stdout.strip()
        (lease,) = changed(heard, "Leases")
        assert (lease["family"], lease["mac"], lease["prefix"]) == ("ipv6", MAC, 64) and lease["address"] == got
        assert lease["iaid"] == "7" and lease["client-id"].startswith("00:0")
        (found,) = client.call(path, NETWORK, "GetDHCPLeases", "su", MAC, 0)
        assert (found[2], found[3], found[5]) == (1, MAC, lease["address"])
        daemon.restart()
        wait_for(lambda: [(x["address"], x["mac"]) for x in client.get(path, NATIVE_NETWORK, "Leases")] == [(lease["address"], MAC)])

    def test_strangers_tell_nothing(self, daemon, client):
        """Nobody but dnsmasq's user and root reaches the socket, and what does not look like a lease is nothing."""
        path = up(client, "lab")
        where = next(daemon.root.rglob("dnsmasq/leases.sock"))
        assert (where.stat().st_mode & 0o777, where.stat().st_uid != 0) == (0o600, True)
        identity = client.get(path, NETWORK, "UUID").encode()
        good = [identity, b"add", b"52:54:00:00:00:01", b"10.77.1.12", b"web", b"0", b"", b"", b""]
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.connect(f"/proc/self/cwd/{os.path.relpath(where)}" if len(str(where)) > 100 else str(where))
            for position, bad in ((0, b"nonsense"), (1, b"burn"), (3, b"10.77.1.999"), (3, b""), (5, b"soon"), (5, b"-1")):
                fields = list(good)
                fields[position] = bad
                s.send(b"\0".join(fields) + b"\0")
            for message in (b"", b"\0", b"\0".join(good), b"x" * 5000):
                s.send(message)
            s.send(b"\0".join(good[:2] + [b"no mac", b"10.77.1.13", b"a\nb", b"0", b"\xff", b"", b"", b""]))
            s.send(b"\0".join(good) + b"\0")
        found = wait_for(lambda: client.get(path, NATIVE_NETWORK, "Leases"))
        assert [(x["address"], x.get("mac"), x.get("hostname")) for x in found] == [
            ("10.77.1.12", "52:54:00:00:00:01", "web"), ("10.77.1.13", None, None)]


def release(guest, server, address, mac):
    """DHCPRELEASE, as a client says goodbye."""
    packet = struct.pack("!BBBBIHH4s4s4s4s16s", 1, 1, 6, 0, 1, 0, 0, socket.inet_aton(address), bytes(4), bytes(4), bytes(4),
                         bytes.fromhex(mac.replace(":", "")) + bytes(10)) + bytes(192) + bytes.fromhex("63825363")
    packet += b"\x35\x01\x07\x36\x04" + socket.inet_aton(server) + b"\x3d\x07\x01" + bytes.fromhex(mac.replace(":", "")) + b"\xff"
    guest.run("python3", "-c", f"import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 68)); "
                               f"s.sendto(bytes.fromhex('{packet.hex()}'), ('{server}', 67))")


class Acknowledgements(threading.Thread):
    """When DHCPACKs went over a bridge, by the clock of time.monotonic()."""

    def __init__(self, bridge):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
        self.socket.bind((bridge, 0))
        self.times = []
        self.start()

    def run(self):
        while True:
            try:
                packet = self.socket.recv(2048)
            except OSError:
                return
            if re.search(rb"\x63\x82\x53\x63.*\x35\x01\x05", packet, re.S):
                self.times.append(time.monotonic())


@pytest.mark.qemu
class TestAddresses:
    def test_from_the_lease_at_once(self, client):
        """QEMU's own network boot asks for the address."""
        network = up(client, "lab", forward="<forward mode='nat'/>")
        acknowledgements = Acknowledgements("vblab")
        machine = machine_on(client, "lab")
        heard = changes(client, machine.path)
        (port,) = client.get(network, NATIVE_NETWORK, "Ports")
        assert (port["domain"], port["mac"]) == (machine.path, MAC) and link(port["device"])["master"] == "vblab"
        assert "connections='1'" in client.call(network, NETWORK, "GetXMLDesc", "u", 0)
        client.call(machine.path, DOMAIN, "Resume")
        signal = heard.wait(lambda s: [a for a in s.values[1].get("Addresses", ()) if a["source"] == "lease"], timeout=60)
        (address,) = signal.values[1]["Addresses"]
        assert (address["alias"], address["mac"], address["family"], address["prefix"], address["source"]) == (
            "net0", MAC, "ipv4", 24, "lease")
        delay_ms = (signal.arrived - wait_for(lambda: acknowledgements.times)[0]) * 1000
        print(f"DHCPACK to Addresses: {delay_ms:.1f} ms")
        assert delay_ms < 50 * float(os.environ.get("VIRTBUS_TIMEOUT_SCALE", "1"))
        acknowledgements.socket.close()
        heard.clear()
        machine.destroy()
        assert changed(heard, "Addresses") == [] and client.get(network, NATIVE_NETWORK, "Ports") == []

    def test_from_neighbours_and_the_agent(self, daemon, client):
        network = up(client, "lab")
        machine = machine_on(client, "lab", devices="<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>")
        heard = changes(client, machine.path)
        run("ip", "neigh", "replace", "10.77.1.40", "lladdr", MAC, "dev", "vblab")
        (address,) = changed(heard, "Addresses")
        assert (address["address"], address["source"], address.get("prefix")) == ("10.77.1.40", "arp", None)
        daemon.restart()
        wait_for(lambda: client.get(machine.path, NATIVE, "Addresses") == [address])  # the kernel's table was read
        wait_for(lambda: [p["mac"] for p in client.get(network, NATIVE_NETWORK, "Ports")] == [MAC])
        where = next(daemon.root.rglob("org.qemu.guest_agent.0"))
        agent = Agent(where, [
            {"name": "lo", "hardware-address": "00:00:00:00:00:00", "ip-addresses": [
                {"ip-address-type": "ipv4", "ip-address": "127.0.0.1", "prefix": 8}]},
            {"name": "eth0", "hardware-address": MAC, "ip-addresses": [
                {"ip-address-type": "ipv4", "ip-address": "10.77.1.40", "prefix": 24},
                {"ip-address-type": "ipv6", "ip-address": "fe80::1", "prefix": 64},
                {"ip-address-type": "ipv4", "ip-address": "nonsense", "prefix": 64}, 7, {"ip-address": 5}]},
            {"name": "x" * 4000, "ip-addresses": []}, 3])
        heard = changes(client, machine.path)
        assert client.call(machine.path, DOMAIN, "InterfaceAddresses", "uu", 1, 0) == [
            ("lo", "00:00:00:00:00:00", [(0, "127.0.0.1", 8)]),
            ("eth0", MAC, [(0, "10.77.1.40", 24), (1, "fe80::1", 64)])]
        assert [(a["address"], a["source"]) for a in changed(heard, "Addresses")] == [("10.77.1.40", "agent"), ("fe80::1", "agent")]
        agent.answer = {"error": {"class": "GenericError", "desc": "no"}}
        refused(client.call, machine.path, DOMAIN, "InterfaceAddresses", "uu", 1, 0, word="refused: no")
        agent.close()
        refused(client.call, machine.path, DOMAIN, "InterfaceAddresses", "uu", 1, 0, word="agent")
        run("ip", "neigh", "del", "10.77.1.40", "dev", "vblab")
        machine.destroy()

    def test_networks_go_down_and_up_under_machines(self, client):
        network = up(client, "lab")
        machine = machine_on(client, "lab")
        (port,) = client.get(network, NATIVE_NETWORK, "Ports")
        client.call(network, NATIVE_NETWORK, "Stop")
        assert link("vblab") is None and "master" not in link(port["device"])
        refused(client.call, network, NATIVE_NETWORK, "Undefine", word="1 interfaces")
        client.call(network, NATIVE_NETWORK, "Start")
        assert link(port["device"])["master"] == "vblab"
        machine.destroy()
        client.call(network, NATIVE_NETWORK, "Stop")
        client.call(network, NATIVE_NETWORK, "Undefine")
        assert machine.state[0] == SHUTOFF

    def test_what_is_not_stored_does_not_vanish_under_machines(self, daemon, client):
        xml = lab_xml("lab", network_uuid="0fcd0a54-6f3b-4f5e-9d0e-1c58a0d2f1aa")
        network = client.call(QEMU, CONNECT, "NetworkCreateXML", "s", xml)
        machine = machine_on(client, "lab")
        tap = client.get(network, NATIVE_NETWORK, "Ports")[0]["device"]
        for _ in range(2):
            refused(client.call, network, NATIVE_NETWORK, "Stop", word="1 interfaces")
            assert link(tap)["master"] == "vblab" and client.get(network, NATIVE_NETWORK, "Active") is True
            daemon.restart()
            wait_for(lambda: client.get(network, NATIVE_NETWORK, "Ports"))
        client.call(QEMU, CONNECT, "NetworkDefineXML", "s", xml)
        client.call(network, NATIVE_NETWORK, "Stop")  # it stays, and so does what it knows of its guests
        client.call(network, NATIVE_NETWORK, "Start")
        assert link(tap)["master"] == "vblab"
        machine.destroy()
        client.call(network, NATIVE_NETWORK, "Stop")


class Agent(threading.Thread):
    """Stands where QEMU listens for those who want to speak with the guest's agent."""

    def __init__(self, where, interfaces):
        super().__init__(daemon=True)
        self.answer = {"return": interfaces}
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        where.unlink()
        here = os.open(where.parent, os.O_PATH)
        self.listener.bind(f"/proc/self/fd/{here}/{where.name}")
        self.listener.listen()
        self.start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rw") as lines:
                for line in lines:
                    command = json.loads(line)
                    answer = self.answer
                    if command["execute"] == "guest-sync":
                        answer = {"return": command["arguments"]["id"]}
                    lines.write(json.dumps(answer) + "\n")
                    lines.flush()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
