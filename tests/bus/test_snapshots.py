"""Snapshots: taken, listed, gone back to, removed; of machines that run and that do not, inside of images and outside.

The guests sit in their firmware: what is on their disks is written by the tests, with qemu-io while they do not run.
"""

import json
import subprocess
import threading
import uuid
from xml.etree import ElementTree

import pytest
from gi.repository import GLib

from guest_agent import CHANNEL, GuestAgent
from harness import BusError, wait_for
from machines import (
    CONNECT, DEFINED, NATIVE, PAUSED, QEMU, RUNNING, SECOND_MONITOR, SHUTOFF, STARTED, STOPPED, STOPPED_DESTROYED, Lifecycle,
    Machine, Monitor, define, definition, disk, with_second_monitor)

SNAPSHOT = "org.libvirt.DomainSnapshot"
NATIVE_SNAPSHOT = "org.virtbus1.Snapshot"

# virDomainSnapshotCreateFlags, -ListFlags, -DeleteFlags, virDomainSnapshotRevertFlags
REDEFINE, CURRENT, NO_METADATA, HALT, DISK_ONLY, REUSE_EXT, QUIESCE, ATOMIC, LIVE, VALIDATE = (1 << i for i in range(10))
ROOTS, METADATA, LEAVES, NO_LEAVES, NO_METADATA_LIST, INACTIVE, ACTIVE, LIST_DISK_ONLY, INTERNAL, EXTERNAL, TOPOLOGICAL = (
    1 << i for i in range(11))
CHILDREN, METADATA_ONLY, CHILDREN_ONLY = 1, 2, 4
REVERT_RUNNING, REVERT_PAUSED, REVERT_FORCE = 1, 2, 4
UNDEFINE_SNAPSHOTS = 2
STOPPED_FROM_SNAPSHOT, STARTED_FROM_SNAPSHOT, DEFINED_FROM_SNAPSHOT = 6, 3, 3


def run(*command):
    return subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True).stdout


def write(image, byte, kind="qcow2"):
    run("qemu-io", "-f", kind, "-c", f"write -q -P {byte} 0 64k", image)


def holds(image, byte, kind="qcow2"):
    result = subprocess.run(["qemu-io", "-r", "-U", "-f", kind, "-c", f"read -P {byte} 0 64k", image], capture_output=True,
                            text=True, check=False)
    return result.returncode == 0 and "failed" not in result.stdout


def info(image):
    return json.loads(run("qemu-img", "info", "-U", "--output=json", image))


def s(text):
    return GLib.Variant("s", text)


class Snapshots(Machine):
    """A machine, by its snapshots."""

    def take(self, name=None, flags=0, inner=""):
        title = f"<name>{name}</name>" if name else ""
        return self.call("SnapshotCreateXML", "su", f"<domainsnapshot>{title}{inner}</domainsnapshot>", flags)

    def list(self, flags=0):
        return self.call("ListDomainSnapshots", "u", flags)

    def names(self, flags=0):
        return [self.client.get(path, NATIVE_SNAPSHOT, "Name") for path in self.list(flags)]

    def of(self, path, member, signature="u", *args):
        return self.client.call(path, SNAPSHOT, member, signature, *(args or (0,)))

    def tree_of(self, path):
        return ElementTree.fromstring(self.of(path, "GetXMLDesc"))

    def source(self, flags=0):
        return self.tree(flags).find("devices/disk/source").get("file")


@pytest.fixture
def image(root_dir):
    path = root_dir / "web.qcow2"
    run("qemu-img", "create", "-q", "-f", "qcow2", path, "4M")
    return path


@pytest.fixture
def web(client, image):
    return Snapshots(client, define(client, definition("web", disk(image, driver="qcow2"))).path)


@pytest.fixture
def events(client):
    return Lifecycle(client)


class TestRecords:
    """What the daemon knows of snapshots, without any image."""

    def redefinition(self, web, name, parent=None, state="shutoff", when=1700000000):
        above = f"<parent><name>{parent}</name></parent>" if parent else ""
        return (f"<domainsnapshot><name>{name}</name><state>{state}</state>{above}"
                f"<creationTime>{when}</creationTime>{web.xml(2)}</domainsnapshot>")

    def test_path_and_properties(self, client, web):
        path = web.call("SnapshotCreateXML", "su", self.redefinition(web, "a-b c"), REDEFINE | CURRENT)
        assert path == f"/org/libvirt/QEMU/domainsnapshot/_{web.uuid.replace('-', '_')}_a_2db_20c"
        assert client.get_all(path, NATIVE_SNAPSHOT) == {
            "Name": "a-b c", "Domain": web.path, "Parent": "/", "Description": "", "State": "shutoff",
            "CreatedAt": 1700000000000000, "Current": True, "Kind": "internal"}
        assert web.get("Snapshots", NATIVE) == [path]
        assert web.call("SnapshotCurrent", "u", 0) == path
        assert web.call("SnapshotLookupByName", "su", "a-b c", 0) == path
        assert web.of(path, "IsCurrent") is True
        assert web.tree_of(path).find("disks/disk").attrib == {"name": "vda", "snapshot": "internal"}

    def test_a_forest(self, daemon, client, web):
        for name, parent in (("a", None), ("b", "a"), ("c", "b"), ("d", None)):
            web.call("SnapshotCreateXML", "su", self.redefinition(web, name, parent), REDEFINE)
        a, b, c, d = web.list()
        for _ in range(2):
            assert web.names(TOPOLOGICAL) == ["a", "d", "b", "c"]
            assert web.names(ROOTS) == ["a", "d"]
            assert web.names(LEAVES) == ["c", "d"]
            assert web.names(NO_LEAVES) == ["a", "b"]
            assert web.names(INACTIVE | INTERNAL) == ["a", "b", "c", "d"]
            assert web.names(ACTIVE) == web.names(EXTERNAL) == web.names(NO_METADATA_LIST) == []
            assert web.of(a, "ListChildren") == [b]
            assert web.of(a, "ListChildren", "u", 1) == [b, c]
            assert web.of(c, "GetParent") == b
            with pytest.raises(BusError, match="does not have a parent"):
                web.of(d, "GetParent")
            daemon.kill()
            daemon.start()

    def test_added_and_gone_are_announced(self, client, web):
        recorder = client.listen(interface="org.freedesktop.DBus.ObjectManager")
        changes = client.listen(interface="org.freedesktop.DBus.Properties", path=web.path)
        path = web.call("SnapshotCreateXML", "su", self.redefinition(web, "a"), REDEFINE)
        recorder.wait(lambda s: s.member == "InterfacesAdded" and s.values[0] == path, 10, "added")
        changes.wait(lambda s: "Snapshots" in s.values[1], 10, "Snapshots")
        web.of(path, "Delete", "u", METADATA_ONLY)
        recorder.wait(lambda s: s.member == "InterfacesRemoved" and s.values[0] == path, 10, "removed")
        assert web.list() == []

    @pytest.mark.parametrize("text, flags", [
        ("<domainsnapshot/>", REDEFINE), ("<domainsnapshot/>", 1 << 10), ("<domainsnapshot/>", CURRENT),
        ("<domainsnapshot/>", QUIESCE), ("<snapshot/>", 0), ("", 0), ("<domainsnapshot><odd/></domainsnapshot>", VALIDATE),
        ("<domainsnapshot><name>a/b</name></domainsnapshot>", 0),
        ("<domainsnapshot><disks><disk name='vdz'/></disks></domainsnapshot>", 0),
        ("<domainsnapshot><memory snapshot='external' file='/m'/></domainsnapshot>", 0),
    ])
    def test_bad_requests_change_nothing(self, web, text, flags):
        with pytest.raises(BusError) as e:
            web.call("SnapshotCreateXML", "su", text, flags)
        assert e.value.name == "org.libvirt.Error"
        assert web.list() == []

    def test_bad_redefinitions(self, web):
        for xml in (self.redefinition(web, "a", "nobody"), self.redefinition(web, "a", "a"),
                    self.redefinition(web, "a").replace(web.uuid, str(uuid.uuid4()))):
            with pytest.raises(BusError):
                web.call("SnapshotCreateXML", "su", xml, REDEFINE)
        web.call("SnapshotCreateXML", "su", self.redefinition(web, "a"), REDEFINE)
        web.call("SnapshotCreateXML", "su", self.redefinition(web, "b", "a"), REDEFINE)
        for xml in (self.redefinition(web, "a", "b"), self.redefinition(web, "a", state="running")):
            with pytest.raises(BusError):
                web.call("SnapshotCreateXML", "su", xml, REDEFINE)
        assert web.names() == ["a", "b"]

    @pytest.mark.parametrize("path", [
        "x", "_", "_6695eb01", "_6695eb01_f6a4_8304_79aa_97f2502e193f", "_6695eb01_f6a4_8304_79aa_97f2502e193f_",
        "_6695eb01_f6a4_8304_79aa_97f2502e193fx", "_6695eb01_f6a4_8304_79aa_97f2502e193f_a_", "_" * 300])
    def test_paths_that_are_no_snapshots(self, client, path):
        with pytest.raises(BusError) as e:
            client.call(f"/org/libvirt/QEMU/domainsnapshot/{path}", SNAPSHOT, "GetXMLDesc", "u", 0)
        assert e.value.name == "org.libvirt.Error"
        assert "snapshot not found" in e.value.message

    def test_undefine_and_rename(self, client, web):
        path = web.call("SnapshotCreateXML", "su", self.redefinition(web, "a"), REDEFINE)
        web.call("Rename", "su", "www", 0)
        assert web.list() == [path]
        with pytest.raises(BusError, match="SNAPSHOTS_METADATA"):
            web.undefine()
        assert web.list() == [path]
        web.undefine(UNDEFINE_SNAPSHOTS)
        with pytest.raises(BusError, match="snapshot not found"):
            web.of(path, "GetXMLDesc")

    def test_machines_with_snapshots_are_listed(self, client, web):
        assert client.call("/org/libvirt/QEMU", "org.libvirt.Connect", "ListDomains", "u", 1 << 12) == []
        web.call("SnapshotCreateXML", "su", self.redefinition(web, "a"), REDEFINE)
        assert client.call("/org/libvirt/QEMU", "org.libvirt.Connect", "ListDomains", "u", 1 << 12) == [web.path]


class TestTaking:
    def test_inside_of_a_stopped_machine(self, web, image):
        path = web.take("one")
        assert [s["name"] for s in info(image)["snapshots"]] == ["one"]
        tree = web.tree_of(path)
        assert tree.findtext("state") == "shutoff"
        assert tree.find("memory").get("snapshot") == "no"
        assert tree.find("domain/uuid").text == web.uuid
        assert web.tree_of(web.take("two")).findtext("parent/name") == "one"
        with pytest.raises(BusError, match="already"):
            web.take("one")

    @pytest.mark.qemu
    def test_inside_of_a_running_machine(self, web, image):
        web.create()
        path = web.take("one")
        assert web.state[0] == RUNNING
        tree = web.tree_of(path)
        assert (tree.findtext("state"), tree.find("memory").get("snapshot")) == ("running", "internal")
        assert tree.find("inactiveDomain/uuid").text == web.uuid
        assert info(image)["snapshots"][0]["vm-state-size"] > 0
        web.destroy()

    @pytest.mark.qemu
    def test_outside_of_a_running_machine(self, daemon, web, image):
        web.create()
        path = web.take("one", DISK_ONLY | ATOMIC)
        new = image.with_suffix(".one")
        for flags in (0, 2):
            assert web.source(flags) == str(new)
            assert web.tree(flags).find("devices/disk/backingStore/source").get("file") == str(image)
        assert info(new)["backing-filename"] == str(image)
        tree = web.tree_of(path)
        assert tree.findtext("state") == "disk-snapshot"
        assert tree.find("disks/disk/source").get("file") == str(new)
        assert tree.find("domain/devices/disk/source").get("file") == str(image)
        web.take("two", DISK_ONLY)
        assert web.source() == str(image.with_suffix(".two"))
        daemon.kill()
        daemon.start()
        assert web.names(EXTERNAL | LIST_DISK_ONLY) == ["one", "two"]
        web.take("three", DISK_ONLY)
        web.destroy()
        web.create()
        assert web.source() == str(image.with_suffix(".three"))
        web.destroy()

    def test_outside_of_a_stopped_machine(self, web, image):
        write(image, 1)
        web.take("one", DISK_ONLY)
        new = image.with_suffix(".one")
        assert web.source() == str(new)
        assert holds(new, 1)

    def test_no_file_is_overwritten(self, web, image):
        precious = image.with_suffix(".one")
        precious.write_text("precious")
        with pytest.raises(BusError, match="already"):
            web.take("one", DISK_ONLY)
        assert precious.read_text() == "precious"
        assert web.source() == str(image)
        assert web.list() == []

    def test_a_file_that_is_there(self, web, image):
        new = image.with_suffix(".mine")
        run("qemu-img", "create", "-q", "-f", "qcow2", "-b", image, "-F", "qcow2", new)
        web.take("one", DISK_ONLY | REUSE_EXT, f"<disks><disk name='vda'><source file='{new}'/></disk></disks>")
        assert web.source() == str(new)

    @pytest.mark.qemu
    def test_what_somebody_else_made_in_an_image_stays(self, web, image):
        run("qemu-img", "snapshot", "-c", "one", image)
        for _ in range(2):
            with pytest.raises(BusError, match="of its own"):
                web.take("one")
            assert [s["name"] for s in info(image)["snapshots"]] == ["one"]
            if web.state[0] == SHUTOFF:
                web.create()
        assert web.list() == []
        web.destroy()

    @pytest.mark.qemu
    def test_halt_and_no_record(self, web, image, events):
        web.create()
        web.take("one", HALT)
        events.wait(web, STOPPED, STOPPED_FROM_SNAPSHOT)
        assert web.state[0] == SHUTOFF
        web.take("two", NO_METADATA)
        assert web.names() == ["one"]
        assert [s["name"] for s in info(image)["snapshots"]] == ["one", "two"]

    @pytest.mark.qemu
    def test_raw_disks_have_none_inside(self, client, root_dir):
        raw = root_dir / "raw.img"
        run("qemu-img", "create", "-q", "-f", "raw", raw, "1M")
        web = Snapshots(client, define(client, definition("raw", disk(raw))).path)
        with pytest.raises(BusError, match="raw"):
            web.take("one")
        web.create()
        web.take("one", DISK_ONLY)
        assert web.source() == str(root_dir / "raw.one")
        web.destroy()

    @pytest.mark.qemu
    def test_without_an_agent_nothing_is_frozen_or_taken(self, web, image):
        web.create()
        with pytest.raises(BusError, match="agent"):
            web.take("one", DISK_ONLY | QUIESCE)
        assert web.list() == []
        assert web.source() == str(image)
        assert not image.with_suffix(".one").exists()
        web.destroy()

    @pytest.mark.qemu
    def test_a_guest_is_frozen_meanwhile(self, daemon, client, image, root_dir):
        web = Snapshots(client, define(client, definition("web", disk(image, driver="qcow2") + CHANNEL)).path)
        web.create()
        agent = GuestAgent(daemon.root, {"guest-fsfreeze-freeze": 1, "guest-fsfreeze-thaw": 1})
        web.take("one", DISK_ONLY | QUIESCE)
        assert [command for command, _ in agent.heard] == ["guest-fsfreeze-freeze", "guest-fsfreeze-thaw"]
        agent.heard.clear()
        odd = root_dir / "odd.qcow2"
        run("qemu-img", "create", "-q", "-f", "qcow2", "-b", image.with_suffix(".one"), "-F", "qcow2", odd)
        odd.write_bytes(odd.read_bytes()[:72] + b"\x40" + odd.read_bytes()[73:])  # a feature that QEMU does not know
        with pytest.raises(BusError):
            web.take("two", DISK_ONLY | QUIESCE | REUSE_EXT, f"<disks><disk name='vda'><source file='{odd}'/></disk></disks>")
        assert [command for command, _ in agent.heard] == ["guest-fsfreeze-freeze", "guest-fsfreeze-thaw"]
        assert web.source() == web.source(2) == str(image.with_suffix(".one"))
        agent.close()
        web.destroy()

    @pytest.mark.qemu
    @pytest.mark.parametrize("is_wanted", [False, True])
    def test_a_disk_that_goes_meanwhile(self, daemon, client, image, root_dir, is_wanted):
        """A guest lets go of a device at any time: then there is no snapshot of it, and the others are what they were."""
        stick = root_dir / "stick.qcow2"
        run("qemu-img", "create", "-q", "-f", "qcow2", stick, "4M")
        xml = definition("web", disk(stick, target="sda", bus="usb", driver="qcow2") + disk(image, driver="qcow2") + CHANNEL)
        web = Snapshots(client, define(client, with_second_monitor(xml, root_dir)).path)
        web.create()
        asked, is_gone = threading.Event(), threading.Event()

        def freeze(_arguments):
            asked.set()
            return is_gone.wait(60) and 1
        agent = GuestAgent(daemon.root, {"guest-fsfreeze-freeze": freeze, "guest-fsfreeze-thaw": 1})
        call = web.begin("SnapshotCreateXML", "su", "<domainsnapshot><name>one</name><disks><disk name='sda' "
                         f"snapshot='{'external' if is_wanted else 'no'}'/></disks></domainsnapshot>", DISK_ONLY | QUIESCE)
        wait_for(asked.is_set, 20, "the question to the guest")
        monitor = Monitor(root_dir, SECOND_MONITOR)
        monitor.ask("device_del", id="usb-disk0")
        wait_for(lambda: len(web.tree().findall("devices/disk")) == 1, 20, "the disk to go")
        is_gone.set()
        wait_for(lambda: call.done, 20, "the answer")
        monitor.close()
        assert len(web.tree().findall("devices/disk")) == 1 and len(web.tree(2).findall("devices/disk")) == 2
        if is_wanted:
            assert "'sda' has gone" in call.error.message
        else:
            assert not call.error, call.error
        new = image.with_suffix(".one")
        assert web.names() == ([] if is_wanted else ["one"]) and new.exists() != is_wanted
        assert web.source() == str(image if is_wanted else new) and not stick.with_suffix(".one").exists()
        agent.close()
        web.destroy()
        web.create()
        web.destroy()

    def test_natively(self, client, web, image):
        path = web.call("CreateSnapshot", "a{sv}", {"name": s("one"), "description": s("first")}, interface=NATIVE)
        assert client.get(path, NATIVE_SNAPSHOT, "Description") == "first"
        new = image.with_suffix(".new")
        path = web.call("CreateSnapshot", "a{sv}", {"images": GLib.Variant("a{ss}", {"vda": str(new)})}, interface=NATIVE)
        assert client.get(path, NATIVE_SNAPSHOT, "Kind") == "external"
        assert web.source() == str(new)
        with pytest.raises(BusError, match="known are"):
            web.call("CreateSnapshot", "a{sv}", {"nmae": s("one")}, interface=NATIVE)


class TestDeleting:
    def test_inside_of_a_stopped_machine(self, web, image):
        one, two, three = (web.take(name) for name in ("one", "two", "three"))
        web.of(two, "Delete")
        assert [s["name"] for s in info(image)["snapshots"]] == ["one", "three"]
        assert web.of(three, "GetParent") == one
        web.of(one, "Delete", "u", CHILDREN_ONLY)
        assert web.names() == ["one"]
        assert web.of(one, "IsCurrent") is True
        web.of(one, "Delete", "u", CHILDREN)
        assert web.list() == []
        assert "snapshots" not in info(image)
        with pytest.raises(BusError, match="current"):
            web.call("SnapshotCurrent", "u", 0)

    @pytest.mark.qemu
    def test_inside_of_a_running_machine(self, web, image):
        web.create()
        one, _ = web.take("one"), web.take("two")
        web.of(one, "Delete")
        assert [s["name"] for s in info(image)["snapshots"]] == ["two"]
        assert web.state[0] == RUNNING
        web.destroy()

    def test_the_record_only(self, web, image):
        one = web.take("one")
        web.of(one, "Delete", "u", METADATA_ONLY)
        assert web.list() == []
        assert [s["name"] for s in info(image)["snapshots"]] == ["one"]

    def test_the_last_outside_of_a_stopped_machine_is_merged(self, daemon, web, image):
        write(image, 1)
        one = web.take("one", DISK_ONLY)
        new = image.with_suffix(".one")
        write(new, 2)
        web.of(one, "Delete")
        assert holds(image, 2)
        assert not new.exists()
        assert web.source() == str(image)
        daemon.kill()
        daemon.start()
        assert web.source() == str(image)
        assert web.list() == []

    def test_one_in_the_middle_of_a_stopped_machine_is_merged(self, web, image):
        one = web.take("one", DISK_ONLY)
        write(image.with_suffix(".one"), 1)
        two = web.take("two", DISK_ONLY)
        web.of(one, "Delete")
        assert holds(image, 1)
        assert not image.with_suffix(".one").exists()
        assert info(image.with_suffix(".two"))["backing-filename"] == str(image)
        assert holds(image.with_suffix(".two"), 1)
        assert web.tree_of(two).find("domain/devices/disk/source").get("file") == str(image)
        web.of(two, "Delete")
        assert web.source() == str(image)

    def records(self, root_dir, web):
        (kept,) = root_dir.rglob(f"qemu/{web.uuid}.xml")
        return kept.parent / "snapshot" / kept.name

    @pytest.mark.qemu
    @pytest.mark.parametrize("runs", [False, True])
    def test_one_whose_record_was_not_written_when_it_was_merged(self, daemon, web, image, root_dir, runs):
        """What is in the file's place cannot be replaced by a file."""
        one = web.take("one", DISK_ONLY)
        first = image.with_suffix(".one")
        write(first, 1)
        two = web.take("two", DISK_ONLY)
        web.take("three", DISK_ONLY)
        if runs:
            web.create()
        record = self.records(root_dir, web)
        record.rename(root_dir / "away")
        record.mkdir()
        with pytest.raises(BusError, match="Cannot save the snapshots"):
            web.of(one, "Delete")
        record.rmdir()
        (root_dir / "away").rename(record)
        assert holds(image, 1) and first.exists()
        if not runs:
            daemon.restart()
        web.of(one, "Delete")
        assert web.names() == ["two", "three"] and str(first) not in record.read_text()
        assert f"merged {first}, which no disk" in daemon.read_log()
        assert web.tree_of(two).find("domain/devices/disk/source").get("file") == str(image)
        web.of(two, "Delete")
        assert holds(image, 1)
        if runs:
            web.destroy()

    def test_what_another_needs_is_not_taken_for_merged(self, web, image, root_dir):
        """Back at a snapshot, the machine has no image of the others that come after it."""
        one = web.take("one", DISK_ONLY)
        first = image.with_suffix(".one")
        write(first, 1)
        web.take("two", DISK_ONLY)
        web.of(one, "Revert")
        before = self.records(root_dir, web).read_text()
        with pytest.raises(BusError, match="directly over"):
            web.of(one, "Delete")
        assert self.records(root_dir, web).read_text() == before and first.exists()

    @pytest.mark.parametrize("has_next", [False, True])
    def test_one_that_failed_is_gone_on_with(self, daemon, client, image, root_dir, has_next):
        other = root_dir / "other.qcow2"
        run("qemu-img", "create", "-q", "-f", "qcow2", other, "4M")
        disks = disk(image, driver="qcow2") + disk(other, target="vdb", driver="qcow2")
        web = Snapshots(client, define(client, definition("web", disks)).path)
        one = web.take("one", DISK_ONLY)
        first, second = image.with_suffix(".one"), other.with_suffix(".one")
        for new in (first, second):
            write(new, 1)
        if has_next:
            web.take("two", DISK_ONLY)
        second.rename(root_dir / "away")
        with pytest.raises(BusError, match="other"):
            web.of(one, "Delete")
        assert holds(image, 1) and not first.exists()
        assert web.names() == (["one", "two"] if has_next else ["one"])
        daemon.restart()
        (root_dir / "away").rename(second)
        first.touch()  # as one that the first attempt could not remove
        web.of(one, "Delete")
        assert f"merged {first}, which no disk" in daemon.read_log() and f"merged {second}" not in daemon.read_log()
        assert holds(image, 1) and holds(other, 1) and not second.exists() and first.exists()
        assert web.names() == (["two"] if has_next else [])
        if has_next:
            web.of(web.list()[0], "Delete")
        assert [d.find("source").get("file") for d in web.tree().findall("devices/disk")] == [str(image), str(other)]

    @pytest.mark.qemu
    def test_outside_of_a_running_machine_is_merged(self, web, image):
        web.create()
        one, two, three = (web.take(name, DISK_ONLY) for name in ("one", "two", "three"))
        web.of(two, "Delete")
        assert not image.with_suffix(".two").exists()
        web.of(three, "Delete")
        assert web.source() == str(image.with_suffix(".one"))
        assert web.state[0] == RUNNING
        web.destroy()
        web.create()
        web.of(one, "Delete")
        for flags in (0, 2):
            assert web.source(flags) == str(image)
        assert web.list() == []
        web.destroy()
        web.create()
        web.destroy()

    def test_flags(self, web):
        one = web.take("one")
        for flags in (8, CHILDREN | CHILDREN_ONLY):
            with pytest.raises(BusError):
                web.of(one, "Delete", "u", flags)
        assert web.names() == ["one"]


class TestKilled:
    """The daemon is killed at the worst moments; what was on the disk then is put together from copies."""

    def files(self, daemon, root_dir, web):
        (kept,) = root_dir.rglob(f"qemu/{web.uuid}.xml")
        return kept, kept.parent / "snapshot" / f"{web.uuid}.xml"

    def begun(self, record):
        record.write_text(record.read_text().replace("<snapshot current='yes'", "<snapshot pending='take'"))

    @pytest.mark.qemu
    def test_after_qemu_went_over_and_before_the_status_was_saved(self, daemon, web, image, root_dir):
        web.create()
        (status,) = root_dir.rglob("status.xml")
        kept, record = self.files(daemon, root_dir, web)
        copies = {path: path.read_text() for path in (kept, status)}
        web.take("one", DISK_ONLY)
        daemon.kill()
        for path, text in copies.items():
            path.write_text(text)
        self.begun(record)
        daemon.start()
        wait_for(lambda: web.names() == ["one"], 10, "the snapshot")
        for flags in (0, 2):
            assert web.source(flags) == str(image.with_suffix(".one"))
        web.take("two", DISK_ONLY)
        web.destroy()

    @pytest.mark.qemu
    def test_before_qemu_went_over(self, daemon, web, image, root_dir):
        web.create()
        kept, record = self.files(daemon, root_dir, web)
        web.take("one", DISK_ONLY)
        daemon.kill()
        text = record.read_text().replace("<name>one</name>", "<name>two</name>", 1)
        text = text.replace(f"{image.with_suffix('.one')}'/>", f"{image.with_suffix('.two')}'/>", 1)
        record.write_text(text.replace("<snapshot current='yes'", "<snapshot pending='take'"))
        daemon.start()
        wait_for(lambda: "pending" not in (record.read_text() if record.exists() else ""), 10, "the end of it")
        assert web.list() == []
        web.destroy()

    def test_of_a_stopped_machine(self, daemon, web, image, root_dir):
        kept, record = self.files(daemon, root_dir, web)
        before = kept.read_text()
        web.take("one", DISK_ONLY)
        daemon.kill()
        kept.write_text(before)
        self.begun(record)
        daemon.start()
        wait_for(lambda: web.names() == ["one"], 10, "the snapshot")
        assert web.source() == str(image.with_suffix(".one"))

    def test_an_image_that_cannot_be_read_is_not_taken_off(self, daemon, web, image, root_dir):
        """Its record stays, whatever becomes of others, until it is known what became of it."""
        _, record = self.files(daemon, root_dir, web)
        old = web.take("old")
        one = web.take("one", DISK_ONLY)
        daemon.kill()
        new = image.with_suffix(".one")
        whole = new.read_bytes()
        new.write_bytes(b"damaged")
        self.begun(record)
        daemon.start()
        assert web.source() == str(new)
        with pytest.raises(BusError, match="Snapshot 'one' was being taken when the daemon ended: .*web.one"):
            web.take("two", DISK_ONLY)
        for member, flags in (("Delete", 0), ("Revert", 0)):
            with pytest.raises(BusError, match="Snapshot 'one' was being taken when the daemon ended: .*web.one"):
                web.of(old, member, "u", flags)
            with pytest.raises(BusError, match="no domain snapshot"):
                web.of(one, member, "u", flags)
        with pytest.raises(BusError, match="Snapshot 'one' was being taken"):
            web.call("SnapshotCreateXML", "su", web.of(old, "GetXMLDesc").replace(">old<", ">one<"), REDEFINE)
        web.of(old, "Delete", "u", METADATA_ONLY)
        assert "pending=" in record.read_text() and web.names() == []
        new.write_bytes(whole)
        daemon.restart()
        wait_for(lambda: web.names() == ["one"], 10, "the snapshot")
        assert web.source() == str(new)
        daemon.kill()
        self.begun(record)
        new.write_bytes(b"damaged")
        daemon.start()
        wait_for(lambda: "cannot be found out" in daemon.read_log(), 10, "the attempt")
        new.write_bytes(whole)
        web.take("two", DISK_ONLY)
        assert set(web.names()) == {"one", "two"} and "pending=" not in record.read_text()

    def test_what_nobody_knows_goes_with_the_definition(self, daemon, web, image, root_dir):
        _, record = self.files(daemon, root_dir, web)
        web.take("one", DISK_ONLY)
        daemon.kill()
        image.with_suffix(".one").write_bytes(b"damaged")
        self.begun(record)
        daemon.start()
        assert web.list() == [] and record.exists()
        web.undefine()
        assert not record.exists()

    def test_inside_of_a_stopped_machine(self, daemon, web, image, root_dir):
        web.take("one")
        kept, record = self.files(daemon, root_dir, web)
        daemon.kill()
        run("qemu-img", "snapshot", "-d", "one", image)
        self.begun(record)
        daemon.start()
        wait_for(lambda: not record.exists(), 10, "the record to go")
        assert web.list() == []
        web.take("one")

    @pytest.mark.qemu
    @pytest.mark.parametrize("is_killed", [False, True])
    def test_a_merge_whose_definition_cannot_be_saved(self, daemon, web, image, root_dir, is_killed):
        """The guest writes to the lower image then, which the definition hides: it does not go on before that is right."""
        web.create()
        path = web.take("one", DISK_ONLY)
        kept, _ = self.files(daemon, root_dir, web)
        away, new = root_dir / "kept", str(image.with_suffix(".one"))
        kept.rename(away)
        (kept / "in-the-way").mkdir(parents=True)
        with pytest.raises(BusError, match=kept.name):
            web.of(path, "Delete")
        for member, *arguments in (("Resume",), ("ManagedSave", "u", 0)):
            with pytest.raises(BusError):
                web.call(member, *arguments)
        assert web.state[0] == PAUSED and web.source() == web.source(2) == new
        if is_killed:
            daemon.kill()
        (kept / "in-the-way").rmdir()
        kept.rmdir()
        away.rename(kept)
        if is_killed:
            daemon.start()
            wait_for(lambda: web.source(2) == str(image), 20, "the definition to follow")
            assert web.state[0] == PAUSED
        web.resume()
        assert web.state[0] == RUNNING and web.source() == web.source(2) == str(image)
        assert f"<source file='{image}'" in kept.read_text()
        web.take("two", DISK_ONLY)
        web.destroy()

    @pytest.mark.qemu
    @pytest.mark.parametrize("is_limited", [False, True])
    def test_after_a_merge_and_before_the_definition_was_saved(self, client, daemon, web, image, root_dir, is_limited):
        """The guest was held while it went over; what limits a disk stands between it and its images."""
        if is_limited:
            limits = "<iotune><total_bytes_sec>104857600</total_bytes_sec></iotune>"
            client.call(QEMU, CONNECT, "DomainDefineXML", "s", web.xml(2).replace("<target", f"{limits}<target", 1))
        web.create()
        path = web.take("one", DISK_ONLY)
        (status,) = root_dir.rglob("status.xml")
        kept, record = self.files(daemon, root_dir, web)
        copies = {p: p.read_text() for p in (kept, status)}
        assert "held='no'" in copies[status]
        web.of(path, "Delete")
        daemon.kill()
        for p, text in copies.items():
            p.write_text(text.replace("held='no'", "held='yes'"))
        daemon.start()
        wait_for(lambda: web.source(2) == str(image), 10, "the definition to follow")
        assert web.source() == str(image)
        web.destroy()
