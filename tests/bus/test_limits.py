"""What the host grants: pins, schedulers, shares of processors and memory."""

import os
import pathlib
import resource

import pytest
from gi.repository import GLib

from harness import BusError, wait_for
from machines import AFFECT_CONFIG, AFFECT_LIVE, SHUTOFF, XML_INACTIVE, FakeQemu, define, definition, pid_of

GROUPS = pathlib.Path("/sys/fs/cgroup")
V1 = not (GROUPS / "cgroup.controllers").exists()


def can_make_groups():
    folder = GROUPS / ("cpu/virtbus-probe" if V1 else "virtbus-probe")
    try:
        folder.mkdir()
        folder.rmdir()
        return True
    except OSError:
        return False


needs_groups = pytest.mark.skipif(not V1 or not can_make_groups(), reason="needs control groups of version 1")


def cputune(inner):
    return f"<cputune>{inner}</cputune>"


def group(machine, controller):
    return GROUPS / controller / "virtbus" / f"domain-{machine.uuid}"


def refused(call, *arguments, words=""):
    with pytest.raises(BusError) as e:
        call(*arguments)
    assert words in e.value.message, e.value.message


def threads(pid):
    """Name to tid; QEMU names its threads."""
    return {(task / "comm").read_text().strip(): int(task.name) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()}


@pytest.mark.qemu
class TestThreads:
    def test_pins_and_schedulers(self, daemon, client):
        last = max(os.sched_getaffinity(0))
        machine = define(client, definition("web", vcpus=1, extra="<iothreads>1</iothreads>" + cputune(
            f"<vcpupin vcpu='0' cpuset='{last}'/><emulatorpin cpuset='0'/><iothreadpin iothread='1' cpuset='{last}'/>"
            "<vcpusched vcpus='0' scheduler='batch'/>")))
        machine.create()
        pid = pid_of(daemon, machine)
        tids = threads(pid)
        vcpu = next(tid for name, tid in tids.items() if name.startswith(("CPU 0", "ALL CPUs")))
        assert os.sched_getaffinity(vcpu) == {last}
        assert os.sched_getscheduler(vcpu) == os.SCHED_BATCH
        assert os.sched_getaffinity(tids["IO iothread1"]) == {last}
        assert os.sched_getaffinity(pid) == {0}
        machine.destroy()

    def test_processors_that_are_not_there(self, client):
        machine = define(client, definition("web").replace("<vcpu>", "<vcpu cpuset='999'>"))
        refused(machine.create, words="This host has none of the processors '999'")
        assert machine.state[0] == SHUTOFF

    def test_what_is_not_done_is_said(self, client):
        machine = define(client, definition("web").replace("<vcpu>", "<vcpu placement='auto'>"))
        refused(machine.create, words="placement='auto'")


@pytest.mark.qemu
@needs_groups
class TestGroups:
    def test_shares_quotas_and_memory(self, daemon, client):
        extra = ("<memtune><hard_limit unit='MiB'>2000</hard_limit></memtune>" + cputune(
            "<shares>512</shares><period>50000</period><quota>25000</quota><global_period>100000</global_period>"
            "<global_quota>90000</global_quota>"))
        machine = define(client, definition("web", extra=extra))
        machine.create()
        cpu = group(machine, "cpu")
        assert (cpu / "cpu.shares").read_text().strip() == "512"
        assert (cpu / "cpu.cfs_quota_us").read_text().strip() == "90000"
        assert (cpu / "vcpu0/cpu.cfs_quota_us").read_text().strip() == "25000"
        assert (cpu / "vcpu0/tasks").read_text().strip()
        memory = group(machine, "memory")
        assert (memory / "memory.limit_in_bytes").read_text().strip() == str(2000 << 20)
        assert str(pid_of(daemon, machine)) in (memory / "cgroup.procs").read_text().split()
        machine.destroy()
        wait_for(lambda: not cpu.exists() and not memory.exists())

    def test_they_are_removed_by_the_next_daemon(self, daemon, client):
        machine = define(client, definition("web", extra=cputune("<shares>512</shares>")))
        machine.create()
        cpu = group(machine, "cpu")
        pid = pid_of(daemon, machine)
        daemon.kill()
        os.kill(pid, 9)
        daemon.start()
        wait_for(lambda: machine.state[0] == SHUTOFF)
        assert not cpu.exists()

    def test_a_value_that_the_kernel_refuses(self, client):
        machine = define(client, definition("web", extra="<blkiotune><device><path>/dev/null</path>"
                                                         "<read_bytes_sec>1</read_bytes_sec></device></blkiotune>"))
        refused(machine.create, words="/dev/null is no block device")
        assert not group(machine, "blkio").exists()


def set_parameters(machine, kind, flags, **values):
    machine.call(f"Set{kind}Parameters", "a{sv}u", {k: GLib.Variant(*v) for k, v in values.items()}, flags)


@pytest.mark.qemu
@needs_groups
class TestLive:
    def test_processors(self, daemon, client):
        machine = define(client, definition("web"))
        machine.create()
        set_parameters(machine, "Scheduler", AFFECT_LIVE, cpu_shares=("t", 512), vcpu_period=("t", 50000),
                       vcpu_quota=("x", 25000), global_quota=("x", 90000))
        cpu = group(machine, "cpu")
        assert str(pid_of(daemon, machine)) in (cpu / "cgroup.procs").read_text().split()
        assert (cpu / "cpu.shares").read_text() == "512\n" and (cpu / "cpu.cfs_quota_us").read_text() == "90000\n"
        assert (cpu / "vcpu0/cpu.cfs_quota_us").read_text() == "25000\n" and (cpu / "vcpu0/tasks").read_text()
        assert machine.tree().findtext("cputune/quota") == "25000"
        assert machine.tree(XML_INACTIVE).find("cputune") is None
        (cpu / "cpu.shares").write_text("256")  # what counts is what the kernel says
        found = machine.call("GetSchedulerParameters", "u", AFFECT_LIVE)
        assert (found["cpu_shares"], found["vcpu_quota"], found["global_quota"]) == (256, 25000, 90000)
        assert machine.call("GetSchedulerParameters", "u", AFFECT_CONFIG)["cpu_shares"] == 0

        daemon.kill()
        daemon.start()
        assert machine.tree().findtext("cputune/shares") == "512"
        set_parameters(machine, "Scheduler", AFFECT_LIVE | AFFECT_CONFIG, cpu_shares=("t", 0), vcpu_quota=("x", -1),
                       global_quota=("x", 0))
        assert (cpu / "cpu.shares").read_text() == "1024\n" and (cpu / "cpu.cfs_quota_us").read_text() == "-1\n"
        assert (cpu / "vcpu0/cpu.cfs_quota_us").read_text() == "-1\n"
        assert machine.tree(XML_INACTIVE).findtext("cputune/quota") == "-1"
        machine.destroy()
        wait_for(lambda: not cpu.exists())

    def test_memory(self, client):
        machine = define(client, definition("web", extra="<memtune><hard_limit unit='MiB'>2000</hard_limit></memtune>"))
        machine.create()
        limit = group(machine, "memory") / "memory.limit_in_bytes"
        set_parameters(machine, "Memory", AFFECT_LIVE, hard_limit=("t", 3 << 20), soft_limit=("t", 1 << 20))
        assert limit.read_text() == f"{3 << 30}\n"
        limit.write_text(str(2500 << 20))
        found = machine.call("GetMemoryParameters", "u", AFFECT_LIVE)
        assert (found["hard_limit"], found["soft_limit"]) == (2500 << 10, 1 << 20)
        assert machine.call("GetMemoryParameters", "u", AFFECT_CONFIG)["hard_limit"] == 2000 << 10
        set_parameters(machine, "Memory", 0, hard_limit=("t", 9007199254740991))
        assert int(limit.read_text()) > 1 << 60
        machine.destroy()

    def test_what_cannot_be_is_said_and_changes_nothing(self, client):
        machine = define(client, definition("web"))
        machine.create()
        before = machine.xml()
        for kind, values, words in (("Memory", {"hard_limit": ("t", 1 << 21)}, "started without limits of memory"),
                                    ("BlockIO", {"device_read_bytes_sec": ("s", "/dev/null,4096")}, "/dev/null is no block"),
                                    ("Numa", {"numa_nodeset": ("s", "0")}, "binds its memory"),
                                    ("Scheduler", {"cpu_shares": ("t", 1)}, "2 to")):
            with pytest.raises(BusError) as e:
                set_parameters(machine, kind, AFFECT_LIVE | AFFECT_CONFIG, **values)
            assert words in e.value.message, e.value.message
        assert machine.xml() == before and "tune" not in machine.xml(XML_INACTIVE)
        machine.destroy()


@pytest.mark.qemu
@pytest.mark.system
class TestRights:
    def test_nor_when_it_runs(self, system_daemon):
        machine = define(system_daemon.client("alice"), definition("web"))
        machine.create()
        with pytest.raises(BusError) as e:
            set_parameters(machine, "Scheduler", AFFECT_LIVE, cpu_shares=("t", 9999))
        assert "shared machines" in e.value.message
        machine.destroy()

    def test_a_user_has_no_shares_to_give(self, system_daemon):
        alice = system_daemon.client("alice")
        refused(define(alice, definition("web", extra=cputune("<shares>9999</shares>"))).create, words="shared machines")
        realtime = cputune("<vcpusched vcpus='0' scheduler='fifo' priority='1'/>")
        refused(define(alice, definition("other", extra=realtime)).create, words="Real-time")


LOCKED = "<memoryBacking><locked/></memoryBacking>"


def may_raise_limits():
    words = dict(line.split(":\t") for line in pathlib.Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
    return int(words["CapEff"], 16) >> 24 & 1


def locked_limit(pid):
    """Of memory, soft and hard."""
    line = next(line for line in pathlib.Path(f"/proc/{pid}/limits").read_text().splitlines() if line.startswith("Max locked memory"))
    return line.split()[3:5]


@pytest.mark.system
class TestLocked:
    """A QEMU that runs without rights needs to be allowed to lock its guest's memory."""

    def test_as_much_as_the_daemon_may_give(self, system_daemon, tmp_path):
        """By a fake, as QEMU itself is larger than what some hosts let anybody lock."""
        for folder in (tmp_path, *tmp_path.parents[:2]):
            folder.chmod(0o755)
        own = pathlib.Path(f"/proc/{system_daemon.process.pid}/limits")
        hard = locked_limit(own.parent.name)[1]
        resource.prlimit(system_daemon.process.pid, resource.RLIMIT_MEMLOCK, (65536, resource.prlimit(0, resource.RLIMIT_MEMLOCK)[1]))
        fake = FakeQemu(tmp_path / "bin")
        client = system_daemon.client()
        machine = define(client, definition("web", emulator=fake.path, memory_kib=4096, extra=LOCKED))
        machine.create()
        assert locked_limit(pid_of(system_daemon, machine)) == (["unlimited"] * 2 if may_raise_limits() else [hard] * 2)
        machine.destroy()
        define(client, machine.xml(XML_INACTIVE).replace("<locked/>", ""))
        machine.create()
        assert locked_limit(pid_of(system_daemon, machine))[0] == "65536"
        machine.destroy()

    @pytest.mark.qemu
    @pytest.mark.skipif(may_raise_limits(), reason="needs a host that lets root raise no limits")
    def test_more_than_it_may_give(self, system_daemon):
        machine = define(system_daemon.client(), definition("web", extra=LOCKED))
        refused(machine.create, words="32768 KiB of memory to lock")
        assert machine.state[0] == SHUTOFF
        assert system_daemon.machines() == {}

    @pytest.mark.qemu
    @pytest.mark.skipif(not may_raise_limits(), reason="needs the right to raise limits")
    def test_real(self, system_daemon):
        machine = define(system_daemon.client(), definition("web", extra=LOCKED))
        machine.create()
        assert locked_limit(pid_of(system_daemon, machine)) == ["unlimited"] * 2
        machine.destroy()

    def test_a_users_memory_can_be_had_back(self, system_daemon):
        machine = define(system_daemon.client("alice"), definition("web", extra=LOCKED))
        refused(machine.create, words="for shared machines")
        assert machine.state[0] == SHUTOFF


@pytest.mark.qemu
def test_a_session_of_root_has_no_limit(daemon, client):
    machine = define(client, definition("web", extra=LOCKED))
    machine.create()
    words = pathlib.Path(f"/proc/{pid_of(daemon, machine)}/status").read_text()
    assert int(words.split("VmLck:")[1].split()[0]) >= 32768
    machine.destroy()
