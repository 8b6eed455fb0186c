"""Chains of four images that are merged while the guest runs: relative names kept, files removed, and images merged into
that were opened for reading, also where QEMU may open nothing itself."""

import os

import pytest

from harness import BusError, wait_for
from machines import DOMAIN, Monitor, define, definition, disk
from test_block_copy import is_free, starts
from test_block_jobs import backing
from test_snapshots import DISK_ONLY, Snapshots, info, run

PULL, COMMIT, ACTIVE_COMMIT = 1, 3, 4
COMPLETED, FAILED, CANCELLED, READY = range(4)
COMMIT_SHALLOW, COMMIT_DELETE, COMMIT_ACTIVE, COMMIT_RELATIVE, REBASE_RELATIVE, PIVOT = 1, 2, 4, 8, 16, 2

pytestmark = pytest.mark.qemu


class Chain:
    """A machine that runs on d over c over b over a, each with 64 KiB of its own number at its own place."""

    def __init__(self, client, folder, relative):
        self.client = client
        self.paths = []
        for number, name in enumerate("abcd"):
            path = folder / f"{name}.qcow2"
            below = self.paths[0] if self.paths else None
            base = ["-b", below.name if relative else below, "-F", "qcow2"] if below else []
            run("qemu-img", "create", "-q", "-f", "qcow2", *base, path, *([] if below else ["4M"]))
            run("qemu-io", "-f", "qcow2", "-c", f"write -q -P {number + 1} {number * 64}k 64k", path)
            path.chmod(0o600)
            self.paths.insert(0, path)
        xml = disk(self.paths[0], driver="qcow2")
        below = "<backingStore/>"
        for path in reversed(self.paths[1:]):
            below = f"<backingStore type='file'><format type='qcow2'/><source file='{path}'/>{below}</backingStore>"
        self.machine = Snapshots(client, define(client, definition("four", xml.replace("<target", below + "<target"))).path)
        self.jobs = client.listen(interface=DOMAIN, member="BlockJob", path=self.machine.path)
        self.machine.create()

    def wait(self, kind, status=COMPLETED):
        self.jobs.wait(lambda s: s.values == ("vda", kind, status), 20, f"BlockJob {kind} {status}")

    def commit(self, base, top, flags):
        names = {"": "", **{path.stem: str(path) for path in self.paths}}
        self.machine.call("BlockCommit", "ssstu", "vda", names[base], names[top], 0, flags)

    def check(self, names):
        """The definitions, the images and QEMU have this chain, with all that was written to it."""
        expected = [str(path) for path in self.paths if path.stem in names]
        assert backing(self.machine) == backing(self.machine, 2) == expected
        assert [path.stem for path in self.paths if path.exists() and not is_free(path)] == list(names)
        starts(self.machine)
        self.machine.destroy()
        for number in range(4):
            text = run("qemu-io", "-r", "-f", "qcow2", "-c", f"read -P {number + 1} {number * 64}k 64k", expected[0])
            assert "failed" not in text


@pytest.fixture(params=["session", "system"])
def four(request, root_dir):
    """On the system's bus QEMU has no rights of its own: files are opened for it, to be read or to be written to."""
    if request.param == "system" and not os.environ.get("VIRTBUS_NAMESPACE"):
        pytest.skip("only inside tests/bus/run, started as root")
    daemon = request.getfixturevalue("daemon" if request.param == "session" else "system_daemon")

    def make(relative=False):
        return Chain(daemon.client(), root_dir, relative)

    make.daemon = daemon
    return make


@pytest.mark.parametrize("base, top, flags, left", [
    ("b", "c", 0, "dba"), ("a", "c", COMMIT_DELETE, "da"), ("", "b", COMMIT_SHALLOW | COMMIT_DELETE, "dca"),
    ("a", "c", COMMIT_RELATIVE | COMMIT_DELETE, "da")])
def test_commit(four, base, top, flags, left):
    chain = four(relative=True)
    chain.commit(base, top, flags)
    chain.wait(COMMIT)
    gone = [path for path in chain.paths if path.stem not in left]
    assert all(path.exists() == (not flags & COMMIT_DELETE) for path in gone)
    over = next(p for p in chain.paths if p.stem == ("d" if top == "c" else "c"))
    below = str(next(p for p in chain.paths if p.stem == (base or "a")))
    assert info(over)["backing-filename"] == (os.path.basename(below) if flags & COMMIT_RELATIVE else below)
    chain.check(left)


@pytest.mark.parametrize("base, flags, left", [("c", 0, "cba"), ("a", COMMIT_DELETE, "a"), ("", COMMIT_DELETE | COMMIT_RELATIVE, "a"),
                                               ("", COMMIT_SHALLOW, "cba")])
def test_commit_of_the_active_image(four, base, flags, left):
    chain = four()
    chain.commit(base, "", flags | COMMIT_ACTIVE)
    chain.wait(ACTIVE_COMMIT, READY)
    assert all(path.exists() for path in chain.paths)
    chain.machine.call("BlockJobAbort", "su", "vda", PIVOT)
    chain.wait(ACTIVE_COMMIT)
    assert [path.stem for path in chain.paths if path.exists()] == list(left if flags & COMMIT_DELETE else "dcba")
    chain.check(left)


def test_given_up(four):
    """Nothing is removed, and the image below is for reading again: another machine may read it, too."""
    chain = four()
    chain.commit("b", "", COMMIT_ACTIVE | COMMIT_DELETE)
    chain.wait(ACTIVE_COMMIT, READY)
    chain.machine.call("BlockJobAbort", "su", "vda", 0)
    chain.wait(ACTIVE_COMMIT, CANCELLED)
    assert all(path.exists() for path in chain.paths)
    run("qemu-io", "-r", "-f", "qcow2", "-c", "quit", chain.paths[2])
    chain.commit("b", "c", 0)
    chain.wait(COMMIT)
    chain.check("dba")


@pytest.mark.parametrize("base, flags, left", [("a", 0, "da"), ("b", REBASE_RELATIVE, "dba"), ("", 0, "d")])
def test_rebase(four, base, flags, left):
    chain = four(relative=True)
    path = next((str(p) for p in chain.paths if p.stem == base), "")
    chain.machine.call("BlockRebase", "sstu", "vda", path, 0, flags)
    chain.wait(PULL)
    expected = None if not base else f"{base}.qcow2" if flags else path
    assert info(chain.paths[0]).get("backing-filename") == expected
    chain.check(left)


def test_what_cannot_be_kept(four):
    """Names that are not relative; a file that another machine reads; and what is no argument."""
    chain = four()
    a, c = str(chain.paths[3]), str(chain.paths[1])
    for call in (("BlockCommit", "ssstu", "vda", a, c, 0, COMMIT_RELATIVE), ("BlockRebase", "sstu", "vda", a, 0, REBASE_RELATIVE)):
        with pytest.raises(BusError, match="relative"):
            chain.machine.call(*call)
    for call in (("BlockRebase", "sstu", "vda", "", 0, REBASE_RELATIVE), ("BlockCommit", "ssstu", "vda", a, c, 0, COMMIT_SHALLOW),
                 ("BlockCommit", "ssstu", "vda", c, a, 0, 0), ("BlockCommit", "ssstu", "vda", a, c, 0, 32)):
        with pytest.raises(BusError):
            chain.machine.call(*call)
    other = define(chain.client, definition("other", disk(chain.paths[1], read_only=True)))
    other.create()
    with pytest.raises(BusError, match="other"):
        chain.commit("b", "c", COMMIT_DELETE)
    other.destroy()
    chain.check("dcba")


def test_the_daemon_was_killed(four):
    """What was to be removed is removed by the next one."""
    chain = four()
    chain.commit("a", "", COMMIT_ACTIVE | COMMIT_DELETE)
    chain.wait(ACTIVE_COMMIT, READY)
    four.daemon.kill()
    four.daemon.start()
    wait_for(lambda: chain.machine.call("GetBlockJobInfo", "su", "vda", 0)[0] == ACTIVE_COMMIT, 20, "the job")
    chain.machine.call("BlockJobAbort", "su", "vda", PIVOT)
    chain.wait(ACTIVE_COMMIT)
    assert [path.stem for path in chain.paths if path.exists()] == ["a"]
    chain.check("a")


def test_one_that_ends_while_no_daemon_runs(four, root_dir):
    chain = four()
    chain.machine.call("BlockCommit", "ssstu", "vda", str(chain.paths[3]), str(chain.paths[1]), 1, COMMIT_DELETE | 16)
    four.daemon.kill()
    monitor = Monitor(root_dir)
    monitor.ask("block-job-set-speed", device="virtbus-erase-vda", speed=0)
    wait_for(lambda: monitor.ask("query-jobs")[0]["status"] == "concluded", 20, "the end")
    monitor.close()
    four.daemon.start()
    wait_for(lambda: [path.stem for path in chain.paths if path.exists()] == ["d", "a"], 20, "what was merged to be removed")
    chain.check("da")


def test_snapshots_are_deleted_into_what_was_read(four):
    """The same for a snapshot's image."""
    chain = four()
    path = chain.machine.take("five", DISK_ONLY)
    chain.machine.of(path, "Delete")
    chain.check("dcba")
