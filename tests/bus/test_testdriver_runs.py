"""The Test driver's runs: saved and restored, looked at while they are slow, and what their guests tell."""

import pytest
from gi.repository import GLib

from harness import BusError, wait_for
from machines import (
    AFFECT_LIVE, CONNECT, DOMAIN, NATIVE, PAUSED, RUNNING, SHUTOFF, STARTED, STOPPED, SUSPENDED, Lifecycle, define, list_machines)
from test_testdriver_devices import CARD, refused, web  # noqa: F401

TEST = "/org/libvirt/Test"
NATIVE_CONNECT = "org.virtbus1.Connect"
RESTORED, SUSPENDED_RESTORED, SAVED, CRASHED = 2, 4, 4, 2
RUNNING_FLAG, PAUSED_FLAG, UNKNOWN = 2, 4, 1 << 30
LEASE, AGENT, ARP = range(3)
NETWORK = f"{TEST}/network/_dd8fe884_6c02_601e_7551_cca97df1c5df"


@pytest.fixture
def events(client):
    return Lifecycle(client, TEST)


class TestSaved:
    def test_there_and_back(self, client, web, events):  # noqa: F811
        web.call("Save", "ssu", "/saved", "", 0)
        events.wait(web, STOPPED, SAVED)
        assert web.state == (SHUTOFF, 5)
        client.call(TEST, CONNECT, "DomainRestore", "ssu", "/saved", "", 0)
        events.wait(web, STARTED, RESTORED)
        assert web.state == (RUNNING, 3)
        refused(client.call, TEST, CONNECT, "DomainRestore", "ssu", "/saved", "", 0, word="running")

    def test_how_it_goes_on(self, client, web, events):  # noqa: F811
        web.call("Save", "ssu", "/saved", "", PAUSED_FLAG)
        client.call(TEST, CONNECT, "DomainRestore", "ssu", "/saved", "", 0)
        events.wait(web, STARTED, RESTORED)
        events.wait(web, SUSPENDED, SUSPENDED_RESTORED)
        assert web.state[0] == PAUSED
        web.destroy()
        client.call(TEST, CONNECT, "DomainRestore", "ssu", "/saved", "", RUNNING_FLAG)
        assert web.state[0] == RUNNING
        refused(web.call, "Save", "ssu", "/saved", "", RUNNING_FLAG | PAUSED_FLAG, word="excludes")

    def test_definition(self, client, web):  # noqa: F811
        other = web.xml().replace("<name>web</name>", "<name>web</name><title>other</title>")
        web.call("Save", "ssu", "/saved", "", 0)
        assert "<title>" not in client.call(TEST, CONNECT, "DomainSaveImageGetXMLDesc", "su", "/saved", 0)
        client.call(TEST, CONNECT, "DomainSaveImageDefineXML", "ssu", "/saved", other, PAUSED_FLAG)
        assert "<title>other" in client.call(TEST, CONNECT, "DomainSaveImageGetXMLDesc", "su", "/saved", 0)
        refused(client.call, TEST, CONNECT, "DomainRestore", "ssu", "/saved", other.replace("65536", "131072"), 0,
                word="The guest would see")
        client.call(TEST, CONNECT, "DomainRestore", "ssu", "/saved", "", 0)
        assert web.tree().findtext("title") == "other"
        assert web.state[0] == PAUSED

    def test_of_a_machine_that_is_gone(self, client, web):  # noqa: F811
        web.call("Save", "ssu", "/saved", "", 0)
        web.undefine()
        assert web.path not in list_machines(client, 0, TEST)
        client.call(TEST, CONNECT, "DomainRestore", "ssu", "/saved", "", 0)
        assert web.state[0] == RUNNING
        assert web.get("Persistent") is False

    def test_wrong(self, client, web):  # noqa: F811
        refused(web.call, "Save", "ssu", "saved", "", 0, word="absolute")
        refused(web.call, "Save", "ssu", "/saved", "", UNKNOWN, word="flag")
        assert web.state[0] == RUNNING
        for member, arguments in (("DomainRestore", ("ssu", "/nothing", "", 0)),
                                  ("DomainSaveImageGetXMLDesc", ("su", "/nothing", 0)),
                                  ("DomainSaveImageDefineXML", ("ssu", "/nothing", web.xml(), 0))):
            refused(client.call, TEST, CONNECT, member, *arguments, word="/nothing")
        web.destroy()
        refused(web.call, "Save", "ssu", "/saved", "", 0, word="not running")


@pytest.mark.system
def test_saved_is_its_owners(system_daemon, polkit):
    """Each has names of their own, and learns nothing of the others'."""
    polkit.rules('if (subject.user == "alice" || subject.user == "bob") return polkit.Result.YES;')
    alice, bob = system_daemon.client("alice"), system_daemon.client("bob")
    machine = define(alice, "<domain type='test'><name>a</name><memory>1024</memory><os><type>hvm</type></os></domain>",
                     TEST)
    machine.create()
    machine.call("Save", "ssu", "/saved", "", 0)
    errors = []
    for path in ("/saved", "/nothing"):
        with pytest.raises(BusError) as e:
            bob.call(TEST, CONNECT, "DomainRestore", "ssu", path, "", 0)
        errors.append(e.value.message.replace(path, ""))
    assert errors[0] == errors[1]
    alice.call(TEST, CONNECT, "DomainRestore", "ssu", "/saved", "", 0)
    assert machine.state[0] == RUNNING


class TestMemory:
    def test_peek(self, web):  # noqa: F811
        assert bytes(web.call("MemoryPeek", "ttu", 4096, 512, 2)) == bytes(512)
        refused(web.call, "MemoryPeek", "ttu", 0, 65537, 2, word="65536")
        refused(web.call, "MemoryPeek", "ttu", 65536 * 1024, 1, 1, word="ends before")
        refused(web.call, "MemoryPeek", "ttu", 2 ** 64 - 1, 1, 1, word="ends before")
        refused(web.call, "MemoryPeek", "ttu", 0, 1, 3, word="needs one")


class TestJobs:
    def test_nothing_goes_on(self, web):  # noqa: F811
        assert web.call("GetJobInfo") == (0,) * 12
        assert web.call("GetJobStats", "u", 0) == (0, {})
        refused(web.call, "AbortJob", word="No transfer")
        refused(web.call, "GetJobStats", "u", UNKNOWN, word="flag")

    @pytest.mark.parametrize("interface, member, arguments", [
        (DOMAIN, "Save", ("ssu", "/saved", "", 0)), (DOMAIN, "ManagedSave", ("u", 0)),
        (DOMAIN, "SnapshotCreateXML", ("su", "<domainsnapshot/>", 0)), (NATIVE, "CreateSnapshot", ("a{sv}", {}))])
    def test_one_that_is_slow(self, client, web, interface, member, arguments):  # noqa: F811
        """Like a save that takes long: it can be looked at and given up, and the guest goes on."""
        client.call(TEST, NATIVE_CONNECT, "InjectFault", "ssa{sv}", interface, member,
                    {"delay-usec": GLib.Variant("t", 60000000)})
        pending = web.begin(member, *arguments, interface=interface)
        kind, values = wait_for(lambda: (told := web.call("GetJobStats", "u", 0))[0] and told, what="the job to begin")
        assert kind == 2 and values["memory_total"] == 65536 * 1024
        assert web.call("GetJobInfo")[3] == 65536 * 1024
        web.call("AbortJob")
        with pytest.raises(BusError, match="cancelled"):
            pending.result()
        assert web.state[0] == RUNNING

    def test_of_a_machine_that_does_not_run(self, client, web):  # noqa: F811
        """Its snapshot moves no memory."""
        web.destroy()
        client.call(TEST, NATIVE_CONNECT, "InjectFault", "ssa{sv}", DOMAIN, "SnapshotCreateXML",
                    {"delay-usec": GLib.Variant("t", 3600000000)})
        pending = web.begin("SnapshotCreateXML", "su", "<domainsnapshot/>", 0)
        job = wait_for(lambda: next((p for p in client.managed_objects() if p.startswith(f"{TEST}/job/")), None),
                       what="the job")
        assert web.call("GetJobInfo") == (0,) * 12
        assert web.call("GetJobStats", "u", 0) == (0, {})
        refused(web.call, "AbortJob", word="not running")
        client.call(job, "org.virtbus1.Job", "Cancel")
        refused(pending.result, word="cancelled")


class TestGuests:
    def test_addresses(self, client, web):  # noqa: F811
        mac, address = "52:54:00:11:22:33", "192.168.122.2"
        assert web.call("InterfaceAddresses", "uu", LEASE, 0) == [("", mac, [(0, address, 24)])]
        assert web.call("InterfaceAddresses", "uu", ARP, 0) == [("", mac, [(0, address, 0)])]
        leases = client.call(NETWORK, "org.libvirt.Network", "GetDHCPLeases", "su", "", 0)
        assert len(leases) == 1 and mac in leases[0] and address in leases[0]
        other = CARD.format("").replace("33", "44")
        web.call("AttachDevice", "su", other, AFFECT_LIVE)
        assert web.call("InterfaceAddresses", "uu", AGENT, 0)[1][2] == [(0, "192.168.122.3", 24)]
        web.call("DetachDevice", "su", CARD.format(""), AFFECT_LIVE)
        assert [a[1] for a in web.call("InterfaceAddresses", "uu", LEASE, 0)] == ["52:54:00:11:22:44"]
        web.destroy()
        assert client.call(NETWORK, "org.libvirt.Network", "GetDHCPLeases", "su", "", 0) == []
        refused(web.call, "InterfaceAddresses", "uu", LEASE, 0, word="not running")

    def test_addresses_wrong(self, web):  # noqa: F811
        refused(web.call, "InterfaceAddresses", "uu", 3, 0, word="source 3")
        refused(web.call, "InterfaceAddresses", "uu", 0, UNKNOWN, word="flag")

    def test_processors(self, web):  # noqa: F811
        assert web.call("GetGuestVcpus", "u", 0) == {"vcpus": "0-1", "online": "0-1", "offlinable": "1"}
        web.call("SetGuestVcpus", "abiu", [False, True], 0, 0)
        assert web.call("GetGuestVcpus", "u", 0)["online"] == "0"
        refused(web.call, "SetGuestVcpus", "abiu", [True], 0, 0, word="cannot spare")
        refused(web.call, "SetGuestVcpus", "abiu", [False, False, True], 1, 0, word="no processor 2")
        refused(web.call, "SetGuestVcpus", "abiu", [False], 1, 0, word="No processor")
        refused(web.call, "SetGuestVcpus", "abiu", [False, True], 2, 0, word="not 2")
        web.destroy()
        web.create()
        assert web.call("GetGuestVcpus", "u", 0)["online"] == "0-1", "each run begins anew"

    def test_passwords(self, web):  # noqa: F811
        web.call("SetUserPassword", "ssu", "root", "secret", 0)
        refused(web.call, "SetUserPassword", "ssu", "nobody", "secret", 0, word="no user 'nobody'")
        refused(web.call, "SetUserPassword", "ssu", "root", "secret", UNKNOWN, word="flag")

    def test_nothing_to_tell(self, web):  # noqa: F811
        assert web.call("GetControlInfo", "u", 0) == (0, 0, 0)
        assert web.call("GetSecurityLabelList") == []
        refused(web.call, "PMWakeup", "u", 0, word="does not sleep")


def test_memory_of_the_host(client):
    def get():
        return client.call(TEST, CONNECT, "NodeGetMemoryParameters", "u", 0)

    before = get()
    client.call(TEST, CONNECT, "NodeSetMemoryParameters", "a{sv}u", {"shm_pages_to_scan": GLib.Variant("u", 7)}, 0)
    assert get() == dict(before, shm_pages_to_scan=7)
    refused(client.call, TEST, CONNECT, "NodeSetMemoryParameters", "a{sv}u",
            {"shm_sleep_millisecs": GLib.Variant("u", 1), "shm_pages_shared": GLib.Variant("u", 1)}, 0, word="pages_shared")
    assert get() == dict(before, shm_pages_to_scan=7), "all or nothing"
