"""Images of snapshots are made, read and removed with the rights of the machine's owner, and no others."""

import os
import pwd

import pytest

from harness import BusError
from machines import define, definition, disk
from test_snapshots import DISK_ONLY, SNAPSHOT, Snapshots, info, run

pytestmark = pytest.mark.system


@pytest.fixture
def home(root_dir):
    """A folder of alice's."""
    alice = pwd.getpwnam("alice")
    path = root_dir / "alice"
    path.mkdir()
    os.chown(path, alice.pw_uid, alice.pw_gid)
    return path


def machine(client, folder, owner=None, name="web"):
    image = folder / f"{name}.qcow2"
    run("qemu-img", "create", "-q", "-f", "qcow2", image, "1M")
    if owner:
        os.chown(image, pwd.getpwnam(owner).pw_uid, pwd.getpwnam(owner).pw_gid)
    image.chmod(0o600)
    return image, Snapshots(client, define(client, definition(name, disk(image, driver="qcow2"))).path)


def test_of_a_user(system_daemon, home):
    client = system_daemon.client("alice")
    image, web = machine(client, home, "alice")
    web.take("inside")
    path = web.take("outside", DISK_ONLY)
    new = image.with_suffix(".outside")
    assert (new.stat().st_uid, new.stat().st_mode & 0o777) == (pwd.getpwnam("alice").pw_uid, 0o600)
    with pytest.raises(BusError):
        system_daemon.client("bob").call(path, SNAPSHOT, "GetXMLDesc", "u", 0)
    web.of(path, "Delete")
    assert not new.exists()


def test_a_user_reaches_nothing_of_others(system_daemon, root_dir, home):
    client = system_daemon.client("alice")
    closed = root_dir / "closed"
    closed.mkdir(mode=0o700)
    _, web = machine(client, home, "alice")
    where = f"<disks><disk name='vda'><source file='{closed}/new'/></disk></disks>"
    with pytest.raises(BusError, match="ermission"):
        web.take("one", DISK_ONLY, where)
    assert os.listdir(closed) == []
    _, other = machine(client, closed, name="other")
    with pytest.raises(BusError, match="ermission|name"):
        other.take("one")


@pytest.mark.qemu
def test_of_root_running(system_daemon, root_dir):
    image, web = machine(system_daemon.client(), root_dir)
    web.create()
    path = web.take("outside", DISK_ONLY)
    web.take("inside")
    web.destroy()
    web.create()
    web.destroy()
    assert web.source() == str(image.with_suffix(".outside"))
    web.of(web.call("SnapshotLookupByName", "su", "inside", 0), "Revert")
    web.destroy()
    web.of(web.call("SnapshotLookupByName", "su", "inside", 0), "Delete")
    web.of(path, "Delete")
    assert web.source() == str(image)


@pytest.mark.qemu
def test_the_images_that_stay_have_paths(system_daemon, root_dir):
    """QEMU is given descriptors, and must not write their numbers into an image."""
    image, web = machine(system_daemon.client(), root_dir)
    web.create()
    _, two, _ = (web.take(name, DISK_ONLY) for name in ("one", "two", "three"))
    web.of(two, "Delete")
    assert info(image.with_suffix(".three"))["backing-filename"] == str(image.with_suffix(".one"))
    web.destroy()
    web.create()
    web.destroy()


@pytest.mark.qemu
def test_memory_is_written_as_the_user(system_daemon, root_dir, home):
    client = system_daemon.client("alice")
    image, web = machine(client, home, "alice")
    closed = root_dir / "closed"
    closed.mkdir(mode=0o700)
    web.create()
    with pytest.raises(BusError, match="ermission"):
        web.take("one", 0, f"<memory snapshot='external' file='{closed}/memory'/>")
    assert os.listdir(closed) == []
    assert web.source() == str(image)
    path = web.take("one", 0, f"<memory snapshot='external' file='{home}/memory'/>")
    assert (home / "memory").stat().st_uid == pwd.getpwnam("alice").pw_uid
    web.of(path, "Revert")
    web.destroy()
