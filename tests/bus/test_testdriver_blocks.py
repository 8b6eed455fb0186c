"""The Test driver's disks: their sizes, and the jobs that change their chains, with the events of real ones."""

import pytest
from gi.repository import GLib

from harness import drain
from machines import DOMAIN, define
from test_testdriver_devices import refused

TEST = "/org/libvirt/Test"
MIB, GIB, UNKNOWN, INACTIVE = 1 << 20, 1 << 30, 1 << 28, 2
PULL, COPY, COMMIT, ACTIVE_COMMIT = 1, 2, 3, 4
COMPLETED, CANCELLED, READY = 0, 2, 3
SHALLOW, ACTIVE, PIVOT, ASYNC = 1, 4, 2, 1
DISK_ONLY, BYTES, BLOCK = 16, 1, 32
CHAIN = ("<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/top.qcow2'/>"
         "<backingStore type='file'><format type='qcow2'/><source file='/middle.qcow2'/>"
         "<backingStore type='file'><format type='raw'/><source file='/base.img'/><backingStore/></backingStore>"
         "</backingStore><target dev='vda' bus='virtio'/></disk>")


@pytest.fixture
def web(client):
    """A machine that runs, with a disk over two others."""
    machine = define(client, "<domain type='test'><name>web</name><memory>65536</memory><os><type>hvm</type></os>"
                     f"<devices>{CHAIN}</devices></domain>", TEST)
    machine.create()
    return machine


@pytest.fixture
def events(client, web):
    return client.listen(interface=DOMAIN, member="BlockJob", path=web.path)


def chain(machine, flags=0):
    """The paths of the disk's images from the active one down."""
    at, found = machine.tree(flags).find("devices/disk"), []
    while at is not None and at.find("source") is not None:
        found.append(at.find("source").get("file"))
        at = at.find("backingStore")
    return found


def test_sizes(web):
    assert web.call("GetStats", "uu", BLOCK, 0)["block.0.capacity"] == GIB
    web.call("BlockResize", "stu", "vda", 2 * GIB, BYTES)
    assert web.call("GetStats", "uu", BLOCK, 0)["block.0.capacity"] == 2 * GIB
    web.call("BlockResize", "stu", "/top.qcow2", 1, 0)
    assert web.call("GetStats", "uu", BLOCK, 0)["block.0.capacity"] == 1024
    assert bytes(web.call("BlockPeek", "sttu", "vda", 512, 512, 0)) == bytes(512)
    refused(web.call, "BlockPeek", "sttu", "vda", 513, 512, 0, word="ends at 1024")
    refused(web.call, "BlockPeek", "sttu", "vda", 2 ** 64 - 1, 1, 0, word="ends at 1024")
    refused(web.call, "BlockResize", "stu", "vdz", 1, 0, word="vdz")
    refused(web.call, "BlockResize", "stu", "vda", 2 ** 63, BYTES, word="too large")
    refused(web.call, "BlockResize", "stu", "vda", 1, UNKNOWN, word="flag")
    assert web.call("GetDiskErrors", "u", 0) == []


def test_pull(web, events):
    web.call("BlockPull", "stu", "vda", 0, 0)
    assert events.wait().values == ("vda", PULL, COMPLETED)
    assert chain(web) == chain(web, INACTIVE) == ["/top.qcow2"]
    refused(web.call, "BlockPull", "stu", "vda", 0, 0, word="no image below")


def test_rebase(web, events):
    refused(web.call, "BlockRebase", "sstu", "vda", "/nothing", 0, 0, word="/nothing")
    refused(web.call, "BlockRebase", "sstu", "vda", "/base.img", 0, SHALLOW, word="COPY")
    refused(web.call, "BlockRebase", "sstu", "vda", "", 0, 8, word="place")
    web.call("BlockRebase", "sstu", "vda", "/base.img", 0, 0)
    assert events.wait().values == ("vda", PULL, COMPLETED)
    assert chain(web) == ["/top.qcow2", "/base.img"]
    web.call("BlockRebase", "sstu", "vda", "", 0, 0)
    assert events.wait().values == ("vda", PULL, COMPLETED)
    assert chain(web) == ["/top.qcow2"]


@pytest.mark.parametrize("top, base, flags, expected", [
    ("/middle.qcow2", "", 0, ["/top.qcow2", "/base.img"]),
    ("/middle.qcow2", "/base.img", SHALLOW, ["/top.qcow2", "/base.img"])])
def test_commit(web, events, top, base, flags, expected):
    web.call("BlockCommit", "ssstu", "vda", base, top, 0, flags)
    assert events.wait().values == ("vda", COMMIT, COMPLETED)
    assert chain(web) == chain(web, INACTIVE) == expected


def test_commit_of_the_active_image(web, events):
    refused(web.call, "BlockCommit", "ssstu", "vda", "", "", 0, 0, word="ACTIVE")
    refused(web.call, "BlockCommit", "ssstu", "vda", "/base.img", "", 0, ACTIVE | SHALLOW, word="directly")
    refused(web.call, "BlockCommit", "ssstu", "vda", "/top.qcow2", "/middle.qcow2", 0, 0, word="/top.qcow2")
    web.call("BlockCommit", "ssstu", "vda", "/middle.qcow2", "", 0, ACTIVE)
    assert events.wait().values == ("vda", ACTIVE_COMMIT, READY)
    assert chain(web)[0] == "/top.qcow2", "nobody has gone over yet"
    refused(web.call, "BlockPull", "stu", "vda", 0, 0, word="job already")
    web.call("BlockJobAbort", "su", "vda", PIVOT)
    assert events.wait().values == ("vda", ACTIVE_COMMIT, COMPLETED)
    assert chain(web) == ["/middle.qcow2", "/base.img"]


@pytest.mark.parametrize("flags, expected", [(0, ["/copy.img"]), (SHALLOW, ["/copy.img", "/middle.qcow2", "/base.img"])])
def test_copy(web, events, flags, expected):
    target = "<disk type='file'><source file='/copy.img'/></disk>"
    web.call("BlockCopy", "ssa{sv}u", "vda", target, {}, flags)
    assert events.wait().values == ("vda", COPY, READY)
    web.call("BlockJobAbort", "su", "vda", PIVOT)
    assert events.wait().values == ("vda", COPY, COMPLETED)
    assert chain(web) == chain(web, INACTIVE) == expected


def test_copy_by_rebase(web, events):
    web.call("BlockRebase", "sstu", "vda", "/copy.img", 0, 8)
    assert events.wait().values == ("vda", COPY, READY)
    web.call("BlockJobAbort", "su", "vda", 0)
    assert events.wait().values == ("vda", COPY, CANCELLED)
    assert chain(web)[0] == "/top.qcow2"


def test_copy_wrong(web):
    refused(web.call, "BlockCopy", "ssa{sv}u", "vda", "<disk><target dev='vda'/></disk>", {}, 0, word="no <source>")
    refused(web.call, "BlockCopy", "ssa{sv}u", "vda", "<interface type='user'/>", {}, 0, word="interface")
    refused(web.call, "BlockCopy", "ssa{sv}u", "vda", CHAIN, {"luck": GLib.Variant("u", 1)}, 0, word="luck")
    refused(web.call, "BlockCopy", "ssa{sv}u", "vda", CHAIN, {}, UNKNOWN, word="flag")


def test_slow(web, events):
    """A job has the disk's size to go, at the speed that it is told."""
    web.call("BlockPull", "stu", "vda", 1, 0)
    kind, speed, done, total = web.call("GetBlockJobInfo", "su", "vda", 0)
    assert (kind, speed, total) == (PULL, 1, GIB) and done < total
    refused(web.call, "BlockJobAbort", "su", "vda", PIVOT, word="not ready")
    web.call("BlockJobSetSpeed", "stu", "vda", 1000, BYTES)
    assert web.call("GetBlockJobInfo", "su", "vda", BYTES)[1] == 1000
    drain(0.05)
    assert not events.signals
    web.call("BlockJobSetSpeed", "stu", "vda", 0, 0)
    assert events.wait().values == ("vda", PULL, COMPLETED)
    assert web.call("GetBlockJobInfo", "su", "vda", 0) == (0, 0, 0, 0)
    refused(web.call, "BlockJobSetSpeed", "stu", "vda", 1, 0, word="no job")
    refused(web.call, "BlockJobAbort", "su", "vda", 0, word="no job")


def test_ends_with_the_run(client, web, events):
    web.call("BlockPull", "stu", "vda", 1, 0)
    web.destroy()
    refused(web.call, "GetBlockJobInfo", "su", "vda", 0, word="not running")
    web.create()
    assert web.call("GetBlockJobInfo", "su", "vda", 0) == (0, 0, 0, 0)
    assert len(chain(web)) == 3
    client.ping()
    assert not events.signals


def test_daemon_ends_with_a_job(daemon, web):
    web.call("BlockPull", "stu", "vda", 1, 0)
    assert daemon.stop() == 0


def test_after_a_snapshot(web, events):
    """The way that people take: a snapshot of the disks, later its image is merged back."""
    web.call("SnapshotCreateXML", "su", "<domainsnapshot><name>s</name></domainsnapshot>", DISK_ONLY)
    assert chain(web) == chain(web, INACTIVE) == ["/top.s", "/top.qcow2", "/middle.qcow2", "/base.img"]
    web.call("BlockCommit", "ssstu", "vda", "", "", 0, ACTIVE | SHALLOW)
    assert events.wait().values == ("vda", ACTIVE_COMMIT, READY)
    web.call("BlockJobAbort", "su", "vda", PIVOT)
    assert chain(web) == ["/top.qcow2", "/middle.qcow2", "/base.img"]
