"""Nothing is lost: the daemon is killed at any moment and comes back with every definition and every machine."""

import contextlib
import os
import pathlib
import random
import signal
import subprocess
import time

import pytest

from daemon import process_start_time
from harness import SCALE, BusError, TimeoutExpired, wait_for
from machines import (
    NATIVE, PAUSED, RUNNING, SHUTOFF, STARTED, STARTED_BOOTED, STOPPED, STOPPED_DESTROYED, STOPPED_FAILED,
    STOPPED_SHUTDOWN, FakeQemu, Lifecycle, Machine, create_transient, define, definition, list_machines, path_of, pid_of)


@pytest.fixture
def web(client):
    return define(client, definition("web"))


def questioned(daemon):
    """The QEMUs that the daemon asks what they can do: pid → start time."""
    found = {}
    for pid in pathlib.Path(f"/proc/{daemon.process.pid}/task/{daemon.process.pid}/children").read_text("ascii").split():
        with contextlib.suppress(OSError):
            if b"none,accel" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                found[int(pid)] = process_start_time(int(pid))
    return found


@pytest.mark.qemu
def test_questioned_qemus_do_not_outlive_the_daemon(make_daemon, session_bus):
    daemon = make_daemon(session_bus)
    probes = wait_for(lambda: questioned(daemon), 10, "the daemon to ask a QEMU")
    daemon.kill()
    wait_for(lambda: all(process_start_time(pid) != started for pid, started in probes.items()), 5, "them to end")
    daemon.start()


@pytest.mark.qemu
class TestMachinesOutliveTheDaemon:
    def test_killed(self, daemon, client, web):
        web.create()
        pid, started = pid_of(daemon, web), process_start_time(pid_of(daemon, web))
        number, xml = web.get("Id"), web.xml()
        daemon.restart()
        assert web.state[0] == RUNNING
        assert web.get("Id") == number
        assert web.xml() == xml
        assert process_start_time(pid) == started
        assert list(daemon.machines()) == [pid]

    def test_ended(self, daemon, client, web):
        web.create()
        pid = pid_of(daemon, web)
        daemon.restart(by_kill=False)
        assert web.state[0] == RUNNING
        assert pid_of(daemon, web) == pid

    def test_it_can_be_worked_with_afterwards(self, daemon, client, web):
        web.create()
        daemon.restart()
        events = Lifecycle(client)
        web.suspend()
        assert web.state[0] == PAUSED
        daemon.restart()
        assert web.state[0] == PAUSED
        web.resume()
        web.destroy()
        events.wait(web, STOPPED, STOPPED_DESTROYED)
        assert web.state[0] == SHUTOFF
        assert daemon.machines() == {}

    def test_transient(self, daemon, client):
        machine = create_transient(client, definition("short"))
        daemon.restart()
        assert machine.state[0] == RUNNING
        assert machine.get("Persistent") is False
        machine.destroy()
        assert list_machines(client) == []

    def test_started_at_stays(self, daemon, web):
        web.create()
        before = web.get("StartedAt", NATIVE)
        assert before > 0
        daemon.restart()
        assert web.get("StartedAt", NATIVE) == before

    def test_updated_stays(self, daemon, client, web):
        web.create()
        define(client, definition("web", domain_uuid=web.uuid, memory_kib=65536))
        daemon.restart()
        assert web.get("Updated") is True
        assert web.tree().findtext("memory") == "32768"
        assert web.tree(2).findtext("memory") == "65536"

    def test_machine_that_ended_meanwhile(self, daemon, client, web):
        web.create()
        pid = pid_of(daemon, web)
        daemon.kill()
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: process_start_time(pid) is None or pid not in daemon.machines())
        daemon.start()
        wait_for(lambda: web.state[0] == SHUTOFF)
        web.create()
        assert web.state[0] == RUNNING

    def test_event_of_a_machine_that_ended_meanwhile(self, daemon, client, web):
        events = Lifecycle(client)
        web.create()
        pid = pid_of(daemon, web)
        daemon.kill()
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: pid not in daemon.machines())
        daemon.start()
        events.recorder.wait(lambda s: s.values[:2] == (web.path, STOPPED), what="the machine's end to be announced")
        assert web.state[0] == SHUTOFF

    def test_stopped_process_does_not_hold_the_start_up(self, daemon, client, web):
        """A QEMU that does not answer is known, and everything else works."""
        web.create()
        pid = pid_of(daemon, web)
        other = define(client, definition("other"))
        other.create()
        daemon.kill()
        os.kill(pid, signal.SIGSTOP)
        try:
            daemon.start(timeout=5)
            assert other.state[0] == RUNNING
            other.suspend()
            assert set(list_machines(client)) == {web.path, other.path}
        finally:
            os.kill(pid, signal.SIGCONT)
        wait_for(lambda: web.state[0] == RUNNING, 10)
        web.destroy()

    def test_pid_of_another_process_is_not_taken(self, daemon, client, web):
        """What has the pid of a machine that is gone is left alone."""
        web.create()
        pid = pid_of(daemon, web)
        daemon.kill()
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: pid not in daemon.machines())
        child = os.fork()
        if child == 0:
            signal.pause()
            os._exit(0)
        try:
            changed = 0
            for path in daemon.root.rglob("*"):
                if path.is_file() and path.suffix != ".log":
                    data = path.read_bytes()
                    if str(pid).encode() in data:
                        path.write_bytes(data.replace(str(pid).encode(), str(child).encode()))
                        changed += 1
            daemon.start()
            wait_for(lambda: web.state[0] == SHUTOFF)
            assert process_start_time(child) is not None
            assert changed > 0
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)

    def test_twenty(self, daemon, client):
        machines = [define(client, definition(f"m{i}", memory_kib=16384)) for i in range(20)]
        for pending in [m.begin("Create", "u", 0) for m in machines]:
            pending.result(120)
        pids = set(daemon.machines())
        daemon.restart()
        wait_for(lambda: all(m.state[0] == RUNNING for m in machines), 20)
        assert set(daemon.machines()) == pids


@pytest.mark.qemu
class TestRunOfWhichNothingIsKnown:
    """Its status cannot be read: the process is left alone, and nothing is done that would harm it."""

    def lose(self, daemon):
        daemon.kill()
        (status,) = daemon.root.rglob("status.xml")
        status.write_text("<status", encoding="utf-8")
        daemon.start()
        (pid,) = daemon.machines()
        return pid

    def refused(self, pid, call, *arguments, **options):
        with pytest.raises(BusError, match=f"Process {pid} is an earlier run"):
            call(*arguments, **options)
        assert process_start_time(pid) is not None

    def end(self, daemon, pid):
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: daemon.machines() == {}, 10, "the process to end")

    def test_of_a_machine_that_is_defined(self, daemon, client, web):
        web.create()
        pid = self.lose(daemon)
        assert web.state[0] == SHUTOFF
        self.refused(pid, web.create)
        self.refused(pid, web.undefine)
        self.refused(pid, web.call, "PlanUndefine", "a{sv}", {}, interface=NATIVE)
        assert list_machines(client) == [web.path]
        self.end(daemon, pid)
        web.create()
        web.destroy()
        web.undefine()

    def test_of_one_that_was_transient(self, daemon, client):
        xml = definition("short", domain_uuid="00000000-0000-4000-8000-000000000001")
        create_transient(client, xml)
        pid = self.lose(daemon)
        assert list_machines(client) == []
        self.refused(pid, create_transient, client, xml)
        again = define(client, xml)
        self.refused(pid, again.create)
        self.refused(pid, again.undefine)
        self.end(daemon, pid)
        again.create()
        again.destroy()

    def test_what_it_may_have_of_the_host_is_nobodys_until_it_ends(self, daemon, web):
        """Whatever device a note tells of: it may be its. One that is not there is back at once, where it goes back."""
        web.create()
        (folder,) = daemon.root.rglob("domain-*")
        note = folder.parent / "given-0000:ff:1f.7"
        note.write_text("managed")
        pid = self.lose(daemon)
        other = define(daemon.client(), definition("other"))
        other.create()
        other.destroy()
        assert note.exists()
        self.end(daemon, pid)
        wait_for(lambda: not note.exists(), 20)

    @pytest.mark.skipif(not os.environ.get("VIRTBUS_NAMESPACE"), reason="only inside tests/bus/run, started as root")
    def test_its_device_on_one_of_the_host_goes_when_it_ends(self, daemon, client):
        subprocess.run(["ip", "link", "add", "lower", "type", "bridge"], check=True)
        try:
            direct = "<interface type='direct'><source dev='lower' mode='bridge'/></interface>"
            web = define(client, definition("web", direct))
            web.create()
            device = pathlib.Path("/sys/class/net", web.tree().find("devices/interface/target").get("dev"))
            pid = self.lose(daemon)
            other = define(client, definition("other", direct))
            other.create()
            assert device.exists()
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda: not device.exists(), 20)
            other.destroy()
        finally:
            subprocess.run(["ip", "link", "del", "lower"], check=True)


class TestKilledAtAnyMoment:
    """The daemon dies at a random moment of a series of calls; what was answered has happened, and the rest has
    happened wholly or not at all."""

    @pytest.mark.parametrize("seed", range(8))
    def test_definitions(self, daemon, client, seed):
        chance = random.Random(seed)
        answered = {}
        pending = {i: client.begin("/org/libvirt/QEMU", "org.libvirt.Connect", "DomainDefineXML", "s",
                                   definition(f"m{i}", domain_uuid=f"00000000-0000-4000-8000-{i:012d}"))
                   for i in range(60)}
        stop_after = chance.randrange(1, 55)
        wait_for(lambda: sum(p.done for p in pending.values()) >= stop_after)
        daemon.kill()
        for i, entry in pending.items():
            wait_for(lambda entry=entry: entry.done, 10)
            if entry.error is None:
                answered[i] = entry.reply.value
        daemon.start()
        found = set(list_machines(client))
        assert set(answered.values()) <= found
        assert found <= {path_of(f"00000000-0000-4000-8000-{i:012d}") for i in pending}
        for path in found:
            assert Machine(client, path).tree().findtext("memory") == "32768"
        assert [p for p in daemon.root.rglob("*.tmp*")] == []

    @pytest.mark.parametrize("seed", range(8))
    def test_redefinitions(self, daemon, client, web, seed):
        """The old definition or the new one, never a mixture and never none."""
        chance = random.Random(seed)
        pending = [client.begin("/org/libvirt/QEMU", "org.libvirt.Connect", "DomainDefineXML", "s",
                                definition("web", domain_uuid=web.uuid, memory_kib=4096 * (i + 1), vcpus=i % 4 + 1))
                   for i in range(40)]
        stop_after = chance.randrange(1, 38)
        wait_for(lambda: sum(p.done for p in pending) >= stop_after)
        daemon.kill()
        daemon.start()
        tree = web.tree()
        step = int(tree.findtext("memory")) // 4096 - 1
        assert step >= stop_after - 1
        assert tree.findtext("vcpu") == str(step % 4 + 1)

    @pytest.mark.qemu
    @pytest.mark.parametrize("delay_ms", [0, 2, 5, 10, 20, 30, 40, 60, 90])
    def test_start(self, daemon, client, web, delay_ms):
        """Killed this long after the call to start came: afterwards it runs or it does not, and nothing is left."""
        web.begin("Create", "u", 0)
        deadline = time.monotonic() + delay_ms / 1000
        client.connection.flush_sync(None)
        wait_for(lambda: time.monotonic() >= deadline)
        daemon.kill()
        daemon.start()
        wait_for(lambda: (web.state[0] == RUNNING) == bool(daemon.machines()), 10,
                 "the machine's state to be that of its process")
        if web.state[0] == SHUTOFF:
            web.create()
        assert web.state[0] == RUNNING
        assert len(daemon.machines()) == 1
        web.destroy()
        wait_for(lambda: daemon.machines() == {})

    @pytest.mark.qemu
    @pytest.mark.parametrize("delay_ms", [0, 2, 5, 10, 20, 40])
    def test_destroy(self, daemon, client, web, delay_ms):
        web.create()
        web.begin("Destroy", "u", 0)
        client.connection.flush_sync(None)
        deadline = time.monotonic() + delay_ms / 1000
        wait_for(lambda: time.monotonic() >= deadline)
        daemon.kill()
        daemon.start()
        wait_for(lambda: (web.state[0] == RUNNING) == bool(daemon.machines()), 10)
        if web.state[0] == RUNNING:
            web.destroy()
        assert web.state[0] == SHUTOFF
        assert daemon.machines() == {}

    def test_start_that_hangs(self, daemon, client, root_dir):
        """Killed while a QEMU's monitor has not answered: no orphan is left, and no job."""
        fake = FakeQemu(root_dir / "fake", "hang")
        machine = define(client, definition("web", emulator=fake.path))
        machine.begin("Create", "u", 0)
        wait_for(lambda: fake.runs(), 10)
        daemon.kill()
        daemon.start()
        wait_for(lambda: daemon.machines() == {}, 20, "the half started process to be gone")
        assert machine.state[0] == SHUTOFF
        fake.tricks("")
        machine.create()
        assert machine.state[0] == RUNNING


class TestFilesGoneBad:
    def files_of(self, daemon, name):
        found = [p for p in daemon.root.rglob("*") if p.is_file() and p.suffix != ".log"
                 and name.encode() in p.read_bytes()]
        assert found
        return found

    def test_a_broken_definition_does_not_hide_the_others(self, daemon, client, web):
        other = define(client, definition("other"))
        daemon.stop()
        for path in self.files_of(daemon, "<name>web</name>"):
            path.write_text("<domain><name>web</na", encoding="utf-8")
        daemon.start()
        assert list_machines(client) == [other.path]
        assert "web" in daemon.read_log() or web.uuid in daemon.read_log()

    def test_unfinished_temporary_files_are_nothing(self, daemon, client, web):
        daemon.stop()
        for path in self.files_of(daemon, "<name>web</name>"):
            for name in (".tmp", ".new", "~"):
                pathlib.Path(f"{path}{name}").write_text("<domain><name>half", encoding="utf-8")
        daemon.start()
        assert list_machines(client) == [web.path]

    def test_a_full_disk(self, session_bus, make_daemon, scratch):
        """A definition that cannot be written is refused, and the old one stays."""
        if os.getuid() != 0 or not os.environ.get("VIRTBUS_NAMESPACE"):
            pytest.skip("needs a file system of its own (tests/bus/run as root)")
        import subprocess

        root = scratch / "full"
        root.mkdir(mode=0o755)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=0755", "tmpfs", root], check=True)
        try:
            daemon = make_daemon(session_bus, root=root)
            client = daemon.client()
            web = define(client, definition("web"))
            before = web.xml()
            with open(root / "filler", "wb", buffering=0) as f, pytest.raises(OSError):
                while True:
                    f.write(b"x" * 4096)
            with pytest.raises(BusError) as e:
                define(client, definition("web", domain_uuid=web.uuid, extra=f"<description>{'d' * 50000}"
                                                                             "</description>"))
            assert "space" in e.value.message.lower()
            with pytest.raises(BusError):
                define(client, definition("other", extra=f"<description>{'d' * 50000}</description>"))
            assert web.xml() == before
            (root / "filler").unlink()
            daemon.restart()
            assert web.xml() == before
            assert list_machines(client) == [web.path]
            daemon.finish()
        finally:
            subprocess.run(["umount", "--lazy", root], check=True)


class TestEndsFromOutside:
    """What a guest does, and what is done to its process, is announced at once and with its reason."""

    def end(self, client, root_dir, tricks, event, detail, on_crash=None):
        fake = FakeQemu(root_dir / "fake", tricks)
        devices = "<panic model='isa'/>" if on_crash else ""
        machine = define(client, definition("web", devices, emulator=fake.path, on_crash=on_crash))
        events = Lifecycle(client)
        machine.create()
        events.wait(machine, STARTED, STARTED_BOOTED)
        events.wait(machine, event, detail)
        return machine

    def test_guest_powers_off(self, client, root_dir):
        machine = self.end(client, root_dir, "poweroff 0.1", STOPPED, STOPPED_SHUTDOWN)
        assert machine.state == (SHUTOFF, 1)

    def test_guest_hears_the_power_button(self, client, root_dir):
        fake = FakeQemu(root_dir / "fake")
        machine = define(client, definition("web", emulator=fake.path))
        events = Lifecycle(client)
        machine.create()
        machine.shutdown()
        events.wait(machine, STOPPED, STOPPED_SHUTDOWN)
        assert machine.state == (SHUTOFF, 1)

    def test_process_dies(self, client, root_dir):
        fake = FakeQemu(root_dir / "fake", "die stop")
        machine = define(client, definition("web", emulator=fake.path))
        events = Lifecycle(client)
        machine.create()
        with pytest.raises(BusError):
            machine.suspend()
        events.wait(machine, STOPPED, STOPPED_FAILED)
        assert machine.state == (SHUTOFF, 3)

    @pytest.mark.qemu
    def test_a_kill_is_announced_within_20_ms(self, daemon, client, web):
        """The median of some, as the machine of the tests has other things to do as well."""
        events, took = Lifecycle(client), []
        for _ in range(7):
            web.create()
            pid = pid_of(daemon, web)
            events.clear()
            killed = time.monotonic()
            os.kill(pid, signal.SIGKILL)
            took.append(events.wait(web, STOPPED, STOPPED_FAILED).arrived - killed)
        assert sorted(took)[3] < 0.02 * SCALE, took

    def test_nothing_is_announced_twice(self, daemon, client, root_dir):
        fake = FakeQemu(root_dir / "fake", "poweroff 0.05")
        machine = define(client, definition("web", emulator=fake.path))
        events = Lifecycle(client)
        machine.create()
        events.wait(machine, STOPPED, STOPPED_SHUTDOWN)
        with pytest.raises(TimeoutExpired):
            events.wait(machine, STOPPED, STOPPED_FAILED, timeout=0.3 / SCALE)
        assert [e for e in events.of(machine) if e[0] == STOPPED] == []
