"""Networks that are up: real bridges, real dnsmasq, real nftables, in the network namespace of the tests; guests are
namespaces at the end of a veth."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import uuid
import xml.etree.ElementTree as ElementTree

import pytest

from gi.repository import GLib

from harness import BusError, wait_for
from machines import CONNECT, DOMAIN, NATIVE, QEMU, Machine
from machines import define as define_machine
from machines import definition
from networks import (ADDRESS, DEFINED, NATIVE_CONNECT, NATIVE_NETWORK, NETWORK, STARTED, STOPPED, UNDEFINED, binds, clean, define,  # noqa: F401
                      dnsmasqs, guests, interface, link, network, refused, rules, run, up)

pytestmark = pytest.mark.skipif(not os.environ.get("VIRTBUS_NAMESPACE"), reason="only inside tests/bus/run, started as root")



class TestLife:
    def test_up_and_down(self, client):
        events = client.listen(interface=CONNECT, member="NetworkEvent")
        path = up(client, "lab", forward="<forward mode='nat'/>")
        bridge = link("vblab")
        assert bridge["linkinfo"]["info_kind"] == "bridge" and "UP" in bridge["flags"]
        assert (bridge["ifalias"], bridge["group"]) == ("virtbus:" + client.get(path, NETWORK, "UUID"), "default")
        assert [(a["local"], a["prefixlen"], a["broadcast"]) for a in bridge["addr_info"]] == [("10.77.1.1", 24, "10.77.1.255")]
        assert bridge["address"] == ElementTree.fromstring(client.call(path, NETWORK, "GetXMLDesc", "u", 0)).find("mac").get("address")
        assert 'iifname "vblab"' in rules() and "masquerade" in rules()
        assert len(dnsmasqs()) == 1
        assert client.get(path, NETWORK, "Active") is True
        refused(client.call, path, NETWORK, "Create", word="up already")
        client.call(path, NETWORK, "Destroy")
        assert (link("vblab"), rules(), dnsmasqs()) == (None, "", {})
        refused(client.call, path, NETWORK, "Destroy", word="not up")
        refused(client.call, path, NETWORK, "GetDHCPLeases", "su", "", 0, word="not up")
        wait_for(lambda: len(events.signals) == 3)
        assert [s.values[1] for s in events.signals] == [DEFINED, STARTED, STOPPED]

    def test_transient(self, client):
        path = client.call(QEMU, CONNECT, "NetworkCreateXML", "s", network("lab", forward="<forward mode='nat'/>"))
        assert (client.get(path, NETWORK, "Active"), client.get(path, NETWORK, "Persistent")) == (True, False)
        assert 'iifname "vblab"' in rules()
        refused(client.set, path, NETWORK, "Autostart", "b", True, word="not stored")
        refused(client.call, path, NETWORK, "Undefine", word="not stored")
        client.call(path, NETWORK, "Destroy")
        assert client.call(QEMU, CONNECT, "ListNetworks", "u", 0) == [] and link("vblab") is None

    def test_what_is_undefined_while_up_is_gone_when_down(self, client):
        path = up(client, "lab")
        client.call(path, NETWORK, "Undefine")
        assert (client.get(path, NETWORK, "Active"), client.get(path, NETWORK, "Persistent")) == (True, False)
        client.call(path, NETWORK, "Destroy")
        assert client.call(QEMU, CONNECT, "ListNetworks", "u", 0) == []

    def test_runs_as_it_was_started(self, client):
        identity = str(uuid.uuid4())
        path = up(client, "lab", 1, network_uuid=identity)
        define(client, "lab", 2, network_uuid=identity)

        def shown(flags):
            return ElementTree.fromstring(client.call(path, NETWORK, "GetXMLDesc", "u", flags)).find("ip").get("address")
        assert (shown(0), shown(1)) == ("10.77.1.1", "10.77.2.1")
        client.call(path, NETWORK, "Destroy")
        client.call(path, NETWORK, "Create")
        assert link("vblab")["addr_info"][0]["local"] == "10.77.2.1"

    def test_autostart_once_after_boot(self, daemon, client):
        wait_for(lambda: any(daemon.root.rglob("network/booted")))
        path = define(client, "lab")
        client.set(path, NETWORK, "Autostart", "b", True)
        daemon.restart()
        assert (client.get(path, NETWORK, "Autostart"), client.get(path, NETWORK, "Active")) == (True, False)
        assert daemon.stop() == 0
        next(daemon.root.rglob("network/booted")).unlink()  # as the host's boot does
        daemon.start()
        wait_for(lambda: client.get(path, NETWORK, "Active"))
        assert link("vblab")

    def test_modes_that_make_nothing(self, client):
        path = client.call(QEMU, CONNECT, "NetworkCreateXML", "s",
                           "<network><name>lan</name><forward mode='bridge'/><bridge name='br0'/></network>")
        assert client.get(path, NETWORK, "Active") is True and link("br0") is None and rules() == ""
        client.call(path, NETWORK, "Destroy")


class TestRefusals:
    @pytest.mark.parametrize("forward, content, bridge, word", [
        ("<forward mode='nat' dev='a\"; drop'/>", "", None, "name"),
        ("", "", "br*", "name"),
        ("", "<dns><txt name='a' value='x&#34;y'/></dns>" + ADDRESS.format(1), None, "txt"),
        ("", "<ip address='10.77.1.1' prefix='24'><tftp root='/a&#34;'/></ip>", None, "tftp"),
    ])
    def test_changes_nothing(self, client, forward, content, bridge, word):
        path = define(client, "lab", forward=forward, content=content, bridge=bridge)
        refused(client.call, path, NETWORK, "Create", word=word)
        assert client.get(path, NETWORK, "Active") is False
        assert (link(bridge or "vblab"), rules(), dnsmasqs()) == (None, "", {})

    def test_what_the_host_has_already(self, client):
        run("ip", "link", "add", "vbother", "type", "bridge")
        run("ip", "addr", "add", "10.77.5.9/24", "dev", "vbother")
        run("ip", "link", "set", "vbother", "up")
        refused(up, client, "other", word="vbother")
        refused(up, client, "five", 5, word="vbother")
        up(client, "six", 6)
        refused(up, client, "seven", 6, word="six")
        assert link("vbother") and link("vbfive") is None and link("vbseven") is None
        assert "vbsix" in rules() and "vbfive" not in rules()

    def test_a_bridge_of_the_host_is_left_alone(self, client):
        run("ip", "link", "add", "vblab", "address", "52:54:00:aa:bb:cc", "type", "bridge")
        path = define(client, "lab", content="<mac address='52:54:00:aa:bb:cc'/>" + ADDRESS.format(1))
        refused(client.call, path, NETWORK, "Create", word="not this network's")
        assert link("vblab")["addr_info"] == []

    def test_a_dnsmasq_that_cannot_start(self, client):
        content = ("<ip address='10.77.1.1' prefix='24'><tftp root='/no/such/folder'/>"
                   "<dhcp><range start='10.77.1.2' end='10.77.1.9'/></dhcp></ip>")
        path = define(client, "lab", content=content)
        refused(client.call, path, NETWORK, "Create", word="/no/such/folder")
        assert (link("vblab"), rules(), dnsmasqs()) == (None, "", {})
        assert client.get(path, NETWORK, "Active") is False


    @pytest.mark.parametrize("xml, word", [
        ("<forward mode='nat'/><bridge name='vblab' zone='public'/>" + ADDRESS.format(1), "zone"),
        ("<bridge name='vblab' macTableManager='libvirt'/>" + ADDRESS.format(1), "MAC table"),
        ("<forward mode='hostdev' managed='yes'/>", "<pf dev='...'>"),
        ("<forward mode='hostdev'><driver name='xen'/><pf dev='eth7'/></forward>", "'xen'"),
        ("<forward mode='hostdev'><pf dev='eth7'/></forward><portgroup name='a'><bandwidth><inbound average='5'/></bandwidth></portgroup>",
         "portgroup 'a'"),
        ("<forward mode='bridge'/><bridge name='br0'/><bandwidth><inbound average='5'/></bandwidth>", "<bandwidth>"),
    ])
    def test_what_is_not_supported_is_named(self, client, xml, word):
        path = client.call(QEMU, CONNECT, "NetworkDefineXML", "s", f"<network><name>lab</name>{xml}</network>")
        refused(client.call, path, NETWORK, "Create", word=word)
        assert (client.get(path, NETWORK, "Active"), link("vblab"), rules(), dnsmasqs()) == (False, None, "", {})


class TestTraffic:
    def test_address_and_name(self, client, guests, tmp_path):
        path = up(client, "lab", forward="<forward mode='nat'/>", content=(
            "<domain name='lab.test' localOnly='yes'/><dns><host ip='10.77.1.5'><hostname>printer</hostname></host></dns>"
            "<ip address='10.77.1.1' prefix='24'><dhcp><range start='10.77.1.10' end='10.77.1.20'/>"
            "<host mac='52:54:00:00:00:02' name='fixed' ip='10.77.1.99'/></dhcp></ip>"))
        web, fixed = guests("web", "vblab"), guests("fixed", "vblab", mac="52:54:00:00:00:02")
        web.ask_for_address(tmp_path)
        fixed.ask_for_address(tmp_path)
        assert fixed.address() == "10.77.1.99" and web.address().startswith("10.77.1.1")
        leases = client.call(path, NETWORK, "GetDHCPLeases", "su", "", 0)
        assert sorted((x[0], x[2], x[3], x[5], x[6], x[7]) for x in leases) == sorted([
            ("vblab", 0, "52:54:00:00:00:01", web.address(), 24, "web"),
            ("vblab", 0, "52:54:00:00:00:02", "10.77.1.99", 24, "fixed")])
        assert client.call(path, NETWORK, "GetDHCPLeases", "su", "52:54:00:00:00:02", 0)[0][5] == "10.77.1.99"
        assert web.reaches("10.77.1.99")
        assert "10.77.1.5" in web.run("busybox", "nslookup", "printer.lab.test", "10.77.1.1").stdout
        assert web.address() in fixed.run("busybox", "nslookup", "web.lab.test", "10.77.1.1").stdout

    def test_who_reaches_whom(self, client, guests):
        """The world is a namespace behind a bridge that is not the daemon's and knows no way back to the networks."""
        run("ip", "link", "add", "vbworld", "type", "bridge")
        run("ip", "addr", "add", "192.0.2.1/24", "dev", "vbworld")
        run("ip", "link", "set", "vbworld", "up")
        up(client, "nat", 1, forward="<forward mode='nat'/>")
        up(client, "alone", 2)
        up(client, "routed", 3, forward="<forward mode='route'/>")
        world = guests("world", "vbworld", mac="52:54:00:00:00:09")
        world.run("ip", "addr", "add", "192.0.2.2/24", "dev", "eth0")
        nat, mate, alone, routed = (guests(n, b, mac=f"52:54:00:00:00:0{i}") for i, (n, b) in enumerate(
            (("nat", "vbnat"), ("mate", "vbnat"), ("alone", "vbalone"), ("routed", "vbrouted")), 1))
        for guest, address in ((nat, "10.77.1.2"), (mate, "10.77.1.3"), (alone, "10.77.2.2"), (routed, "10.77.3.2")):
            guest.set_address(address + "/24", address[:-1] + "1")
        wait_for(lambda: nat.reaches("10.77.1.3"))
        assert nat.reaches("192.0.2.2")
        assert not alone.reaches("192.0.2.2") and not alone.reaches("10.77.3.2") and alone.reaches("10.77.2.1")
        assert not routed.reaches("192.0.2.2")  # it gets there, and the world knows no way back
        world.run("ip", "route", "add", "10.77.0.0/16", "via", "192.0.2.1")
        assert routed.reaches("192.0.2.2") and world.reaches("10.77.3.2")
        assert not world.reaches("10.77.1.2") and not world.reaches("10.77.2.2") and not routed.reaches("10.77.1.2")

    def test_open(self, client, guests, daemon):
        """Nothing is done for or against it: who knows the way gets there, both ways, and no rule names it."""
        run("ip", "link", "add", "vbworld", "type", "bridge")
        run("ip", "addr", "add", "192.0.2.1/24", "dev", "vbworld")
        run("ip", "link", "set", "vbworld", "up")
        path = up(client, "free", forward="<forward mode='open'/>", content=(
            ADDRESS.format(1) + "<ip family='ipv6' address='fd00:77::1' prefix='64'/>"))
        up(client, "alone", 2)
        world, free, alone = (guests(n, b, mac=f"52:54:00:00:00:0{i}") for i, (n, b) in enumerate(
            (("world", "vbworld"), ("free", "vbfree"), ("alone", "vbalone")), 1))
        world.run("ip", "addr", "add", "192.0.2.2/24", "dev", "eth0")
        for guest, address in ((free, "10.77.1.2"), (alone, "10.77.2.2")):
            guest.set_address(address + "/24", address[:-1] + "1")
        wait_for(lambda: free.reaches("10.77.1.1"))
        assert not free.reaches("192.0.2.2")  # nothing hides its address: the world knows no way back
        world.run("ip", "route", "add", "10.77.0.0/16", "via", "192.0.2.1")
        assert free.reaches("192.0.2.2") and world.reaches("10.77.1.2")
        assert not free.reaches("10.77.2.2") and not alone.reaches("10.77.1.2")
        wait_for(lambda: "fd00:77:" in free.run("ip", "addr", "show", "dev", "eth0").stdout, timeout=20)
        assert free.reaches("fd00:77::1")
        assert "vbalone" in rules() and "vbfree" not in rules()
        daemon.restart()
        run("nft", "delete", "table", "inet", "virtbus")
        wait_for(lambda: "vbalone" in rules())
        assert "vbfree" not in rules() and client.get(path, NATIVE_NETWORK, "Health") == "ok"
        assert free.reaches("192.0.2.2") and world.reaches("10.77.1.2")

    def test_ipv6(self, client, guests):
        up(client, "six", forward="<forward mode='route'/>", content=(
            "<ip family='ipv6' address='fd00:77::1' prefix='64'/>"))
        guest = guests("six", "vbsix")
        wait_for(lambda: "fd00:77:" in guest.run("ip", "addr", "show", "dev", "eth0").stdout, timeout=20)
        assert guest.reaches("fd00:77::1")


class TestUpdate:
    """command 3 adds, 1 modifies, 2 deletes; section 4 is a host of DHCP, 11 a text of DNS; flags 1 live, 2 stored."""
    HOST = "<host mac='52:54:00:00:00:01' name='web' ip='10.77.1.99'/>"

    def update(self, client, path, command, section, xml, flags):
        client.call(path, NETWORK, "Update", "uuisu", command, section, -1, xml, flags)

    def hosts(self, client, path, flags):
        return len(ElementTree.fromstring(client.call(path, NETWORK, "GetXMLDesc", "u", flags)).findall("ip/dhcp/host"))

    def test_live_stored_and_both(self, daemon, client, guests, tmp_path):
        path = up(client, "lab", forward="<forward mode='nat'/>")
        self.update(client, path, 3, 4, self.HOST, 0)
        assert (self.hosts(client, path, 0), self.hosts(client, path, 1)) == (1, 0)
        guest = guests("web", "vblab")
        guest.ask_for_address(tmp_path)
        assert guest.address() == "10.77.1.99"
        self.update(client, path, 3, 4, self.HOST, 2)
        self.update(client, path, 3, 11, "<txt name='note.test' value='hello there'/>", 3)
        assert "hello there" in guest.run("busybox", "nslookup", "-type=txt", "note.test", "10.77.1.1", check=False).stdout
        daemon.restart()
        assert (self.hosts(client, path, 0), self.hosts(client, path, 1)) == (1, 1)
        self.update(client, path, 2, 4, self.HOST, 3)
        assert (self.hosts(client, path, 0), self.hosts(client, path, 1)) == (0, 0)
        assert len(dnsmasqs()) == 1 and len(client.call(path, NETWORK, "GetDHCPLeases", "su", "", 0)) == 1

    def test_refused_changes_nothing(self, client):
        path = define(client, "lab")
        refused(self.update, client, path, 3, 4, self.HOST, 1, word="not up")
        client.call(path, NETWORK, "Create")
        before, pids = client.call(path, NETWORK, "GetXMLDesc", "u", 0), dnsmasqs()
        for command, section, xml, flags in ((3, 4, "<host mac='52:54:00:00:00:01' ip='10.0.0.1'/>", 3), (2, 4, self.HOST, 3),
                                             (3, 4, "<range/>", 3), (3, 4, "", 3), (9, 4, self.HOST, 3), (3, 3, "<ip/>", 3),
                                             (3, 4, self.HOST, 4)):
            refused(self.update, client, path, command, section, xml, flags)
        refused(self.update, client, path, 3, 11, "<txt name='a' value='x&#34;y'/>", 1, word="dnsmasq")
        assert client.call(path, NETWORK, "GetXMLDesc", "u", 0) == before and len(dnsmasqs()) == 1
        self.update(client, path, 3, 4, self.HOST, 1)


class TestTakenBack:
    def test_after_sigkill(self, daemon, client, guests, tmp_path):
        path = up(client, "lab", forward="<forward mode='nat'/>")
        other = client.call(QEMU, CONNECT, "NetworkCreateXML", "s", network("other", 2))
        guest = guests("web", "vblab")
        guest.ask_for_address(tmp_path)
        before, index = dnsmasqs(), link("vblab")["ifindex"]
        for _ in range(2):
            daemon.restart()
            assert client.get(path, NETWORK, "Active") is True and client.get(other, NETWORK, "Active") is True
            assert dnsmasqs() == before and link("vblab")["ifindex"] == index
            assert guest.reaches("10.77.1.1") and 'iifname "vblab"' in rules()
        assert len(client.call(path, NETWORK, "GetDHCPLeases", "su", "", 0)) == 1
        for network_path in (path, other):
            client.call(network_path, NETWORK, "Destroy")
        assert (link("vblab"), link("vbother"), rules(), dnsmasqs()) == (None, None, "", {})

    def test_what_was_lost_meanwhile_is_made_again(self, daemon, client):
        path = up(client, "lab", forward="<forward mode='nat'/>")
        daemon.kill()
        for pid in dnsmasqs():
            os.kill(pid, signal.SIGKILL)
        run("ip", "link", "del", "vblab")
        run("nft", "delete", "table", "inet", "virtbus")
        daemon.start()
        assert client.get(path, NETWORK, "Active") is True
        assert link("vblab") and 'iifname "vblab"' in rules() and len(dnsmasqs()) == 1

    def test_rules_that_somebody_removes_come_back(self, daemon, client):
        """As whoever loads another firewall does; others' rules stay as they are."""
        path = up(client, "lab", forward="<forward mode='nat'/>")
        run("nft", "add", "table", "ip", "theirs")
        before = rules()
        for what in (("flush", "ruleset"), ("flush", "table", "inet", "virtbus"), ("delete", "table", "inet", "virtbus")):
            run("nft", *what)
            run("nft", "add", "table", "ip", "theirs")
            wait_for(lambda: rules() == before)
        for pattern, words in ((r"masquerade # handle (\d+)", "replace rule inet virtbus postrouting handle {} accept"),
                               (r"reject.* # handle (\d+)", "replace rule inet virtbus forward handle {} accept"),
                               (r"", "insert rule inet virtbus forward accept"),
                               (r"", "add chain inet virtbus forward {{ policy drop; }}"),
                               (r"", "add table inet virtbus {{ flags dormant; }}")):
            listed = run("nft", "-a", "list", "table", "inet", "virtbus").stdout
            run("nft", words.format(*re.search(pattern, listed).groups()))
            assert rules() != before, words
            wait_for(lambda: rules() == before, 10, words)
        run("nft", "delete", "table", "ip", "theirs")
        wait_for(lambda: client.get(path, NATIVE_NETWORK, "Health") == "ok")
        assert "the kernel has lost the rules of networks" in daemon.read_log()
        client.call(path, NETWORK, "Destroy")
        assert rules() == ""

    def test_what_cannot_be_taken_back_stays(self, daemon, client):
        """Guests may be on it.  Here somebody has taken dnsmasq's port meanwhile."""
        path = up(client, "lab", forward="<forward mode='nat'/>")
        daemon.kill()
        for pid in dnsmasqs():
            os.kill(pid, signal.SIGKILL)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            wait_for(lambda: binds(other, "10.77.1.1", 53))  # a dying process closes its sockets last
            other.listen()
            daemon.start()
            assert client.get(path, NETWORK, "Active") is False and link("vblab") and "masquerade" in rules()
            refused(client.call, path, NETWORK, "Create")
            assert link("vblab")
        client.call(path, NETWORK, "Create")
        assert client.get(path, NETWORK, "Active") is True and len(dnsmasqs()) == 1

    @pytest.mark.parametrize("user, program", [("alice", "dnsmasq"), ("root", "sh")])
    def test_what_only_looks_like_its_dnsmasq_is_left_alone(self, daemon, client, tmp_path, user, program):
        path = up(client, "lab")
        daemon.kill()
        [(pid, words)] = dnsmasqs().items()
        os.kill(pid, signal.SIGKILL)
        shutil.copy("/bin/sh", tmp_path / program)
        [config] = [word for word in words if word.startswith("--conf-file=")]
        with open(tmp_path / program) as copy:  # whoever may enter the folder
            alike = subprocess.Popen(["dnsmasq", "-c", "read line", "sh", config], executable=f"/proc/self/fd/{copy.fileno()}",
                                     pass_fds=[copy.fileno()], user=user, stdin=subprocess.PIPE)
        try:
            assert os.path.basename(os.readlink(f"/proc/{alike.pid}/exe")) == program
            daemon.start()
            assert client.get(path, NETWORK, "Active") is True and len(dnsmasqs()) == 1
            client.call(path, NETWORK, "Destroy")
            assert alike.poll() is None
        finally:
            alike.kill()
            alike.communicate()

    def test_a_dnsmasq_that_dies_is_replaced(self, client):
        path = up(client, "lab")
        (pid,) = dnsmasqs()
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: dnsmasqs() and pid not in dnsmasqs())
        client.call(path, NETWORK, "Destroy")
        assert dnsmasqs() == {}

    @pytest.mark.parametrize("delay_ms", [5, 10, 15, 20, 25, 30, 40, 50])
    def test_taken_down_while_it_comes_up(self, client, delay_ms):
        path = define(client, "lab", forward="<forward mode='nat'/>")
        create = client.begin(path, NETWORK, "Create")
        subprocess.run(["sleep", str(delay_ms / 1000)], check=True)
        with contextlib.suppress(BusError):  # it may not be up yet
            client.call(path, NETWORK, "Destroy")
        with contextlib.suppress(BusError):
            create.result()
        is_up = client.get(path, NETWORK, "Active")
        assert (link("vblab") is not None, len(dnsmasqs()), rules() != "") == (is_up, is_up, is_up)

    @pytest.mark.parametrize("delay_ms", [1, 5, 10, 20, 40, 60, 100])
    def test_killed_in_the_middle(self, daemon, client, delay_ms):
        path = define(client, "lab", forward="<forward mode='nat'/>")
        for member in ("Create", "Destroy"):
            client.begin(path, NETWORK, member)
            subprocess.run(["sleep", str(delay_ms / 1000)], check=True)
            daemon.restart()
            wait_for(lambda: len(dnsmasqs()) == client.get(path, NETWORK, "Active"))
            is_up = client.get(path, NETWORK, "Active")
            assert (link("vblab") is not None, 'iifname "vblab"' in rules()) == (is_up, is_up)
            if is_up != (member == "Create"):
                client.call(path, NETWORK, member)
        assert (link("vblab"), rules(), dnsmasqs()) == (None, "", {})


@pytest.mark.qemu
class TestMachines:
    """QEMU's own network boot asks for an address."""

    def test_gets_an_address(self, client):
        network_path = define(client, "lab", forward="<forward mode='nat'/>")
        machine = define_machine(client, definition("web", interface("<mac address='52:54:00:00:00:77'/><source network='lab'/>")))
        machine.create()
        assert client.get(network_path, NETWORK, "Active") is True  # started with the machine
        live = ElementTree.fromstring(client.call(machine.path, DOMAIN, "GetXMLDesc", "u", 0))
        tap = live.find("devices/interface/target").get("dev")
        assert link(tap)["master"] == "vblab" and link(tap)["address"] == "fe:54:00:00:00:77"
        wait_for(lambda: client.call(network_path, NETWORK, "GetDHCPLeases", "su", "52:54:00:00:00:77", 0), timeout=60)
        (found,) = client.call(machine.path, DOMAIN, "InterfaceAddresses", "uu", 0, 0)
        assert found[:2] == (tap, "52:54:00:00:00:77") and found[2][0][1].startswith("10.77.1.") and found[2][0][2] == 24
        address = found[2][0][1]
        run("ip", "neigh", "replace", address, "lladdr", "52:54:00:00:00:77", "dev", "vblab")
        assert client.call(machine.path, DOMAIN, "InterfaceAddresses", "uu", 2, 0) == [
            (tap, "52:54:00:00:00:77", [(0, address, 0)])]
        refused(client.call, machine.path, DOMAIN, "InterfaceAddresses", "uu", 1, 0, word="agent")
        refused(client.call, machine.path, DOMAIN, "InterfaceAddresses", "uu", 3, 0, word="3")
        machine.destroy()
        assert link(tap) is None
        stored = ElementTree.fromstring(client.call(machine.path, DOMAIN, "GetXMLDesc", "u", 2))
        assert stored.find("devices/interface/target") is None

    def test_without_its_network(self, client):
        """Whoever asks for it has no network brought up; what is up is used."""
        path = define(client, "lab")
        machine = define_machine(client, definition("web", interface("<source network='lab'/>")))
        keep = {"start-networks": GLib.Variant("b", False)}
        refused(client.call, machine.path, NATIVE, "Start", "a{sv}", keep, word="'lab' is down")
        assert machine.state[0] == 5 and client.get(path, NETWORK, "Active") is False
        refused(machine.call, "Create", "u", 1 << 16, word="0x10000")
        client.call(path, NETWORK, "Create")
        client.call(machine.path, NATIVE, "Start", "a{sv}", keep)
        client.call(path, NETWORK, "Destroy")
        machine.call("AttachDevice", "su", interface("<source network='lab'/>", model="e1000").replace("<boot order='1'/>", ""), 1)
        assert client.get(path, NETWORK, "Active") is True  # it was said of the start
        machine.destroy()
        client.call(path, NETWORK, "Destroy")
        client.call(machine.path, NATIVE, "Start", "a{sv}", {"start-networks": GLib.Variant("b", True)})
        assert client.get(path, NETWORK, "Active") is True
        client.call(path, NETWORK, "Destroy")
        refused(client.call, QEMU, NATIVE_CONNECT, "CreateXML", "sa{sv}", definition("x", interface("<source network='lab'/>")), keep,
                word="'lab' is down")
        assert client.get(path, NETWORK, "Active") is False

    def test_bridge_with_a_name_queues_and_isolation(self, client):
        run("ip", "link", "add", "vbhost", "type", "bridge")
        machine = define_machine(client, definition("web", interface(
            "<source bridge='vbhost'/><target dev='web0'/><driver name='qemu' queues='2'/><mtu size='1400'/><port isolated='yes'/>",
            "bridge")))
        machine.create()
        found = link("web0")
        assert (found["master"], found["mtu"], found["linkinfo"]["info_data"]["multi_queue"]) == ("vbhost", 1400, True)
        assert found["linkinfo"]["info_slave_data"]["isolated"] is True
        other = define_machine(client, definition("other", interface("<source bridge='vbhost'/><target dev='web0'/>", "bridge")))
        refused(other.create, word="web0")
        machine.destroy()
        assert link("web0") is None

    def test_what_is_missing(self, client):
        for name, content, kind, word in (("a", "<source network='none'/>", "network", "none"),
                                          ("b", "<source bridge='vbnone'/>", "bridge", "vbnone"),
                                          ("c", "<source network='lan'/>", "network", "bridge"),
                                          ("d", "<source network='lab' portgroup='x'/>", "network", "portgroup"),
                                          ("f", "<source network='lab'/><target dev='a-name-too-long-'/>", "network", "15"),
                                          ("e", "<source network='lab'/><bandwidth><inbound average='1' floor='1'/></bandwidth>", "network",
                                           "floor")):
            if name == "c":
                client.call(QEMU, CONNECT, "NetworkDefineXML", "s",
                            "<network><name>lan</name><forward mode='passthrough'/></network>")
                define(client, "lab")
            machine = define_machine(client, definition(name, interface(content, kind)))
            refused(machine.create, word=word)
            assert machine.state[0] == 5

    @pytest.mark.system
    def test_only_for_those_who_share_the_host(self, system_daemon):
        root, alice = system_daemon.client(), system_daemon.client("alice")
        up(root, "lab")
        machine = define_machine(root, definition("web", interface("<source network='lab'/>")))
        machine.create()
        assert [i["ifname"] for i in json.loads(run("ip", "-json", "link", "show", "master", "vblab").stdout)] != []
        machine.destroy()
        own = define_machine(alice, definition("own", interface("<source bridge='vblab'/>", "bridge")))
        refused(own.create, word="libvirt")
        refused(alice.call, QEMU, CONNECT, "NetworkCreateXML", "s", network("mine", 4))
