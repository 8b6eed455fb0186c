"""The daemon is killed while the memory of a machine goes to a file, before each of its steps and in the middle of the
transfer.  The next daemon has all of the file and no guest that stands still: it goes on, or it is saved."""

import contextlib
import os
import random
import signal

import pytest

from harness import wait_for
from machines import RUNNING, SHUTOFF, Monitor, definition, disk, pid_of
from machines import define as define_machine
from test_every_step import daemon, die_file, every_step  # noqa: F401: fixtures
from test_saved import DUMP_CRASH, MEMORY_ONLY, restore
from test_snapshots import HALT, LIVE, Snapshots, image  # noqa: F401: fixtures

pytestmark = [pytest.mark.qemu,
              pytest.mark.skipif(not os.environ.get("VIRTBUS_NAMESPACE"), reason="only inside tests/bus/run, started as root")]


@pytest.fixture
def daemon_environment():
    return {"DIE_MONITOR": "1"}


class Writing:
    """Something that writes the memory of a running machine to a file."""

    def __init__(self, client, root, machine, image):
        self.client, self.root, self.machine, self.image = client, root, machine, image
        self.number = 0

    def files(self):
        """All that there is beside the machine's image."""
        return sorted(p.name for folder in (self.root / "files", *self.root.rglob("save")) for p in folder.iterdir())

    def size(self):
        """Of the largest of them."""
        sizes = [0]
        for folder in (self.root / "files", *self.root.rglob("save")):
            for path in folder.iterdir():
                with contextlib.suppress(FileNotFoundError):  # it has another name by now
                    sizes.append(path.stat().st_size)
        return max(sizes)

    def begin(self):
        self.number += 1
        return self.start()

    @property
    def path(self):
        return self.root / "files/memory"

    def is_settled(self):
        """Nothing of it is left, and the machine runs."""
        return self.machine.state[0] == RUNNING and self.files() == []

    def again(self):
        """As it was before."""


class Save(Writing):
    def start(self):
        return self.machine.begin("Save", "ssu", str(self.path), "", 0)

    def is_settled(self):
        return super().is_settled() or (self.machine.state[0] == SHUTOFF and self.files() == ["memory"])

    def again(self):
        if self.machine.state[0] == SHUTOFF:
            restore(self.client, self.path)
            self.path.unlink()


class Managed(Writing):
    def start(self):
        return self.machine.begin("ManagedSave", "u", 0)

    def is_settled(self):
        has_it = self.machine.call("HasManagedSaveImage", "u", 0)
        return (super().is_settled() and not has_it) or (self.machine.state[0] == SHUTOFF and self.files() == ["memory"] and has_it)

    def again(self):
        if self.machine.state[0] == SHUTOFF:
            self.machine.create()


class Dump(Writing):
    flags = 0

    def start(self):
        return self.machine.begin("CoreDump", "suu", str(self.path), 0, self.flags)

    def is_settled(self):
        """Or all of it is there: a part has another name."""
        return super().is_settled() or (self.machine.state[0] == RUNNING and self.files() == ["memory"])

    def again(self):
        self.path.unlink(missing_ok=True)  # of the one that was not killed


class MemoryOnly(Dump):
    flags = MEMORY_ONLY


class Crash(Dump):
    flags = MEMORY_ONLY | DUMP_CRASH

    def is_settled(self):
        return super().is_settled() or (self.machine.state[0] == SHUTOFF and self.files() == ["memory"])

    def again(self):
        super().again()
        if self.machine.state[0] == SHUTOFF:
            self.machine.create()


class Snapshot(Writing):
    flags = 0

    @property
    def path(self):
        return self.root / f"files/memory-{self.number}"

    def start(self):
        over = self.image.with_suffix(f".{self.number}")
        return self.machine.begin(
            "SnapshotCreateXML", "su", f"<domainsnapshot><name>{self.number}</name><memory snapshot='external' file='{self.path}'/>"
            f"<disks><disk name='vda'><source file='{over}'/></disk></disks></domainsnapshot>", self.flags)

    def is_settled(self):
        taken = self.machine.names()
        return (self.machine.state[0] in (RUNNING, SHUTOFF if self.flags & HALT else RUNNING) and
                self.files() == sorted(f"memory-{name}" for name in taken) and
                self.machine.source() == str(self.image.with_suffix(f".{taken[-1]}") if taken else self.image))

    def again(self):
        if self.machine.state[0] == SHUTOFF:
            self.machine.create()


class LiveSnapshot(Snapshot):
    flags = LIVE


class HaltSnapshot(Snapshot):
    flags = HALT


@pytest.fixture
def writing(request, client, root_dir, image):  # noqa: F811
    (root_dir / "files").mkdir()
    machine = Snapshots(client, define_machine(client, definition("web", disk(image, driver="qcow2"))).path)
    machine.create()
    writing = request.param(client, root_dir, machine, image)
    yield writing
    if machine.state[0] == RUNNING:
        machine.destroy()


def settle(writing, daemon):  # noqa: F811
    writing.machine.call("GetIOThreadInfo", "u", 0)  # when it is its turn, the machine is taken back
    try:
        wait_for(writing.is_settled, 20)
    except AssertionError as error:
        raise AssertionError(f"{error}: {writing.machine.state}, {writing.files()}, {writing.machine.names()}, "
                             f"{writing.machine.source()}\n{daemon.read_log()[-8000:]}") from error


def really_runs(writing, daemon):  # noqa: F811
    if writing.machine.state[0] != RUNNING:
        return
    daemon.kill()
    monitor = Monitor(writing.root)
    assert monitor.ask("query-status")["status"] == "running"
    assert monitor.ask("query-migrate").get("status") not in ("setup", "active", "cancelling")
    monitor.close()
    daemon.start()


@pytest.mark.parametrize("writing", [Save, Managed, Dump, MemoryOnly, Crash, Snapshot, LiveSnapshot, HaltSnapshot], indirect=True)
def test_at_each_step(daemon, die_file, writing):  # noqa: F811
    def check():
        settle(writing, daemon)
        really_runs(writing, daemon)
    steps = every_step(daemon, die_file, writing.begin, check, writing.again)
    print(f"{type(writing).__name__}: {steps} steps")
    assert steps > 10


def fill_memory(pid, mib):
    """Gives the guest memory that cannot be written in no time."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps:
        ranges = [[int(x, 16) for x in line.split()[0].split("-")] for line in maps if " rw-" in line]
    start, end = max(ranges, key=lambda r: r[1] - r[0])
    noise = random.randbytes(1 << 20)
    with open(f"/proc/{pid}/mem", "r+b", buffering=0) as memory:
        for i in range(32, 32 + mib):
            assert start + (i + 1 << 20) <= end
            memory.seek(start + (i << 20))
            memory.write(noise)


def held_in_the_middle(writing, daemon):  # noqa: F811
    """The process id of a QEMU that stands still while it writes.  It may have been faster than this: then it is done again."""
    for _ in range(5):
        pid = pid_of(daemon, writing.machine)
        fill_memory(pid, 200)
        call = writing.begin()
        wait_for(lambda: call.done or writing.size() > 1 << 20, 20, "the file to grow")  # noqa: B023
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            _ = writing.machine.state  # an answer to the call would have come before
            if not call.done:
                return pid
            os.kill(pid, signal.SIGCONT)
        assert not call.error, call.error
        writing.again()
    raise AssertionError("QEMU is always done before it can be held")


@pytest.mark.parametrize("writing", [Save, Managed, Dump, MemoryOnly, Snapshot, LiveSnapshot], indirect=True)
def test_in_the_middle(daemon, client, writing):  # noqa: F811
    """QEMU is held while it writes, and writes on while there is no daemon."""
    machine = writing.machine
    machine.destroy()
    define_machine(client, machine.xml(2).replace("32768</memory>", "262144</memory>").replace("32768</currentMemory>", "262144</currentMemory>"))
    machine.create()
    pid = held_in_the_middle(writing, daemon)
    daemon.kill()
    os.kill(pid, signal.SIGCONT)
    daemon.start()
    settle(writing, daemon)
    really_runs(writing, daemon)
    writing.number -= 1
    call = writing.begin()
    wait_for(lambda: call.done, 60)
    assert not call.error, call.error
    if writing.machine.state[0] == RUNNING:
        really_runs(writing, daemon)
