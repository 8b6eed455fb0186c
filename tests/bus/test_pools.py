"""Pools on block devices: file systems and disks, on loop devices."""

import contextlib
import os
import pathlib
import subprocess
import time

import pytest
from gi.repository import GLib

from harness import wait_for
from machines import CONNECT, QEMU, define as define_machine, definition, disk as disk_of
from test_storage import MIB, POOL, VOLUME, make, names, read, refused, volume_xml
from test_volumes import upload

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="loop devices are root's")
WITH_BUILD, WITH_BUILD_OVERWRITE, WITH_BUILD_NO_OVERWRITE = 1, 2, 4
NO_OVERWRITE, OVERWRITE = 4, 8
ZEROED = 1
NATIVE, NATIVE_CONNECT = "org.virtbus1.StoragePool", "org.virtbus1.Connect"


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


@contextlib.contextmanager
def loop_device(folder, size, name="disk"):
    """The loop devices of the machine are shared with others: one is waited for, and always given back."""
    file = pathlib.Path(folder) / name
    with open(file, "wb") as opened:
        opened.truncate(size)
    deadline = time.monotonic() + 60
    while True:
        found = subprocess.run(["losetup", "--find", "--show", file], capture_output=True, text=True)
        if found.returncode == 0:
            break
        assert time.monotonic() < deadline, found.stderr
        time.sleep(0.2)  # nothing tells when another's is given back
    device = found.stdout.strip()
    try:
        yield device
    finally:
        while subprocess.run(["umount", device], capture_output=True).returncode == 0:
            pass
        subprocess.run(["partx", "--delete", device], capture_output=True)
        run("losetup", "--detach", device)


@pytest.fixture
def disk(tmp_path_factory):
    with loop_device(tmp_path_factory.mktemp("disk"), 64 * MIB) as device:
        yield device


def fs_xml(device, target, kind="ext4", name="files"):
    return (f"<pool type='fs'><name>{name}</name><source><device path='{device}'/><format type='{kind}'/></source>"
            f"<target><path>{target}</path></target></pool>")


def disk_xml(device, kind="gpt", name="parts"):
    return (f"<pool type='disk'><name>{name}</name><source><device path='{device}'/><format type='{kind}'/></source>"
            f"<target><path>/dev</path></target></pool>")


def define(client, xml):
    return client.call(QEMU, CONNECT, "StoragePoolDefineXML", "su", xml, 0)


def mounted(target):
    """(source, type, options) of what the daemon's namespace, which is ours, has there."""
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        left, right = (half.split() for half in line.split(" - "))
        if left[4] == str(target):
            return right[1], right[0], set(left[5].split(","))
    return None


def bad_volumes(client, pool, name="new"):
    """What no volume of a pool without files can be: one error each, and no tool was asked for it."""
    for xml, word in ((volume_xml("a/b"), "'a/b'"), (volume_xml(".."), "'..'"), (volume_xml("a&#10;b"), "'a\\nb'"), (volume_xml(name, 0), "above 0"),
                      (volume_xml(name, -1), "capacity"), (volume_xml(name, 2**64), "capacity"), (volume_xml(name, 2**63), "EiB"),
                      (f"<volume><name>{name}</name></volume>", "above 0"), (volume_xml(name, kind="qcow2"), "'qcow2'"),
                      (volume_xml(name, kind="letter"), "letter"), (volume_xml(name, content="<dataFile>x</dataFile>"), "dataFile"),
                      (volume_xml(name, content="<preallocation>full</preallocation>"), "preallocation"),
                      (volume_xml(name, content="<clusterSize>65536</clusterSize>"), "clusterSize"),
                      (volume_xml(name, content="<compat>1.1</compat>"), "compat"),
                      (volume_xml(name, content="<encryption format='luks'/>"), "encryption"),
                      (volume_xml(name, content="<permissions><label>a:b:c:s0</label></permissions>"), "label")):
        refused(client.call, pool, POOL, "StorageVolCreateXML", "su", xml, 0, word=word)
    refused(client.call, pool, POOL, "StorageVolCreateXML", "su", volume_xml(name), 1, word="PREALLOC_METADATA")
    refused(client.call, pool, POOL, "StorageVolCreateXML", "su", volume_xml(name), 8, word="8")


class TestFileSystems:
    @pytest.mark.parametrize("kind", ["ext4", "btrfs", "xfs"])
    def test_whole_life(self, client, tmp_path, kind):
        target = tmp_path / "mnt"
        with loop_device(tmp_path, 320 * MIB if kind == "xfs" else 128 * MIB) as device:
            pool = define(client, fs_xml(device, target, kind))
            refused(client.call, pool, POOL, "Create", "u", 0, word=str(target))
            client.call(pool, POOL, "Build", "u", NO_OVERWRITE)
            client.call(pool, POOL, "Create", "u", 0)
            assert mounted(target)[:2] == (device, kind)
            assert {"nosuid", "nodev"} <= mounted(target)[2]
            volume = make(client, pool, "a.img", 3 * MIB)
            assert (target / "a.img").stat().st_size == 3 * MIB
            assert client.get(volume, VOLUME, "Path") == f"{target}/a.img"
            refused(client.call, pool, POOL, "Build", "u", OVERWRITE, word="started")
            client.call(pool, POOL, "Destroy")
            assert mounted(target) is None and list(target.iterdir()) == []
            refused(client.call, pool, POOL, "Build", "u", NO_OVERWRITE, word=kind)
            client.call(pool, POOL, "Create", "u", 0)
            assert "a.img" in names(client, pool)
            client.call(pool, POOL, "Destroy")
            client.call(pool, POOL, "Create", "u", WITH_BUILD_OVERWRITE)
            assert "a.img" not in names(client, pool)
            client.call(pool, POOL, "Destroy")
            client.call(pool, POOL, "Delete", "u", 0)
            client.call(pool, POOL, "Undefine")
            assert not target.exists()

    def test_format_is_found_out(self, client, tmp_path, disk):
        run("mkfs.ext4", "-q", disk)
        pool = define(client, fs_xml(disk, tmp_path, "auto"))
        refused(client.call, pool, POOL, "Build", "u", OVERWRITE, word="auto")
        client.call(pool, POOL, "Create", "u", WITH_BUILD)
        assert mounted(tmp_path)[1] == "ext4"
        client.call(pool, POOL, "Destroy")

    def test_taken_back_and_cleaned_up(self, daemon, client, tmp_path, disk):
        """A daemon that is killed leaves its mounts to the next."""
        pool = define(client, fs_xml(disk, tmp_path / "mnt"))
        client.call(pool, POOL, "Create", "u", WITH_BUILD_OVERWRITE)
        make(client, pool, "a.img")
        daemon.kill()
        daemon.start()
        wait_for(lambda: client.get(pool, POOL, "Active"))
        assert "a.img" in names(client, pool)
        daemon.kill()
        run("umount", tmp_path / "mnt")
        daemon.start()
        wait_for(lambda: client.get(pool, POOL, "Active"))
        assert mounted(tmp_path / "mnt")[0] == disk and "a.img" in names(client, pool)
        client.call(pool, POOL, "Destroy")
        assert mounted(tmp_path / "mnt") is None

    def test_others_are_left_alone(self, client, tmp_path, disk):
        run("mkfs.ext4", "-q", disk)
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "mnt").mkdir()
        pool = define(client, fs_xml(disk, tmp_path / "mnt"))
        run("mount", disk, tmp_path / "elsewhere")
        refused(client.call, pool, POOL, "Build", "u", OVERWRITE, word="in use")
        refused(client.call, pool, POOL, "Create", "u", 0, word="in use")
        run("umount", tmp_path / "elsewhere")
        run("mount", "-t", "tmpfs", "other", tmp_path / "mnt")
        refused(client.call, pool, POOL, "Create", "u", 0, word="other")
        assert mounted(tmp_path / "mnt")[0] == "other"
        run("umount", tmp_path / "mnt")
        run("mount", disk, tmp_path / "mnt")
        refused(client.call, pool, POOL, "Create", "u", 0, word="already")
        run("umount", tmp_path / "mnt")
        assert client.get(pool, POOL, "Active") is False

    def test_in_use_it_is_not_stopped(self, client, tmp_path, disk):
        pool = define(client, fs_xml(disk, tmp_path / "mnt"))
        client.call(pool, POOL, "Create", "u", WITH_BUILD_OVERWRITE)
        make(client, pool, "a.img")
        with open(tmp_path / "mnt/a.img", "rb"):
            refused(client.call, pool, POOL, "Destroy", word="busy")
            assert client.get(pool, POOL, "Active") and "a.img" in names(client, pool)
            make(client, pool, "b.img")
        client.call(pool, POOL, "Destroy")

    def test_a_machine_has_the_device(self, client, tmp_path, disk):
        """Nothing is mounted or made on what a running machine writes to."""
        run("mkfs.ext4", "-q", disk)
        (tmp_path / "mnt").mkdir()
        files, parts = define(client, fs_xml(disk, tmp_path / "mnt")), define(client, disk_xml(disk))
        machine = define_machine(client, definition("one", disk_of(disk, kind="block")))
        machine.call("Create", "u", 0)
        before = pathlib.Path(disk).read_bytes()
        for pool, member, flags in ((files, "Build", OVERWRITE), (files, "Create", 0), (parts, "Build", OVERWRITE),
                                    (parts, "Delete", 0)):
            refused(client.call, pool, POOL, member, "u", flags, word="running machine")
        assert pathlib.Path(disk).read_bytes() == before and mounted(tmp_path / "mnt") is None
        machine.destroy()
        client.call(files, POOL, "Create", "u", 0)
        client.call(files, POOL, "Destroy")

    def test_a_machine_has_a_partition(self, client, tmp_path, disk):
        parts = define(client, disk_xml(disk))
        client.call(parts, POOL, "Create", "u", WITH_BUILD)
        make(client, parts, f"{os.path.basename(disk)}p1", 8 * MIB)
        client.call(parts, POOL, "Destroy")
        files = define(client, fs_xml(disk, tmp_path / "mnt"))
        machine = define_machine(client, definition("one", disk_of(f"{disk}p1", kind="block")))
        machine.call("Create", "u", 0)
        before = pathlib.Path(disk).read_bytes()
        for pool, member, flags in ((files, "Build", OVERWRITE), (parts, "Build", OVERWRITE), (parts, "Delete", 0)):
            refused(client.call, pool, POOL, member, "u", flags, word="running machine")
        assert pathlib.Path(disk).read_bytes() == before
        machine.destroy()
        run("mount", "--bind", f"{disk}p1", f"{disk}p1")
        run("mount", "-o", "remount,bind,nodev", f"{disk}p1")
        try:  # what cannot be looked at is not taken as unused
            refused(client.call, parts, POOL, "Build", "u", OVERWRITE, word=f"cannot use the device '{disk}': Permission")
        finally:
            run("umount", f"{disk}p1")
        client.call(files, POOL, "Build", "u", OVERWRITE)

    def test_a_machine_has_the_disk_of_a_partition(self, client, tmp_path, disk):
        parts, name = define(client, disk_xml(disk)), os.path.basename(disk)
        client.call(parts, POOL, "Create", "u", WITH_BUILD)
        volume, second = make(client, parts, f"{name}p1", 8 * MIB), volume_xml(f"{name}p2", MIB)
        files = define(client, fs_xml(f"{disk}p1", tmp_path / "mnt"))
        client.call(files, POOL, "Build", "u", OVERWRITE)
        machine = define_machine(client, definition("one", disk_of(disk, kind="block")))
        machine.call("Create", "u", 0)
        before = pathlib.Path(disk).read_bytes()
        for path, interface, *call in ((files, POOL, "Build", "u", OVERWRITE), (files, POOL, "Create", "u", 0),
                                       (volume, VOLUME, "Delete", "u", 0), (volume, VOLUME, "Delete", "u", ZEROED),
                                       (parts, POOL, "StorageVolCreateXML", "su", second, 0)):
            refused(client.call, path, interface, *call, word="running machine")
        assert pathlib.Path(disk).read_bytes() == before and mounted(tmp_path / "mnt") is None
        machine.destroy()
        client.call(files, POOL, "Create", "u", 0)
        client.call(parts, POOL, "StorageVolCreateXML", "su", second, 0)
        refused(client.call, volume, VOLUME, "Delete", "u", ZEROED, word="in use")
        client.call(files, POOL, "Destroy")
        client.call(volume, VOLUME, "Delete", "u", ZEROED)
        assert names(client, parts) == [f"{name}p2"]

    def test_bad_sources(self, client, tmp_path):
        (tmp_path / "mnt").mkdir()
        (tmp_path / "file").touch()
        os.mkfifo(tmp_path / "fifo")
        for device, word in (("/dev/nothing-here", "No such file"), (f"{tmp_path}/file", "no block device"),
                             (f"{tmp_path}/fifo", "no block device"), ("/dev/null", "no block device"),
                             ("--bind", "absolute"), (str(tmp_path), "no block device")):
            pool = define(client, fs_xml(device, tmp_path / "mnt"))
            refused(client.call, pool, POOL, "Create", "u", 0, word=word)
            refused(client.call, pool, POOL, "Build", "u", OVERWRITE, word=word)
            client.call(pool, POOL, "Undefine")
        pool = define(client, fs_xml("/dev/null", tmp_path, name="mine"))
        refused(define, client, fs_xml("/dev/zero", tmp_path, name="other"), word="path")
        refused(define, client, fs_xml("/dev/null", "/other", name="other"), word="stands on")
        assert client.call(QEMU, CONNECT, "ListStoragePools", "u", 0) == [pool]


class TestDisks:
    @pytest.mark.parametrize("kind", ["gpt", "dos"])
    def test_whole_life(self, client, disk, kind):
        pool = define(client, disk_xml(disk, kind))
        refused(client.call, pool, POOL, "Create", "u", 0, word="partition")
        client.call(pool, POOL, "Build", "u", 0)
        refused(client.call, pool, POOL, "Build", "u", NO_OVERWRITE, word=kind)
        client.call(pool, POOL, "Create", "u", 0)
        assert names(client, pool) == []
        base = os.path.basename(disk)
        first = make(client, pool, f"{base}p1", 8 * MIB)
        assert client.get_all(first, VOLUME) == {"Name": f"{base}p1", "Key": f"{disk}p1", "Path": f"{disk}p1"}
        assert client.call(first, VOLUME, "GetInfo", "u", 0) == (1, 8 * MIB, 8 * MIB)
        assert read(client, first).get("type") == "block"
        make(client, pool, f"{base}p2", 4 * MIB, kind="linux-swap")
        assert names(client, pool) == [f"{base}p1", f"{base}p2"]
        assert client.call(pool, POOL, "GetInfo")[2] == 12 * MIB
        with open(f"{disk}p1", "wb") as file:
            file.write(b"x" * MIB)
        client.call(first, VOLUME, "Wipe", "uu", 0, 0)
        assert pathlib.Path(f"{disk}p1").read_bytes().count(0) == 8 * MIB
        refused(client.call, first, VOLUME, "Resize", "tu", 16 * MIB, 0, word="resize")
        client.call(first, VOLUME, "Delete", "u", 0)
        assert names(client, pool) == [f"{base}p2"] and not os.path.exists(f"{disk}p1")
        make(client, pool, f"{base}p1", MIB)
        client.call(pool, POOL, "Destroy")
        client.call(pool, POOL, "Delete", "u", 0)
        refused(client.call, pool, POOL, "Create", "u", 0, word="partition")

    def test_holes_of_a_file_are_zeroes(self, client, disk, tmp_path):
        """What was on the device before is not in what is uploaded."""
        pool = define(client, disk_xml(disk))
        client.call(pool, POOL, "Create", "u", WITH_BUILD)
        volume = make(client, pool, f"{os.path.basename(disk)}p1", 8 * MIB)
        pathlib.Path(f"{disk}p1").write_bytes(b"x" * (8 * MIB))
        with open(tmp_path / "sparse", "wb+") as file:
            file.truncate(7 * MIB + 5)
            os.pwrite(file.fileno(), b"data", 3 * MIB + 7)
            assert upload(client, volume, file.fileno()) == 7 * MIB + 5
            content = (tmp_path / "sparse").read_bytes()
        assert pathlib.Path(f"{disk}p1").read_bytes() == content + b"x" * (MIB - 5)

    def test_logical_partitions(self, client, disk):
        """What is free is told; the fifth partition of a dos table is in the extended one."""
        pool = define(client, disk_xml(disk, "dos"))
        client.call(pool, POOL, "Create", "u", WITH_BUILD)

        def free():
            return [(int(e.get("start")), int(e.get("end"))) for e in read(client, pool, POOL).iter("freeExtent")]

        base = os.path.basename(disk)
        assert free() == [(MIB, 64 * MIB)]
        for number in (1, 2):
            make(client, pool, f"{base}p{number}", 4 * MIB)
        refused(make, client, pool, f"{base}p5", word=f"{base}p3")
        make(client, pool, f"{base}p3", 32 * MIB, kind="extended")
        refused(client.call, pool, POOL, "StorageVolCreateXML", "su", volume_xml(f"{base}p4", kind="extended"), 0, word="already")
        make(client, pool, f"{base}p4", 4 * MIB)
        assert free() == [(45 * MIB, 64 * MIB), (10 * MIB, 41 * MIB)]
        for number in (5, 6):
            make(client, pool, f"{base}p{number}", 8 * MIB)
        assert free() == [(45 * MIB, 64 * MIB), (28 * MIB, 41 * MIB)]
        refused(make, client, pool, f"{base}p7", 16 * MIB, word="extended")
        assert names(client, pool) == [f"{base}p{number}" for number in range(1, 7)]
        for number in (5, 6):
            assert os.stat(f"{disk}p{number}").st_rdev and int(run("blockdev", "--getsize64", f"{disk}p{number}")) == 8 * MIB
        assert "freeExtent" not in client.call(pool, POOL, "GetXMLDesc", "u", 1)

        def delete(number, flags=0):
            client.call(client.call(pool, POOL, "StorageVolLookupByName", "s", f"{base}p{number}"), VOLUME, "Delete", "u", flags)

        content = os.urandom(8 * MIB)
        pathlib.Path(f"{disk}p5").write_bytes(content)
        for number in (5, 3):
            refused(delete, number, word="number 6")
        refused(delete, 5, ZEROED, word="number 6")
        assert pathlib.Path(f"{disk}p5").read_bytes() == content
        delete(2)
        for number in (6, 5, 3):
            delete(number)
        assert names(client, pool) == [f"{base}p1", f"{base}p4"]
        make(client, pool, f"{base}p2", MIB)
        make(client, pool, f"{base}p3", MIB)
        refused(make, client, pool, f"{base}p5", word="none of format 'extended'")

    def test_what_others_did_is_seen(self, daemon, client, disk):
        pool = define(client, disk_xml(disk))
        client.call(pool, POOL, "Create", "u", WITH_BUILD)
        run("sfdisk", "--quiet", disk, input="label: gpt\nsize=4MiB\nsize=4MiB\n")
        run("partx", "--update", disk)
        client.call(pool, POOL, "Refresh", "u", 0)
        assert len(names(client, pool)) == 2
        daemon.kill()
        daemon.start()
        wait_for(lambda: client.get(pool, POOL, "Active"))
        assert len(names(client, pool)) == 2
        refused(define, client, disk_xml(disk, "dos", "wrong"), word="stands on")
        client.call(pool, POOL, "Destroy")
        client.call(pool, POOL, "Undefine")
        wrong = define(client, disk_xml(disk, "dos", "wrong"))
        refused(client.call, wrong, POOL, "Create", "u", 0, word="gpt")

    def test_bad_volumes(self, client, tmp_path, disk):
        pool = define(client, disk_xml(disk))
        client.call(pool, POOL, "Create", "u", WITH_BUILD)
        first = f"{os.path.basename(disk)}p1"
        for xml, word in ((volume_xml("a"), first), (volume_xml(first, 0), "capacity"),
                          (volume_xml(first, 2**62), "space"), (volume_xml(first, kind="qcow2"), "qcow2"),
                          (volume_xml(first, kind="extended"), "extended")):
            refused(client.call, pool, POOL, "StorageVolCreateXML", "su", xml, 0, word=word)
        bad_volumes(client, pool, first)
        assert names(client, pool) == []
        volume = make(client, pool, first, 32 * MIB)
        run("mkfs.ext4", "-q", f"{disk}p1")
        run("mount", f"{disk}p1", tmp_path)
        for call in (("Delete", "u", 0), ("Wipe", "uu", 0, 0)):
            refused(client.call, volume, VOLUME, *call, word="use")
        run("umount", tmp_path)
        client.call(volume, VOLUME, "Delete", "u", 0)


class TestNative:
    """org.virtbus1 alone: no XML."""

    def test_whole_life(self, client, tmp_path):
        v = GLib.Variant
        pool = client.call(QEMU, NATIVE_CONNECT, "DefineStoragePool", "a{sv}a{sv}",
                           {"type": v("s", "dir"), "name": v("s", "images"), "path": v("s", f"{tmp_path}/a/")}, {})
        assert client.call(QEMU, NATIVE_CONNECT, "ListStoragePools", "a{sv}", {"active": v("b", False)}) == [pool]
        before = client.get_all(pool, NATIVE)
        assert (before["Name"], before["Type"], before["Path"], before["State"], before["Active"], before["Capacity"],
                before["Owner"]) == ("images", "dir", f"{tmp_path}/a", "inactive", False, 0, os.getuid())
        changes = client.listen(path=pool, interface="org.freedesktop.DBus.Properties", member="PropertiesChanged")
        client.call(pool, NATIVE, "Build", "a{sv}", {})
        client.call(pool, NATIVE, "Start", "a{sv}", {})
        said = changes.wait(lambda s: "State" in s.values[1]).values[1]
        assert said["State"] == "running" and said["Active"] and said["Capacity"] > 0
        assert said["Capacity"] == said["Allocation"] + said["Available"] == client.get(pool, NATIVE, "Capacity")
        volume = client.call(pool, NATIVE, "CreateVolume", "a{sv}a{sv}", {
            "name": v("s", "a.qcow2"), "capacity": v("t", 3 * MIB), "target": v("a{sv}", {"format": v("s", "qcow2")})}, {})
        assert client.call(pool, NATIVE, "ListVolumes") == [volume]
        assert client.call(volume, VOLUME, "GetInfo", "u", 0)[1] == 3 * MIB
        definition = client.call(pool, NATIVE, "GetDefinition", "a{sv}", {})
        assert (definition["name"], definition["path"]) == ("images", f"{tmp_path}/a")
        client.set(pool, NATIVE, "Autostart", "b", True)
        added = client.listen(interface="org.freedesktop.DBus.ObjectManager")
        (tmp_path / "a/b.img").write_bytes(b"x")
        (tmp_path / "a/a.qcow2").unlink()
        added.wait(lambda s: s.member == "InterfacesRemoved" and s.values[0] == volume)
        wait_for(lambda: len(client.call(pool, NATIVE, "ListVolumes")) == 1)
        client.call(pool, NATIVE, "Refresh")
        client.call(pool, NATIVE, "Stop")
        changes.wait(lambda s: s.values[1].get("State") == "inactive")
        assert client.get_all(pool, NATIVE) == before | {"Autostart": True}
        (tmp_path / "a/b.img").unlink()
        client.call(pool, NATIVE, "Delete")
        client.call(pool, NATIVE, "Undefine")
        assert client.call(QEMU, NATIVE_CONNECT, "ListStoragePools", "a{sv}", {}) == []

    def test_bad_input(self, client, root_dir, tmp_path):
        v = GLib.Variant
        for values, word in (({}, "type"), ({"type": v("s", "dir"), "name": v("s", "a")}, "path"),
                             ({"type": v("s", "dir"), "name": v("s", "a/b"), "path": v("s", "/a")}, "name"),
                             ({"typo": v("s", "dir")}, "typo")):
            refused(client.call, QEMU, NATIVE_CONNECT, "DefineStoragePool", "a{sv}a{sv}", values, {}, word=word)
        pool = client.call(QEMU, NATIVE_CONNECT, "DefineStoragePool", "a{sv}a{sv}",
                           {"type": v("s", "dir"), "name": v("s", "p"), "path": v("s", str(root_dir))}, {})
        again = {"type": v("s", "dir"), "name": v("s", "p"), "path": v("s", str(tmp_path))}
        refused(client.call, QEMU, NATIVE_CONNECT, "DefineStoragePool", "a{sv}a{sv}", again, {}, word="p")
        assert client.call(QEMU, NATIVE_CONNECT, "DefineStoragePool", "a{sv}a{sv}", again,
                           {"replace": v("b", True)}) == pool
        assert client.get(pool, NATIVE, "Path") == str(tmp_path)
        for member in ("Start", "Build", "GetXML"):
            refused(client.call, pool, NATIVE, member, "a{sv}", {"typo": v("b", True)}, word="typo")
        refused(client.call, pool, NATIVE, "Build", "a{sv}",
                {"overwrite": v("b", True), "no-overwrite": v("b", True)}, word="OVERWRITE")
        refused(client.call, pool, NATIVE, "ListVolumes", word="not started")
        client.call(pool, NATIVE, "Start", "a{sv}", {})
        for values, options, word in (({}, {}, "name"), ({"name": v("s", "../a")}, {}, "name"),
                                      ({"name": v("s", "a"), "typo": v("s", "a")}, {}, "typo"),
                                      ({"name": v("s", "a"), "capacity": v("t", 2**64 - 1)}, {}, "EiB"),
                                      ({"name": v("s", "a"), "capacity": v("t", 0)}, {}, "above 0"),
                                      ({"name": v("s", "a"), "capacity": v("t", 1), "key": v("s", "b")}, {}, "'key'"),
                                      ({"name": v("s", "a"), "target": v("a{sv}", {"path": v("s", "/etc/a")})}, {}, "target.path"),
                                      ({"name": v("s", "a"), "capacity": v("t", 1)}, {"typo": v("b", True)}, "typo")):
            refused(client.call, pool, NATIVE, "CreateVolume", "a{sv}a{sv}", values, options, word=word)
        assert client.call(pool, NATIVE, "ListVolumes") == [] and list(tmp_path.iterdir()) == []
