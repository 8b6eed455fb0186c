"""Storage pools in folders and their volumes, by the bus; the images are read by qemu-img."""

import fcntl
import json
import os
import pathlib
import shutil
import stat
import struct
import subprocess
import uuid
import xml.etree.ElementTree as ElementTree

import pytest

from harness import BusError, wait_for
from machines import CONNECT, QEMU

POOL = "org.libvirt.StoragePool"
VOLUME = "org.libvirt.StorageVol"
DEFINED, UNDEFINED, STARTED, STOPPED, CREATED, DELETED = range(6)
MIB = 1024 * 1024
SHRINK, DELTA, ALLOCATE = 4, 2, 1


def pool_xml(path, name="disks", pool_uuid=None, kind="dir"):
    identity = f"<uuid>{pool_uuid}</uuid>" if pool_uuid else ""
    return f"<pool type='{kind}'><name>{name}</name>{identity}<target><path>{path}</path></target></pool>"


def volume_xml(name, capacity=MIB, allocation=0, kind=None, content="", backing=""):
    kind = f"<format type='{kind}'/>" if kind else ""
    return (f"<volume><name>{name}</name><capacity>{capacity}</capacity><allocation>{allocation}</allocation>"
            f"<target>{kind}{content}</target>{backing}</volume>")


def define(client, path, *arguments):
    return client.call(QEMU, CONNECT, "StoragePoolDefineXML", "su", pool_xml(path, *arguments), 0)


def started(client, path, name="disks"):
    pool = define(client, path, name)
    client.call(pool, POOL, "Create", "u", 0)
    return pool


def make(client, pool, name, *arguments, flags=0, **options):
    return client.call(pool, POOL, "StorageVolCreateXML", "su", volume_xml(name, *arguments, **options), flags)


def names(client, pool):
    return [client.get(v, VOLUME, "Name") for v in client.call(pool, POOL, "ListStorageVolumes", "u", 0)]


def names_only(client, pool):
    """Without a call for each."""
    volumes = client.call(pool, POOL, "ListStorageVolumes", "u", 0)
    return [v[-5:] for v in volumes]


def read(client, path, interface=VOLUME):
    return ElementTree.fromstring(client.call(path, interface, "GetXMLDesc", "u", 0))


def image_info(path):
    return json.loads(subprocess.run(["qemu-img", "info", "--output=json", path], check=True, capture_output=True).stdout)


def refused(call, *arguments, word=""):
    with pytest.raises(BusError) as e:
        call(*arguments)
    assert word in e.value.message
    return e.value


class TestPools:
    def test_whole_life(self, client, tmp_path):
        events = client.listen(interface=CONNECT, member="StoragePoolEvent")
        folder = tmp_path / "a/b"
        path = define(client, f"{folder}//")
        assert client.get_all(path, POOL) == {"Active": False, "Autostart": False, "Name": "disks",
                                              "Persistent": True, "UUID": client.get(path, POOL, "UUID")}
        assert read(client, path, POOL).find("target/path").text == str(folder)
        refused(client.call, path, POOL, "Create", "u", 0, word=str(folder))
        client.call(path, POOL, "Build", "u", 0)
        assert folder.is_dir()
        client.call(path, POOL, "Create", "u", 0)
        state, capacity, allocation, available = client.call(path, POOL, "GetInfo")
        assert state == 2 and capacity == allocation + available > 0
        assert int(read(client, path, POOL).find("capacity").text) == capacity
        refused(client.call, path, POOL, "Undefine", word="started")
        refused(client.call, path, POOL, "Delete", "u", 0, word="started")
        client.call(path, POOL, "Destroy")
        assert client.call(path, POOL, "GetInfo") == (0, 0, 0, 0)
        refused(client.call, path, POOL, "ListStorageVolumes", "u", 0, word="not started")
        client.call(path, POOL, "Delete", "u", 0)
        assert not folder.exists()
        client.call(path, POOL, "Undefine")
        wait_for(lambda: len(events.signals) == 6)
        assert [s.values[1] for s in events.signals] == [DEFINED, CREATED, STARTED, STOPPED, DELETED, UNDEFINED]
        assert client.call(QEMU, CONNECT, "ListStoragePools", "u", 0) == []

    def test_survives_the_daemon(self, daemon, client, tmp_path):
        (tmp_path / "off").mkdir()
        wait_for(lambda: any(daemon.root.rglob("storage/booted")))
        running, off = started(client, tmp_path), define(client, tmp_path / "off", "off")
        make(client, running, "a.img")
        client.set(off, POOL, "Autostart", "b", True)
        daemon.kill()
        daemon.start()
        wait_for(lambda: client.get(running, POOL, "Active"))
        assert names(client, running) == ["a.img", "off"]
        assert (client.get(off, POOL, "Active"), client.get(off, POOL, "Autostart")) == (False, True)

    def test_transient(self, daemon, client, tmp_path):
        path = client.call(QEMU, CONNECT, "StoragePoolCreateXML", "su", pool_xml(tmp_path / "new"), 1)
        assert (client.get(path, POOL, "Active"), client.get(path, POOL, "Persistent")) == (True, False)
        daemon.kill()
        daemon.start()
        wait_for(lambda: client.get(path, POOL, "Active"))
        assert client.get(path, POOL, "Persistent") is False
        client.call(path, POOL, "Destroy")
        assert client.call(QEMU, CONNECT, "ListStoragePools", "u", 0) == []

    def test_one_that_cannot_be_started_again_can_be_forgotten(self, daemon, client, tmp_path):
        client.call(QEMU, CONNECT, "StoragePoolCreateXML", "su", pool_xml(tmp_path / "new"), 1)
        for _ in range(2):
            daemon.kill()
            shutil.rmtree(tmp_path / "new", ignore_errors=True)
            daemon.start()
            (path,) = client.call(QEMU, CONNECT, "ListStoragePools", "u", 0)
            assert client.get(path, POOL, "Active") is False
        client.call(path, POOL, "Undefine")
        daemon.kill()
        daemon.start()
        assert client.call(QEMU, CONNECT, "ListStoragePools", "u", 0) == []

    def test_what_runs_stays_as_it_was_started(self, daemon, client, tmp_path):
        (tmp_path / "new").mkdir()
        identity = str(uuid.uuid4())
        pool = define(client, tmp_path, "disks", identity)
        client.call(pool, POOL, "Create", "u", 0)
        define(client, tmp_path / "new", "disks", identity)
        for _ in range(2):
            assert read(client, pool, POOL).find("target/path").text == str(tmp_path)
            assert names(client, pool) == ["new"]
            daemon.kill()
            daemon.start()
            wait_for(lambda: client.get(pool, POOL, "Active"))
        client.call(pool, POOL, "Destroy")
        assert read(client, pool, POOL).find("target/path").text == str(tmp_path / "new")

    def test_what_comes_and_goes_is_seen(self, client, tmp_path):
        pool = started(client, tmp_path)
        os.mkfifo(tmp_path / "fifo")
        (tmp_path / "link").symlink_to("/etc/passwd")
        (tmp_path / "sub").mkdir()
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", tmp_path / "b.qcow2", "3M"], check=True)
        assert names(client, pool) == ["b.qcow2", "sub"]
        volume = client.call(pool, POOL, "StorageVolLookupByName", "s", "b.qcow2")
        assert client.call(QEMU, CONNECT, "StorageVolLookupByPath", "s", f"{tmp_path}/b.qcow2") == volume
        assert client.call(QEMU, CONNECT, "StorageVolLookupByKey", "s", f"{tmp_path}/b.qcow2") == volume
        assert client.call(volume, VOLUME, "GetInfo", "u", 0)[:2] == (0, 3 * MIB)
        refreshes = client.listen(path=pool, interface=POOL, member="Refresh")
        (tmp_path / "b.qcow2").unlink()
        client.call(pool, POOL, "Refresh", "u", 0)
        refreshes.wait()
        assert names(client, pool) == ["sub"]
        refused(client.call, pool, POOL, "StorageVolLookupByName", "s", "b.qcow2", word="no storage vol with matching")

    def test_thousands_of_volumes(self, client, tmp_path):
        for i in range(3000):
            (tmp_path / f"v{i:04}").touch()
        pool = started(client, tmp_path)
        assert names_only(client, pool) == [f"v{i:04}" for i in range(3000)]
        for i in range(1000):
            (tmp_path / f"v{i:04}").unlink()
        assert len(names_only(client, pool)) == 2000

    def test_what_was_just_made_is_found(self, client, tmp_path):
        """By its path and key too, each time before the daemon had a turn of its own to see it."""
        pool = started(client, tmp_path)
        for i in range(40):
            (tmp_path / f"v{i}").write_bytes(bytes(4096))
            volume = client.call(QEMU, CONNECT, "StorageVolLookupByPath" if i % 2 else "StorageVolLookupByKey", "s", f"{tmp_path}/v{i}")
            assert client.get(volume, VOLUME, "Name") == f"v{i}"
            (tmp_path / f"w{i}").write_bytes(bytes(4096))
            client.call(pool, POOL, "StorageVolCreateXMLFrom", "ssu", volume_xml(f"x{i}", 4096), f"{tmp_path}/w{i}", 0)
        refused(client.call, QEMU, CONNECT, "StorageVolLookupByPath", "s", f"{tmp_path}/none")

    def test_listing_is_kept_fresh(self, client, tmp_path):
        """What others do is told by signals, and found without asking for a list."""
        pool = started(client, tmp_path)
        refreshes = client.listen(path=pool, interface=POOL, member="Refresh")

        def by_path():
            try:
                return client.call(QEMU, CONNECT, "StorageVolLookupByPath", "s", f"{tmp_path}/a.qcow2")
            except BusError:
                return None
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", tmp_path / "a.qcow2", "3M"], check=True)
        refreshes.wait()
        wait_for(lambda: by_path() and client.call(by_path(), VOLUME, "GetInfo", "u", 0)[1] == 3 * MIB)
        refreshes.clear()
        (tmp_path / "a.qcow2").rename(tmp_path / "b.qcow2")
        refreshes.wait()
        wait_for(lambda: by_path() is None)
        assert names(client, pool) == ["b.qcow2"]
        refreshes.clear()
        os.mkfifo(tmp_path / "fifo")
        os.mknod(tmp_path / "socket", 0o140600)
        (tmp_path / "link").symlink_to("b.qcow2")
        for i in range(3000):  # more than are told one by one
            (tmp_path / f"v{i:04}").touch()
        wait_for(lambda: len(names_only(client, pool)) == 3001)
        (tmp_path / "b.qcow2").unlink()
        assert names_only(client, pool) == [f"v{i:04}" for i in range(3000)]

    def test_many_at_once(self, client, tmp_path):
        """Operations on a pool wait for each other, whatever they are, and none fails for that."""
        pool = started(client, tmp_path)
        calls = [client.begin(pool, POOL, "StorageVolCreateXML", "su",
                              volume_xml(f"v{i:02}", MIB, kind=("raw", "qcow2")[i % 2]), 0) for i in range(16)]
        calls += [client.begin(pool, POOL, "Refresh", "u", 0), client.begin(pool, POOL, "ListStorageVolumes", "u", 0)]
        volumes = [call.result().value for call in calls[:16]]
        for call in calls[16:]:
            call.result()
        assert names(client, pool) == [f"v{i:02}" for i in range(16)]
        calls = [client.begin(v, VOLUME, "Delete", "u", 0) for v in volumes[:8]]
        calls += [client.begin(pool, POOL, "StorageVolCreateXML", "su", volume_xml(f"w{i}"), 0) for i in range(8)]
        calls += [client.begin(v, VOLUME, "Resize", "tu", 2 * MIB, 0) for v in volumes[8:]]
        for call in calls:
            call.result()
        assert names(client, pool) == [f"v{i:02}" for i in range(8, 16)] + [f"w{i}" for i in range(8)]
        assert sorted(os.listdir(tmp_path)) == names(client, pool)

    def test_other_types_are_defined_and_say_what_is_missing(self, client):
        pool = client.call(QEMU, CONNECT, "StoragePoolDefineXML", "su", "<pool type='sheepdog'><name>dog</name>"
                           "<source><host name='h'/></source></pool>", 0)
        refused(client.call, pool, POOL, "Create", "u", 0, word="sheepdog")
        pool = client.call(QEMU, CONNECT, "StoragePoolDefineXML", "su",
                           "<pool type='logical'><name>vg</name><source/><target/></pool>", 0)
        tree = read(client, pool, POOL)
        assert tree.find("source/format").get("type") == "lvm2" and tree.find("target/path").text == "/dev/vg"
        refused(client.call, pool, POOL, "Create", "u", 0, word="vg")

    def test_sources_are_looked_for(self, client):
        def find(kind, spec="", flags=0):
            return client.call(QEMU, CONNECT, "FindStoragePoolSources", "ssu", kind, spec, flags)
        assert ElementTree.fromstring(find("logical")).tag == "sources"
        for arguments, word in ((("logical", "", 1), "1"), (("letter",), "letter"), (("dir",), "dir"),
                                (("netfs",), "srcSpec"), (("netfs", "<source/>"), "srcSpec"),
                                (("netfs", "<pool/>"), "source"), (("iscsi",), "host"),
                                (("netfs", "<source><host name='-a'/></source>"), "-a")):
            refused(find, *arguments, word=word)

    def test_bad_input_changes_nothing(self, client, tmp_path):
        identity = str(uuid.uuid4())
        pool = define(client, tmp_path, "disks", identity)
        before = client.call(pool, POOL, "GetXMLDesc", "u", 0)
        for text in ("", "<volume/>", "<pool type='letter'><name>a</name></pool>", pool_xml("a/b", "x"),
                     pool_xml("/other"), pool_xml("/other", "other", identity), pool_xml(f"{tmp_path}/", "other"),
                     "<pool type='dir'><name>x</name></pool>", pool_xml("/other", "a/b")):
            refused(client.call, QEMU, CONNECT, "StoragePoolDefineXML", "su", text, 0)
        refused(client.call, QEMU, CONNECT, "StoragePoolDefineXML", "su", pool_xml("/x", "x"), 1, word="1")
        refused(client.call, pool, POOL, "Build", "u", 12, word="OVERWRITE")
        assert client.call(QEMU, CONNECT, "ListStoragePools", "u", 0) == [pool]
        assert client.call(pool, POOL, "GetXMLDesc", "u", 0) == before


class TestVolumes:
    def test_raw(self, client, tmp_path):
        pool = started(client, tmp_path)
        volume = make(client, pool, "a b.img", 3 * MIB)
        file = tmp_path / "a b.img"
        assert client.get_all(volume, VOLUME) == {"Name": "a b.img", "Key": str(file), "Path": str(file)}
        assert (file.stat().st_size, file.stat().st_blocks, file.stat().st_mode & 0o777) == (3 * MIB, 0, 0o600)
        tree = read(client, volume)
        assert tree.find("target/format").get("type") == "raw" and tree.find("target/permissions/mode").text == "0600"
        full = make(client, pool, "full.img", MIB, MIB, content="<permissions><mode>0644</mode></permissions>")
        assert client.call(full, VOLUME, "GetInfo", "u", 0) == (0, MIB, MIB)
        assert (tmp_path / "full.img").stat().st_mode & 0o777 == 0o644
        assert names(client, pool) == ["a b.img", "full.img"]

    @pytest.mark.parametrize("kind", ["qcow2", "qed", "vmdk", "vdi", "vpc", "qcow"])
    def test_formats(self, client, tmp_path, kind):
        make(client, started(client, tmp_path), "disk", 8 * MIB, kind=kind)
        assert image_info(tmp_path / "disk")["format"] == kind

    def test_qcow2(self, client, tmp_path):
        pool = started(client, tmp_path)
        make(client, pool, "base", 2 * MIB)
        volume = make(client, pool, "top", 4 * MIB, kind="qcow2",
                      content="<clusterSize unit='KiB'>128</clusterSize><features><lazy_refcounts/></features>",
                      backing=f"<backingStore><path>{tmp_path}/base</path><format type='raw'/></backingStore>")
        info = image_info(tmp_path / "top")
        assert info["cluster-size"] == 128 * 1024 and info["virtual-size"] == 4 * MIB
        assert info["format-specific"]["data"]["lazy-refcounts"] is True
        assert (info["backing-filename"], info["backing-filename-format"]) == (f"{tmp_path}/base", "raw")
        tree = read(client, volume)
        assert tree.find("target/compat").text == "1.1" and tree.find("target/features/lazy_refcounts") is not None
        assert tree.find("backingStore/path").text == f"{tmp_path}/base"
        assert tree.find("backingStore/permissions/mode").text == "0600"
        make(client, pool, "old", kind="qcow2")
        assert image_info(tmp_path / "old")["format-specific"]["data"]["compat"] == "0.10"

    def test_from_another(self, client, tmp_path):
        pool = started(client, tmp_path)
        make(client, pool, "a", MIB)
        content = os.urandom(4096)
        with open(tmp_path / "a", "r+b") as file:
            file.seek(8192)
            file.write(content)
        client.call(pool, POOL, "StorageVolCreateXMLFrom", "ssu", volume_xml("b", 2 * MIB, kind="qcow2"),
                    f"{tmp_path}/a", 0)
        assert image_info(tmp_path / "b")["virtual-size"] == 2 * MIB
        client.call(pool, POOL, "StorageVolCreateXMLFrom", "ssu", volume_xml("c", 0), f"{tmp_path}/b", 0)
        data = (tmp_path / "c").read_bytes()
        assert len(data) == 2 * MIB and data[8192:12288] == content and data.count(0) > 2 * MIB - 4097
        refused(client.call, pool, POOL, "StorageVolCreateXMLFrom", "ssu", volume_xml("d"), "/etc/passwd", 0)

    def test_resize(self, client, tmp_path):
        pool = started(client, tmp_path)
        for volume, file in ((make(client, pool, "r", 4 * MIB), "r"),
                             (make(client, pool, "q", 4 * MIB, kind="qcow2"), "q")):
            def resize(capacity, flags, volume=volume):
                client.call(volume, VOLUME, "Resize", "tu", capacity, flags)
            resize(8 * MIB, 0)
            resize(MIB, DELTA)
            assert image_info(tmp_path / file)["virtual-size"] == 9 * MIB
            refused(resize, MIB, 0, word="SHRINK")
            resize(MIB, SHRINK)
            assert client.call(volume, VOLUME, "GetInfo", "u", 0)[1] == MIB
            for capacity, flags in ((0, 0), (2**64 - 1, 0), (2**63, DELTA), (1, 8), (2 * MIB, DELTA | SHRINK)):
                refused(resize, capacity, flags)
            assert image_info(tmp_path / file)["virtual-size"] == MIB

    def test_wipe_and_delete(self, client, tmp_path):
        pool = started(client, tmp_path)
        volume = make(client, pool, "a", 4 * MIB)
        (tmp_path / "a").write_bytes(b"x" * MIB + bytes(MIB) + b"y" * 5)
        client.call(volume, VOLUME, "Wipe", "uu", 0, 0)
        assert (tmp_path / "a").read_bytes() == bytes(2 * MIB + 5)
        client.call(volume, VOLUME, "Wipe", "uu", 9, 0)
        assert (tmp_path / "a").stat().st_blocks == 0
        refused(client.call, volume, VOLUME, "Wipe", "uu", 10, 0, word="10")
        client.call(volume, VOLUME, "Delete", "u", 1)
        assert list(tmp_path.iterdir()) == [] and names(client, pool) == []
        refused(client.call, volume, VOLUME, "GetInfo", "u", 0)

    def test_what_a_process_uses_is_left_alone(self, client, tmp_path):
        pool = started(client, tmp_path)
        volume = make(client, pool, "a")
        with open(tmp_path / "a", "r+b") as file:
            # As QEMU does it: an OFD lock (F_OFD_SETLK) of one byte.
            fcntl.fcntl(file, 37, struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, 100, 1, 0))
            for member, arguments in (("Delete", ("u", 0)), ("Resize", ("tu", 2 * MIB, 0)), ("Wipe", ("uu", 0, 0))):
                refused(client.call, volume, VOLUME, member, *arguments, word="process")
        client.call(volume, VOLUME, "Delete", "u", 0)

    def test_bad_input_leaves_nothing(self, client, tmp_path):
        pool = started(client, tmp_path)
        make(client, pool, "there")
        for text in ("", "<pool/>", volume_xml("a/b"), volume_xml(".."), volume_xml("a&#10;b"), volume_xml("there"),
                     volume_xml("x", -1), volume_xml("x", 2**64), volume_xml("x", 2**63), volume_xml("x" * 256),
                     volume_xml("x", kind="letter"), volume_xml("x", kind="bochs"), "<volume><name>x</name></volume>",
                     volume_xml(".virtbus-part-x"), volume_xml("x", content="<clusterSize>1000</clusterSize>"),
                     volume_xml("x", kind="qcow2",
                                backing="<backingStore><path>/nowhere</path><format type='raw'/></backingStore>")):
            refused(client.call, pool, POOL, "StorageVolCreateXML", "su", text, 0)
        for flags, text, word in ((2, volume_xml("x"), "2"), (1, volume_xml("x"), "PREALLOC_METADATA"),
                                  (1, volume_xml("x", kind="vdi"), "PREALLOC_METADATA"),
                                  (0, volume_xml("x", content="<compat>1.1</compat>"), "compat"),
                                  (0, volume_xml("x", kind="qed", content="<features><lazy_refcounts/></features>"),
                                   "features"),
                                  (0, volume_xml("x", content="<clusterSize>65536</clusterSize>"), "clusterSize"),
                                  (0, volume_xml("x", 0), "above 0"), (0, volume_xml("x", 0, kind="qcow2"), "'x'"),
                                  (0, volume_xml("x", content="<dataFile>y</dataFile>"), "dataFile"),
                                  (0, volume_xml("x", kind="qcow2", content="<dataFile>../y</dataFile>"), "'../y'"),
                                  (0, volume_xml("x", kind="qcow2", content="<dataFile>x</dataFile>"), "of its own"),
                                  (0, volume_xml("x", kind="qcow2", content="<dataFile>there</dataFile>"), "'there'"),
                                  (0, volume_xml("x", kind="qcow2", content="<features><data_file_raw/></features>"), "dataFile"),
                                  (0, volume_xml("x", kind="vdi", content="<preallocation>full</preallocation>"), "preallocation"),
                                  (0, volume_xml("x", content="<preallocation>metadata</preallocation>"), "preallocation"),
                                  (0, volume_xml("x", content="<preallocation>much</preallocation>"), "much"),
                                  (0, volume_xml("x", 2**63), "capacity"), (0, volume_xml("x", 2**64), "capacity"),
                                  (0, volume_xml("x", -1), "capacity"), (0, volume_xml("a/b"), "'a/b'"),
                                  (0, volume_xml(".."), "'..'"), (0, volume_xml("a&#10;b"), "'a\\nb'"), (0, volume_xml("x", kind="letter"), "letter"),
                                  (0, volume_xml("x", kind="qcow2", backing="<backingStore><path>/a</path>"
                                                 "<format type='luks'/></backingStore>"), "luks")):
            refused(client.call, pool, POOL, "StorageVolCreateXML", "su", text, flags, word=word)
        (tmp_path / "folder").mkdir()
        folder = client.call(pool, POOL, "StorageVolLookupByName", "s", "folder")
        refused(client.call, folder, VOLUME, "Delete", "u", 1, word="ZEROED")
        refused(client.call, folder, VOLUME, "Delete", "u", 2, word="2")
        client.call(folder, VOLUME, "Delete", "u", 0)
        assert [p.name for p in tmp_path.iterdir()] == ["there"]

    def test_permissions_and_labels(self, client, tmp_path):
        """What is asked for is on the disk, of a pool's folder, too."""
        folder, label = tmp_path / "a/b", "system_u:object_r:virt_image_t:s0"
        permissions = (f"<permissions><mode>0750</mode><owner>{os.getuid()}</owner><group>{os.getgid()}</group>"
                       f"<label>{label}</label></permissions>")
        xml = pool_xml(folder).replace("</path>", f"</path>{permissions}")
        pool = client.call(QEMU, CONNECT, "StoragePoolDefineXML", "su", xml, 0)
        try:
            client.call(pool, POOL, "Build", "u", 0)
        except BusError as e:
            assert "label" in e.message
            pytest.skip("the file system has no labels")
        client.call(pool, POOL, "Create", "u", 0)
        volume = make(client, pool, "v", content=permissions)
        for path in (folder, folder / "v"):
            assert path.stat().st_mode & 0o7777 == 0o750
            assert os.getxattr(path, "security.selinux") == label.encode() + b"\0"
        assert read(client, volume).find("target/permissions/label").text == label
        assert read(client, volume).find("target/permissions/mode").text == "0750"

    def test_no_labels(self, client, tmp_path):
        """A file system without them says so, and nothing is made."""
        folder = tmp_path / "ram"
        folder.mkdir()
        if subprocess.run(["mount", "-t", "ramfs", "ramfs", folder], check=False, capture_output=True).returncode != 0:
            pytest.skip("needs root")
        try:
            pool = started(client, folder)
            refused(client.call, pool, POOL, "StorageVolCreateXML", "su",
                    volume_xml("v", content="<permissions><label>a:b:c:s0</label></permissions>"), 0, word="a:b:c:s0")
            assert list(folder.iterdir()) == [] == names(client, pool)
            client.call(pool, POOL, "Destroy")
        finally:
            subprocess.run(["umount", "-l", folder], check=True)

    def test_preallocation(self, client, tmp_path):
        pool = started(client, tmp_path)
        for kind, how, least, most in (("raw", "off", 0, 0), ("raw", "falloc", 4, 4), ("raw", "full", 4, 4),
                                       ("qcow2", "off", 0, 1), ("qcow2", "metadata", 0, 1), ("qcow2", "falloc", 4, 5),
                                       ("qcow2", "full", 4, 5)):
            volume = make(client, pool, f"{kind}-{how}", 4 * MIB, kind=kind, content=f"<preallocation>{how}</preallocation>")
            size = (tmp_path / f"{kind}-{how}").stat().st_blocks * 512
            assert least * MIB <= size <= most * MIB, (kind, how)
            assert client.call(volume, VOLUME, "GetInfo", "u", 0)[1] == 4 * MIB

    def test_capacity_of_what_it_stands_on(self, client, tmp_path):
        pool = started(client, tmp_path)
        make(client, pool, "base", 3 * MIB)
        volume = make(client, pool, "top", 0, kind="qcow2", backing=f"<backingStore><path>{tmp_path}/base</path>"
                                                                    "<format type='raw'/></backingStore>")
        assert client.call(volume, VOLUME, "GetInfo", "u", 0)[1] == 3 * MIB

    def test_data_file(self, client, tmp_path):
        pool = started(client, tmp_path)
        volume = make(client, pool, "a", 4 * MIB, kind="qcow2", content="<features><data_file_raw/></features>"
                                                                        "<dataFile>a.data</dataFile>")
        assert names(client, pool) == ["a", "a.data"] and {p.name for p in tmp_path.iterdir()} == {"a", "a.data"}
        data = image_info(tmp_path / "a")["format-specific"]["data"]
        assert data["data-file"] == f"{tmp_path}/a.data" and data["data-file-raw"] is True
        target = read(client, volume).find("target")
        assert target.find("dataFile").text == f"{tmp_path}/a.data" and target.find("features/data_file_raw") is not None
        subprocess.run(["qemu-io", "-f", "qcow2", "-c", "write -P 5 1M 64k", tmp_path / "a"], check=True, capture_output=True)
        assert (tmp_path / "a.data").read_bytes()[MIB:MIB + 65536] == b"\5" * 65536
        for call in (("Resize", "tu", 8 * MIB, 0),):  # the image's word is not enough to open another file
            refused(client.call, volume, VOLUME, *call, word="a file of its own")
        refused(client.call, pool, POOL, "StorageVolCreateXMLFrom", "ssu", volume_xml("b", kind="qcow2", content="<dataFile>c</dataFile>"),
                f"{tmp_path}/a.data", 0, word="dataFile")
        for name in ("a", "a.data"):
            client.call(client.call(pool, POOL, "StorageVolLookupByName", "s", name), VOLUME, "Delete", "u", 0)
        assert list(tmp_path.iterdir()) == []

    def test_16_at_once(self, client, tmp_path):
        pool = started(client, tmp_path)
        replies = [client.begin(pool, POOL, "StorageVolCreateXML", "su", volume_xml(f"v{i:02}", kind="qcow2"), 0)
                   for i in range(16)]
        volumes = [reply.result().value for reply in replies]
        assert names(client, pool) == [f"v{i:02}" for i in range(16)]
        for reply in [client.begin(volume, VOLUME, "Delete", "u", 0) for volume in volumes]:
            reply.result()
        assert names(client, pool) == [] == list(tmp_path.iterdir())

    def test_what_a_crash_left_is_removed(self, daemon, client, tmp_path):
        pool = started(client, tmp_path)
        daemon.kill()
        others = f".virtbus-part-{os.getpid()}-1"
        for name in (".virtbus-part-4194304-1", others):
            (tmp_path / name).write_bytes(b"half")
        daemon.start()
        wait_for(lambda: client.get(pool, POOL, "Active"))
        assert names(client, pool) == []
        assert [p.name for p in tmp_path.iterdir()] == [others]

    def test_hostile_images_are_listed_and_not_followed(self, client, tmp_path):
        pool = started(client, tmp_path)
        header = bytearray(b"QFI\xfb\0\0\0\2" + bytes(120))
        header[23], header[15], header[19] = 16, 96, 11
        header[96:107] = b"/etc/shadow"
        (tmp_path / "b").write_bytes(header)
        header[7] = 99
        (tmp_path / "c").write_bytes(header)
        assert names(client, pool) == ["b", "c"]
        backing = read(client, client.call(pool, POOL, "StorageVolLookupByName", "s", "b")).find("backingStore")
        assert [child.tag for child in backing] == ["path"]
        damaged = client.call(pool, POOL, "StorageVolLookupByName", "s", "c")
        assert read(client, damaged).find("target/format") is None
        refused(client.call, damaged, VOLUME, "Resize", "tu", 10 * MIB, 0, word="damaged")
        refused(client.call, pool, POOL, "StorageVolCreateXMLFrom", "ssu", volume_xml("d"), f"{tmp_path}/c", 0)

    def test_files_that_an_image_names_are_not_read(self, client, tmp_path):
        folder, outside = tmp_path / "pool", tmp_path / "secret"
        folder.mkdir()
        pool = started(client, folder)
        outside.write_bytes(b"not yours" * 1000)

        def image(name, *options):
            subprocess.run(["qemu-img", "create", "-q", *options, folder / name, "1M"], check=True)
        image("base", "-f", "qcow2")
        image("top", "-f", "qcow2", "-b", folder / "base", "-F", "qcow2")
        image("relative", "-f", "qcow2", "-b", "top", "-F", "qcow2")
        image("leak", "-f", "qcow2", "-b", outside, "-F", "raw")
        shutil.copy(folder / "top", folder / "guess")  # without the extension that names the format
        (folder / "guess").write_bytes((folder / "guess").read_bytes().replace(b"\xe2\x79\x2a\xca", b"mute"))
        image("lie", "-f", "qcow2", "-u", "-b", folder / "text", "-F", "qcow2")
        (folder / "text").write_bytes(bytes(MIB))
        image("loop", "-f", "qcow2")
        image("other", "-f", "qcow2", "-u", "-b", folder / "loop", "-F", "qcow2")
        image("loop", "-f", "qcow2", "-u", "-b", folder / "other", "-F", "qcow2")
        image("data", "-f", "qcow2", "-o", f"data_file={outside}2")
        image("disk.vmdk", "-f", "vmdk")
        before = pathlib.Path(f"{outside}2").stat()
        for name, word in (("leak", "stands on"), ("guess", "stands on"), ("lie", "stands on"), ("loop", "at most"),
                           ("data", "data"), ("disk.vmdk", "vmdk")):
            volume = client.call(pool, POOL, "StorageVolLookupByName", "s", name)
            refused(client.call, volume, VOLUME, "Resize", "tu", 2 * MIB, 0, word=word)
        for name in ("leak", "guess", "lie", "loop", "data", "disk.vmdk", "top"):
            refused(client.call, pool, POOL, "StorageVolCreateXMLFrom", "ssu", volume_xml("copy"), str(folder / name), 0)
        assert pathlib.Path(f"{outside}2").stat() == before and not (folder / "copy").exists()
        for name in ("top", "relative"):
            volume = client.call(pool, POOL, "StorageVolLookupByName", "s", name)
            client.call(volume, VOLUME, "Resize", "tu", 2 * MIB, 0)
            assert image_info(folder / name)["virtual-size"] == 2 * MIB


    def test_a_chain_of_a_thousand(self, client, tmp_path):
        """Each image says that it stands on the next one; nobody goes down there."""
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-u", "-b", "i0000", "-F", "qcow2", tmp_path / "top", "1M"],
                       check=True)
        header = (tmp_path / "top").read_bytes()[:4096]
        for i in range(1000):
            (tmp_path / f"i{i:04}").write_bytes(header.replace(b"i0000", b"i%04d" % (i + 1)))
        pool = started(client, tmp_path)
        assert len(names_only(client, pool)) == 1001
        volume = client.call(pool, POOL, "StorageVolLookupByName", "s", "top")
        before = (tmp_path / "top").read_bytes()
        assert read(client, volume).find("backingStore/path").text == f"{tmp_path}/i0000"
        refused(client.call, volume, VOLUME, "Resize", "tu", 2 * MIB, 0, word="at most 64")
        refused(client.call, pool, POOL, "StorageVolCreateXMLFrom", "ssu", volume_xml("copy", kind="qcow2"),
                f"{tmp_path}/top", 0, word="stands on")
        assert (tmp_path / "top").read_bytes() == before and not (tmp_path / "copy").exists()

    @pytest.mark.parametrize("when", ["before", "in the middle", "after"])
    def test_qemu_img_is_killed(self, daemon, client, tmp_path, monkeypatch, when):
        """What it was to do has been done, or has not; nothing of it is left."""
        folder, tools = tmp_path / "pool", tmp_path / "bin"
        folder.mkdir()
        tools.mkdir()
        pool = started(client, folder)
        volume = make(client, pool, "a", MIB, kind="qcow2")
        make(client, pool, "raw", 64 * MIB)
        with open(folder / "raw", "wb") as file:
            file.write(os.urandom(64 * MIB))
        work = {"before": "", "in the middle": 'timeout --signal=KILL 0.02 $real "$@"', "after": '$real "$@"'}[when]
        (tools / "qemu-img").write_text(f"#!/bin/bash\nreal={shutil.which('qemu-img')}\n{work}\nkill -KILL $$\n")
        (tools / "qemu-img").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
        daemon.kill()
        daemon.start()
        wait_for(lambda: client.get(pool, POOL, "Active"))
        refused(client.call, pool, POOL, "StorageVolCreateXML", "su", volume_xml("b", kind="qcow2"), 0, word="qemu-img")
        refused(client.call, pool, POOL, "StorageVolCreateXMLFrom", "ssu", volume_xml("b", 64 * MIB, kind="qcow2"),
                f"{folder}/raw", 0, word="qemu-img")
        assert sorted(os.listdir(folder)) == names(client, pool) == ["a", "raw"]
        refused(client.call, volume, VOLUME, "Resize", "tu", 2 * MIB, 0, word="qemu-img")
        subprocess.run([shutil.which("qemu-img", path="/usr/bin"), "check", "-q", folder / "a"], check=True)
        client.call(pool, POOL, "Refresh", "u", 0)
        assert client.call(volume, VOLUME, "GetInfo", "u", 0)[1] in {"before": (MIB,), "after": (2 * MIB,)}.get(
            when, (MIB, 2 * MIB))

    def test_devices_are_no_volumes(self, client, tmp_path):
        pool = started(client, tmp_path)
        for name, mode, device in (("null", stat.S_IFCHR, os.makedev(1, 3)), ("disk", stat.S_IFBLK, os.makedev(7, 250)),
                                   ("fifo", stat.S_IFIFO, 0), ("socket", stat.S_IFSOCK, 0)):
            try:
                os.mknod(tmp_path / name, mode | 0o600, device)
            except PermissionError:
                continue
            refused(client.call, pool, POOL, "StorageVolLookupByName", "s", name, word="no storage vol with matching")
            for made in (volume_xml(name), volume_xml(name, kind="qcow2")):
                refused(client.call, pool, POOL, "StorageVolCreateXML", "su", made, 0, word=name)
            assert not stat.S_ISREG(os.lstat(tmp_path / name).st_mode)
        client.call(pool, POOL, "Refresh", "u", 0)
        assert names(client, pool) == []


@pytest.mark.system
class TestRights:
    def test_storage_is_not_for_everybody(self, system_daemon, tmp_path):
        root, alice = system_daemon.client(), system_daemon.client("alice")
        pool = started(root, tmp_path)
        volume = make(root, pool, "a")
        assert alice.call(QEMU, CONNECT, "ListStoragePools", "u", 0) == []
        for path, interface, member, arguments in (
                (pool, POOL, "ListStorageVolumes", ("u", 0)), (pool, POOL, "Destroy", ()),
                (pool, POOL, "StorageVolCreateXML", ("su", volume_xml("b"), 0)),
                (pool, POOL, "StorageVolLookupByName", ("s", "a")),
                (volume, VOLUME, "GetXMLDesc", ("u", 0)), (volume, VOLUME, "Delete", ("u", 0)),
                (QEMU, CONNECT, "StorageVolLookupByPath", ("s", f"{tmp_path}/a")),
                (QEMU, CONNECT, "StoragePoolDefineXML", ("su", pool_xml("/x", "x"), 0))):
            refused(alice.call, path, interface, member, *arguments)
        assert (tmp_path / "a").exists()

    def test_each_volume_by_its_own_rule(self, system_daemon, polkit, tmp_path):
        root, alice = system_daemon.client(), system_daemon.client("alice")
        pool = started(root, tmp_path)
        for name in ("a", "b"):
            make(root, pool, name)
        polkit.rules("if (subject.user == 'alice' && (action.id.indexOf('storage-pool') > 0 ||"
                     " action.id.indexOf('storage-vol.create') > 0 || action.lookup('pool_name') == 'disks' &&"
                     f" action.lookup('vol_key') == '{tmp_path}/a')) return polkit.Result.YES;")
        seen = alice.call(pool, POOL, "StorageVolLookupByName", "s", "a")
        assert alice.call(pool, POOL, "ListStorageVolumes", "u", 0) == [seen]
        refused(alice.call, pool, POOL, "StorageVolLookupByName", "s", "b", word="no storage vol with matching")
        refused(alice.call, pool, POOL, "StorageVolCreateXMLFrom", "ssu", volume_xml("c"), f"{tmp_path}/b", 0,
                word="no storage vol with matching")
        alice.call(pool, POOL, "StorageVolCreateXMLFrom", "ssu", volume_xml("c"), f"{tmp_path}/a", 0)
        polkit.rules("if (subject.user == 'alice' && action.id.indexOf('data-read') < 0) return polkit.Result.YES;")
        refused(alice.call, pool, POOL, "StorageVolCreateXMLFrom", "ssu", volume_xml("d"), f"{tmp_path}/b", 0)
