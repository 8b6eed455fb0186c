"""Machines whose memory is in a file: saved, restored, resumed by the next start; and dumps for debuggers."""

import os
import pathlib
import signal

import pytest

from harness import BusError, wait_for
from machines import (
    CONNECT, DOMAIN, PAUSED, QEMU, RUNNING, SHUTOFF, STARTED, STOPPED, FakeQemu, Lifecycle, Machine, define, definition,
    list_machines, pid_of)

STOPPED_SAVED, STARTED_RESTORED, SHUTOFF_SAVED, RUNNING_RESTORED = 4, 2, 5, 3
BYPASS_CACHE, SAVE_RUNNING, SAVE_PAUSED, RESET_NVRAM, FORCE_BOOT, UNDEFINE_MANAGED_SAVE = 1, 2, 4, 8, 8, 1
START_BYPASS_CACHE, START_RESET_NVRAM = 4, 32
MEMORY_ONLY, DUMP_CRASH, DUMP_LIVE, ZLIB = 16, 1, 2, 1

pytestmark = pytest.mark.qemu


@pytest.fixture
def events(client):
    return Lifecycle(client)


@pytest.fixture
def web(client):
    return define(client, definition("web"))


def restore(client, path, xml="", flags=0):
    client.call(QEMU, CONNECT, "DomainRestore", "ssu", str(path), xml, flags)


class TestManaged:
    def test_the_next_start_goes_on(self, daemon, web, events):
        web.create()
        assert web.call("HasManagedSaveImage", "u", 0) is False
        web.call("ManagedSave", "u", 0)
        events.wait(web, STOPPED, STOPPED_SAVED)
        assert web.state == (SHUTOFF, SHUTOFF_SAVED)
        daemon.kill()
        daemon.start()
        assert web.call("HasManagedSaveImage", "u", 0) is True
        web.create()
        events.wait(web, STARTED, STARTED_RESTORED)
        assert web.state == (RUNNING, RUNNING_RESTORED)
        assert web.call("HasManagedSaveImage", "u", 0) is False
        web.destroy()

    def test_paused_or_thrown_away(self, web):
        web.create()
        web.call("ManagedSave", "u", SAVE_PAUSED)
        web.create()
        assert web.state[0] == PAUSED
        web.call("ManagedSave", "u", SAVE_RUNNING)
        web.create(FORCE_BOOT)
        assert web.state == (RUNNING, 1)
        assert web.call("HasManagedSaveImage", "u", 0) is False
        web.call("ManagedSave", "u", 0)
        web.call("ManagedSaveRemove", "u", 0)
        assert web.call("HasManagedSaveImage", "u", 0) is False
        web.create()
        assert web.state == (RUNNING, 1)
        web.destroy()

    def test_undefine(self, client, web):
        web.create()
        web.call("ManagedSave", "u", 0)
        with pytest.raises(BusError, match="MANAGED_SAVE"):
            web.undefine()
        web.undefine(UNDEFINE_MANAGED_SAVE)
        assert list_machines(client) == []

    def test_a_damaged_file_is_told_and_kept(self, web, root_dir):
        web.create()
        web.call("ManagedSave", "u", 0)
        (path,) = root_dir.rglob("save/memory")
        whole = path.read_bytes()
        path.write_bytes(whole[:4096] + b"x" + whole[4097:])
        with pytest.raises(BusError, match="damaged.*|FORCE_BOOT"):
            web.create()
        assert web.state[0] == SHUTOFF
        path.write_bytes(whole)
        web.create()
        web.destroy()

    def test_how_it_is_read(self, web):
        web.create()
        web.call("ManagedSave", "u", 0)
        for flag in (START_BYPASS_CACHE, START_RESET_NVRAM):
            with pytest.raises(BusError, match=f"saved memory.*{flag}.*not supported"):
                web.create(flag)
        assert web.call("HasManagedSaveImage", "u", 0) is True
        web.create(START_BYPASS_CACHE | START_RESET_NVRAM | FORCE_BOOT)
        assert web.state == (RUNNING, 1)
        web.destroy()

    def test_memory_that_is_older_than_the_run_is_not_kept(self, daemon, web, root_dir):
        web.create()
        web.call("ManagedSave", "u", 0)
        (path,) = root_dir.rglob("save/memory")
        old = path.read_bytes()
        web.create()
        daemon.kill()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(old)
        daemon.start()
        wait_for(lambda: not web.call("HasManagedSaveImage", "u", 0), 10, "the file to go")
        assert not path.exists()
        assert web.state[0] == RUNNING
        web.destroy()

    def test_one_that_does_not_run(self, web):
        with pytest.raises(BusError, match="not running"):
            web.call("ManagedSave", "u", 0)
        web.create()
        for flags in (SAVE_RUNNING | SAVE_PAUSED, 64):
            with pytest.raises(BusError):
                web.call("ManagedSave", "u", flags)
        with pytest.raises(BusError, match="BYPASS_CACHE"):
            web.call("ManagedSave", "u", BYPASS_CACHE)
        assert web.state[0] == RUNNING
        web.destroy()


class TestFiles:
    def test_save_and_restore(self, client, web, events, root_dir):
        path = root_dir / "web.saved"
        web.create()
        web.call("Save", "ssu", str(path), "", 0)
        events.wait(web, STOPPED, STOPPED_SAVED)
        assert [p.name for p in root_dir.glob("web.saved*")] == ["web.saved"]
        xml = client.call(QEMU, CONNECT, "DomainSaveImageGetXMLDesc", "su", str(path), 0)
        assert f"<uuid>{web.uuid}</uuid>" in xml
        for flags in (BYPASS_CACHE, RESET_NVRAM):
            with pytest.raises(BusError, match="not supported"):
                restore(client, path, flags=flags)
        restore(client, path)
        events.wait(web, STARTED, STARTED_RESTORED)
        web.destroy()
        titled = xml.replace("<title>", "").replace("</uuid>", "</uuid><title>again</title>")
        client.call(QEMU, CONNECT, "DomainSaveImageDefineXML", "ssu", str(path), titled, SAVE_PAUSED)
        restore(client, path)
        assert web.state[0] == PAUSED
        assert web.tree().findtext("title") == "again"
        web.destroy()
        with pytest.raises(BusError, match="guest would see"):
            client.call(QEMU, CONNECT, "DomainSaveImageDefineXML", "ssu", str(path),
                        xml.replace("32768</memory>", "65536</memory>"), 0)

    def test_an_undefined_one_comes_back_until_it_stops(self, client, web, root_dir):
        path = root_dir / "web.saved"
        web.create()
        web.call("Save", "ssu", str(path), "", 0)
        web.undefine()
        restore(client, path)
        assert list_machines(client) == [web.path]
        assert web.get("Persistent") is False
        web.destroy()
        assert list_machines(client) == []

    def test_no_other_file_is_overwritten(self, web, root_dir):
        path = root_dir / "precious"
        path.write_text("precious")
        web.create()
        with pytest.raises(BusError, match="precious"):
            web.call("Save", "ssu", str(path), "", 0)
        assert path.read_text() == "precious"
        assert web.state[0] == RUNNING
        web.destroy()

    @pytest.mark.parametrize("content", [b"", b"virtbus saved machine\n", b"x" * 9000])
    def test_what_is_no_saved_machine(self, client, root_dir, content):
        path = root_dir / "odd"
        path.write_bytes(content)
        for call in (lambda: restore(client, path),
                     lambda: client.call(QEMU, CONNECT, "DomainSaveImageGetXMLDesc", "su", str(path), 0)):
            with pytest.raises(BusError):
                call()
        assert list_machines(client) == []

    def test_it_ends_before_it_is_saved(self, daemon, web, root_dir):
        path = root_dir / "web.saved"
        web.create()
        pid = pid_of(daemon, web)
        with daemon.traced("-e", "trace=open,openat,openat2", "-e", "inject=open,openat,openat2:delay_enter=200000"):
            pending = web.begin("Save", "ssu", str(path), "", 0)
            web.client.ping()  # it looks at what is there
            os.kill(pid, signal.SIGKILL)
            with pytest.raises(BusError, match="is not running"):
                pending.result()
        assert web.state[0] == SHUTOFF and not path.exists()

    def test_a_save_that_fails_leaves_the_guest_running(self, web):
        web.create()
        with pytest.raises(BusError):
            web.call("Save", "ssu", "/nowhere/at/all", "", 0)
        with pytest.raises(BusError, match="absolute"):
            web.call("Save", "ssu", "here", "", 0)
        assert web.state[0] == RUNNING
        web.destroy()


class TestNextDaemon:
    """What it makes of a file that the last one wrote the memory to."""

    def writes(self, root_dir, part, point, path=None):
        (status,) = root_dir.rglob("status.xml")
        names = f"path='{path}' part='{part}' " if path else ""
        file = part.stat()
        status.write_text(status.read_text().replace(
            "</status>", f"<memory-file point='{point}' running='no' ends='yes' device='{file.st_dev}' inode='{file.st_ino}' "
            f"{names}/></status>"))

    @pytest.fixture
    def saved(self, web, root_dir):
        """What a file of the machine's memory has in it, and the managed one's path."""
        web.create()
        web.call("ManagedSave", "u", 0)
        (path,) = root_dir.rglob("save/memory")
        content = path.read_bytes()
        web.call("ManagedSaveRemove", "u", 0)
        path.parent.mkdir(parents=True, exist_ok=True)
        return content, path

    @pytest.fixture
    def ending(self, daemon, client, web, root_dir, saved):
        """The machine, of which all is saved, is told to end and does not at once; as `saved`."""
        content, path = saved
        define(client, definition("web", domain_uuid=web.uuid, emulator=FakeQemu(root_dir / "fake", "deaf SIGTERM").path))
        web.create()
        daemon.kill()
        path.write_bytes(content)
        self.writes(root_dir, path, "whole")
        daemon.start()
        wait_for(lambda: "the memory of machine web is saved" in daemon.read_log(), 10, "the end to begin")
        return content, path

    def test_it_ends_while_the_machine_does(self, daemon, web, ending):
        """What was saved is all that will be left."""
        content, path = ending
        assert daemon.stop() == 0 and path.read_bytes() == content
        daemon.start()
        wait_for(lambda: web.state == (SHUTOFF, SHUTOFF_SAVED), 20, "the end")
        assert web.call("HasManagedSaveImage", "u", 0) is True and path.read_bytes() == content

    def test_what_fails_later_does_not_give_it_up(self, web, ending):
        """The end of the machine that was saved is left to somebody else; a call that fails has its own to give up."""
        content, path = ending
        web.destroy()
        assert web.state[0] == SHUTOFF
        with pytest.raises(BusError, match="no disk"):
            web.call("SnapshotCreateXML", "su", "<domainsnapshot/>", 0)
        assert web.call("HasManagedSaveImage", "u", 0) is True and path.read_bytes() == content

    def test_a_whole_file_stays_whatever_comes(self, daemon, web, root_dir, saved):
        part, path = root_dir / "web.saved.part", root_dir / "web.saved"
        part.write_bytes(saved[0])
        (path / "in the way").mkdir(parents=True)
        web.create()
        pid = pid_of(daemon, web)
        daemon.kill()
        self.writes(root_dir, part, "whole", path)
        os.kill(pid, signal.SIGKILL)
        daemon.start()
        wait_for(lambda: web.state[0] == SHUTOFF, 10, "the end")
        assert part.read_bytes() == saved[0] and f"is left in {part}" in daemon.read_log()

    def test_a_run_that_ends_while_it_is_taken_back(self, daemon, web, root_dir):
        part = root_dir / "web.saved.part"
        web.create()
        pid = pid_of(daemon, web)
        daemon.kill()
        part.write_bytes(b"not all")
        self.writes(root_dir, part, "part", root_dir / "web.saved")
        os.kill(pid, signal.SIGSTOP)
        daemon.start()
        assert web.state[0] == RUNNING
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: web.state[0] == SHUTOFF and not part.exists(), 20, "the end")
        web.create()
        (status,) = root_dir.rglob("status.xml")
        assert "memory-file" not in status.read_text()
        web.destroy()

    def test_what_no_run_tells_of(self, daemon, web, root_dir, saved):
        content, path = saved
        part = path.with_suffix(".part")
        for content, stays in ((content, True), (content[:20], False), (b"", False)):
            daemon.kill()
            part.write_bytes(content)
            daemon.start()
            wait_for(lambda: f"is left in {part}" in daemon.read_log() if stays else not part.exists(), 10, "the sweep")  # noqa: B023
            assert part.exists() == stays and not web.call("HasManagedSaveImage", "u", 0)

    def test_what_no_run_tells_of_stays_when_memory_is_saved_again(self, web, saved):
        content, path = saved
        part = path.with_suffix(".part")
        part.write_bytes(content)
        web.create()
        with pytest.raises(BusError, match="left in save/memory.part: it is all there"):
            web.call("ManagedSave", "u", 0)
        assert part.read_bytes() == content and web.state[0] == RUNNING and not path.exists()
        web.call("ManagedSaveRemove", "u", 0)
        assert not part.exists()
        path.parent.mkdir(parents=True)
        part.write_bytes(content[:20])
        web.call("ManagedSave", "u", 0)
        assert not part.exists() and path.exists() and web.state == (SHUTOFF, SHUTOFF_SAVED)


class TestDump:
    def test_memory_only(self, web, root_dir):
        web.create()
        web.call("CoreDump", "suu", str(root_dir / "core"), 0, MEMORY_ONLY)
        assert (root_dir / "core").read_bytes()[:4] == b"\x7fELF"
        assert web.state[0] == RUNNING
        with pytest.raises(BusError, match="already"):
            web.call("CoreDump", "suu", str(root_dir / "core"), 0, MEMORY_ONLY)
        web.call("CoreDump", "suu", str(root_dir / "all"), 0, DUMP_LIVE)
        assert (root_dir / "all").stat().st_size > 100000
        assert web.state[0] == RUNNING
        web.call("CoreDump", "suu", str(root_dir / "last"), 0, MEMORY_ONLY | DUMP_CRASH)
        assert web.state == (SHUTOFF, 3)

    def test_qemu_dies_meanwhile(self, daemon, client, root_dir):
        """What waits for QEMU hears of its end, also when its process and its monitor go at the same time."""
        core, web = root_dir / "core", define(client, definition("web", memory_kib=4 << 20))
        web.create()
        pid = pid_of(daemon, web)
        for _ in range(20):
            call = client.begin(web.path, DOMAIN, "CoreDump", "suu", str(core), ZLIB, MEMORY_ONLY)
            wait_for(lambda: call.done or web.call("GetJobInfo")[4], 20, "some of the memory")
            os.kill(pid, signal.SIGSTOP)
            _ = web.state  # an answer to the call would have come before
            if not call.done:
                break
            os.kill(pid, signal.SIGCONT)
            core.unlink()
        os.kill(daemon.process.pid, signal.SIGSTOP)
        try:
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda: ") Z " in pathlib.Path(f"/proc/{pid}/stat").read_text(), 20, "its end")
        finally:
            os.kill(daemon.process.pid, signal.SIGCONT)
        wait_for(lambda: call.done, 20, "the answer")
        assert call.error and web.state[0] == SHUTOFF and not core.exists()

    def test_jobs(self, web):
        web.create()
        assert web.call("GetJobInfo") == (0,) * 12
        assert web.call("GetJobStats", "u", 0) == (0, {})
        with pytest.raises(BusError, match="transfer"):
            web.call("AbortJob")
        web.destroy()
