"""Statistics of a machine, with libvirt's names."""

import os
import signal
import subprocess
import time

import pytest
from gi.repository import GLib

from harness import SCALE, BusError, Recorder, entry_levels, wait_for
from machines import CONNECT, QEMU, RUNNING, SHUTOFF, define, definition, disk, pid_of

STATE, CPU, BALLOON, VCPU, INTERFACE, BLOCK = (1 << i for i in range(6))
PERF, BACKING, ENFORCE = 1 << 6, 1 << 30, 1 << 31


@pytest.fixture
def web(client, root_dir):
    image = root_dir / "disk.raw"
    with open(image, "wb") as f:
        f.truncate(1 << 20)
    return define(client, definition("web", disk(image) + "<interface type='user'/>", vcpus=2))


def test_of_a_stopped_machine(web, root_dir):
    stats = web.call("GetStats", "uu", 0, 0)
    assert (stats["state.state"], stats["state.reason"]) == (SHUTOFF, 0)
    assert stats["balloon.current"] == stats["balloon.maximum"] == 32768
    assert stats["vcpu.current"] == stats["vcpu.maximum"] == 2
    assert stats["net.count"] == 1
    assert (stats["block.count"], stats["block.0.name"]) == (1, "vda")
    assert stats["block.0.path"] == str(root_dir / "disk.raw")
    assert "cpu.time" not in stats and "block.0.rd.reqs" not in stats


@pytest.mark.qemu
def test_of_a_running_machine(web):
    web.create()
    stats = web.call("GetStats", "uu", 0, 0)
    assert stats["state.state"] == RUNNING
    assert stats["cpu.time"] == stats["cpu.user"] + stats["cpu.system"]
    assert {"vcpu.0.state", "vcpu.0.time", "vcpu.1.state"} <= set(stats)
    assert stats["block.0.capacity"] == 1 << 20
    assert stats["block.0.rd.reqs"] >= 0
    assert web.call("GetStats", "uu", CPU, 0)["cpu.time"] >= stats["cpu.time"]
    assert set(web.call("GetStats", "uu", STATE, 0)) == {"state.state", "state.reason"}
    web.destroy()


def test_what_is_not_there(web):
    """Unknown groups are left out unless that is asked to be an error; unknown flags always are one."""
    assert web.call("GetStats", "uu", 1 << 20 | STATE, 0).keys() == {"state.state", "state.reason"}
    for stats, flags in ((1 << 20, ENFORCE), (STATE, 4)):
        with pytest.raises(BusError):
            web.call("GetStats", "uu", stats, flags)


def all_stats(client, stats=0, flags=0, **options):
    return dict(client.call(QEMU, CONNECT, "GetAllDomainStats", "uu", stats, flags, **options))


@pytest.mark.qemu
def test_more_of_a_running_machine(client, root_dir):
    base, image = root_dir / "base.qcow2", root_dir / "top.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", base, "1M"], check=True)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", base, image], check=True)
    machine = define(client, definition("deep", disk(image, driver="qcow2").replace("</disk>",
        f"<backingStore type='file'><format type='qcow2'/><source file='{base}'/></backingStore></disk>"),
        vcpus=2).replace("<os>", "<iothreads>2</iothreads><os>"))
    machine.create()
    stats = machine.call("GetStats", "uu", 0, ENFORCE)
    assert stats["block.count"] == 1 and stats["balloon.current"] == 32768 and stats["balloon.rss"] > 0
    assert stats["iothread.count"] == 2 and "iothread.1.poll-max-ns" in stats
    assert stats["dirtyrate.calc_status"] == 0 and "vcpu.1.delay" in stats
    deep = machine.call("GetStats", "uu", BLOCK, BACKING)
    assert (deep["block.count"], deep["block.1.name"], deep["block.1.backingIndex"]) == (2, "vda", 1)
    assert deep["block.1.path"] == str(base) and deep["block.1.rd.reqs"] >= 0
    machine.destroy()


@pytest.mark.qemu
def test_of_all_machines(client, web):
    other = define(client, definition("db"))
    assert all_stats(client) == {"web": web.call("GetStats", "uu", 0, 0), "db": other.call("GetStats", "uu", 0, 0)}
    raw = client.send(QEMU, CONNECT, "GetAllDomainStats", "uu", STATE, 0).body.get_child_value(0)
    assert entry_levels(raw.get_child_value(0).get_child_value(1)) == {"state.state": 2, "state.reason": 2}
    assert {n: s["state.state"] for n, s in all_stats(client).items()} == {"web": SHUTOFF, "db": SHUTOFF}
    web.create()
    assert all_stats(client, STATE, 1).keys() == {"web"} and all_stats(client, STATE, 2).keys() == {"db"}
    assert "vcpu.0.time" in all_stats(client)["web"]
    for stats, flags in ((STATE, 1 << 10), (1 << 20, ENFORCE)):
        with pytest.raises(BusError):
            all_stats(client, stats, flags)
    web.destroy()


@pytest.mark.qemu
def test_events_that_are_counted(daemon, web):
    """Those of the kernel; the processor's own are not in every machine."""
    web.create()
    before = web.call("GetPerfEvents", "u", 1)
    assert before and not any(before.values()) and not web.call("GetStats", "uu", PERF, 0)
    counted = {"page_faults": GLib.Variant("b", True), "task_clock": GLib.Variant("b", True)}
    web.call("SetPerfEvents", "a{sv}u", counted, 3)
    assert web.call("GetPerfEvents", "u", 1) == web.call("GetPerfEvents", "u", 2) == before | {"page_faults": True, "task_clock": True}
    wait_for(lambda: web.call("GetStats", "uu", PERF, 0)["perf.task_clock"] > 0)
    assert web.call("GetStats", "uu", PERF, 0).keys() == {"perf.page_faults", "perf.task_clock"}
    daemon.restart()
    wait_for(lambda: web.call("GetStats", "uu", PERF, 0)["perf.task_clock"] > 0)
    for values, flags, word in (({"no": GLib.Variant("b", True)}, 1, "'no'"), ({"page_faults": GLib.Variant("u", 1)}, 1, "type b"),
                                (counted, 4, "flags")):
        with pytest.raises(BusError) as e:
            web.call("SetPerfEvents", "a{sv}u", values, flags)
        assert word in e.value.message
    web.call("SetPerfEvents", "a{sv}u", {"task_clock": GLib.Variant("b", False)}, 1)
    assert web.call("GetStats", "uu", PERF, 0).keys() == {"perf.page_faults"}
    web.destroy()
    web.create()  # counted from the start
    assert web.call("GetStats", "uu", PERF, 0).keys() == {"perf.page_faults", "perf.task_clock"}
    web.destroy()


@pytest.mark.qemu
def test_a_threshold_of_writing(client, web, root_dir):
    """A boot sector that writes the third sector: the signal comes once, and the number is gone with it."""
    code = bytes.fromhex("b80103 bb007c b90300 ba8000 cd13 f4 ebfd")
    (root_dir / "disk.raw").write_bytes((code.ljust(510, b"\0") + b"\x55\xaa").ljust(1 << 20, b"\0"))
    web.create(1)
    web.call("SetBlockThreshold", "stu", "vda", 1024, 0)
    assert web.call("GetStats", "uu", BLOCK, 0)["block.0.threshold"] == 1024
    signals = Recorder(client, member="BlockThreshold")
    web.call("Resume")
    came = signals.wait(timeout=20 * SCALE)
    assert came.values == ("vda", str(root_dir / "disk.raw"), 1024, 512)
    assert "block.0.threshold" not in web.call("GetStats", "uu", BLOCK, 0)
    web.destroy()


@pytest.mark.qemu
def test_one_that_stands_still_delays_no_other(daemon, client, web):
    web.create()
    other = define(client, definition("stuck"))
    other.create()
    pid = pid_of(daemon, other)
    os.kill(pid, signal.SIGSTOP)
    try:
        first = all_stats(client)
        assert "vcpu.0.time" in first["web"] and "vcpu.0.time" not in first["stuck"]
        assert first["stuck"]["state.state"] == RUNNING and "cpu.time" in first["stuck"]
        # It is known now: whoever asks next, and whoever asks about another one, does not wait at all.
        started = time.monotonic()
        second = all_stats(client)
        again = web.call("GetStats", "uu", 0, 0)
        assert time.monotonic() - started < 1.0 * SCALE
        assert "vcpu.0.time" in second["web"] and "vcpu.0.time" in again and "vcpu.0.time" not in second["stuck"]
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_for(lambda: "vcpu.0.time" in all_stats(client)["stuck"])
    other.destroy()
    web.destroy()


@pytest.mark.skipif(not os.environ.get("VIRTBUS_NAMESPACE"), reason="only inside tests/bus/run, started as root")
def test_a_stranger_sees_nothing(system_daemon):
    define(system_daemon.client(), definition("roots"))
    mallory = system_daemon.client("mallory")
    assert all_stats(mallory) == {}
    define(mallory, definition("own"))
    assert all_stats(mallory).keys() == {"own"}
