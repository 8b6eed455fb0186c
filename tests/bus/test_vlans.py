"""<vlan> of interfaces, portgroups and networks: which frames go where. The guests are taps whose frames the test writes and
reads."""

import json
import os
import select
import socket
import struct
import time

import pytest

from harness import wait_for
from machines import AFFECT_CONFIG, AFFECT_LIVE, CONNECT, QEMU, definition
from machines import define as define_machine
from networks import ADDRESS, NETWORK, clean, define, guests, held_between, interface, link, on_portgroup, refused, run, up  # noqa: F401
from filtered import MAC, OTHER_MAC, Peer, mark
from filtered import Guest as Wired

MODIFY, SECTION_PORTGROUP = 1, 9


def kernel_tells_them_apart():
    run("ip", "link", "add", "vbprobe", "type", "bridge")
    try:
        return "vlan_default_pvid" in link("vbprobe")["linkinfo"]["info_data"]
    finally:
        run("ip", "link", "del", "vbprobe")


INSIDE = bool(os.environ.get("VIRTBUS_NAMESPACE"))
CAN = INSIDE and kernel_tells_them_apart()
pytestmark = pytest.mark.skipif(not INSIDE, reason="only inside tests/bus/run, started as root")
needs_vlans = pytest.mark.skipif(not CAN, reason="this kernel's bridges have no VLANs, tests/vm/systemd.sh host shows them")
GROUPS = ("<portgroup name='red'><vlan><tag id='10'/></vlan></portgroup><portgroup name='blue'><vlan><tag id='20'/></vlan></portgroup>"
          "<portgroup name='trunk'><vlan trunk='yes'><tag id='10'/><tag id='20'/></vlan></portgroup>"
          "<portgroup name='native'><vlan trunk='yes'><tag id='10' nativeMode='untagged'/><tag id='20'/></vlan></portgroup>")
MARKED = b"\x88\xb5"  # the frames of mark()
ACCESS = {"PVID", "Egress Untagged"}


def vlans(device):
    """VLAN → flags."""
    (found,) = json.loads(run("bridge", "-json", "vlan", "show", "dev", device).stdout) or [{"vlans": []}]
    return {each["vlan"]: set(each.get("flags", ())) for each in found["vlans"]}


def filters(bridge):
    return bool(link(bridge)["linkinfo"]["info_data"]["vlan_filtering"])


def tagged(number, data):
    return data[:12] + struct.pack("!HH", 0x8100, number) + data[12:]


def vlan_xml(*tags, trunk=False):
    return f"<vlan{' trunk=' + repr('yes') if trunk else ''}>" + "".join(f"<tag id='{tag}'/>" for tag in tags) + "</vlan>"


def heard(guest, last):
    """What came, up to that one. What fills a frame up may be cut off on the way; hosts and bridges have their own to say."""
    found, until = [], time.monotonic() + 60
    while not found or found[-1] != last.rstrip(b"\0"):
        assert time.monotonic() < until, found
        data = guest.read()
        kind = data[16:18] if data[12:14] == b"\x81\0" else data[12:14]
        if kind == MARKED:
            found.append(data.rstrip(b"\0"))
    return found


def forget(*guests):
    """What bridges said before: a guest's queue has room for ten."""
    for guest in guests:
        while select.select([guest.socket], [], [], 0)[0]:
            guest.read()


def bare(*frames):
    return [each.rstrip(b"\0") for each in frames]


@pytest.fixture
def wired(client, tmp_path):
    made = []

    def make(name, source, content="", kind="network"):
        made.append(Wired(client, tmp_path / "qemu", content, kind=kind, source=source, name=name))
        made[-1].socket.settimeout(30)
        return made[-1].start()
    yield make
    for each in made:
        each.socket.close()


@pytest.fixture
def bridge():
    """The host's own, which tells VLANs apart."""
    run("ip", "link", "add", "vbhost", "type", "bridge", "vlan_filtering", "1", "mcast_snooping", "0")
    run("ip", "link", "set", "vbhost", "up")


class Port(Peer):
    """A port of a bridge that is somebody else's, in one VLAN."""

    def __init__(self, number):
        super().__init__("vbhost", f"vbp{number}", f"vbp{number}e")
        run("bridge", "vlan", "del", "dev", self.port, "vid", "1")
        run("bridge", "vlan", "add", "dev", self.port, "vid", str(number), "pvid", "untagged")
        self.socket.settimeout(30)


@pytest.fixture
def ports(bridge):
    made = [Port(10), Port(20)]
    yield made
    for port in made:
        port.close()


@needs_vlans
class TestTraffic:
    def test_portgroups(self, client, wired):
        up(client, "lab", content=ADDRESS.format(1) + GROUPS)
        assert filters("vblab")
        red, blue, trunk, native = (wired(name, f"network='lab' portgroup='{name}'") for name in ("red", "blue", "trunk", "native"))
        assert vlans(red.device) == {10: ACCESS} and vlans(blue.device) == {20: ACCESS}
        assert vlans(trunk.device) == {10: set(), 20: set()} and vlans(native.device) == {10: ACCESS, 20: set()}
        for port in (red, blue, trunk, native):
            wait_for(lambda: link(port.device)["linkinfo"]["info_slave_data"]["state"] == "forwarding", 30)  # noqa: B023
        in_blue, in_none, in_red, last = (mark() for _ in range(4))
        forget(red, blue, trunk, native)
        trunk.send(tagged(20, in_blue))
        trunk.send(in_none)
        trunk.send(tagged(10, in_red))
        trunk.send(tagged(20, last))
        assert heard(red, in_red) == bare(in_red)
        assert heard(blue, last) == bare(in_blue, last)
        assert heard(native, tagged(20, last)) == bare(tagged(20, in_blue), in_red, tagged(20, last))
        of_red, of_blue = mark(), mark()
        red.send(of_red)
        assert heard(trunk, tagged(10, of_red)) == bare(tagged(10, of_red)) and heard(native, of_red) == bare(of_red)
        trunk.send(tagged(20, of_blue))
        assert heard(blue, of_blue) == bare(of_blue)
        red.send(tagged(20, mark()))  # an access port has no other VLAN by saying so
        red.send(last)
        assert heard(trunk, tagged(10, last)) == bare(tagged(10, last))

    def test_a_network_of_its_own(self, client, wired, guests, tmp_path):  # noqa: F811
        """Its host is in its VLAN: whoever is there gets an address, and nobody else."""
        up(client, "lab", content="<vlan><tag id='42'/></vlan>" + ADDRESS.format(1))
        assert filters("vblab") and vlans("vblab") == {42: ACCESS}
        inside, outside = guests("in", "vblab"), guests("out", "vblab", mac=OTHER_MAC)
        run("bridge", "vlan", "add", "dev", "vin", "vid", "42", "pvid", "untagged")
        inside.ask_for_address(tmp_path)
        assert inside.address().startswith("10.77.1.")
        outside.run("ip", "addr", "add", "10.77.1.9/24", "dev", "eth0")
        assert inside.reaches("10.77.1.1") and not outside.reaches("10.77.1.1")
        web = wired("web", "network='lab'")
        own = wired("own", "network='lab'", vlan_xml(7))
        assert vlans(web.device) == {42: ACCESS} and vlans(own.device) == {7: ACCESS}  # the interface's own goes before

    def test_on_the_hosts_bridge(self, client, wired, ports):
        ten, twenty = ports
        web = wired("web", "bridge='vbhost'", vlan_xml(10), "bridge")
        hub = wired("hub", "bridge='vbhost'", vlan_xml(10, 20, trunk=True), "bridge")
        plain = wired("plain", "bridge='vbhost'", "", "bridge")
        assert vlans(web.device) == {10: ACCESS} and vlans(plain.device) == {1: ACCESS}
        first, second, third = mark(), mark(), mark()
        twenty.send(first)
        assert heard(hub, tagged(20, first)) == bare(tagged(20, first))
        ten.send(second)
        assert heard(web, second) == bare(second) and heard(hub, tagged(10, second)) == bare(tagged(10, second))
        web.send(third)
        assert heard(ten, third) == bare(third) and heard(hub, tagged(10, third)) == bare(tagged(10, third))
        hub.send(tagged(20, first))
        assert heard(twenty, first) == bare(first)


@needs_vlans
class TestChanges:
    def test_while_it_runs(self, daemon, client, wired, ports):
        ten, twenty = ports
        web = wired("web", "bridge='vbhost'", vlan_xml(10), "bridge")
        device = web.device

        def update(content, flags=AFFECT_LIVE):
            web.machine.call("UpdateDevice", "su", f"<interface type='bridge'><mac address='{MAC}'/><source bridge='vbhost'/>"
                             f"<model type='e1000'/>{content}</interface>", flags)
        update(vlan_xml(20))
        assert vlans(device) == {20: ACCESS} and web.machine.tree().find("devices/interface/vlan/tag").get("id") == "20"
        first, second = mark(), mark()
        ten.send(first)
        twenty.send(second)
        assert heard(web, second) == bare(second)
        refused(update, vlan_xml(4095), AFFECT_LIVE | AFFECT_CONFIG, word="4095")
        assert vlans(device) == {20: ACCESS} and web.machine.tree(2).find("devices/interface/vlan/tag").get("id") == "10"
        update(vlan_xml(10, 20, trunk=True), AFFECT_LIVE | AFFECT_CONFIG)
        assert vlans(device) == {10: set(), 20: set()} and len(web.machine.tree(2).findall("devices/interface/vlan/tag")) == 2
        daemon.kill()
        daemon.start()
        assert vlans(device) == {10: set(), 20: set()}
        update("")
        assert vlans(device) == {1: ACCESS} and web.machine.tree().find("devices/interface/vlan") is None

    def test_to_a_bridge_that_cannot(self, client, wired, bridge):
        """It stays where it is, in its VLAN."""
        run("ip", "link", "add", "vbother", "type", "bridge")
        web = wired("web", "bridge='vbhost'", vlan_xml(10), "bridge")
        other = (f"<interface type='bridge'><mac address='{MAC}'/><source bridge='vbother'/><model type='e1000'/>"
                 f"{vlan_xml(10)}</interface>")
        refused(web.machine.call, "UpdateDevice", "su", other, AFFECT_LIVE, word="vlan_filtering 1")
        assert vlans(web.device) == {10: ACCESS} and link(web.device)["master"] == "vbhost"
        run("ip", "link", "set", "vbother", "type", "bridge", "vlan_filtering", "1")
        web.machine.call("UpdateDevice", "su", other, AFFECT_LIVE)
        assert vlans(web.device) == {10: ACCESS} and link(web.device)["master"] == "vbother"

    def test_the_network_goes_and_comes(self, daemon, client, wired):
        """Nothing of it says anything of VLANs: the first guest that has some makes the bridge tell them apart."""
        path = up(client, "lab")
        plain = wired("plain", "network='lab'")
        assert not filters("vblab")
        web = wired("web", "network='lab'", vlan_xml(10))
        assert filters("vblab") and vlans(web.device) == {10: ACCESS} and vlans(plain.device) == {1: ACCESS}
        daemon.kill()
        daemon.start()
        assert filters("vblab") and vlans(web.device) == {10: ACCESS}
        client.call(path, NETWORK, "Destroy")
        client.call(path, NETWORK, "Create")
        assert filters("vblab") and vlans(web.device) == {10: ACCESS} and vlans(plain.device) == {1: ACCESS}

    def test_a_portgroup_changes(self, daemon, client, wired):
        path = up(client, "lab", content=ADDRESS.format(1) + GROUPS)
        red = wired("red", "network='lab' portgroup='red'")

        def modify(content):
            client.call(path, NETWORK, "Update", "uuisu", MODIFY, SECTION_PORTGROUP, -1, f"<portgroup name='red'>{content}</portgroup>",
                        AFFECT_LIVE | AFFECT_CONFIG)
        modify(vlan_xml(11))
        assert vlans(red.device) == {11: ACCESS}
        refused(modify, vlan_xml(0), word="id='0'")
        assert vlans(red.device) == {11: ACCESS}
        daemon.kill()
        daemon.start()
        modify("")
        assert vlans(red.device) == {1: ACCESS}

    def test_a_portgroup_changes_while_a_machine_starts(self, client, bridge, tmp_path):
        """Its port is not there yet, and is where it shall be by then all the same."""
        path, machine = on_portgroup(client, GROUPS, "red")
        for content, expected in ((vlan_xml(11), {11: ACCESS}), ("", {1: ACCESS}), (vlan_xml(12), {12: ACCESS})):
            with held_between(machine, "one0", tmp_path):
                client.call(path, NETWORK, "Update", "uuisu", MODIFY, SECTION_PORTGROUP, -1,
                            f"<portgroup name='red'>{content}</portgroup>", AFFECT_LIVE)
            assert vlans("one0") == expected
            machine.destroy()

    def test_plugged_in(self, client, bridge):
        machine = define_machine(client, definition("web"))
        machine.create()
        card = interface(f"<mac address='{OTHER_MAC}'/><source bridge='vbhost'/>{vlan_xml(10)}", "bridge", "e1000").replace("<boot order='1'/>", "")
        machine.call("AttachDevice", "su", card, AFFECT_LIVE)
        device = machine.tree().find("devices/interface/target").get("dev")
        assert vlans(device) == {10: ACCESS}
        machine.destroy()
        assert link(device) is None


class TestRefused:
    def test_where_it_cannot_be(self, client):
        run("ip", "link", "add", "vbhost", "type", "bridge")
        run("ip", "link", "add", "vbcard", "type", "veth", "peer", "name", "vbcarde")
        client.call(QEMU, CONNECT, "NetworkDefineXML", "s",
                    "<network><name>lan</name><forward mode='bridge'><interface dev='vbcard'/></forward></network>")
        path = define(client, "lab")
        words = {"bridge='vbhost'": ("bridge", "vlan_filtering 1" if CAN else "CONFIG_BRIDGE_VLAN_FILTERING"),
                 "bridge='vbcard'": ("bridge", "no bridge"), "network='lan'": ("network", "device of the host"),
                 "dev='vbcard' mode='bridge'": ("direct", "not on a bridge")}
        try:
            for number, (source, (kind, word)) in enumerate(words.items()):
                machine = define_machine(client, definition(f"m{number}", interface(f"<source {source}/>{vlan_xml(5)}", kind)))
                assert "vlan" in refused(machine.create, word=word).message.lower()
                assert machine.state[0] == 5
            machine = define_machine(client, definition("none", interface(f"<source network='lab'/>{vlan_xml(0)}")))
            refused(machine.create, word="id='0'")
            assert client.get(path, NETWORK, "Active") is False
        finally:
            run("ip", "link", "del", "vbcard")

    def test_a_network_that_cannot_have_it(self, client):
        path = define(client, "bad", content=ADDRESS.format(3) + "<portgroup name='red'>" + vlan_xml(4095) + "</portgroup>")
        refused(client.call, path, NETWORK, "Create", word="portgroup 'red'")
        refused(client.call, QEMU, CONNECT, "NetworkDefineXML", "s",
                f"<network><name>lan</name><forward mode='vepa'><interface dev='x'/></forward>{vlan_xml(5)}</network>", word="<vlan>")

    @pytest.mark.skipif(CAN, reason="this kernel's bridges have VLANs")
    def test_where_the_kernel_cannot(self, client):
        """All or nothing: the network is not up, nor is the machine."""
        path = define(client, "lab", content=ADDRESS.format(1) + GROUPS)
        refused(client.call, path, NETWORK, "Create", word="CONFIG_BRIDGE_VLAN_FILTERING")
        assert link("vblab") is None and client.get(path, NETWORK, "Active") is False
        up(client, "plain", 2)
        machine = define_machine(client, definition("web", interface(f"<source network='plain'/>{vlan_xml(5)}")))
        refused(machine.create, word="'vbplain'")
        assert client.call(path, NETWORK, "GetXMLDesc", "u", 0).count("<tag") == 6
