"""The Test driver's devices: those that come, go and change, I/O threads, and what limits them, as with a hypervisor."""

from xml.etree import ElementTree

import pytest
from gi.repository import GLib

from harness import BusError
from machines import AFFECT_CONFIG, AFFECT_LIVE, CONNECT, DOMAIN, NATIVE, Machine, define

TEST = "/org/libvirt/Test"
BOTH = AFFECT_LIVE | AFFECT_CONFIG
UNKNOWN = 1 << 30
INACTIVE = 2
DISK = "<disk type='file' device='disk'><source file='{}'/><target dev='{}' bus='virtio'/></disk>"
CARD = "<interface type='network'><mac address='52:54:00:11:22:33'/><source network='default'/>{}</interface>"
CARD_WITHOUT_MAC = "<interface type='user'><model type='virtio'/></interface>"


@pytest.fixture
def web(client):
    """A machine that runs, with a disk and an interface."""
    machine = define(client, "<domain type='test'><name>web</name><memory>65536</memory><vcpu>2</vcpu>"
                     "<os><type>hvm</type></os><devices>" + DISK.format("/a.img", "vda") + CARD.format("") +
                     "<memballoon model='virtio'/></devices></domain>", TEST)
    machine.create()
    return machine


def refused(call, *arguments, word, **options):
    with pytest.raises(BusError) as e:
        call(*arguments, **options)
    assert e.value.name == "org.libvirt.Error"
    assert word in e.value.message, e.value.message


def targets(machine, flags=0):
    return [e.get("dev") for e in machine.tree(flags).findall("devices/disk/target")]


class TestDevices:
    def test_attach_and_detach(self, client, web):
        added = client.listen(interface=DOMAIN, member="DeviceAdded", path=web.path)
        removed = client.listen(interface=DOMAIN, member="DeviceRemoved", path=web.path)
        web.call("AttachDevice", "su", DISK.format("/b.img", "vdb"), 0)
        assert added.wait().values == ("virtio-disk1",)
        assert (targets(web), targets(web, INACTIVE)) == (["vda", "vdb"], ["vda"])
        refused(web.call, "AttachDevice", "su", DISK.format("/b.img", "vdb"), 0, word="vdb")
        web.call("DetachDevice", "su", DISK.format("/b.img", "vdb"), AFFECT_LIVE)
        assert removed.wait().values == ("virtio-disk1",)
        assert targets(web) == ["vda"]
        refused(web.call, "DetachDevice", "su", DISK.format("/b.img", "vdb"), 0, word="vdb")

    def test_both_or_nothing(self, client, web):
        added = client.listen(interface=DOMAIN, member="DeviceAdded", path=web.path)
        web.call("AttachDevice", "su", DISK.format("/c.img", "vdc"), AFFECT_CONFIG)
        refused(web.call, "AttachDevice", "su", DISK.format("/c.img", "vdc"), BOTH, word="vdc")
        assert (targets(web), targets(web, INACTIVE)) == (["vda"], ["vda", "vdc"])
        web.call("AttachDevice", "su", CARD_WITHOUT_MAC, BOTH)
        addresses = [[e.get("address") for e in web.tree(flags).findall("devices/interface/mac")]
                     for flags in (0, INACTIVE)]
        assert addresses[0] == addresses[1] and len(addresses[0]) == 2, "one machine, one address"
        assert added.wait().values == ("net1",)
        assert not added.signals

    def test_off(self, client, web):
        web.destroy()
        added = client.listen(interface=DOMAIN, member="DeviceAdded", path=web.path)
        refused(web.call, "AttachDevice", "su", DISK.format("/b.img", "vdb"), AFFECT_LIVE, word="not running")
        web.call("AttachDevice", "su", DISK.format("/b.img", "vdb"), 0)
        assert targets(web) == ["vda", "vdb"]
        web.call("DetachDevice", "su", DISK.format("/b.img", "vdb"), AFFECT_CONFIG)
        assert targets(web) == ["vda"]
        client.ping()
        assert not added.signals

    def test_update(self, web):
        web.call("UpdateDevice", "su", DISK.format("/other.img", "vda"), BOTH)
        for flags in (0, INACTIVE):
            assert web.tree(flags).find("devices/disk/source").get("file") == "/other.img"
        web.call("UpdateDevice", "su", CARD.format("<link state='down'/>"), 0)
        assert web.tree().find("devices/interface/link").get("state") == "down"
        assert web.tree(INACTIVE).find("devices/interface/link") is None
        refused(web.call, "UpdateDevice", "su", DISK.format("/x", "vdz"), 0, word="vdz")

    def test_link(self, web):
        for is_up, state in ((False, "down"), (True, "up")):
            web.call("SetLink", "sb", "net0", is_up, interface=NATIVE)
            assert web.tree().find("devices/interface/link").get("state") == state
        for alias in ("net7", "virtio-disk0"):
            with pytest.raises(BusError) as e:
                web.call("SetLink", "sb", alias, True, interface=NATIVE)
            assert e.value.name == "org.virtbus1.Error.NoDevice"

    @pytest.mark.parametrize("member", ["AttachDevice", "DetachDevice", "UpdateDevice"])
    def test_wrong(self, web, member):
        before = web.xml()
        refused(web.call, member, "su", "<disk", 0, word="")
        refused(web.call, member, "su", "<nothing/>", 0, word="nothing")
        refused(web.call, member, "su", DISK.format("/a.img", "vda"), UNKNOWN, word="flag")
        assert web.xml() == before


class TestRows:
    def test_iothreads(self, web):
        for number in (1, 5):
            web.call("AddIOThread", "uu", number, BOTH)
        refused(web.call, "AddIOThread", "uu", 5, 0, word="already")
        refused(web.call, "AddIOThread", "uu", 0, 0, word="from 1")
        web.call("PinIOThread", "uabu", 5, [True, False, True], AFFECT_LIVE)
        refused(web.call, "PinIOThread", "uabu", 2, [True], 0, word="no I/O thread 2")
        everywhere = [True] * 8
        assert web.call("GetIOThreadInfo", "u", 0) == [(1, everywhere), (5, [True, False, True] + [False] * 5)]
        assert web.call("GetIOThreadInfo", "u", AFFECT_CONFIG) == [(1, everywhere), (5, everywhere)]
        web.call("DelIOThread", "uu", 1, BOTH)
        assert [number for number, _map in web.call("GetIOThreadInfo", "u", 0)] == [5]
        refused(web.call, "DelIOThread", "uu", 1, 0, word="no I/O thread 1")

    def test_disk_limits(self, web):
        limits = {"total_bytes_sec": GLib.Variant("t", 1000000), "group_name": GLib.Variant("s", "slow")}
        web.call("SetBlockIOTune", "sa{sv}u", "vda", limits, BOTH)
        for flags in (0, AFFECT_CONFIG):
            told = web.call("GetBlockIOTune", "su", "/a.img", flags)
            assert (told["total_bytes_sec"], told["read_bytes_sec"], told["group_name"]) == (1000000, 0, "slow")
        web.call("SetBlockIOTune", "sa{sv}u", "vda", {"read_bytes_sec": GLib.Variant("t", 5)}, 0)
        told = web.call("GetBlockIOTune", "su", "vda", 0)
        assert (told["total_bytes_sec"], told["read_bytes_sec"]) == (0, 5)
        refused(web.call, "SetBlockIOTune", "sa{sv}u", "vdz", limits, 0, word="vdz")
        refused(web.call, "SetBlockIOTune", "sa{sv}u", "vda", {"speed": GLib.Variant("t", 1)}, 0, word="speed")
        refused(web.call, "GetBlockIOTune", "su", "vda", UNKNOWN, word="flag")
        assert len(web.call("GetBlockIOTune", "su", "", 0)) == 20

    def test_interface_limits(self, web):
        limits = {"inbound.average": GLib.Variant("u", 100), "outbound.average": GLib.Variant("u", 50)}
        web.call("SetInterfaceParameters", "sa{sv}u", "52:54:00:11:22:33", limits, 0)
        told = web.call("GetInterfaceParameters", "su", "52:54:00:11:22:33", 0)
        assert (told["inbound.average"], told["outbound.average"], told["inbound.peak"]) == (100, 50, 0)
        assert web.call("GetInterfaceParameters", "su", "52:54:00:11:22:33", AFFECT_CONFIG)["inbound.average"] == 0
        refused(web.call, "SetInterfaceParameters", "sa{sv}u", "vnet9", limits, 0, word="vnet9")

    def test_perf_events(self, web):
        web.call("SetPerfEvents", "a{sv}u", {"cpu_clock": GLib.Variant("b", True)}, BOTH)
        told = web.call("GetPerfEvents", "u", 0)
        assert told["cpu_clock"] is True and told["page_faults"] is False
        refused(web.call, "SetPerfEvents", "a{sv}u", {"luck": GLib.Variant("b", True)}, 0, word="luck")
        refused(web.call, "SetPerfEvents", "a{sv}u", {"cpu_clock": GLib.Variant("u", 1)}, 0, word="type b")

    def test_stats_period(self, client, web):
        web.call("SetMemoryStatsPeriod", "iu", 7, BOTH)
        for flags in (0, INACTIVE):
            assert web.tree(flags).find("devices/memballoon/stats").get("period") == "7"
        refused(web.call, "SetMemoryStatsPeriod", "iu", -1, 0, word="-1")
        bare = Machine(client, f"{TEST}/domain/_6695eb01_f6a4_8304_79aa_97f2502e193f")
        refused(bare.call, "SetMemoryStatsPeriod", "iu", 7, 0, word="balloon")


def test_capabilities(client):
    tree = ElementTree.fromstring(client.call(TEST, CONNECT, "GetDomainCapabilities", "ssssu", "", "", "", "", 0))
    assert (tree.findtext("domain"), tree.findtext("arch"), tree.find("vcpu").get("max")) == ("test", "i686", "32")
    buses = [e.text for e in tree.findall("devices/disk/enum[@name='bus']/value")]
    assert {"virtio", "ide", "scsi"} <= set(buses)
    for arguments in (("/bin/qemu", "", "", ""), ("", "s390x", "", ""), ("", "", "q35", ""), ("", "", "", "kvm")):
        refused(client.call, TEST, CONNECT, "GetDomainCapabilities", "ssssu", *arguments, 0,
                word=next(filter(None, arguments)))
    refused(client.call, TEST, CONNECT, "GetDomainCapabilities", "ssssu", "", "", "", "", UNKNOWN, word="flag")
