"""The host's interfaces and devices as objects: real links in the network namespace of the tests, the real /sys of that
namespace, and a made-up one for devices that this machine has not."""

import contextlib
import json
import os
import pathlib
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

from harness import BusError, wait_for
from machines import CONNECT, QEMU

pytestmark = pytest.mark.skipif(not os.environ.get("VIRTBUS_NAMESPACE"), reason="only inside tests/bus/run, started as root")

INTERFACE = "org.virtbus1.Interface"
COMPATIBLE_INTERFACE = "org.libvirt.Interface"
DEVICE = "org.virtbus1.NodeDevice"
COMPATIBLE_DEVICE = "org.libvirt.NodeDevice"
CREATED, DELETED = range(2)


def run(*words, check=True):
    return subprocess.run(words, check=check, capture_output=True, text=True)


def link(name):
    found = run("ip", "-json", "-details", "addr", "show", "dev", name, check=False)
    return json.loads(found.stdout)[0] if found.returncode == 0 else None


def refused(call, *arguments, word="", name=None):
    with pytest.raises(BusError) as e:
        call(*arguments)
    assert word in e.value.message
    assert name is None or e.value.name.endswith(name)
    return e.value


@pytest.fixture
def links():
    """Names of links; whatever has one of them is removed before and after."""
    names = ["vbh0", "vbh1", "vbhbr", "vbhbr2", "vbhrenamed"]

    def clear():
        for name in names:
            run("ip", "link", "del", name, check=False)
    clear()
    yield
    clear()


def interface(client, name):
    return client.call(QEMU, CONNECT, "InterfaceLookupByName", "s", name)


def find(client, name):
    with contextlib.suppress(BusError):
        return interface(client, name)
    return None


def prop(client, path, name, family=INTERFACE):
    return client.get(path, family, name)


def follows(client, path, name, value, family=INTERFACE):
    wait_for(lambda: prop(client, path, name, family) == value, what=f"{name} {value}")


def test_interfaces_follow_the_kernel(system_daemon, links):
    client = system_daemon.client()
    client.call(QEMU, CONNECT, "ListInterfaces", "u", 0)
    added = client.listen(member="InterfacesAdded", path="/org/libvirt")
    removed = client.listen(member="InterfacesRemoved", path="/org/libvirt")
    run("ip", "link", "add", "vbh0", "address", "52:54:00:aa:00:01", "type", "veth", "peer", "name", "vbh1")
    path = wait_for(lambda: find(client, "vbh0"))
    assert path == "/org/libvirt/QEMU/interface/52_3a54_3a00_3aaa_3a00_3a01"
    added.wait(lambda s: s.values[0] == path)
    assert client.call(QEMU, CONNECT, "InterfaceLookupByMAC", "s", "52:54:00:AA:00:01") == path
    assert prop(client, path, "Type") == "ethernet" and prop(client, path, "Active") is False
    changed = client.listen(member="PropertiesChanged", path=path)
    run("ip", "link", "set", "vbh1", "up")
    run("ip", "link", "set", "vbh0", "up")
    follows(client, path, "Active", True)
    follows(client, path, "LinkState", "up")
    run("ip", "addr", "add", "10.88.0.5/24", "dev", "vbh0")
    wait_for(lambda: "10.88.0.5/24" in prop(client, path, "Addresses"))
    run("ip", "link", "set", "vbh0", "mtu", "1400")
    follows(client, path, "MTU", 1400)
    run("ip", "link", "add", "vbhbr", "type", "bridge")
    run("ip", "link", "set", "vbh0", "master", "vbhbr")
    follows(client, path, "Master", "vbhbr")
    wait_for(lambda: {"Active", "Addresses", "MTU", "Master"} <= {key for s in changed.signals for key in s.values[1]})
    # The bridge took its port's address: that does not say any longer which one is meant.
    bridge = interface(client, "vbhbr")
    follows(client, bridge, "MAC", "52:54:00:aa:00:01")
    refused(client.call, QEMU, CONNECT, "InterfaceLookupByMAC", "s", "52:54:00:aa:00:01", word="Several")
    element = ElementTree.fromstring(client.call(bridge, COMPATIBLE_INTERFACE, "GetXMLDesc", "u", 0))
    assert element.get("type") == "bridge" and element.find("bridge/interface").get("name") == "vbh0"
    element = ElementTree.fromstring(client.call(path, COMPATIBLE_INTERFACE, "GetXMLDesc", "u", 0))
    assert element.find("protocol[@family='ipv4']/ip").attrib == {"address": "10.88.0.5", "prefix": "24"}
    assert element.find("mtu").get("size") == "1400"
    run("ip", "link", "set", "vbh0", "down")
    follows(client, path, "Active", False)
    assert path in client.call(QEMU, CONNECT, "ListInterfaces", "u", 1)
    assert path not in client.call(QEMU, CONNECT, "ListInterfaces", "u", 2)
    run("ip", "link", "set", "vbh0", "name", "vbhrenamed")
    wait_for(lambda: find(client, "vbhrenamed") and not find(client, "vbh0"))
    run("ip", "link", "del", "vbhrenamed")
    wait_for(lambda: not find(client, "vbhrenamed"))
    removed.wait(lambda s: s.values[0] == path)
    refused(client.call, QEMU, CONNECT, "ListInterfaces", "u", 4, word="flags")
    refused(client.call, bridge, COMPATIBLE_INTERFACE, "GetXMLDesc", "u", 2, word="flags")
    refused(client.call, bridge, INTERFACE, "Up", "u", 1, word="flags")


def test_interfaces_go_up_and_down(system_daemon, links):
    client = system_daemon.client()
    run("ip", "link", "add", "vbh0", "type", "veth", "peer", "name", "vbh1")
    path = wait_for(lambda: find(client, "vbh0"))
    refused(client.call, path, INTERFACE, "Down", "u", 0, word="not up", name="OperationInvalid")
    client.call(path, INTERFACE, "Up", "u", 0)
    assert "UP" in link("vbh0")["flags"] and prop(client, path, "Active") is True
    refused(client.call, path, COMPATIBLE_INTERFACE, "Create", "u", 0, word="up already")
    client.call(path, COMPATIBLE_INTERFACE, "Destroy", "u", 0)
    assert "UP" not in link("vbh0")["flags"] and prop(client, path, "Active") is False


BRIDGE = ("<interface type='bridge' name='vbhbr'><start mode='{mode}'/><mtu size='{mtu}'/><protocol family='ipv4'>"
          "<ip address='10.88.1.1' prefix='24'/></protocol><bridge stp='off' delay='0'>{members}</bridge></interface>")
MEMBER = "<interface type='ethernet' name='vbh0'/>"


def define(client, mode="none", mtu=1450, members=MEMBER):
    return client.call(QEMU, CONNECT, "InterfaceDefineXML", "su", BRIDGE.format(mode=mode, mtu=mtu, members=members), 0)


def test_a_bridge_is_defined_made_kept_and_forgotten(system_daemon, links):
    client = system_daemon.client()
    run("ip", "link", "add", "vbh0", "type", "veth", "peer", "name", "vbh1")
    path = define(client)
    assert prop(client, path, "Defined") is True and prop(client, path, "LinkState") == "notpresent"
    assert link("vbhbr") is None
    client.call(path, INTERFACE, "Up", "u", 0)
    made = link("vbhbr")
    assert made["mtu"] == 1450 and made["ifalias"] == "virtbus-interface" and made["address"] == prop(client, path, "MAC")
    assert any(a["local"] == "10.88.1.1" for a in made["addr_info"])
    assert link("vbh0")["master"] == "vbhbr"
    assert prop(client, path, "Active") is True
    wait_for(lambda: prop(client, path, "Addresses") == ["10.88.1.1/24"] or "10.88.1.1/24" in prop(client, path, "Addresses"))
    system_daemon.restart()
    client = system_daemon.client()
    path = interface(client, "vbhbr")
    assert prop(client, path, "Defined") is True and prop(client, path, "Active") is True
    element = ElementTree.fromstring(client.call(path, COMPATIBLE_INTERFACE, "GetXMLDesc", "u", 1))
    assert element.find("bridge").get("delay") == "0" and element.find("start").get("mode") == "none"
    client.call(path, INTERFACE, "Down", "u", 0)
    assert link("vbhbr") is None and prop(client, path, "Active") is False
    client.call(path, COMPATIBLE_INTERFACE, "Undefine")
    assert find(client, "vbhbr") is None
    system_daemon.restart()
    assert find(system_daemon.client(), "vbhbr") is None


def test_what_is_to_be_up_comes_up_with_the_daemon(system_daemon, links):
    client = system_daemon.client()
    define(client, mode="onboot", members="")
    system_daemon.restart()
    client = system_daemon.client()
    wait_for(lambda: link("vbhbr"))
    follows(client, interface(client, "vbhbr"), "Active", True)


def test_a_failed_start_leaves_nothing(system_daemon, links):
    client = system_daemon.client()
    path = define(client, members="<interface type='ethernet' name='vbh1'/>")
    refused(client.call, path, INTERFACE, "Up", "u", 0, word="vbh1", name="NoDevice")
    assert link("vbhbr") is None
    # A name that belongs to another kind of device is not taken.
    run("ip", "link", "add", "vbhbr", "type", "veth", "peer", "name", "vbh1")
    wait_for(lambda: prop(client, interface(client, "vbhbr"), "LinkState") != "notpresent")
    refused(client.call, interface(client, "vbhbr"), INTERFACE, "Up", "u", 0, word="no bridge")
    assert link("vbhbr")["linkinfo"]["info_kind"] == "veth"


def test_definitions_that_cannot_be_are_refused(system_daemon, links):
    client = system_daemon.client()

    def no(xml, word, flags=0):
        refused(client.call, QEMU, CONNECT, "InterfaceDefineXML", "su", xml, flags, word=word)
    no("<interface type='ethernet' name='vbhnone'/>", "vbhnone")
    no(BRIDGE.format(mode="hotplug", mtu=1500, members=""), "hotplug")
    no("<interface type='bridge' name='vbhbr'><protocol family='ipv4'><dhcp/></protocol><bridge/></interface>", "dhcp")
    no("<interface type='bridge' name='../vbhbr'><bridge/></interface>", "'/'")
    no("<interface", "interface")
    no(BRIDGE.format(mode="none", mtu=1500, members=""), "flags", flags=2)
    assert find(client, "vbhbr") is None


def test_changes_are_taken_back_as_a_whole(system_daemon, links):
    client = system_daemon.client()

    def change(word):
        client.call(QEMU, CONNECT, "InterfaceChange" + word, "u", 0)
    refused(change, "Commit", word="begun")
    path = define(client, members="")
    client.call(path, INTERFACE, "Up", "u", 0)
    change("Begin")
    refused(change, "Begin", word="begun already")
    define(client, mtu=1300, members="")
    client.call(QEMU, CONNECT, "InterfaceDefineXML", "su", "<interface type='bridge' name='vbhbr2'><bridge/></interface>", 0)
    client.call(interface(client, "vbhbr2"), INTERFACE, "Up", "u", 0)
    client.call(path, INTERFACE, "Down", "u", 0)
    client.call(path, INTERFACE, "Up", "u", 0)
    assert link("vbhbr")["mtu"] == 1300 and link("vbhbr2")
    system_daemon.restart()
    client = system_daemon.client()
    change("Rollback")
    assert link("vbhbr")["mtu"] == 1450 and link("vbhbr2") is None and find(client, "vbhbr2") is None
    assert "1450" in client.call(interface(client, "vbhbr"), COMPATIBLE_INTERFACE, "GetXMLDesc", "u", 1)
    change("Begin")
    define(client, mtu=1310, members="")
    change("Commit")
    refused(change, "Rollback", word="begun")
    assert "1310" in client.call(interface(client, "vbhbr"), COMPATIBLE_INTERFACE, "GetXMLDesc", "u", 1)


def test_a_stranger_changes_nothing_of_the_host(system_daemon, links, polkit):
    root = system_daemon.client()
    run("ip", "link", "add", "vbh0", "type", "veth", "peer", "name", "vbh1")
    path = wait_for(lambda: find(root, "vbh0"))
    mallory = system_daemon.client("mallory")
    missing = path[:-2] + "ff"
    for target in (path, missing):
        for method in ("Up", "Down"):
            refused(mallory.call, target, INTERFACE, method, "u", 0)
    a = refused(mallory.call, path, INTERFACE, "Up", "u", 0)
    b = refused(mallory.call, missing, INTERFACE, "Up", "u", 0)
    assert a.name == b.name
    refused(mallory.call, QEMU, CONNECT, "InterfaceDefineXML", "su", BRIDGE.format(mode="none", mtu=1500, members=""), 0,
            name="AccessDenied")
    assert mallory.call(QEMU, CONNECT, "ListInterfaces", "u", 0) == []
    assert mallory.call(QEMU, CONNECT, "ListNodeDevices", "u", 0) == []
    computer = QEMU + "/nodedev/computer"
    refused(mallory.call, computer, COMPATIBLE_DEVICE, "Reset")
    libby = system_daemon.client("libby")
    assert path in libby.call(QEMU, CONNECT, "ListInterfaces", "u", 0)
    assert "UP" not in link("vbh0")["flags"]


# Devices


def device(client, name):
    return client.call(QEMU, CONNECT, "NodeDeviceLookupByName", "s", name)


def test_devices_are_those_of_sys(system_daemon):
    client = system_daemon.client()
    names = {prop(client, p, "Name", DEVICE) for p in client.call(QEMU, CONNECT, "ListNodeDevices", "u", 0)}
    expected = {"pci_" + e.name.translate(str.maketrans(":.", "__")) for e in pathlib.Path("/sys/bus/pci/devices").glob("*")}
    assert {n for n in names if n.startswith("pci_")} == expected
    assert "computer" in names and any(n.startswith("net_lo_") for n in names)
    pci = client.call(QEMU, CONNECT, "ListNodeDevices", "u", 2)
    assert len(pci) == len(expected)
    for path in pci:
        element = ElementTree.fromstring(client.call(path, COMPATIBLE_DEVICE, "GetXMLDesc", "u", 0))
        folder = pathlib.Path(element.findtext("path"))
        assert (folder / "vendor").read_text().strip() == element.find("capability/vendor").get("id")
        assert client.call(path, COMPATIBLE_DEVICE, "ListCaps")[0] == "pci"
        driver = folder / "driver"
        assert prop(client, path, "Driver", DEVICE) == (driver.resolve().name if driver.exists() else "")
    root = device(client, "computer")
    assert prop(client, root, "Parent", DEVICE) == "" and prop(client, root, "Parent", COMPATIBLE_DEVICE) == ""
    assert client.call(QEMU, CONNECT, "ListNodeDevices", "u", 1) == [root]
    described = client.call(root, DEVICE, "Describe", "u", 0)
    assert described["name"] == "computer" and described["capabilities"][0]["type"] == "system"
    assert client.call(QEMU, CONNECT, "ListNodeDevices", "u", 1 << 30) == []
    refused(client.call, QEMU, CONNECT, "ListNodeDevices", "u", 1 << 25, word="flags")
    refused(client.call, QEMU, CONNECT, "NodeDeviceLookupByName", "s", "toaster", word="Node device not found")
    refused(client.call, root, COMPATIBLE_DEVICE, "Detach", "su", "", 0, word="no PCI device")
    refused(client.call, root, COMPATIBLE_DEVICE, "Destroy", word="real device")
    refused(client.call, pci[0], COMPATIBLE_DEVICE, "Detach", "su", "../x", 0, word="no name of a driver")
    if not os.path.exists("/sys/bus/pci/drivers/vfio-pci"):
        refused(client.call, pci[0], DEVICE, "Detach", "su", "", 0, word="vfio-pci", name="NotSupported")
    refused(client.call, QEMU, CONNECT, "NodeDeviceLookupSCSIHostByWWN", "ssu", "0" * 16, "1" * 16, 0, word="WWNN")
    for xml, word in (("<device><capability type='pci'/></device>", "mdev"),
                      ("<device><parent>nobody</parent><capability type='mdev'><type id='x'/></capability></device>", "nobody"),
                      ("<device/>", "capability")):
        refused(client.call, QEMU, CONNECT, "NodeDeviceCreateXML", "su", xml, 0, word=word)


def test_devices_come_and_go(system_daemon, links):
    client = system_daemon.client()
    client.call(QEMU, CONNECT, "ListNodeDevices", "u", 0)
    events = client.listen(member="NodeDeviceEvent", path=QEMU)
    run("ip", "link", "add", "vbh0", "address", "52:54:00:aa:00:02", "type", "veth", "peer", "name", "vbh1")
    path = QEMU + "/nodedev/net_5fvbh0_5f52_5f54_5f00_5faa_5f00_5f02"
    wait_for(lambda: any(s.values == (path, CREATED, 0) for s in events.signals))
    assert prop(client, path, "Capabilities", DEVICE) == ["net", "80203"]
    assert prop(client, path, "Parent", DEVICE) == "computer"
    run("ip", "link", "del", "vbh0")
    wait_for(lambda: any(s.values == (path, DELETED, 0) for s in events.signals))
    assert path not in client.call(QEMU, CONNECT, "ListNodeDevices", "u", 0)
