"""The host of machines in memory: eight processors, of which machines can be pinned to some."""

import time

import pytest

from gi.repository import GLib
from harness import BusError
from machines import AFFECT_CONFIG, AFFECT_LIVE, CONNECT, DOMAIN
from xml.etree import ElementTree

TEST = "/org/libvirt/Test"
FIRST = f"{TEST}/domain/_6695eb01_f6a4_8304_79aa_97f2502e193f"
ALL = [True] * 8
GIB = 1 << 30


def refused(client, *arguments):
    with pytest.raises(BusError) as e:
        client.call(*arguments)
    assert e.value.name == "org.libvirt.Error"
    return e.value.message


class TestHost:
    def test_capabilities(self, client):
        root = ElementTree.fromstring(client.call(TEST, CONNECT, "GetCapabilities"))
        assert len(root.findall("host/topology/cells/cell/cpus/cpu")) == 8
        assert {guest.find("arch").get("name") for guest in root.findall("guest")} == {"i686", "x86_64"}
        assert {domain.get("type") for domain in root.iter("domain")} == {"test"}

    def test_sysinfo(self, client):
        assert ElementTree.fromstring(client.call(TEST, CONNECT, "GetSysinfo", "u", 0)).tag == "sysinfo"
        assert "flag" in refused(client, TEST, CONNECT, "GetSysinfo", "u", 1)

    def test_models(self, client):
        wide = client.call(TEST, CONNECT, "GetCPUModelNames", "su", "x86_64", 0)
        narrow = client.call(TEST, CONNECT, "GetCPUModelNames", "su", "i686", 0)
        assert "qemu64" in wide and set(narrow) < set(wide)
        assert "x86_64" in refused(client, TEST, CONNECT, "GetCPUModelNames", "su", "s390x", 0)

    def test_compare(self, client):
        def compare(xml, flags=0):
            return client.call(TEST, CONNECT, "CompareCPU", "su", xml, flags)

        same, more, less = ("<cpu><arch>x86_64</arch><model>%s</model></cpu>" % m for m in ("qemu64", "qemu32", "Westmere"))
        assert [compare(xml) for xml in (same, more, less)] == [1, 2, 0]
        assert compare(client.call(TEST, CONNECT, "GetCapabilities")) == 1
        assert "sse4.2" in refused(client, TEST, CONNECT, "CompareCPU", "su", less, 1)
        assert "VALIDATE_XML" in refused(client, TEST, CONNECT, "CompareCPU", "su", same, 2)
        assert "flag" in refused(client, TEST, CONNECT, "CompareCPU", "su", same, 4)
        assert "<domain>" in refused(client, TEST, CONNECT, "CompareCPU", "su", "<domain/>", 0)

    def test_baseline(self, client):
        cpus = ["<cpu><arch>x86_64</arch><model>%s</model></cpu>" % model for model in ("Westmere", "Penryn")]
        found = ElementTree.fromstring(client.call(TEST, CONNECT, "BaselineCPU", "asu", cpus, 0))
        assert found.findtext("model") == "Penryn"
        assert "0 CPUs" in refused(client, TEST, CONNECT, "BaselineCPU", "asu", [], 0)
        assert "flag" in refused(client, TEST, CONNECT, "BaselineCPU", "asu", cpus, 4)

    def test_processors(self, client):
        assert client.call(TEST, CONNECT, "NodeGetCPUMap", "u", 0) == ALL
        one, all_of_them = (client.call(TEST, CONNECT, "NodeGetCPUStats", "iu", cpu, 0) for cpu in (0, -1))
        assert set(one) == {"user", "kernel", "idle", "iowait"} and one["user"] == 0
        assert all_of_them["idle"] > one["idle"]
        assert "processor 8" in refused(client, TEST, CONNECT, "NodeGetCPUStats", "iu", 8, 0)

    def test_memory_is_the_machines(self, client):
        assert client.call(TEST, CONNECT, "NodeGetFreeMemory") == GIB
        assert client.call(TEST, CONNECT, "NodeGetMemoryStats", "iu", -1, 0) == {"total": 3 << 20, "free": 1 << 20}
        client.call(FIRST, DOMAIN, "Destroy", "u", 0)
        assert client.call(TEST, CONNECT, "NodeGetFreeMemory") == 3 * GIB
        assert "node 1" in refused(client, TEST, CONNECT, "NodeGetMemoryStats", "iu", 1, 0)

    def test_security_model(self, client):
        assert client.call(TEST, CONNECT, "NodeGetSecurityModel") == ("", "")


class TestPins:
    def test_a_machine_has_all(self, client):
        assert client.call(FIRST, DOMAIN, "GetVcpuPinInfo", "u", 0) == [ALL, ALL]
        assert client.call(FIRST, DOMAIN, "GetEmulatorPinInfo", "u", 0) == ALL

    def test_pin(self, client):
        two = [False, True, True] + [False] * 5
        client.call(FIRST, DOMAIN, "PinVcpu", "uabu", 1, two[:3], 0)
        assert client.call(FIRST, DOMAIN, "GetVcpuPinInfo", "u", AFFECT_LIVE) == [ALL, two]
        assert client.call(FIRST, DOMAIN, "GetVcpuPinInfo", "u", AFFECT_CONFIG) == [ALL, ALL]
        client.call(FIRST, DOMAIN, "PinEmulator", "abu", two, AFFECT_LIVE | AFFECT_CONFIG)
        assert client.call(FIRST, DOMAIN, "GetEmulatorPinInfo", "u", AFFECT_CONFIG) == two

    @pytest.mark.parametrize("vcpu, cpus, flags", [(2, ALL, 0), (0, [False] * 8, 0), (0, [False] * 8 + [True], 0),
                                                   (0, ALL, 8)])
    def test_what_cannot_be(self, client, vcpu, cpus, flags):
        refused(client, FIRST, DOMAIN, "PinVcpu", "uabu", vcpu, cpus, flags)
        assert client.call(FIRST, DOMAIN, "GetVcpuPinInfo", "u", 0) == [ALL, ALL]


class TestShares:
    @pytest.mark.parametrize("name, key, value", [
        ("Scheduler", "cpu_shares", ("t", 512)), ("Memory", "hard_limit", ("t", 1 << 20)),
        ("Numa", "numa_nodeset", ("s", "0")), ("BlockIO", "weight", ("u", 100))])
    def test_set_and_get(self, client, name, key, value):
        before = client.call(FIRST, DOMAIN, f"Get{name}Parameters", "u", AFFECT_CONFIG)
        client.call(FIRST, DOMAIN, f"Set{name}Parameters", "a{sv}u", {key: GLib.Variant(*value)}, AFFECT_LIVE)
        assert client.call(FIRST, DOMAIN, f"Get{name}Parameters", "u", 0)[key] == value[1]
        assert client.call(FIRST, DOMAIN, f"Get{name}Parameters", "u", AFFECT_CONFIG) == before
        message = refused(client, FIRST, DOMAIN, f"Set{name}Parameters", "a{sv}u", {"none": GLib.Variant("t", 1)}, 0)
        assert "'none'" in message
        assert "flag" in refused(client, FIRST, DOMAIN, f"Get{name}Parameters", "u", 8)


class TestGuest:
    def test_name(self, client):
        assert client.call(FIRST, DOMAIN, "GetHostname", "u", 0) == "testhost"

    def test_clock(self, client):
        client.call(FIRST, DOMAIN, "SetTime", "tuu", 1000, 5, 0)
        assert 1000 <= client.call(FIRST, DOMAIN, "GetTime", "u", 0)[0] < 1060
        client.call(FIRST, DOMAIN, "SetTime", "tuu", 0, 0, 1)
        assert abs(client.call(FIRST, DOMAIN, "GetTime", "u", 0)[0] - time.time()) < 60
        for seconds, nanoseconds, flags in ((1 << 40, 0, 0), (0, 10 ** 9, 0), (0, 0, 2)):
            refused(client, FIRST, DOMAIN, "SetTime", "tuu", seconds, nanoseconds, flags)

    def test_file_systems(self, client):
        assert client.call(FIRST, DOMAIN, "FSFreeze", "asu", ["/boot"], 0) == 1
        assert client.call(FIRST, DOMAIN, "FSFreeze", "asu", [], 0) == 1
        assert client.call(FIRST, DOMAIN, "FSThaw", "asu", [], 0) == 2
        assert "/none" in refused(client, FIRST, DOMAIN, "FSFreeze", "asu", ["/none"], 0)
        client.call(FIRST, DOMAIN, "FSTrim", "stu", "", 0, 0)
        assert [row[1] for row in client.call(FIRST, DOMAIN, "GetFSInfo", "u", 0)] == ["/", "/boot"]

    def test_a_run_begins_anew(self, client):
        client.call(FIRST, DOMAIN, "FSFreeze", "asu", [], 0)
        for member in ("Destroy", "Create"):
            client.call(FIRST, DOMAIN, member, "u", 0)
        assert client.call(FIRST, DOMAIN, "FSThaw", "asu", [], 0) == 0

    def test_keys(self, client):
        client.call(FIRST, DOMAIN, "SendKey", "uuauu", 0, 100, [28], 0)
        client.call(FIRST, DOMAIN, "InjectNMI", "u", 0)
        for codeset, codes in ((10, [28]), (0, []), (0, [1] * 17)):
            refused(client, FIRST, DOMAIN, "SendKey", "uuauu", codeset, 0, codes, 0)
        client.call(FIRST, DOMAIN, "Destroy", "u", 0)
        refused(client, FIRST, DOMAIN, "SendKey", "uuauu", 0, 0, [28], 0)


class TestStatistics:
    def test_of_one(self, client):
        assert client.call(FIRST, DOMAIN, "GetStats", "uu", 0, 0) == {
            "state.state": 1, "state.reason": 1, "balloon.current": 2 << 20, "balloon.maximum": 8 << 20,
            "vcpu.current": 2, "vcpu.maximum": 2, "vcpu.0.state": 1, "vcpu.1.state": 1, "net.count": 0,
            "block.count": 0}
        assert client.call(FIRST, DOMAIN, "GetStats", "uu", 1, 0) == {"state.state": 1, "state.reason": 1}
        assert "0x2" in refused(client, FIRST, DOMAIN, "GetStats", "uu", 2, 1 << 31)
        assert "flag" in refused(client, FIRST, DOMAIN, "GetStats", "uu", 0, 1)

    def test_of_all(self, client):
        xml = "<domain type='test'><name>web</name><memory>1024</memory><os><type>hvm</type></os><devices>" \
              "<disk type='file'><source file='/a'/><target dev='vda' bus='virtio'/></disk></devices></domain>"
        client.call(TEST, CONNECT, "DomainDefineXML", "s", xml)
        records = dict(client.call(TEST, CONNECT, "GetAllDomainStats", "uu", 1 | 1 << 5, 0))
        assert records == {"test": {"state.state": 1, "state.reason": 1, "block.count": 0},
                           "web": {"state.state": 5, "state.reason": 0, "block.count": 1, "block.0.name": "vda",
                                   "block.0.path": "/a", "block.0.capacity": 2**30}}


def test_what_conformance_asks_of_the_first_machine(client):
    """What the tests of libvirt-dbus do with it, in their order."""
    assert client.get_all(FIRST, DOMAIN)["SchedulerType"] == ("fair", 0)
    for member in ("Reboot", "Shutdown", "Create", "Destroy", "Undefine"):
        client.call(FIRST, DOMAIN, member, "u", 0)
    assert client.call(TEST, CONNECT, "ListDomains", "u", 0) == []
