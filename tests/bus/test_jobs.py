"""What is told of jobs and of changed limits: JobCompleted, Tunable, and Finished of the native family."""

import subprocess

import pytest
from gi.repository import GLib

from every_kind import HeldJob
from harness import BusError
from machines import (
    CONNECT, DOMAIN, QEMU, RUNNING, STOPPED, Lifecycle, Machine, create_transient, define, definition, disk)
from test_snapshots import image, web  # noqa: F401: fixtures

TEST, JOB = "/org/libvirt/Test", "org.virtbus1.Job"
STOPPED_SAVED = 4
LIVE, CONFIG, COMPLETED_STATS, KEEP = 1, 2, 1, 2
SAVE, SNAPSHOT, DUMP, MEMORY_ONLY = 2, 6, 8, 16
STATS_NONE, STATS_COMPLETED, STATS_FAILED = 0, 3, 4

qemu = pytest.mark.qemu


def completed(jobs, operation):
    """The next JobCompleted, which is of that operation and went well."""
    signal = jobs.wait(timeout=20)
    (params,) = signal.values
    assert params["operation"] == operation and params["success"] is True, params
    entry = signal.parameters.get_child_value(0).get_child_value(0).get_child_value(1)
    assert entry.get_variant().get_type_string() == "v", "libvirt-dbus has two variants there"
    return params


@qemu
def test_saved(client, root_dir, web):
    jobs = client.listen(interface=DOMAIN, member="JobCompleted", path=web.path)
    ended = Lifecycle(client)
    web.create()
    web.call("Save", "ssu", str(root_dir / "memory"), "", 0)
    params = completed(jobs, SAVE)
    assert params["memory_total"] >= 32 << 20 and params["memory_remaining"] == 0 < params["memory_processed"]
    assert params["data_processed"] == params["memory_processed"] and "time_elapsed" in params
    ended.wait(web, STOPPED, STOPPED_SAVED)
    assert web.call("GetJobStats", "u", COMPLETED_STATS | KEEP)[0] == STATS_COMPLETED
    kind, stats = web.call("GetJobStats", "u", COMPLETED_STATS)
    assert kind == STATS_COMPLETED and stats == params
    assert web.call("GetJobStats", "u", COMPLETED_STATS) == (STATS_NONE, {})
    web.create()
    web.call("ManagedSave", "u", 0)
    completed(jobs, SAVE)
    for flags in (KEEP, 4):
        with pytest.raises(BusError):
            web.call("GetJobStats", "u", flags)


@qemu
def test_dumped_and_snapshots(client, root_dir, web):
    jobs = client.listen(interface=DOMAIN, member="JobCompleted", path=web.path)
    web.create()
    web.call("CoreDump", "suu", str(root_dir / "core"), 0, MEMORY_ONLY)
    params = completed(jobs, DUMP)
    assert params["memory_processed"] == params["memory_total"] > 0
    web.call("CoreDump", "suu", str(root_dir / "all"), 0, 0)
    assert completed(jobs, DUMP)["memory_normal_bytes"] > 0
    web.take("inside")
    assert "memory_total" not in completed(jobs, SNAPSHOT), "QEMU tells nothing of it"
    web.call("SnapshotCreateXML", "su", "<domainsnapshot><name>out</name>"
             f"<memory snapshot='external' file='{root_dir}/out.memory'/></domainsnapshot>", 0)
    assert completed(jobs, SNAPSHOT)["memory_total"] >= 32 << 20
    with pytest.raises(BusError):
        web.call("CoreDump", "suu", "/proc/nothing/core", 0, 0)
    assert not jobs.signals and web.state[0] == RUNNING, "nothing had begun"
    web.destroy()


@pytest.fixture
def small(root_dir):
    """A folder with room for 128 KiB."""
    folder = root_dir / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "small", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


@qemu
@pytest.mark.system
def test_a_save_that_fails(client, small, web):
    """A place that is full: the guest goes on, and it is told why."""
    jobs = client.listen(interface=DOMAIN, member="JobCompleted", path=web.path)
    web.create()
    with pytest.raises(BusError) as failure:
        web.call("Save", "ssu", str(small / "memory"), "", 0)
    (params,) = jobs.wait(timeout=20).values
    assert params["success"] is False and params["errmsg"] == failure.value.message
    assert list(small.iterdir()) == [] and web.state[0] == RUNNING
    assert web.call("GetJobStats", "u", COMPLETED_STATS)[0] == STATS_FAILED
    web.destroy()


def tune(client, machine, driver_path):
    """Each change of a running machine tells its values, and one of the definition alone nothing."""
    events = client.listen(interface=DOMAIN, member="Tunable", path=machine.path)
    first = [True] + [False] * (machine_processors(client, driver_path) - 1)
    limit = {"read_bytes_sec": GLib.Variant("t", 1 << 20), "group_name": GLib.Variant("s", "all")}
    machine.call("SetBlockIOTune", "sa{sv}u", "vda", limit, CONFIG)
    machine.call("PinVcpu", "uabu", 0, first, CONFIG)
    machine.call("SetBlockIOTune", "sa{sv}u", "vda", limit, LIVE | CONFIG)
    signal = events.wait()
    assert signal.values[0] == {"blkdeviotune.disk": "vda", "blkdeviotune.read_bytes_sec": 1 << 20,
                                "blkdeviotune.group_name": "all"}
    assert "<<uint64 1048576>>" in signal.parameters.print_(True), "libvirt-dbus has two variants there"
    machine.call("PinVcpu", "uabu", 0, first, 0)
    assert events.wait().values[0] == {"cputune.vcpupin0": "0"}
    machine.call("PinEmulator", "abu", first, LIVE)
    assert events.wait().values[0] == {"cputune.emulatorpin": "0"}
    machine.call("AddIOThread", "uu", 1, LIVE)
    machine.call("PinIOThread", "uabu", 1, first, LIVE)
    assert events.wait().values[0] == {"cputune.iothreadpin1": "0"}
    with pytest.raises(BusError):
        machine.call("PinVcpu", "uabu", 9, first, 0)
    machine.destroy()
    machine.call("PinVcpu", "uabu", 0, first, 0)
    client.ping()
    assert not events.signals


def machine_processors(client, driver_path):
    return len(client.call(driver_path, CONNECT, "NodeGetCPUMap", "u", 0)) if driver_path == QEMU else 8


@qemu
def test_tuned(client, root_dir):
    image = root_dir / "raw.img"
    image.write_bytes(bytes(1 << 20))
    machine = define(client, definition("tuned", disk(image)))
    machine.create()
    tune(client, machine, QEMU)


def test_tuned_in_memory(client):
    machine = define(client, definition("tuned", disk("/image.raw"), kind="test"), TEST)
    machine.create()
    events = client.listen(interface=DOMAIN, member="Tunable", path=machine.path)
    machine.call("SetSchedulerParameters", "a{sv}u", {"cpu_shares": GLib.Variant("t", 512),
                                                     "vcpu_quota": GLib.Variant("x", -1)}, 0)
    assert events.wait().values[0] == {"cputune.cpu_shares": 512, "cputune.vcpu_quota": -1}
    tune(client, machine, TEST)


def test_completed_in_memory(client):
    machine = define(client, definition("web", kind="test"), TEST)
    jobs = client.listen(interface=DOMAIN, member="JobCompleted", path=machine.path)
    machine.create()
    machine.call("SnapshotCreateXML", "su", "<domainsnapshot/>", 0)
    completed(jobs, SNAPSHOT)
    machine.call("Save", "ssu", "/saved", "", 0)
    assert completed(jobs, SAVE)["memory_total"] == 32 << 20
    client.call(TEST, CONNECT, "DomainRestore", "ssu", "/saved", "", 0)
    machine.call("ManagedSave", "u", 0)
    params = completed(jobs, SAVE)
    assert machine.call("GetJobStats", "u", COMPLETED_STATS) == (STATS_COMPLETED, params)
    assert machine.call("GetJobStats", "u", COMPLETED_STATS) == (STATS_NONE, {})


def finished(client, path, began, what="Finished"):
    """The words of the job's Finished, which is the last that comes before its object goes."""
    signal = began.wait(lambda s: s.member == what and (path is None or s.path == path), 20)
    removed = began.wait(lambda s: s.member == "InterfacesRemoved" and s.values[0] == signal.path, 20)
    assert removed.values == (signal.path, [JOB])
    return signal.values


def test_finished(client):
    machine = define(client, definition("web", kind="test"), TEST)
    told = client.listen()
    machine.create()
    assert finished(client, None, told) == ("completed", "", "")
    with pytest.raises(BusError) as failure:
        machine.create()
    assert finished(client, None, told) == ("failed", "org.virtbus1.Error.OperationInvalid", failure.value.message)
    with HeldJob(client, machine.path) as job:
        client.call(job.path, JOB, "Cancel")
        result, name, text = finished(client, job.path, told)
        assert (result, name) == ("cancelled", "org.virtbus1.Error.Cancelled") and "cancelled" in text


def test_a_step_of_stop_that_fails(client):
    machine = define(client, definition("web", kind="test"), TEST)
    told = client.listen()
    with pytest.raises(BusError):
        machine.call("Stop", "su", "poweroff", 0, interface="org.virtbus1.Domain")
    result, name, text = finished(client, None, told)
    assert (result, name) == ("failed", "org.virtbus1.Error.OperationInvalid")
    assert "not running" in text


@pytest.mark.qemu
@pytest.mark.parametrize("make", [lambda client: define(client, definition("web")),
                                  lambda client: create_transient(client, definition("web"))], ids=["persistent", "transient"])
def test_stops_of_one_machine_at_once(client, make):
    """What has ended when its turn comes is what was wanted, and the job of who waited says so too."""
    machine = make(client)
    if machine.state[0] != 1:
        machine.create()
    told = client.listen()
    stops = [machine.begin("Stop", "su", "shutdown", 300, interface="org.virtbus1.Domain") for _ in range(4)]
    for stop in stops:
        stop.result(20)
    client.ping()
    ends = [s.values for s in told.signals if s.member == "Finished"]
    assert len(ends) > 4 and all(end == ("completed", "", "") for end in ends), ends


def test_all_is_told_before_the_answer(client):
    """Who has it has heard what the call did, once, and its job's end: what comes later is news."""
    machine = define(client, definition("web", kind="test"), TEST)
    told = client.listen(sender="org.libvirt")

    def after(call):
        told.clear()
        call()
        while GLib.MainContext.default().iteration(False):  # what has arrived, without waiting
            pass
        changes = [s.values[1] for s in told.signals if s.member == "PropertiesChanged" and s.path == machine.path]
        return changes, [s.values[0] for s in told.signals if s.member == "Finished"]

    for _ in range(50):
        (change,), ends = after(machine.create)
        assert (change["State"], change["Job"], ends) == ("running", "/", ["completed"])
        (change,), ends = after(lambda: pytest.raises(BusError, machine.create))
        assert (change, ends) == ({"Job": "/"}, ["failed"])
        (change,), ends = after(machine.destroy)
        assert (change["State"], change["Job"], ends) == ("shutoff", "/", ["completed"])


@qemu
def test_finished_of_new_machines(client):
    """Their start is a job of their own, whose end is told before they are gone with it."""
    told = client.listen()
    with pytest.raises(BusError):
        client.call(QEMU, CONNECT, "DomainCreateXML", "su", definition("gone", disk("/nothing.img")), 0)
    result, name, text = finished(client, None, told)
    assert result == "failed" and name.startswith("org.virtbus1.Error.") and "/nothing.img" in text
    path = client.call(QEMU, CONNECT, "DomainCreateXML", "su", definition("short"), 0)
    assert finished(client, None, told)[0] == "completed"
    Machine(client, path).destroy()
