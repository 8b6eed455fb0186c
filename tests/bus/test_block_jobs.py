"""Jobs of disks: pulled, merged, gone over to, given up; with the events and numbers of libvirt, and the definition."""

import pytest

from harness import BusError, wait_for
from machines import DOMAIN, PAUSED, RUNNING, SHUTOFF, Monitor, define, definition, disk
from test_snapshots import DISK_ONLY, image, info, web  # noqa: F401: fixtures

PULL, COMMIT, ACTIVE_COMMIT = 1, 3, 4
COMPLETED, FAILED, CANCELLED, READY = range(4)
ACTIVE, PIVOT, MEMORY_PHYSICAL = 4, 2, 2

pytestmark = pytest.mark.qemu


@pytest.fixture
def jobs(client, web):
    return client.listen(interface=DOMAIN, member="BlockJob", path=web.path)


def wait(jobs, kind, status):
    jobs.wait(lambda s: s.values == ("vda", kind, status), 20, f"BlockJob {kind} {status}")


@pytest.fixture
def chain(web, image):
    """Three images, of a machine that runs; their paths, the active one first."""
    web.create()
    web.take("one", DISK_ONLY)
    web.take("two", DISK_ONLY)
    yield [image.with_suffix(".two"), image.with_suffix(".one"), image]
    if web.state[0] != SHUTOFF:
        web.destroy()


def backing(web, flags=0):
    return [s.get("file") for s in web.tree(flags).findall("devices/disk//source")]


def test_pull_all(daemon, web, chain, jobs):
    web.call("BlockPull", "stu", "vda", 0, 0)
    wait(jobs, PULL, COMPLETED)
    for flags in (0, 2):
        assert backing(web, flags) == [str(chain[0])]
    assert "backing-filename" not in info(chain[0])
    daemon.kill()
    daemon.start()
    assert backing(web, 2) == [str(chain[0])]
    web.destroy()
    assert backing(web, 2) == [str(chain[0])], "it is kept, and no definition of the run alone"


def test_rebase_to_the_lowest(web, chain, jobs):
    web.call("BlockRebase", "sstu", "vda", str(chain[2]), 0, 0)
    wait(jobs, PULL, COMPLETED)
    assert backing(web) == [str(chain[0]), str(chain[2])]
    assert info(chain[0])["backing-filename"] == str(chain[2])


def test_commit_one_that_is_not_active(web, chain, jobs):
    web.call("BlockCommit", "ssstu", "vda", str(chain[2]), str(chain[1]), 0, 0)
    wait(jobs, COMMIT, COMPLETED)
    for flags in (0, 2):
        assert backing(web, flags) == [str(chain[0]), str(chain[2])]


def test_commit_the_active_one(web, chain, jobs):
    with pytest.raises(BusError, match="ACTIVE"):
        web.call("BlockCommit", "ssstu", "vda", "", "", 0, 0)
    web.call("BlockCommit", "ssstu", "vda", "", "", 0, ACTIVE)
    wait(jobs, ACTIVE_COMMIT, READY)
    assert web.tree().find("devices/disk/mirror").get("ready") == "yes"
    assert web.call("GetBlockJobInfo", "su", "vda", 0)[0] == ACTIVE_COMMIT
    web.call("BlockJobAbort", "su", "vda", PIVOT)
    wait(jobs, ACTIVE_COMMIT, COMPLETED)
    for flags in (0, 2):
        assert backing(web, flags) == [str(chain[2])]
    assert web.call("GetBlockJobInfo", "su", "vda", 0) == (0, 0, 0, 0)


@pytest.mark.parametrize("prefix", ["virtbus-block-", "virtbus-merge-"])
def test_one_that_ends_while_no_daemon_runs(daemon, root_dir, web, chain, jobs, prefix):
    daemon.kill()
    monitor = Monitor(root_dir)
    node = monitor.ask("query-block")[0]["inserted"]["node-name"]
    monitor.ask("block-stream", **{"job-id": prefix + "vda", "device": node, "auto-dismiss": False})
    wait_for(lambda: monitor.ask("query-jobs")[0]["status"] == "concluded", 20, "the end of the job")
    monitor.close()
    daemon.start()
    if prefix == "virtbus-block-":
        wait(jobs, PULL, COMPLETED)
    for flags in (0, 2):
        wait_for(lambda f=flags: backing(web, f) == [str(chain[0])], 10, "the definition to follow")
    assert web.call("GetBlockJobInfo", "su", "vda", 0) == (0, 0, 0, 0)


def qemu_says(daemon, root_dir):
    """Its state, to no daemon; the next one has it then."""
    daemon.kill()
    monitor = Monitor(root_dir)
    status = monitor.ask("query-status")["status"]
    monitor.close()
    daemon.start()
    return status


@pytest.mark.parametrize("prefix, held, state", [
    ("virtbus-block-", "held='no'", RUNNING),
    ("virtbus-block-", "held='yes'", RUNNING),
    ("virtbus-merge-", "held='yes'", PAUSED),
    ("virtbus-merge-", "held='yes' held-by='virtbus-merge-vda'", PAUSED),
    ("virtbus-merge-", "held='yes' held-by='virtbus-merge-vdb'", RUNNING)])
def test_one_whose_image_cannot_be_read_afterwards(daemon, root_dir, web, chain, jobs, prefix, held, state):
    """The definition stays as it was, and the log says so. A guest that was held for that disk is paused until Resume, for the
    next daemon as well; any other runs."""
    (status,) = root_dir.rglob("status.xml")
    daemon.kill()
    status.write_text(status.read_text().replace("held='no'", held))
    monitor = Monitor(root_dir)
    node = monitor.ask("query-block")[0]["inserted"]["node-name"]
    monitor.ask("block-commit", **{"job-id": prefix + "vda", "device": node, "top": str(chain[1]), "base": str(chain[2]),
                                  "auto-dismiss": False})
    wait_for(lambda: monitor.ask("query-jobs")[0]["status"] == "concluded", 20, "the end of the job")
    monitor.close()
    away = chain[0].rename(root_dir / "away")
    chain[0].mkdir()
    daemon.start()
    if prefix == "virtbus-block-":
        wait(jobs, COMMIT, FAILED)
    web.call("SetMetadata", "isssu", 1, "its turn comes when all is done", "", "", 1)
    assert web.state[0] == state and backing(web) == [str(p) for p in chain]
    assert "does not follow disk vda" in daemon.read_log()
    assert qemu_says(daemon, root_dir) == ("paused" if state == PAUSED else "running") and web.state[0] == state
    chain[0].rmdir()
    away.rename(chain[0])
    if state == PAUSED:
        web.resume()
    assert qemu_says(daemon, root_dir) == "running"


def test_one_that_is_ready_while_no_daemon_runs(daemon, web, chain, jobs):
    web.call("BlockCommit", "ssstu", "vda", "", "", 0, ACTIVE)
    wait(jobs, ACTIVE_COMMIT, READY)
    daemon.kill()
    daemon.start()
    wait_for(lambda: web.call("GetBlockJobInfo", "su", "vda", 0)[0] == ACTIVE_COMMIT, 10, "the job")
    web.call("BlockJobAbort", "su", "vda", PIVOT)
    wait(jobs, ACTIVE_COMMIT, COMPLETED)
    assert backing(web) == backing(web, 2) == [str(chain[2])]


def test_give_up(web, chain, jobs):
    web.call("BlockCommit", "ssstu", "vda", "", "", 0, ACTIVE)
    wait(jobs, ACTIVE_COMMIT, READY)
    web.call("BlockJobSetSpeed", "stu", "vda", 1, 0)
    web.call("BlockJobAbort", "su", "vda", 0)
    wait(jobs, ACTIVE_COMMIT, CANCELLED)
    assert web.tree().find("devices/disk/mirror") is None
    assert backing(web) == [str(p) for p in chain]


def test_what_cannot_be(web, chain):
    for words, member, signature, *args in (
            ("no disk 'vdz'", "BlockPull", "stu", "vdz", 0, 0), ("unknown flags 0x1", "BlockPull", "stu", "vda", 0, 1),
            ("no image /nowhere", "BlockRebase", "sstu", "vda", "/nowhere", 0, 0),
            ("/copy", "BlockRebase", "sstu", "vda", "/copy", 0, 8),
            ("no image /nowhere below", "BlockCommit", "ssstu", "vda", "/nowhere", "", 0, ACTIVE),
            ("has no job", "BlockJobAbort", "su", "vda", 0), ("unknown flags 0x4", "BlockJobAbort", "su", "vda", 4),
            ("too large", "BlockJobSetSpeed", "stu", "vda", 2**63, 0),
            ("1 to 65536", "MemoryPeek", "ttu", 0, 0, MEMORY_PHYSICAL), ("needs one of", "MemoryPeek", "ttu", 0, 16, 3)):
        with pytest.raises(BusError, match=words):
            web.call(member, signature, *args)


def test_peek(client, root_dir, web):
    raw = root_dir / "raw.img"
    raw.write_bytes(bytes(range(256)) * 16)
    machine = define(client, definition("raw", disk(raw)))
    for _ in range(2):
        assert bytes(machine.call("BlockPeek", "sttu", "vda", 254, 4, 0)) == b"\xfe\xff\x00\x01"
        assert len(machine.call("BlockPeek", "sttu", str(raw), 0, 4096, 0)) == 4096
        for name, offset, size, flags in (("vdb", 0, 1, 0), ("vda", 0, 0, 0), ("vda", 0, 65537, 0), ("vda", 4095, 2, 0),
                                          ("vda", 2**64 - 1, 1, 0), ("vda", 0, 1, 1)):
            with pytest.raises(BusError):
                machine.call("BlockPeek", "sttu", name, offset, size, flags)
        if machine.state[0] != RUNNING:
            machine.create()
    machine.destroy()
    with pytest.raises(BusError, match="raw"):
        web.call("BlockPeek", "sttu", "vda", 0, 1, 0)


def test_size_errors_and_memory(web, chain):
    web.call("BlockResize", "stu", "vda", 8 * 2**20, 1)
    assert info(chain[0])["virtual-size"] == 8 * 2**20
    assert web.call("GetDiskErrors", "u", 0) == []
    web.call("SetBlockThreshold", "stu", "vda", 2**20, 0)
    reset = bytes(web.call("MemoryPeek", "ttu", 0xffff0, 16, MEMORY_PHYSICAL))
    assert len(reset) == 16 and reset[0] == 0xea  # a far jump, as on every PC
