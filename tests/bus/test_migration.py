"""What a transfer of a machine's memory may take: said, read, kept by QEMU and by the daemon."""

import contextlib

import pytest

from harness import BusError, wait_for
from machines import SECOND_MONITOR, FakeQemu, Machine, Monitor, define, definition, with_second_monitor

NO_LIMIT = (2**63 - 1) >> 20
POSTCOPY = 1
TEST = "/org/libvirt/Test"
FIRST = f"{TEST}/domain/_6695eb01_f6a4_8304_79aa_97f2502e193f"


def refused(machine, member, *arguments):
    with pytest.raises(BusError) as e:
        machine.call(member, "tu" if len(arguments) == 2 else "u", *arguments)
    return e.value.message


@pytest.fixture
def web(client, root_dir):
    """A machine with a second monitor, on which the test can look."""
    return define(client, with_second_monitor(definition("web"), root_dir))


def parameters(root_dir):
    """What QEMU itself says."""
    with contextlib.closing(Monitor(root_dir, SECOND_MONITOR)) as monitor:
        return monitor.ask("query-migrate-parameters")


@pytest.mark.qemu
class TestQemu:
    def test_it_is_what_qemu_goes_by(self, daemon, web, root_dir):
        assert web.call("MigrateGetMaxSpeed", "u", 0) == NO_LIMIT
        web.call("MigrateSetMaxSpeed", "tu", 17, 0)  # of a machine that does not run, too
        assert web.call("MigrateGetMaxSpeed", "u", 0) == 17
        web.create()
        assert parameters(root_dir)["max-bandwidth"] == 17 << 20
        web.call("MigrateSetMaxSpeed", "tu", 18, 0)
        web.call("MigrateSetMaxSpeed", "tu", 19, POSTCOPY)
        web.call("MigrateSetMaxDowntime", "tu", 2500, 0)
        web.call("MigrateSetCompressionCache", "tu", 1 << 25, 0)
        found = parameters(root_dir)
        assert found["max-bandwidth"] == 18 << 20 and found["max-postcopy-bandwidth"] == 19 << 20
        assert found["downtime-limit"] == 2500 and found["xbzrle-cache-size"] == 1 << 25
        daemon.kill()
        daemon.start()
        web.call("MemoryStats", "u", 0)  # has its turn when the machine is taken back
        assert web.call("MigrateGetMaxSpeed", "u", 0) == 18
        assert web.call("MigrateGetMaxSpeed", "u", POSTCOPY) == 19
        assert web.call("MigrateGetCompressionCache", "u", 0) == 1 << 25
        web.destroy()

    def test_of_a_machine_that_is_starting(self, client, root_dir):
        fake = FakeQemu(root_dir / "fake", "slow cont 2")
        machine = define(client, definition("slow", emulator=fake.path))
        pending = machine.begin("Create", "u", 0)
        wait_for(lambda: "cont" in fake.commands(), 10, "the last command of the start")
        machine.call("MigrateSetMaxSpeed", "tu", 17, 0)
        pending.result(30)
        wait_for(lambda: {"max-bandwidth": 17 << 20} in [entry.get("arguments") for entry in fake.log()], 10,
                 "QEMU to be told")
        machine.destroy()

    def test_a_save_leaves_it(self, client, web, root_dir):
        """A dump is a transfer of its own kind; a snapshot with memory is one, and the machine goes on after it."""
        web.create()
        web.call("MigrateSetMaxSpeed", "tu", 5, 0)
        memory = root_dir / "memory"
        web.call("SnapshotCreateXML", "su", f"<domainsnapshot><memory snapshot='external' file='{memory}'/></domainsnapshot>", 0)
        assert memory.stat().st_size > 0
        assert parameters(root_dir)["max-bandwidth"] == 5 << 20
        web.destroy()

    def test_what_is_wrong(self, web):
        for member in ("MigrateGetMaxSpeed", "MigrateGetCompressionCache"):
            assert "flag" in refused(web, member, 2)
        for member in ("MigrateSetMaxSpeed", "MigrateSetMaxDowntime", "MigrateSetCompressionCache"):
            assert "flag" in refused(web, member, 4096, 2)
        for member in ("MigrateSetMaxDowntime", "MigrateSetCompressionCache"):
            assert "not running" in refused(web, member, 4096, 0)
        assert "not running" in refused(web, "MigrateGetMaxSpeed", POSTCOPY)
        assert "not running" in refused(web, "MigrateSetMaxSpeed", 1, POSTCOPY)
        web.create()
        for speed in (0, NO_LIMIT + 1, 2**64 - 1):
            assert f"{speed} MiB/s" in refused(web, "MigrateSetMaxSpeed", speed, 0)
        assert "2000001 ms" in refused(web, "MigrateSetMaxDowntime", 2000001, 0)
        for size in (0, 4097, 2**63, 2**64 - 1):
            assert f"{size} bytes" in refused(web, "MigrateSetCompressionCache", size, 0)
        assert "power of two" in refused(web, "MigrateSetCompressionCache", 512, 0)  # less than a page: QEMU says so
        assert web.call("MigrateGetMaxSpeed", "u", 0) == NO_LIMIT
        assert web.call("MigrateGetCompressionCache", "u", 0) == 64 << 20
        web.destroy()


class TestTest:
    def test_it_is_kept(self, client):
        first = Machine(client, FIRST)
        assert first.call("MigrateGetMaxSpeed", "u", 0) == NO_LIMIT
        first.call("MigrateSetMaxSpeed", "tu", 17, 0)
        first.call("MigrateSetMaxSpeed", "tu", 18, POSTCOPY)
        first.call("MigrateSetCompressionCache", "tu", 8192, 0)
        assert [first.call("MigrateGetMaxSpeed", "u", flags) for flags in (0, POSTCOPY)] == [17, 18]
        assert first.call("MigrateGetCompressionCache", "u", 0) == 8192
        first.destroy()
        assert first.call("MigrateGetMaxSpeed", "u", 0) == 17
        assert "not running" in refused(first, "MigrateGetCompressionCache", 0)
        first.create()
        assert first.call("MigrateGetCompressionCache", "u", 0) == 64 << 20
        assert first.call("MigrateGetMaxSpeed", "u", POSTCOPY) == NO_LIMIT

    def test_what_is_wrong(self, client):
        first = Machine(client, FIRST)
        assert "0 MiB/s" in refused(first, "MigrateSetMaxSpeed", 0, 0)
        assert "power of two" in refused(first, "MigrateSetCompressionCache", 4097, 0)
        assert "flag" in refused(first, "MigrateSetMaxSpeed", 1, 2)
        assert "flag" in refused(first, "MigrateGetCompressionCache", 1)
