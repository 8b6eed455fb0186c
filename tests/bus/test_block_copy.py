"""Copies of disks of machines that run: whole and over the same base, gone over to and given up, by any daemon."""

import os
import pwd
import re
import shutil
import signal
import subprocess

import pytest
from gi.repository import GLib

from daemon import preloaded
from harness import BusError, wait_exit, wait_for
from machines import (
    CONNECT, DOMAIN, QEMU, RUNNING, SECOND_MONITOR, Monitor, create_transient, define, definition, disk, pid_of,
    with_second_monitor)
from test_block_jobs import ACTIVE, ACTIVE_COMMIT, COMMIT, PULL, backing, chain, jobs  # noqa: F401: fixtures
from test_jobs import small  # noqa: F401: a fixture
from test_snapshots import DISK_ONLY, NO_METADATA, Snapshots, holds, image, info, run, web, write  # noqa: F401: fixtures
from test_volumes import JOB

COPY, COMPLETED, FAILED, CANCELLED, READY = 2, 0, 1, 2, 3
SHALLOW, REUSE, TRANSIENT_JOB, SYNCHRONOUS = 1, 2, 4, 8
REBASE_RAW, REBASE_COPY, REBASE_RELATIVE, REBASE_DEV = 4, 8, 16, 32
ASYNC, PIVOT = 1, 2
MIB = 1 << 20

pytestmark = pytest.mark.qemu


def place(path, kind="qcow2", device=False):
    driver = f"<driver type='{kind}'/>" if kind else ""
    return (f"<disk type='{'block' if device else 'file'}'>{driver}<source {'dev' if device else 'file'}='{path}'/></disk>")


def copy(machine, xml, flags=0, **parameters):
    types = {"bandwidth": "t", "granularity": "u", "buf_size": "t"}
    values = {name.replace("_", "-"): GLib.Variant(types[name], value) for name, value in parameters.items()}
    machine.call("BlockCopy", "ssa{sv}u", "vda", xml, values, flags)


def wait(jobs, status, kind=COPY):
    jobs.wait(lambda s: s.values == ("vda", kind, status), 20, f"BlockJob {kind} {status}")


def pivot(machine, jobs):
    machine.call("BlockJobAbort", "su", "vda", PIVOT)
    wait(jobs, COMPLETED)
    assert machine.tree().find("devices/disk/mirror") is None
    assert machine.call("GetBlockJobInfo", "su", "vda", 0) == (0, 0, 0, 0)


def is_free(path):
    """Whether nobody has the image open: QEMU's tool gets its lock. What is below it is left alone."""
    return subprocess.run(["qemu-io", "-f", "raw", "-c", "quit", path], capture_output=True, check=False).returncode == 0


def starts(machine):
    machine.destroy()
    machine.create()
    assert machine.state[0] == RUNNING


@pytest.mark.parametrize("kind, flags, parameters", [
    ("qcow2", 0, {"bandwidth": 1 << 40, "granularity": 65536, "buf_size": MIB}), ("raw", SYNCHRONOUS, {}),
    (None, TRANSIENT_JOB, {})])
def test_whole(daemon, root_dir, image, web, chain, jobs, kind, flags, parameters):
    target = root_dir / "copy"
    web.destroy()
    write(chain[0], 7)
    web.create()
    copy(web, place(target, kind), flags, **parameters)
    wait(jobs, READY)
    mirror = web.tree().find("devices/disk/mirror")
    assert mirror.get("ready") == "yes" and mirror.get("job") == "copy" and mirror.find("source").get("file") == str(target)
    assert web.tree(2).find("devices/disk/mirror") is None
    assert web.call("GetBlockJobInfo", "su", str(chain[0]), 0)[0] == COPY
    pivot(web, jobs)
    assert web.state[0] == RUNNING
    for xml_flags in (0, 2):
        assert backing(web, xml_flags) == [str(target)]
    assert all(is_free(path) for path in chain), "what is in no chain any more is let go of"
    assert not is_free(target)
    daemon.kill()
    daemon.start()
    assert backing(web) == backing(web, 2) == [str(target)]
    starts(web)
    web.destroy()
    assert holds(target, 7, kind or "qcow2") and "backing-filename" not in info(target)


def test_over_the_same_base(root_dir, web, chain, jobs):
    target = root_dir / "copy"
    copy(web, place(target, None), SHALLOW)
    wait(jobs, READY)
    pivot(web, jobs)
    expected = [str(target), str(chain[1]), str(chain[2])]
    assert backing(web) == backing(web, 2) == expected
    assert info(target)["backing-filename"] == str(chain[1]) and is_free(chain[0])
    web.take("three", DISK_ONLY)
    assert backing(web)[1:] == expected
    starts(web)
    web.destroy()


def test_given_up(root_dir, web, chain, jobs):
    """The copy stays as it was then, and nobody has it any more."""
    target = root_dir / "copy"
    before = backing(web)
    for number, flags in enumerate((0, ASYNC)):
        copy(web, place(f"{target}{number}", "raw"))
        wait(jobs, READY)
        web.call("BlockJobAbort", "su", "vda", flags)
        wait(jobs, CANCELLED)
        assert web.tree().find("devices/disk/mirror") is None and backing(web) == before
        assert os.stat(f"{target}{number}").st_size == 4 * MIB and is_free(f"{target}{number}")
    copy(web, place(f"{target}-slow", "raw"), bandwidth=1)
    with pytest.raises(BusError, match="not ready"):
        web.call("BlockJobAbort", "su", "vda", PIVOT)
    web.call("BlockJobSetSpeed", "stu", "vda", 0, 0)
    web.call("BlockJobAbort", "su", "vda", 0)
    jobs.wait(lambda s: s.values[2] == CANCELLED, 20)
    assert is_free(f"{target}-slow")


def test_what_is_there(root_dir, web, chain, jobs):
    target = root_dir / "copy"
    target.write_bytes(b"mine")
    for xml, flags, word in ((place(target), 0, "already"), (place(target, "raw"), REUSE, "4194304"),
                             (place(target), REUSE, "no qcow2"), (place(root_dir / "nothing"), REUSE, "nothing")):
        with pytest.raises(BusError, match=word):
            copy(web, xml, flags)
    assert target.read_bytes() == b"mine"
    run("qemu-img", "create", "-q", "-f", "qcow2", "-b", chain[2], "-F", "qcow2", target)
    for flags, word in ((REUSE, "lies over"), (REUSE | SHALLOW, "lies over")):
        with pytest.raises(BusError, match=word):
            copy(web, place(target), flags)
    run("qemu-img", "create", "-q", "-f", "qcow2", "-u", "-b", chain[1].name, "-F", "qcow2", target, "4M")
    copy(web, place(target), REUSE | SHALLOW)
    wait(jobs, READY)
    pivot(web, jobs)
    assert backing(web) == [str(target), str(chain[1]), str(chain[2])]
    assert not list(root_dir.glob("nothing"))


def test_by_rebase(root_dir, web, chain, jobs):
    web.call("BlockRebase", "sstu", "vda", str(root_dir / "raw"), 0, REBASE_COPY | REBASE_RAW)
    wait(jobs, READY)
    pivot(web, jobs)
    assert web.tree().find("devices/disk/driver").get("type") == "raw" and backing(web) == [str(root_dir / "raw")]
    for base, flags, words in (("", REBASE_COPY, "needs a place"), (root_dir / "x", REBASE_RAW, "need COPY"),
                               (root_dir / "x", REBASE_COPY | REBASE_RELATIVE, "excludes COPY"),
                               (root_dir / "x", REBASE_COPY | REBASE_DEV, "No such file"), ("x", REBASE_COPY, "no absolute path: 'x'")):
        with pytest.raises(BusError, match=words):
            web.call("BlockRebase", "sstu", "vda", str(base), 0, flags)
    starts(web)
    web.destroy()


def test_nobody_else_gets_it(client, root_dir, web, chain, jobs):
    """Neither an image of a machine that runs becomes a copy, nor a copy that of another."""
    other_image, target = root_dir / "other.img", root_dir / "copy"
    other_image.write_bytes(bytes(4 * MIB))
    other = define(client, definition("other", disk(other_image)))
    other.create()
    with pytest.raises(BusError, match="other"):
        copy(web, place(other_image, "raw"), REUSE)
    for path, flags in ((chain[0], REUSE | SHALLOW), (chain[2], REUSE)):
        with pytest.raises(BusError, match=f"'{path}', which domain 'web'"):
            copy(web, place(path), flags)
    assert web.tree().find("devices/disk/mirror") is None and web.call("GetBlockJobInfo", "su", "vda", 0)[0] == 0
    copy(web, place(target, "raw"))
    wait(jobs, READY)
    thief = define(client, definition("thief", disk(target)))
    with pytest.raises(BusError, match="copy"):
        thief.create()
    with pytest.raises(BusError, match="copy"):
        other.call("AttachDevice", "su", disk(target, target="vdb"), 1)
    web.call("BlockJobAbort", "su", "vda", 0)
    thief.create()
    for machine in (thief, other, web):
        machine.destroy()


def test_one_thing_at_a_time(root_dir, web, chain, jobs):
    copy(web, place(root_dir / "copy"))
    wait(jobs, READY)
    device = re.search(r"<disk.*?</disk>", web.xml(), re.S).group()
    for member, signature, *args in (("BlockPull", "stu", "vda", 0, 0), ("BlockCommit", "ssstu", "vda", "", "", 0, 4),
                                     ("BlockCopy", "ssa{sv}u", "vda", place(root_dir / "x"), {}, 0),
                                     ("SnapshotCreateXML", "su", "<domainsnapshot/>", 0),
                                     ("SnapshotCreateXML", "su", "<domainsnapshot/>", DISK_ONLY),
                                     ("Save", "ssu", str(root_dir / "saved"), "", 0), ("ManagedSave", "u", 0),
                                     ("DetachDevice", "su", device, 1)):
        with pytest.raises(BusError, match="job"):
            web.call(member, signature, *args)
    assert not (root_dir / "x").exists()
    web.destroy()
    assert jobs.signals == [] and is_free(root_dir / "copy")
    web.create()
    assert web.call("GetBlockJobInfo", "su", "vda", 0)[0] == 0


def test_limited_disks(client, daemon, root_dir):
    """What limits a disk stays above it, wherever it goes."""
    source, target = root_dir / "source.img", root_dir / "copy"
    source.write_bytes(bytes(4 * MIB))
    limited = disk(source).replace("<target", "<iotune><total_bytes_sec>104857600</total_bytes_sec></iotune><target")
    machine = define(client, definition("limited", limited))
    machine.create()
    told = client.listen(interface=DOMAIN, member="BlockJob", path=machine.path)
    copy(machine, place(target, "raw"))
    wait(told, READY)
    pivot(machine, told)
    assert machine.tree().find("devices/disk/source").get("file") == str(target) and is_free(source)
    machine.call("SetBlockIOTune", "sa{sv}u", "vda", {"total_bytes_sec": GLib.Variant("t", MIB)}, 1)
    assert machine.call("GetBlockIOTune", "su", "vda", 1)["total_bytes_sec"] == MIB
    for name in ("one", "two", "three"):
        xml = (f"<domainsnapshot><disks><disk name='vda'><source file='{root_dir}/{name}'/></disk></disks></domainsnapshot>")
        machine.call("SnapshotCreateXML", "su", xml, DISK_ONLY | NO_METADATA)
    machine.call("BlockCommit", "ssstu", "vda", str(root_dir / "one"), str(root_dir / "two"), 0, 0)
    wait(told, COMPLETED, COMMIT)
    assert backing(machine) == [str(root_dir / "three"), str(root_dir / "one"), str(target)]
    machine.call("BlockCommit", "ssstu", "vda", str(root_dir / "one"), "", 0, ACTIVE)
    wait(told, READY, ACTIVE_COMMIT)
    machine.call("BlockJobAbort", "su", "vda", PIVOT)
    wait(told, COMPLETED, ACTIVE_COMMIT)
    machine.call("BlockPull", "stu", "vda", 0, 0)
    wait(told, COMPLETED, PULL)
    assert backing(machine) == [str(root_dir / "one")]
    daemon.kill()
    monitor = Monitor(root_dir)
    assert monitor.ask("query-block")[0]["inserted"]["node-name"] == "vda-throttle"
    assert monitor.ask("qom-get", path="/objects/throttle-vda", property="limits")["bps-total"] == MIB
    monitor.close()
    daemon.start()
    machine.destroy()


@pytest.mark.system
def test_no_room(client, small, web, image, jobs):
    """A copy that cannot be written fails, and the machine goes on where it is."""
    write(image, 1)
    run("qemu-io", "-f", "qcow2", "-c", "write -q -P 3 0 4M", image)
    web.create()
    copy(web, place(small / "copy", "raw"))
    wait(jobs, FAILED)
    assert web.tree().find("devices/disk/mirror") is None and web.state[0] == RUNNING
    assert web.call("GetBlockJobInfo", "su", "vda", 0)[0] == 0 and is_free(small / "copy")
    web.destroy()


def test_to_a_volume(client, root_dir, web, chain, jobs):
    (root_dir / "pool").mkdir()
    pool = client.call(QEMU, CONNECT, "StoragePoolCreateXML", "su",
                       f"<pool type='dir'><name>p</name><target><path>{root_dir}/pool</path></target></pool>", 0)
    client.call(pool, "org.libvirt.StoragePool", "StorageVolCreateXML", "su",
                "<volume><name>v</name><capacity>4194304</capacity></volume>", 0)
    xml = "<disk type='volume'><driver type='raw'/><source pool='p' volume='%s'/></disk>"
    for name, flags in (("v", 0), ("w", REUSE)):
        with pytest.raises(BusError, match=f"'{name}'"):
            copy(web, xml % name, flags)
    copy(web, xml % "v", REUSE)
    wait(jobs, READY)
    pivot(web, jobs)
    assert backing(web) == backing(web, 2) == [str(root_dir / "pool/v")]
    starts(web)
    web.destroy()


def test_what_cannot_be(client, root_dir, web, chain):
    good = place(root_dir / "copy")
    for xml, flags, parameters, words in (
            (good, 16, {}, "unknown flags 0x10"), ("<disk/>", 0, {}, "no <source>"), (place("copy"), 0, {}, "no absolute path: 'copy'"),
            (place(root_dir / "x", "vmdk"), 0, {}, "raw or qcow2, not vmdk"), (place(root_dir / "x", "raw"), SHALLOW, {}, "qcow2, not raw"),
            (place("/nothing/x"), 0, {}, "/nothing"), (place("/dev/null", device=True), 0, {}, "neither a file nor a block device"),
            ("<disk type='network'><source protocol='nbd' name='x'><host name='h'/></source></disk>", 0, {}, "type='network'"),
            (good, 0, {"granularity": 1000}, "power of two"), (good, 0, {"buf_size": 1 << 40}, "at most 1073741824"),
            (good, 0, {"bandwidth": 1 << 63}, "too large")):
        with pytest.raises(BusError, match=words):
            copy(web, xml, flags, **parameters)
    for name, values, words in (("vda", {"luck": GLib.Variant("u", 1)}, "no parameter 'luck'"),
                                ("vda", {"bandwidth": GLib.Variant("u", 1)}, "of type t"), ("vdz", {}, "no disk 'vdz'")):
        with pytest.raises(BusError, match=words):
            web.call("BlockCopy", "ssa{sv}u", name, good, values, 0)
    assert sorted(p.name for p in root_dir.glob("[cx]*") if p.is_file()) == []
    assert web.tree().find("devices/disk/mirror") is None
    web.destroy()
    with pytest.raises(BusError, match="not running"):
        copy(web, good)


def test_over_what_has_no_path(client, root_dir):
    """What needs the name of the image below is refused where that one is on a server."""
    base, top, socket = root_dir / "base.img", root_dir / "top.qcow2", root_dir / "nbd"
    base.write_bytes(bytes(4 * MIB))
    server = subprocess.Popen(["qemu-nbd", "--persistent", "--read-only", "--format=raw", f"--socket={socket}", base])
    try:
        wait_for(socket.exists)
        run("qemu-img", "create", "-q", "-f", "qcow2", "-b", f"nbd+unix:///?socket={socket}", "-F", "raw", top)
        below = ("<backingStore type='network'><format type='raw'/><source protocol='nbd' name=''>"
                 f"<host transport='unix' socket='{socket}'/></source></backingStore>")
        machine = create_transient(client, definition("far", disk(top, driver="qcow2").replace("<target", f"{below}<target")))
        with pytest.raises(BusError, match="copied as a whole only"):
            copy(machine, place(root_dir / "copy"), SHALLOW)
        with pytest.raises(BusError, match="has no image"):
            machine.call("BlockCommit", "ssstu", "vda", "", "", 0, 4)
        assert not (root_dir / "copy").exists()
        told = client.listen(interface=DOMAIN, member="BlockJob", path=machine.path)
        copy(machine, place(root_dir / "copy"))
        wait(told, READY)
        machine.destroy()
    finally:
        server.terminate()
        wait_exit(server)


def held(client, daemon, machine, *call):
    """The call while QEMU stands still, given up by its job; what came of it."""
    added = client.listen(interface="org.freedesktop.DBus.ObjectManager", member="InterfacesAdded")
    os.kill(pid_of(daemon, machine), signal.SIGSTOP)
    try:
        pending = client.begin(machine.path, DOMAIN, *call)
        job = added.wait(lambda s: JOB in s.values[1], 20).values[0]
        client.call(job, JOB, "Cancel")
        wait_for(lambda: pending.done, 20, "the answer")
    finally:
        os.kill(pid_of(daemon, machine), signal.SIGCONT)
    return pending.error


def test_given_up_by_its_call(client, daemon, root_dir, web, chain, jobs):
    """What is cancelled while QEMU does not answer leaves neither a copy nor a guest that stands still."""
    before = backing(web, 2)
    assert held(client, daemon, web, "BlockCopy", "ssa{sv}u", "vda", place(root_dir / "copy", "raw"), {}, 0) is not None
    wait_for(lambda: web.tree().find("devices/disk/mirror") is None and not (root_dir / "copy").exists(), 20, "the end of it")
    copy(web, place(root_dir / "copy"))
    wait(jobs, READY)
    assert held(client, daemon, web, "BlockJobAbort", "su", "vda", PIVOT) is not None
    assert web.call("GetBlockJobInfo", "su", "vda", 0)[0] == COPY
    assert web.tree().find("devices/disk/mirror").get("ready") == "yes" and backing(web, 2) == before and web.state[0] == RUNNING
    pivot(web, jobs)
    assert backing(web) == [str(root_dir / "copy")]
    daemon.kill()
    monitor = Monitor(root_dir)
    assert monitor.ask("query-status")["status"] == "running"
    monitor.close()
    daemon.start()
    web.destroy()


def test_a_paused_guest_waits_for_qemu_as_well(client, root_dir, tmp_path, image):
    """It may go over any time: a guest that went on would write to another image than its definition says."""
    hold, emulator = tmp_path / "hold", tmp_path / "qemu"
    variables = preloaded("hold.c", tmp_path, HOLD_FILE=str(hold)).items()
    emulator.write_text("#!/bin/sh\n" + "".join(f"export {name}='{value}'\n" for name, value in variables)
                        + f'exec {shutil.which("qemu-system-x86_64")} "$@"\n')
    for path, mode in ((emulator, 0o755), (tmp_path, 0o777)):
        path.chmod(mode)
    web = define(client, with_second_monitor(definition("web", disk(image, driver="qcow2"), emulator=emulator), root_dir))
    web.create()
    web.suspend()
    jobs = client.listen(interface=DOMAIN, member="BlockJob", path=web.path)
    copy(web, place(root_dir / "copy", "raw"))
    wait(jobs, READY)
    monitor = Monitor(root_dir, SECOND_MONITOR)  # with nothing new in the copy QEMU goes over without a write to the disk
    assert not monitor.ask("human-monitor-command", **{
        "command-line": 'qemu-io -d /machine/peripheral/virtio-disk0/virtio-backend "write -q 0 64k"'})
    monitor.close()
    hold.touch()
    try:
        added = client.listen(interface="org.freedesktop.DBus.ObjectManager", member="InterfacesAdded")
        pending = web.begin("BlockJobAbort", "su", "vda", PIVOT)
        job = added.wait(lambda s: JOB in s.values[1], 20).values[0]
        wait_for((tmp_path / "hold-waits").exists, 20, "QEMU to go over")
        client.call(job, JOB, "Cancel")
        with pytest.raises(BusError, match="cancelled"):
            pending.result(60)
        for member, *arguments in (("Resume",), ("BlockPull", "stu", "vda", 0, 0)):
            with pytest.raises(BusError, match="stands still until QEMU says"):
                web.call(member, *arguments)
    finally:
        hold.unlink()
    wait(jobs, COMPLETED)
    web.resume()
    assert web.state[0] == RUNNING and backing(web) == backing(web, 2) == [str(root_dir / "copy")]
    web.destroy()


def test_ended_at_once(client, root_dir, web, chain, jobs):
    """A machine that is destroyed while the end of its job is still to be seen to."""
    for number in range(3):
        before = backing(web)
        copy(web, place(root_dir / f"copy{number}"))
        wait(jobs, READY)
        client.begin(web.path, DOMAIN, "BlockJobAbort", "su", "vda", ASYNC)
        web.destroy()
        assert is_free(chain[0]) and is_free(root_dir / f"copy{number}")
        web.create()
        assert backing(web) == before and web.tree().find("devices/disk/mirror") is None
        jobs.signals.clear()


def given_up(root_dir, is_forgotten=False):
    """The job that was ready, by QEMU's monitor while there is no daemon."""
    monitor = Monitor(root_dir)
    monitor.ask("block-job-cancel", device="virtbus-block-vda")
    wait_for(lambda: monitor.ask("query-jobs")[0]["status"] == "concluded", 20, "the end")
    if is_forgotten:
        monitor.ask("job-dismiss", id="virtbus-block-vda")
    monitor.close()


class TestKilled:
    """The daemon is killed in each phase, and the next one goes on."""

    def test_at_work(self, daemon, root_dir, web, chain, jobs):
        copy(web, place(root_dir / "copy", "raw"), bandwidth=1)
        daemon.kill()
        daemon.start()
        wait_for(lambda: web.call("GetBlockJobInfo", "su", "vda", 0)[0] == COPY, 20, "the job")
        assert web.tree().find("devices/disk/mirror").get("ready") is None
        web.call("BlockJobSetSpeed", "stu", "vda", 0, 0)
        web.call("BlockJobAbort", "su", "vda", 0)
        wait(jobs, CANCELLED)
        assert is_free(root_dir / "copy")

    def test_ready(self, daemon, root_dir, web, chain, jobs):
        copy(web, place(root_dir / "copy"))
        wait(jobs, READY)
        daemon.kill()
        daemon.start()
        wait_for(lambda: web.call("GetBlockJobInfo", "su", "vda", 0)[0] == COPY, 20, "the job")
        pivot(web, jobs)
        assert backing(web) == backing(web, 2) == [str(root_dir / "copy")]

    def test_it_was_given_up_meanwhile(self, daemon, root_dir, web, chain, jobs):
        before = backing(web)
        copy(web, place(root_dir / "copy"))
        wait(jobs, READY)
        daemon.kill()
        given_up(root_dir)
        daemon.start()
        wait(jobs, CANCELLED)
        assert backing(web) == backing(web, 2) == before and is_free(root_dir / "copy")

    @pytest.mark.parametrize("steps", [[], ["stop"], ["stop", "job-complete"], ["stop", "job-complete", "job-dismiss"]])
    @pytest.mark.parametrize("kind", [COPY, 4])
    def test_while_it_goes_over(self, daemon, root_dir, web, chain, jobs, steps, kind):
        """As far as QEMU was told, with the guest standing still: the next daemon does the rest, and the guest goes on."""
        if kind == COPY:
            copy(web, place(root_dir / "copy"))
        else:
            web.call("BlockCommit", "ssstu", "vda", "", "", 0, 4)
        wait(jobs, READY, kind)
        daemon.kill()
        (status,) = root_dir.rglob("status.xml")
        text = status.read_text()
        held = "held='yes'" if kind == COPY else "held='yes' held-by='virtbus-block-vda'"
        status.write_text(text.replace("held='no'", held).replace("ready='yes'", "ready='pivot'"))
        monitor = Monitor(root_dir)
        for step in steps:
            monitor.ask(step, **({} if step == "stop" else {"id": "virtbus-block-vda"}))
            if step == "job-complete":
                wait_for(lambda: monitor.ask("query-jobs")[0]["status"] == "concluded", 20, "the end")
        monitor.close()
        daemon.start()
        wait(jobs, COMPLETED, kind)
        expected = [str(root_dir / "copy") if kind == COPY else str(chain[2])]
        assert backing(web) == backing(web, 2) == expected
        web.call("SetMetadata", "isssu", 1, "its turn comes when all is done", "", "", 1)
        assert web.state[0] == RUNNING
        daemon.kill()
        monitor = Monitor(root_dir)
        assert monitor.ask("query-status")["status"] == "running"
        monitor.close()
        daemon.start()
        starts(web)
        web.destroy()

    def test_before_it_began(self, daemon, root_dir, web, chain, jobs):
        """What is in the status, and of which QEMU knows nothing."""
        before = backing(web)
        copy(web, place(root_dir / "copy"))
        wait(jobs, READY)
        daemon.kill()
        given_up(root_dir, is_forgotten=True)
        daemon.start()
        wait(jobs, FAILED)
        assert web.tree().find("devices/disk/mirror") is None and backing(web) == before and is_free(root_dir / "copy")


@pytest.mark.system
class TestRights:
    def test_of_root(self, system_daemon, root_dir):
        """QEMU has no rights of its own: what it copies to was opened for it."""
        source, target = root_dir / "web.qcow2", root_dir / "copy"
        run("qemu-img", "create", "-q", "-f", "qcow2", source, "4M")
        source.chmod(0o600)
        client = system_daemon.client()
        machine = Snapshots(client, define(client, definition("web", disk(source, driver="qcow2"))).path)
        told = client.listen(interface=DOMAIN, member="BlockJob", path=machine.path)
        machine.create()
        machine.take("one", DISK_ONLY)
        copy(machine, place(target), SHALLOW)
        wait(told, READY)
        pivot(machine, told)
        assert target.stat().st_mode & 0o777 == 0o600
        starts(machine)
        copy(machine, place(root_dir / "whole", "raw"))
        wait(told, READY)
        machine.call("BlockJobAbort", "su", "vda", 0)
        machine.destroy()

    def test_of_a_user(self, system_daemon, root_dir):
        alice = pwd.getpwnam("alice")
        home, closed = root_dir / "alice", root_dir / "closed"
        home.mkdir()
        os.chown(home, alice.pw_uid, alice.pw_gid)
        closed.mkdir(mode=0o700)
        (closed / "secret").write_bytes(bytes(4 * MIB))
        client = system_daemon.client("alice")
        source = home / "web.img"
        source.write_bytes(bytes(4 * MIB))
        os.chown(source, alice.pw_uid, alice.pw_gid)
        machine = define(client, definition("web", disk(source)))
        told = client.listen(interface=DOMAIN, member="BlockJob", path=machine.path)
        machine.create()
        for xml, flags in ((place(closed / "new", "raw"), 0), (place(closed / "secret", "raw"), REUSE)):
            with pytest.raises(BusError, match="ermission"):
                copy(machine, xml, flags)
        with pytest.raises(BusError, match="not found"):
            system_daemon.client("bob").call(machine.path, DOMAIN, "BlockCopy", "ssa{sv}u", "vda", place(home / "x"), {}, 0)
        assert os.listdir(closed) == ["secret"] and not (home / "x").exists()
        copy(machine, place(home / "copy", "raw"))
        wait(told, READY)
        pivot(machine, told)
        assert (home / "copy").stat().st_uid == alice.pw_uid
        machine.destroy()
