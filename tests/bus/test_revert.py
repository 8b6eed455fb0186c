"""Going back to snapshots: of machines that run and that do not, with the events and numbers of libvirt."""

import os

import pytest

from harness import BusError, wait_for
from machines import DEFINED, PAUSED, RUNNING, SHUTOFF, STARTED, STOPPED, SUSPENDED, define, definition, disk
from test_snapshots import (
    DEFINED_FROM_SNAPSHOT, DISK_ONLY, HALT, LIVE, REVERT_FORCE, REVERT_PAUSED, REVERT_RUNNING, STARTED_FROM_SNAPSHOT,
    STOPPED_FROM_SNAPSHOT, Snapshots, events, holds, image, info, run, web, write)  # noqa: F401: fixtures

SUSPENDED_FROM_SNAPSHOT = 5
RUNNING_FROM_SNAPSHOT, PAUSED_FROM_SNAPSHOT, SHUTOFF_FROM_SNAPSHOT = 4, 7, 7
FIRMWARE = "/usr/share/OVMF/OVMF_CODE_4M.fd"
VARIABLES = "/usr/share/OVMF/OVMF_VARS_4M.fd"


class TestStopped:
    def test_the_disk_and_the_definition_come_back(self, daemon, client, web, image, events):
        write(image, 1)
        one = web.take("one")
        write(image, 2)
        two = web.take("two")
        define(client, web.xml(2).replace("32768</memory>", "65536</memory>"))
        web.of(one, "Revert")
        events.wait(web, DEFINED, DEFINED_FROM_SNAPSHOT)
        assert holds(image, 1)
        assert web.tree(2).findtext("memory") == "32768"
        assert web.state == (SHUTOFF, SHUTOFF_FROM_SNAPSHOT)
        assert web.of(one, "IsCurrent") is True and web.of(two, "IsCurrent") is False
        assert web.tree_of(web.take("three")).findtext("parent/name") == "one"
        daemon.kill()
        daemon.start()
        web.of(two, "Revert")
        assert holds(image, 2)
        assert web.names() == ["one", "two", "three"]

    @pytest.mark.qemu
    def test_and_it_can_be_started_at_once(self, web, events):
        one = web.take("one")
        web.of(one, "Revert", "u", REVERT_RUNNING)
        events.wait(web, STARTED, STARTED_FROM_SNAPSHOT)
        assert web.state == (RUNNING, RUNNING_FROM_SNAPSHOT)
        web.of(one, "Revert", "u", REVERT_PAUSED | REVERT_FORCE)
        events.wait(web, STOPPED, STOPPED_FROM_SNAPSHOT)
        events.wait(web, SUSPENDED, SUSPENDED_FROM_SNAPSHOT)
        assert web.state == (PAUSED, PAUSED_FROM_SNAPSHOT)
        web.of(one, "Revert")
        assert web.state[0] == SHUTOFF

    def test_outside_it_goes_on_in_a_new_image(self, web, image):
        write(image, 1)
        one = web.take("one", DISK_ONLY)
        old = image.with_suffix(".one")
        write(old, 2)
        web.of(one, "Revert")
        new = image.with_suffix(".one-1")
        assert web.source() == str(new)
        assert holds(new, 1) and holds(image, 1)
        assert not old.exists()
        web.of(one, "Delete")
        assert web.source() == str(image)
        assert not new.exists()

    def test_what_others_need_is_kept(self, web, image):
        write(image, 1)
        one = web.take("one", DISK_ONLY)
        write(image.with_suffix(".one"), 2)
        two = web.take("two", DISK_ONLY)
        write(image.with_suffix(".two"), 3)
        web.of(one, "Revert")
        assert holds(web.source(), 1)
        web.of(two, "Revert")
        assert holds(web.source(), 2)
        web.of(one, "Revert")
        assert holds(web.source(), 1)
        with pytest.raises(BusError, match="needs the image|cannot be merged"):
            web.of(one, "Delete")
        assert web.names() == ["one", "two"]

    def test_an_image_that_another_snapshot_is_of_is_not_written(self, web, image):
        inside = web.take("inside")
        write(image, 1)
        web.take("outside", DISK_ONLY)
        with pytest.raises(BusError, match="outside"):
            web.of(inside, "Revert")
        assert holds(image, 1)

    def test_nothing_is_done_if_the_image_does_not_have_it(self, web, image):
        one = web.take("one")
        write(image, 1)
        run("qemu-img", "snapshot", "-d", "one", image)
        with pytest.raises(BusError, match="has no snapshot"):
            web.of(one, "Revert")
        assert holds(image, 1)

    def test_what_was_begun_is_ended_by_the_next_daemon(self, daemon, client, root_dir, image):
        other = root_dir / "other.qcow2"
        run("qemu-img", "create", "-q", "-f", "qcow2", other, "1M")
        disks = disk(image, driver="qcow2") + disk(other, target="vdb", driver="qcow2")
        web = Snapshots(client, define(client, definition("web", disks)).path)
        for byte in (1, 2):
            write(image, byte)
            write(other, byte)
            web.take(f"of-{byte}")
        write(image, 3)
        write(other, 3)
        (record,) = root_dir.rglob(f"snapshot/{web.uuid}.xml")
        daemon.kill()
        run("qemu-img", "snapshot", "-a", "of-1", image)  # so far it was
        record.write_text(record.read_text().replace("<snapshot>", "<snapshot reverting='yes'>", 1))
        daemon.start()
        wait_for(lambda: "reverting" not in record.read_text(), 20, "the rest")
        assert holds(image, 1) and holds(other, 1)
        assert web.of(web.call("SnapshotLookupByName", "su", "of-1", 0), "IsCurrent") is True

    def test_flags(self, web):
        one = web.take("one")
        for flags in (REVERT_RUNNING | REVERT_PAUSED, 16):
            with pytest.raises(BusError):
                web.of(one, "Revert", "u", flags)


@pytest.mark.qemu
class TestRunning:
    def test_the_memory_comes_back(self, web, events):
        web.create()
        one = web.take("one")
        two = web.take("two")
        identity = web.get("Id")
        web.of(one, "Revert")
        events.wait(web, STOPPED, STOPPED_FROM_SNAPSHOT)
        events.wait(web, STARTED, STARTED_FROM_SNAPSHOT)
        assert web.state == (RUNNING, RUNNING_FROM_SNAPSHOT)
        assert web.get("Id") != identity
        web.destroy()
        web.of(two, "Revert", "u", REVERT_PAUSED)
        assert web.state == (PAUSED, PAUSED_FROM_SNAPSHOT)
        web.resume()
        assert web.state[0] == RUNNING
        web.destroy()

    def test_a_paused_one_is_paused_again(self, web):
        web.create(1)
        one = web.take("one")
        web.resume()
        web.of(one, "Revert")
        assert web.state[0] == PAUSED
        web.of(one, "Revert", "u", REVERT_RUNNING)
        assert web.state[0] == RUNNING
        web.destroy()

    def test_a_run_is_not_ended_for_nothing(self, web, image):
        one = web.take("one")
        run("qemu-img", "snapshot", "-d", "one", image)
        web.create()
        with pytest.raises(BusError, match="has no snapshot"):
            web.of(one, "Revert")
        assert web.state[0] == RUNNING
        web.destroy()


class TestFirmware:
    def test_variables_come_back(self, client, root_dir, image):
        variables = root_dir / "web.fd"
        boot = f"<loader readonly='yes' type='pflash'>{FIRMWARE}</loader><nvram template='{VARIABLES}'>{variables}</nvram>"
        web = Snapshots(client, define(client, definition("web", disk(image, driver="qcow2"), machine="q35", boot=boot)).path)
        variables.write_bytes(b"before" * 1000)
        one = web.take("one")
        variables.write_bytes(b"after!" * 1000)
        web.of(one, "Revert")
        assert variables.read_bytes() == b"before" * 1000

    @pytest.mark.qemu
    def test_variables_are_found_after_a_rename(self, client, root_dir, image):
        xml = definition("web", disk(image, driver="qcow2"), machine="q35").replace("<os>", "<os firmware='efi'>")
        web = Snapshots(client, define(client, xml).path)
        web.create(1)
        web.destroy()
        web.call("Rename", "su", "other", 0)
        web.take("one")
        [file] = root_dir.rglob("*.nvram")
        assert file.stat().st_size == os.stat(VARIABLES).st_size

    @pytest.mark.qemu
    @pytest.mark.parametrize("is_running", [False, True])
    def test_variables_come_back_without_the_memory(self, client, root_dir, image, is_running):
        """Of a run too: as a loss of power would leave them, as the disks are."""
        variables = root_dir / "web.vars"
        boot = f"<loader readonly='yes' type='pflash'>{FIRMWARE}</loader><nvram template='{VARIABLES}'>{variables}</nvram>"
        web = Snapshots(client, define(client, definition("web", disk(image, driver="qcow2"), machine="q35", boot=boot)).path)
        web.create(1)
        if not is_running:
            web.destroy()
        write(variables, 0x11, "raw")
        one = web.take("one", DISK_ONLY)
        if is_running:
            web.destroy()
        write(variables, 0x55, "raw")
        web.of(one, "Revert")
        assert holds(variables, 0x11, "raw")
        web.of(one, "Delete")
        assert not list(root_dir.rglob("*.nvram"))

    @pytest.mark.qemu
    @pytest.mark.parametrize("kind", ["raw", "qcow2"])
    @pytest.mark.parametrize("where", ["inside", "outside"])
    def test_variables_of_a_run_come_back(self, client, root_dir, image, kind, where):
        variables, template = root_dir / "web.vars", root_dir / "template.vars"
        run("qemu-img", "convert", "-f", "raw", "-O", kind, VARIABLES, template)
        boot = (f"<loader readonly='yes' type='pflash'>{FIRMWARE}</loader>"
                f"<nvram template='{template}' templateFormat='{kind}' format='{kind}'>{variables}</nvram>")
        web = Snapshots(client, define(client, definition("web", disk(image, driver="qcow2"), machine="q35", boot=boot)).path)
        web.create(1)
        one = web.take("one", 0, "" if where == "inside" else f"<memory snapshot='external' file='{root_dir}/memory'/>")
        web.destroy()
        write(variables, 0x55, kind)
        assert holds(variables, 0x55, kind)
        web.of(one, "Revert")
        web.resume()
        wait_for(lambda: not holds(variables, 0x55, kind), 20, "the variables")
        web.destroy()


@pytest.mark.qemu
class TestMemoryInAFile:
    """The disks go on in new images at the moment of which the memory is."""

    @pytest.fixture
    def memory(self, root_dir):
        return root_dir / "web.memory"

    def take_it(self, web, memory, name="one", flags=0):
        return web.take(name, flags, f"<memory snapshot='external' file='{memory}'/>")

    @pytest.mark.parametrize("flags", [0, LIVE])
    def test_and_back(self, daemon, web, image, memory, events, flags):
        web.create()
        one = self.take_it(web, memory, flags=flags)
        assert web.state[0] == RUNNING
        new = image.with_suffix(".one")
        assert web.source() == web.source(2) == str(new)
        tree = web.tree_of(one)
        assert tree.find("memory").attrib == {"snapshot": "external", "file": str(memory)}
        assert tree.findtext("state") == "running"
        assert memory.stat().st_mode & 0o777 == 0o600
        web.of(one, "Revert")
        events.wait(web, STARTED, STARTED_FROM_SNAPSHOT)
        assert web.state == (RUNNING, RUNNING_FROM_SNAPSHOT)
        assert web.source() == str(image.with_suffix(".one-1"))
        assert not new.exists()
        daemon.kill()
        daemon.start()
        web.destroy()
        web.of(one, "Revert", "u", REVERT_PAUSED)
        assert web.state[0] == PAUSED
        web.resume()
        web.of(one, "Delete")
        assert web.source() == str(image)
        assert not memory.exists()
        web.destroy()

    def test_halt_and_paused(self, web, image, memory, events):
        web.create(1)
        one = self.take_it(web, memory, flags=HALT)
        events.wait(web, STOPPED, STOPPED_FROM_SNAPSHOT)
        web.of(one, "Revert")
        assert web.state[0] == PAUSED
        web.destroy()

    def test_what_fails_changes_nothing(self, web, image, memory, root_dir):
        web.create()
        memory.write_text("precious")
        image.with_suffix(".two").write_text("precious")
        for name, where in (("one", memory), ("one", root_dir / "nowhere/m"), ("two", root_dir / "m")):
            with pytest.raises(BusError):
                self.take_it(web, where, name)
            assert web.state[0] == RUNNING
            assert web.source() == web.source(2) == str(image)
            assert not image.with_suffix(".one").exists() and not (root_dir / "m").exists()
        assert web.list() == []
        assert memory.read_text() == image.with_suffix(".two").read_text() == "precious"
        web.destroy()
        with pytest.raises(BusError, match="does not run"):
            self.take_it(web, root_dir / "m")

    def test_a_run_is_not_ended_for_memory_that_is_damaged(self, web, memory):
        web.create()
        one = self.take_it(web, memory)
        memory.write_bytes(memory.read_bytes()[:5000])
        with pytest.raises(BusError, match="memory"):
            web.of(one, "Revert")
        assert web.state[0] == RUNNING
        web.destroy()
