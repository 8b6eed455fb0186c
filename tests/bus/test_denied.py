"""A file that a machine's owner cannot reach: the error says which step of the way does not let them pass, and why."""

import os
import pwd

import pytest

from harness import BusError
from machines import AFFECT_LIVE, define, definition, disk

pytestmark = [pytest.mark.qemu, pytest.mark.system]


@pytest.fixture
def alice(system_daemon):
    return system_daemon.client("alice")


@pytest.fixture
def shared(root_dir):
    """A folder that all may enter."""
    folder = root_dir / "shared"
    folder.mkdir()
    folder.chmod(0o755)
    return folder


def image(path, mode=0o600, user="root"):
    path.write_bytes(bytes(1 << 20))
    path.chmod(mode)
    os.chown(path, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    return path


def folder_of(user, path):
    path.mkdir(mode=0o700)
    os.chown(path, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    return path


def refused(call, *arguments):
    with pytest.raises(BusError) as e:
        call(*arguments)
    assert "Permission denied" in e.value.message, e.value.message
    return e.value.message


def start(client, path):
    machine = define(client, definition("hers", disk(path)))
    message = refused(machine.create)
    machine.undefine()
    return message


def test_folders_and_files(alice, shared):
    carols = folder_of("carol", shared / "carol")
    assert f"{carols} has mode 0700 and belongs to carol:carol: alice may not enter it" in \
        start(alice, image(carols / "deep.img", 0o666))
    unreadable, unwritable = image(shared / "a.img"), image(shared / "b.img", 0o444)
    assert f"{unreadable} has mode 0600 and belongs to root:root: alice may not read it" in start(alice, unreadable)
    assert f"{unwritable} has mode 0444 and belongs to root:root: alice may not write to it" in start(alice, unwritable)
    own = folder_of("alice", shared / "alice")
    (own / "link").symlink_to("../carol/deep.img")
    assert f"{carols} has mode 0700" in start(alice, own / "link")


def test_no_more_is_told_than_the_owner_may_see(alice, shared):
    """What is in the folder that stops her, or whether it is there at all, is the same to her."""
    carols = folder_of("carol", shared / "carol")
    image(carols / "there.img", 0o644)
    there, absent = (start(alice, carols / name).replace(name, "X") for name in ("there.img", "absent.img"))
    said = [message.split("Permission denied", 1)[1] for message in (there, absent)]
    assert said[0] == said[1] and "0700" in said[0]


def test_of_a_machine_that_runs(alice, shared):
    carols = folder_of("carol", shared / "carol")
    machine = define(alice, definition("hers"))
    machine.create()
    mode = f"{carols} has mode 0700 and belongs to carol:carol: alice may not"
    assert f"{mode} enter it" in refused(machine.call, "AttachDevice", "su", disk(image(carols / "a.img")), AFFECT_LIVE)
    closed = f"{shared} has mode 0755 and belongs to root:root: alice may not make or remove files in it"
    assert closed in refused(machine.call, "CoreDump", "suu", str(shared / "dump"), 0, 16)
    assert f"{mode} make or remove files in it" in refused(machine.call, "CoreDump", "suu", str(carols / "dump"), 0, 16)
    machine.destroy()
