"""Attacks on what people keep: definitions, memory, snapshots and volumes, each by a way in which it could be lost."""

import contextlib
import os
import pathlib
import re
import shutil
import signal

import pytest

from harness import BusError, wait_for
from machines import (
    AFFECT_LIVE, CONNECT, DOMAIN, PAUSED, QEMU, RUNNING, SHUTOFF, FakeQemu, create_transient, define, definition, disk,
    list_machines, pid_of)
from test_saved import SAVE_PAUSED, restore
from test_snapshots import DISK_ONLY, Snapshots, holds, image, run, web, write  # noqa: F401: fixtures
from test_storage import MIB, POOL, names
from test_volumes import JOB, NATIVE, folder, parts, pool  # noqa: F401: fixtures

METADATA_ONLY = 2


def nested(levels):
    return "<a:x xmlns:a='urn:a'>" + "<a:x>" * levels + "</a:x>" * levels + "</a:x>"


def qemu_img_first(tmp_path, monkeypatch, does):
    """A qemu-img for the daemons that start from now on, which does that first."""
    tool = tmp_path / "bin/qemu-img"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/bash\n{does}\nexec {shutil.which('qemu-img')} \"$@\"\n")
    for path, mode in ((tool, 0o755), (tool.parent, 0o755), (tmp_path, 0o777)):
        path.chmod(mode)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")


class TestLimits:
    """Whatever is taken from a client can be read again."""

    def test_what_grows_when_it_is_stored(self, daemon, client):
        def text(size):
            return definition("web", extra=f"<description>{'>' * size}</description>")
        with pytest.raises(BusError, match="at most"):
            define(client, text(5 * MIB))
        assert list_machines(client) == []
        web = define(client, text(4 * MIB - 1024))
        with pytest.raises(BusError, match="at most"):
            web.call("SetMetadata", "isssu", 1, ">" * MIB, "", "", 2)
        daemon.restart()
        assert list_machines(client) == [web.path]

    @pytest.mark.qemu
    def test_what_is_deep(self, daemon, client, image):
        levels = 0
        for levels in range(128, 100, -1):
            with contextlib.suppress(BusError):
                web = Snapshots(client, define(client, definition(
                    "web", disk(image, driver="qcow2"), extra=f"<metadata>{nested(levels)}</metadata>")).path)
                break
        assert levels > 110
        web.take("one")
        web.create()
        daemon.restart()
        assert web.state[0] == RUNNING and web.names() == ["one"]
        web.destroy()

    def test_networks_too(self, daemon, client):
        xml = f"<network><name>deep</name><metadata>{nested(125)}</metadata></network>"
        path = client.call(QEMU, CONNECT, "NetworkDefineXML", "s", xml)
        daemon.restart()
        assert client.call(QEMU, CONNECT, "ListNetworks", "u", 0) == [path]


@pytest.mark.qemu
class TestRuns:
    def test_a_status_that_cannot_be_read_is_a_machine(self, daemon, client, root_dir):
        web = define(client, definition("web"))
        web.create()
        pid = pid_of(daemon, web)
        (status,) = root_dir.rglob("status.xml")
        daemon.kill()
        status.write_text(status.read_text().replace("<domain", "<domino", 1))
        daemon.start()
        with pytest.raises(BusError, match=f"Process {pid} is an earlier run"):
            web.create()
        assert list(daemon.machines()) == [pid]
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not daemon.machines(), 10)
        web.create()
        assert web.state[0] == RUNNING
        web.destroy()


@pytest.mark.system
@pytest.mark.qemu
class TestStarts:
    """Between being opened by the daemon and being locked by QEMU anybody can take an image away: what the guest writes would
    be gone when it ends."""

    @pytest.fixture
    def room(self, root_dir):
        room = root_dir / "room"
        room.mkdir()
        room.chmod(0o777)
        for name in ("disk.img", "new", "hold"):
            self.make(room / name)
        return room

    def make(self, path):
        path.write_bytes(bytes(MIB))
        path.chmod(0o600)

    def define(self, daemon, room, xml, change):
        """When its QEMU starts the change is made first, while there is the file `hold`."""
        emulator = room / "qemu"
        emulator.write_text(f"#!/bin/bash\nimage={room}/disk.img new={room}/new\n"
                            f"[[ \"$*\" != *-add-fd* || ! -e {room}/hold ]] || {change}\n"
                            f"exec {shutil.which('qemu-system-x86_64')} \"$@\"\n")
        emulator.chmod(0o755)
        return define(daemon.client(), definition("web", xml, emulator=emulator))

    @pytest.mark.parametrize("change", ["mv $new $image", "rm $image"])
    def test_an_image_that_is_not_the_opened_one(self, system_daemon, room, change):
        image = room / "disk.img"
        machine = self.define(system_daemon, room, disk(image), change)
        with pytest.raises(BusError, match=f"{image} was removed or replaced"):
            machine.create()
        assert machine.state[0] == SHUTOFF
        (room / "hold").unlink()
        self.make(image)
        machine.create()
        machine.destroy()

    def test_one_that_is_only_read(self, system_daemon, room):
        """A package's firmware, or a CD, may be replaced: nothing is lost with what it was."""
        cd = disk(room / "disk.img", target="hda", bus="ide", read_only=True).replace("device='disk'", "device='cdrom'")
        machine = self.define(system_daemon, room, cd, "mv $new $image")
        machine.create()
        assert machine.state[0] == RUNNING and not (room / "new").exists()
        machine.destroy()

    @pytest.mark.parametrize("device", ["disk", "floppy"])
    def test_of_a_device_that_comes_later(self, system_daemon, root_dir, room, device):
        """The guest does not get it, and QEMU nothing that stays."""
        image, new = room / "disk.img", room / "new"
        floppy = disk(image, target="fda", bus="fdc").replace("device='disk'", "device='floppy'")
        fake = FakeQemu(root_dir / "fake", f"move blockdev-add {new} {image}")
        machine = define(system_daemon.client(), definition("web", re.sub("<source.*?/>", "", floppy), emulator=fake.path))
        machine.create()
        before = len(fake.commands())
        begin = {"disk": ("AttachDevice", "su", disk(image, target="sda", bus="scsi"), AFFECT_LIVE),
                 "floppy": ("UpdateDevice", "su", floppy, AFFECT_LIVE)}[device]
        with pytest.raises(BusError, match=f"{image} was removed or replaced"):
            machine.call(*begin)
        assert not new.exists()
        said = fake.commands()[before:]
        for does, undoes in (("add-fd", "remove-fd"), ("blockdev-add", "blockdev-del"), ("device_add", "device_del")):
            assert said.count(does) == said.count(undoes)
        assert not {"device_add", "blockdev-open-tray"} & set(said[said.index("blockdev-add"):])
        assert machine.tree().find("devices/disk[2]") is None and machine.tree().find("devices/disk/source") is None
        fake.tricks("")
        machine.destroy()


@pytest.mark.qemu
class TestSavedMemory:
    """Memory that is older than the disks would destroy what is on them."""

    @pytest.fixture
    def saved(self, web):
        web.create()
        web.call("ManagedSave", "u", SAVE_PAUSED)
        return web

    def goes_on(self, machine):
        assert machine.state[0] == SHUTOFF and machine.call("HasManagedSaveImage", "u", 0) is True
        machine.create()
        assert machine.state[0] == PAUSED
        machine.destroy()

    def test_no_other_run_comes_before_it(self, client, saved, root_dir):
        with pytest.raises(BusError, match="saved memory"):
            create_transient(client, saved.xml(2))
        self.goes_on(saved)

    def test_no_other_memory_does(self, client, saved, root_dir):
        path = root_dir / "other"
        saved.create()
        saved.call("Save", "ssu", str(path), "", 0)
        saved.create()
        saved.call("ManagedSave", "u", SAVE_PAUSED)
        with pytest.raises(BusError, match="saved memory"):
            restore(client, path)
        self.goes_on(saved)

    def test_its_images_stay_the_chain(self, saved):
        with pytest.raises(BusError, match="saved memory"):
            saved.take("outside", DISK_ONLY)
        assert saved.names() == []
        self.goes_on(saved)
        outside = saved.take("outside", DISK_ONLY)
        saved.create()
        saved.call("ManagedSave", "u", SAVE_PAUSED)
        with pytest.raises(BusError, match="saved memory"):
            saved.of(outside, "Delete")
        self.goes_on(saved)

    def test_going_back_leaves_it_behind(self, saved, image):
        saved.create()
        saved.destroy()
        write(image, 1)
        one = saved.take("one")
        write(image, 2)
        saved.create()
        saved.call("ManagedSave", "u", SAVE_PAUSED)
        saved.of(one, "Revert")
        assert holds(image, 1) and saved.call("HasManagedSaveImage", "u", 0) is False
        saved.create()
        assert saved.state == (RUNNING, 1)
        saved.destroy()

    @pytest.mark.skipif(os.geteuid() != 0, reason="needs root and strace")
    def test_a_file_with_another_definition_is_whole_at_each_step(self, daemon, client, web, root_dir):
        path = root_dir / "web.saved"
        web.create()
        web.call("Save", "ssu", str(path), "", 0)
        xml = client.call(QEMU, CONNECT, "DomainSaveImageGetXMLDesc", "su", str(path), 0)
        deaths = 0
        for count in range(1, 20):
            titled = xml.replace("</uuid>", f"</uuid><title>{'t' * count * 100}</title>")
            with daemon.traced("-e", "trace=pwrite64,fsync", "-e", f"inject=pwrite64,fsync:signal=KILL:when={count}"):
                reply = client.begin(QEMU, CONNECT, "DomainSaveImageDefineXML", "ssu", str(path), titled, SAVE_PAUSED)
                wait_for(lambda: reply.done or daemon.process.poll() is not None, 20)
                if "NoReply" in str(reply.error):  # the bus may know it before we do
                    wait_for(lambda: daemon.process.poll() is not None)
            if daemon.process.poll() is None:
                break
            deaths += 1
            daemon.kill()
            daemon.start()
            assert "<uuid>" in client.call(QEMU, CONNECT, "DomainSaveImageGetXMLDesc", "su", str(path), 0)
        assert deaths >= 2
        restore(client, path)
        assert web.state[0] == PAUSED
        web.destroy()


class TestSnapshots:
    @pytest.mark.qemu
    def test_what_was_not_gone_back_to_is_not_later(self, daemon, client, web, image, root_dir):
        """After the daemon was killed in a Revert, and the next one could not do the rest."""
        write(image, 1)
        one = web.take("one")
        write(image, 2)
        (record,) = root_dir.rglob(f"snapshot/{web.uuid}.xml")
        daemon.kill()
        record.write_text(record.read_text().replace("<snapshot current='yes'", "<snapshot current='yes' reverting='yes'"))
        assert "reverting" in record.read_text()
        away = image.with_suffix(".away")
        image.rename(away)
        daemon.start()
        wait_for(lambda: "is not back at snapshot" in daemon.read_log(), 20, "the attempt")
        away.rename(image)
        web.take("two")
        assert "reverting='yes'" in record.read_text(), "other changes leave the mark"
        with pytest.raises(BusError, match="going back to snapshot 'one'"):
            web.create()
        web.of(one, "Delete", "u", METADATA_ONLY)
        web.create()
        web.destroy()
        write(image, 3)
        daemon.restart()
        web.create()
        web.destroy()
        assert holds(image, 3)

    def test_what_the_daemon_ends_is_not_cancelled(self, daemon, client, web, image, root_dir, tmp_path, monkeypatch):
        hold = tmp_path / "hold"
        write(image, 1)
        web.take("one")
        write(image, 2)
        (record,) = root_dir.rglob(f"snapshot/{web.uuid}.xml")
        daemon.kill()
        record.write_text(record.read_text().replace("<snapshot current='yes'", "<snapshot current='yes' reverting='yes'"))
        qemu_img_first(tmp_path, monkeypatch, f"while [ $1 = snapshot ] && [ -e {hold} ]; do sleep 0.1; done")
        hold.touch()
        daemon.start()
        job = wait_for(lambda: next((p for p in client.managed_objects() if "/job/" in p), None), 20, "its job")
        assert client.get(job, JOB, "Operation") == "Recover"
        with pytest.raises(BusError, match="daemon's own"):
            client.call(job, JOB, "Cancel")
        hold.unlink()
        wait_for(lambda: "reverting" not in record.read_text(), 20, "the rest")
        assert holds(image, 1)

    def test_a_cancelled_one_leaves_no_image(self, daemon, client, web, image, tmp_path, monkeypatch):
        hold, over = tmp_path / "hold", tmp_path / "over.qcow2"
        qemu_img_first(tmp_path, monkeypatch, f"[ $1 != create ] || [ ! -e {hold} ] || {{ : > {hold}.is; exec sleep 600; }}")
        daemon.restart()
        web.create()
        hold.touch()
        xml = f"<domainsnapshot><disks><disk name='vda'><source file='{over}'/></disk></disks></domainsnapshot>"
        added = client.listen(interface="org.freedesktop.DBus.ObjectManager", member="InterfacesAdded")
        call = client.begin(web.path, DOMAIN, "SnapshotCreateXML", "su", xml, DISK_ONLY)
        wait_for(lambda: pathlib.Path(f"{hold}.is").exists(), 20)
        assert over.exists()
        client.call(added.wait(lambda s: JOB in s.values[1], 20).values[0], JOB, "Cancel")
        wait_for(lambda: call.done, 20)
        assert "ancel" in str(call.error) and not over.exists() and web.state[0] == RUNNING
        assert web.source() == str(image) and web.names() == []
        hold.unlink()
        client.call(web.path, DOMAIN, "SnapshotCreateXML", "su", xml, DISK_ONLY)
        assert web.source() == str(over) and len(web.names()) == 1
        web.destroy()

    def test_records_beside_one_that_cannot_be_read(self, daemon, web, root_dir):
        for name in ("one", "two", "three"):
            web.take(name)
        (record,) = root_dir.rglob(f"snapshot/{web.uuid}.xml")
        daemon.kill()
        before = record.read_text().replace("<name>two</name>", "<name></name>", 1)
        record.write_text(before)
        daemon.start()
        assert web.names() == ["one", "three"]
        web.take("four")
        assert "three" in record.read_text() and "four" in record.read_text()
        (kept,) = record.parent.glob("*.damaged-*")
        assert kept.read_text() == before
        daemon.restart()
        assert set(web.names()) == {"one", "three", "four"}


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root and strace")
class TestVolumes:
    def cancelled_late(self, daemon, client, folder, begin):
        """A Cancel while what was made is being put on the disk."""
        added = client.listen(interface="org.freedesktop.DBus.ObjectManager", member="InterfacesAdded")
        with daemon.traced("-e", "trace=fsync", "-e", "inject=fsync:delay_enter=2000000"):
            reply = begin()
            job = added.wait(lambda s: JOB in s.values[1], 20).values[0]
            wait_for(lambda: [p for p in parts(folder) if (folder / p).stat().st_size == MIB], 20)
            client.call(job, JOB, "Cancel")
            wait_for(lambda: reply.done, 30)
        return reply

    def test_a_cancel_that_comes_too_late(self, daemon, client, folder, pool):
        (folder / "a").write_bytes(b"a" * MIB)
        client.call(pool, POOL, "Refresh", "u", 0)
        volume = client.call(pool, POOL, "StorageVolLookupByName", "s", "a")
        reply = self.cancelled_late(daemon, client, folder, lambda: client.begin(volume, NATIVE, "Clone", "ssa{sv}", "b", "", {}))
        is_there = (folder / "b").exists()
        assert is_there == (reply.error is None), reply.error
        assert parts(folder) == [] and names(client, pool) == (["a", "b"] if is_there else ["a"])
