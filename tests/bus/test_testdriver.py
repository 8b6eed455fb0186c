"""The Test driver: machines in memory, as clients of test:///default know them, with libvirt's numbers."""

import os
import subprocess
import uuid
from xml.etree import ElementTree

import pytest

from harness import BusError, wait_for
from machines import (
    AFFECT_CONFIG, AFFECT_LIVE, CONNECT, DEFINED, DEFINED_ADDED, DEFINED_RENAMED, DEFINED_UPDATED, DOMAIN,
    LIST_ACTIVE, LIST_TRANSIENT, METADATA_DESCRIPTION, METADATA_ELEMENT, METADATA_TITLE, PAUSED, PAUSED_USER, RESUMED,
    RESUMED_UNPAUSED, RUNNING, RUNNING_BOOTED, RUNNING_UNPAUSED, SHUTOFF, SHUTOFF_DESTROYED, SHUTOFF_SHUTDOWN, STARTED,
    STARTED_BOOTED, START_PAUSED, STOPPED, STOPPED_DESTROYED, STOPPED_SHUTDOWN, SUSPENDED, SUSPENDED_PAUSED, UNDEFINED,
    UNDEFINED_REMOVED, UNDEFINED_RENAMED, Lifecycle, Machine, create_transient, define, list_machines, path_of,
    set_property)

TEST = "/org/libvirt/Test"
DEFAULT_UUID = "6695eb01-f6a4-8304-79aa-97f2502e193f"
STOPPED_SAVED, SHUTOFF_SAVED = 4, 5
MAXIMUM = 4
# Defined as the conformance tests of libvirt-dbus do, without a UUID
MINIMAL = "<domain type='test'><name>{}</name><memory>1024</memory><os><type>hvm</type></os></domain>"


@pytest.fixture
def events(client):
    return Lifecycle(client, TEST)


@pytest.fixture
def machine(client):
    """The machine that is there from the beginning."""
    return Machine(client, path_of(DEFAULT_UUID, TEST))


@pytest.fixture
def web(client):
    """A machine that is defined and off."""
    return define(client, MINIMAL.format("web"), TEST)


def refused(call, *arguments, **options):
    with pytest.raises(BusError) as e:
        call(*arguments, **options)
    assert e.value.name == "org.libvirt.Error"
    assert e.value.message
    return e.value.message


class TestBeginning:
    def test_one_machine(self, client, machine):
        assert list_machines(client, 0, TEST) == [machine.path]

    def test_properties(self, client, machine):
        values = client.get_all(machine.path, DOMAIN)
        values.pop("SchedulerType", None)
        assert values == {"Active": True, "Autostart": False, "Id": 1, "Name": "test", "OSType": "hvm",
                          "Persistent": True, "Updated": False, "UUID": DEFAULT_UUID}
        assert machine.state == (RUNNING, RUNNING_BOOTED)

    def test_definition(self, machine):
        tree = machine.tree()
        assert tree.get("type") == "test"
        assert tree.get("id") == "1"
        assert tree.findtext("memory") == "8388608"
        assert tree.findtext("currentMemory") == "2097152"
        assert tree.findtext("vcpu") == "2"
        assert tree.find("os/type").get("arch") == "i686"
        assert machine.call("GetVcpus", "u", 0) == 2

    def test_lookups(self, client, machine):
        for member, signature, key in (("DomainLookupByName", "s", "test"), ("DomainLookupByUUID", "s", DEFAULT_UUID),
                                       ("DomainLookupByID", "i", 1)):
            assert client.call(TEST, CONNECT, member, signature, key) == machine.path

    def test_version(self, client):
        assert client.get(TEST, CONNECT, "Version") == 2

    def test_each_process_begins_anew(self, session_bus, make_daemon):
        first = make_daemon(session_bus)
        client = first.client()
        Machine(client, path_of(DEFAULT_UUID, TEST)).destroy()
        define(client, MINIMAL.format("web"), TEST)
        first.finish()
        client = make_daemon(session_bus).client()
        assert list_machines(client, 0, TEST) == [path_of(DEFAULT_UUID, TEST)]
        assert Machine(client, path_of(DEFAULT_UUID, TEST)).state == (RUNNING, RUNNING_BOOTED)


class TestLife:
    def test_create_and_destroy(self, web, events):
        web.create()
        events.wait(web, STARTED, STARTED_BOOTED)
        assert web.state == (RUNNING, RUNNING_BOOTED)
        assert web.get("Id") == 2
        web.destroy()
        events.wait(web, STOPPED, STOPPED_DESTROYED)
        assert web.state == (SHUTOFF, SHUTOFF_DESTROYED)
        assert web.get("Id") == 0

    def test_create_paused(self, web, events):
        web.create(START_PAUSED)
        events.wait(web, STARTED, STARTED_BOOTED)
        events.wait(web, SUSPENDED, SUSPENDED_PAUSED)
        assert web.state == (PAUSED, PAUSED_USER)

    def test_create_twice(self, machine):
        assert "already running" in refused(machine.create)

    def test_create_with_files(self, web):
        web.call("CreateWithFiles", "ahu", [], 0)
        assert web.state == (RUNNING, RUNNING_BOOTED)

    def test_files_are_refused(self, web):
        fd = os.open("/dev/null", os.O_RDONLY)
        try:
            assert "open files" in refused(web.call, "CreateWithFiles", "ahu", [0], 0, fds=[fd])
        finally:
            os.close(fd)
        assert web.state[0] == SHUTOFF

    def test_shutdown(self, machine, events):
        machine.shutdown()
        events.wait(machine, STOPPED, STOPPED_SHUTDOWN)
        assert machine.state == (SHUTOFF, SHUTOFF_SHUTDOWN)

    def test_suspend_and_resume(self, machine, events):
        machine.suspend()
        events.wait(machine, SUSPENDED, SUSPENDED_PAUSED)
        assert machine.state == (PAUSED, PAUSED_USER)
        machine.suspend()
        machine.resume()
        events.wait(machine, RESUMED, RESUMED_UNPAUSED)
        assert machine.state == (RUNNING, RUNNING_UNPAUSED)
        assert not events.of(machine)

    @pytest.mark.parametrize("member", ["Reboot", "Reset"])
    def test_reboot_and_reset(self, client, machine, member):
        recorder = client.listen(interface=DOMAIN, member="Reboot", path=machine.path)
        machine.call(member, "u", 0)
        recorder.wait(lambda s: True, 5.0, "Reboot")
        assert machine.state == (RUNNING, RUNNING_BOOTED)
        assert machine.get("Id") == 1

    def test_a_reboot_may_be_the_end(self, client, events):
        xml = MINIMAL.format("web").replace("<os>", "<on_reboot>destroy</on_reboot><os>")
        web = define(client, xml, TEST)
        web.create()
        web.call("Reboot", "u", 0)
        events.wait(web, STOPPED, STOPPED_SHUTDOWN)

    @pytest.mark.parametrize("member,signature,arguments", [
        ("Destroy", "u", (0,)), ("Shutdown", "u", (0,)), ("Reboot", "u", (0,)), ("Reset", "u", (0,)), ("Suspend", "", ()),
        ("Resume", "", ()), ("ManagedSave", "u", (0,)), ("MemoryStats", "u", (0,))])
    def test_what_needs_a_running_machine(self, web, member, signature, arguments):
        assert "not running" in refused(web.call, member, signature, *arguments)

    @pytest.mark.parametrize("member,signature,arguments", [
        ("Create", "u", ()), ("CreateWithFiles", "ahu", ([],)), ("Destroy", "u", ()), ("Shutdown", "u", ()),
        ("Reboot", "u", ()), ("Reset", "u", ()), ("ManagedSave", "u", ()), ("ManagedSaveRemove", "u", ()),
        ("HasManagedSaveImage", "u", ()), ("MemoryStats", "u", ()), ("GetVcpus", "u", ()), ("SetVcpus", "uu", (1,)),
        ("SetMemory", "tu", (1024,)), ("Undefine", "u", ()), ("Rename", "su", ("other",)),
        ("SetMetadata", "issssu", (METADATA_TITLE, "x", "", ""))])
    def test_unknown_flags(self, web, member, signature, arguments):
        if member == "SetMetadata":
            signature = "isssu"
        assert "flag" in refused(web.call, member, signature, *arguments, 1 << 30)
        assert web.state == (SHUTOFF, 0)

    def test_what_is_not_there(self, machine):
        message = refused(machine.call, "OpenGraphicsFD", "uu", 0, 0)
        assert "Test" in message and "OpenGraphicsFD" in message


class TestDefinitions:
    def test_define(self, client, events):
        machine = define(client, MINIMAL.format("web"), TEST)
        events.wait(machine, DEFINED, DEFINED_ADDED)
        assert str(uuid.UUID(machine.uuid)) == machine.uuid
        assert machine.state == (SHUTOFF, 0)
        assert machine.tree().findtext("vcpu") == "1"

    def test_nothing_of_qemu_is_added(self, web):
        tree = web.tree()
        assert tree.find("devices/emulator") is None
        assert not list(tree.findall("devices/controller")) and not list(tree.findall("devices/input"))
        assert tree.find("cpu") is None

    def test_redefine(self, client, web, events):
        xml = MINIMAL.format("web").replace("</name>", f"</name><uuid>{web.uuid}</uuid>").replace(">1024<", ">2048<")
        again = define(client, xml, TEST)
        assert again.path == web.path
        events.wait(web, DEFINED, DEFINED_UPDATED)
        assert web.tree().findtext("memory") == "2048"

    def test_names_and_uuids_are_taken_once(self, client, web):
        assert "web" in refused(define, client, MINIMAL.format("web"), TEST)
        xml = MINIMAL.format("other").replace("</name>", f"</name><uuid>{web.uuid}</uuid>")
        assert "web" in refused(define, client, xml, TEST)
        assert len(list_machines(client, 0, TEST)) == 2

    def test_other_types_are_refused(self, client):
        assert "qemu" in refused(define, client, MINIMAL.format("web").replace("'test'", "'qemu'"), TEST)
        refused(define, client, "<domain type='test'>", TEST)
        assert len(list_machines(client, 0, TEST)) == 1

    def test_transient(self, client, events):
        machine = create_transient(client, MINIMAL.format("web"), 0, TEST)
        events.wait(machine, STARTED, STARTED_BOOTED)
        assert machine.get("Persistent") is False
        assert list_machines(client, LIST_TRANSIENT, TEST) == [machine.path]
        assert "transient" in refused(machine.call, "ManagedSave", "u", 0)
        assert "transient" in refused(machine.undefine)
        assert "transient" in refused(set_property, machine, "Autostart", "b", True)
        machine.destroy()
        events.wait(machine, STOPPED, STOPPED_DESTROYED)
        assert machine.path not in list_machines(client, 0, TEST)

    def test_create_a_defined_one(self, client, web):
        xml = MINIMAL.format("web").replace("</name>", f"</name><uuid>{web.uuid}</uuid>").replace(">1024<", ">2048<")
        again = create_transient(client, xml, START_PAUSED, TEST)
        assert again.path == web.path
        assert web.state == (PAUSED, PAUSED_USER)
        assert web.tree().findtext("memory") == "2048"
        web.destroy()
        assert web.tree().findtext("memory") == "1024"
        web.create()
        refused(create_transient, client, xml, 0, TEST)

    def test_undefine(self, client, web, events):
        web.undefine()
        events.wait(web, UNDEFINED, UNDEFINED_REMOVED)
        assert web.path not in list_machines(client, 0, TEST)

    def test_undefine_while_it_runs(self, client, machine, events):
        machine.undefine()
        events.wait(machine, UNDEFINED, UNDEFINED_REMOVED)
        assert machine.get("Persistent") is False
        assert machine.state == (RUNNING, RUNNING_BOOTED)
        assert list_machines(client, LIST_ACTIVE, TEST) == [machine.path]
        machine.shutdown()
        events.wait(machine, STOPPED, STOPPED_SHUTDOWN)
        assert not list_machines(client, 0, TEST)

    def test_define_a_transient_one(self, client, machine, events):
        machine.undefine()
        xml = MINIMAL.format("test").replace("</name>", f"</name><uuid>{DEFAULT_UUID}</uuid>")
        define(client, xml, TEST)
        events.wait(machine, DEFINED, DEFINED_ADDED)
        assert machine.get("Persistent") is True
        assert machine.get("Updated") is True

    def test_rename(self, client, web, events):
        web.call("Rename", "su", "shop", 0)
        events.wait(web, UNDEFINED, UNDEFINED_RENAMED)
        events.wait(web, DEFINED, DEFINED_RENAMED)
        assert web.name == "shop"
        assert client.call(TEST, CONNECT, "DomainLookupByName", "s", "shop") == web.path
        assert "test" in refused(web.call, "Rename", "su", "test", 0)
        refused(web.call, "Rename", "su", "a/b", 0)

    def test_rename_a_running_one(self, machine):
        assert "running" in refused(machine.call, "Rename", "su", "shop", 0)

    def test_autostart(self, machine):
        set_property(machine, "Autostart", "b", True)
        assert machine.get("Autostart") is True
        set_property(machine, "Autostart", "b", False)
        assert machine.get("Autostart") is False


class TestSave:
    def test_managed_save(self, machine, events):
        assert machine.call("HasManagedSaveImage", "u", 0) is False
        machine.call("ManagedSave", "u", 0)
        events.wait(machine, STOPPED, STOPPED_SAVED)
        assert machine.state == (SHUTOFF, SHUTOFF_SAVED)
        assert machine.call("HasManagedSaveImage", "u", 0) is True
        machine.create()
        assert machine.call("HasManagedSaveImage", "u", 0) is False

    def test_remove(self, machine):
        machine.call("ManagedSave", "u", 0)
        machine.call("ManagedSaveRemove", "u", 0)
        assert machine.call("HasManagedSaveImage", "u", 0) is False

    def test_undefine_of_a_saved_one(self, client, machine):
        machine.call("ManagedSave", "u", 0)
        assert "saved" in refused(machine.undefine)
        machine.undefine(1)
        assert not list_machines(client, 0, TEST)

    def test_contradiction(self, machine):
        refused(machine.call, "ManagedSave", "u", 2 | 4)
        assert machine.state[0] == RUNNING


class TestChanges:
    def test_vcpus(self, machine):
        machine.call("SetVcpus", "uu", 2, 0)
        machine.call("SetVcpus", "uu", 1, AFFECT_LIVE)
        assert machine.call("GetVcpus", "u", AFFECT_LIVE) == 1
        assert machine.call("GetVcpus", "u", AFFECT_CONFIG) == 2
        assert machine.call("GetVcpus", "u", AFFECT_LIVE | MAXIMUM) == 2
        assert machine.tree().find("vcpu").get("current") == "1"

    def test_vcpus_limits(self, machine, web):
        for count in (0, 3, 1000):
            assert "vCPUs" in refused(machine.call, "SetVcpus", "uu", count, 0)
        refused(machine.call, "SetVcpus", "uu", 4, MAXIMUM | AFFECT_LIVE)
        web.call("SetVcpus", "uu", 4, MAXIMUM | AFFECT_CONFIG)
        web.call("SetVcpus", "uu", 3, AFFECT_CONFIG)
        assert web.call("GetVcpus", "u", MAXIMUM) == 4
        assert web.call("GetVcpus", "u", 0) == 3

    def test_get_vcpus_of_both(self, machine):
        refused(machine.call, "GetVcpus", "u", AFFECT_LIVE | AFFECT_CONFIG)

    def test_memory(self, client, machine):
        recorder = client.listen(interface=DOMAIN, member="BalloonChange", path=machine.path)
        machine.call("SetMemory", "tu", 1048576, 0)
        assert recorder.wait(lambda s: True, 5.0, "BalloonChange").values == (1048576,)
        assert machine.tree().findtext("currentMemory") == "1048576"
        assert machine.call("MemoryStats", "u", 0)[6] == 1048576
        assert machine.tree(2).findtext("currentMemory") == "2097152"

    def test_memory_limits(self, machine, web):
        for size in (0, 8388609):
            refused(machine.call, "SetMemory", "tu", size, 0)
        refused(machine.call, "SetMemory", "tu", 1024, MAXIMUM | AFFECT_LIVE)
        web.call("SetMemory", "tu", 512, MAXIMUM)
        assert web.tree().findtext("memory") == "512"
        assert web.tree().findtext("currentMemory") == "512"

    def test_metadata(self, client, machine):
        recorder = client.listen(interface=DOMAIN, member="MetadataChange", path=machine.path)
        for kind, text, key, uri in ((METADATA_TITLE, "a title", "", ""), (METADATA_DESCRIPTION, "words", "", ""),
                                     (METADATA_ELEMENT, "<a b='c'/>", "key", "http://example.org/a")):
            machine.call("SetMetadata", "isssu", kind, text, key, uri, AFFECT_LIVE | AFFECT_CONFIG)
            recorder.wait(lambda s, k=kind, u=uri: s.values == (k, u), 5.0, "MetadataChange")
            assert machine.call("GetMetadata", "isu", kind, uri, AFFECT_CONFIG)
        assert machine.call("GetMetadata", "isu", METADATA_TITLE, "", 0) == "a title"
        assert machine.get("Updated") is False

    def test_job_info(self, machine):
        assert machine.call("GetJobInfo") == (0,) * 12

    def test_properties_are_announced(self, client, machine):
        recorder = client.listen(interface="org.freedesktop.DBus.Properties", member="PropertiesChanged",
                                 path=machine.path)
        machine.call("SetMemory", "tu", 1048576, 0)
        recorder.wait(lambda s: s.values[1].get("MemoryKiB") == 1048576 or "MemoryKiB" in s.values[2], 5.0, "MemoryKiB")


@pytest.mark.system
class TestSystem:
    def test_the_first_machine_is_roots(self, system_daemon):
        client = system_daemon.client()
        machine = Machine(client, path_of(DEFAULT_UUID, TEST))
        assert machine.state == (RUNNING, RUNNING_BOOTED)
        assert ElementTree.fromstring(machine.xml()).get("type") == "test"
