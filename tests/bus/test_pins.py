"""Where a machine's threads run, its I/O threads, limits of its disks and its shares of the host: now and from the next start on."""

import os
import pathlib

import pytest

from gi.repository import GLib
from harness import BusError
from machines import define, definition, disk, pid_of

LIVE, CONFIG = 1, 2
HOST = os.cpu_count()
FIRST = [True] + [False] * (HOST - 1)


@pytest.fixture
def web(client, root_dir):
    image = root_dir / "disk.raw"
    with open(image, "wb") as f:
        f.truncate(1 << 20)
    return define(client, definition("web", disk(image), vcpus=2).replace("<os>", "<iothreads>1</iothreads><os>"))


def refused(call, *arguments, word=""):
    with pytest.raises(BusError) as e:
        call(*arguments)
    assert word in e.value.message


def threads(daemon, machine, name):
    """The affinities of QEMU's threads whose names begin so."""
    tasks = pathlib.Path(f"/proc/{pid_of(daemon, machine)}/task")
    return [os.sched_getaffinity(int(t.name)) for t in tasks.iterdir() if (t / "comm").read_text().startswith(name)]


@pytest.mark.qemu
@pytest.mark.skipif(HOST < 2, reason="one processor")
def test_pins_of_a_running_machine(daemon, web):
    web.create()
    assert web.call("GetVcpuPinInfo", "u", 0) == [[True] * HOST] * 2
    web.call("PinVcpu", "uabu", 1, FIRST, 0)
    assert web.call("GetVcpuPinInfo", "u", LIVE) == [[True] * HOST, FIRST]
    assert web.call("GetVcpuPinInfo", "u", CONFIG) == [[True] * HOST] * 2
    assert threads(daemon, web, "CPU 1") in ([{0}], []) and {0} in threads(daemon, web, "")
    web.call("PinEmulator", "abu", FIRST, LIVE | CONFIG)
    assert web.call("GetEmulatorPinInfo", "u", LIVE) == web.call("GetEmulatorPinInfo", "u", CONFIG) == FIRST
    assert os.sched_getaffinity(pid_of(daemon, web)) == {0}
    web.call("PinIOThread", "uabu", 1, FIRST, 0)
    assert web.call("GetIOThreadInfo", "u", 0) == [(1, FIRST)]
    daemon.restart()
    assert web.call("GetVcpuPinInfo", "u", LIVE)[1] == FIRST
    web.destroy()
    assert web.call("GetEmulatorPinInfo", "u", 0) == FIRST


def test_pins_of_a_stopped_machine(daemon, web):
    web.call("PinVcpu", "uabu", 0, FIRST, 0)
    web.call("PinIOThread", "uabu", 1, FIRST, CONFIG)
    daemon.restart()
    assert web.call("GetVcpuPinInfo", "u", 0) == [FIRST, [True] * HOST]
    assert web.call("GetIOThreadInfo", "u", 0) == [(1, FIRST)]
    for call, word in ((("PinVcpu", "uabu", 2, FIRST, 0), "no processor 2"), (("PinVcpu", "uabu", 0, [], 0), "At least one"),
                       (("PinVcpu", "uabu", 0, [False] * HOST + [True], 0), f"no processor {HOST}"), (("PinVcpu", "uabu", 0, FIRST, 8), "flags"),
                       (("PinVcpu", "uabu", 0, FIRST, LIVE), "not running"), (("PinIOThread", "uabu", 7, FIRST, 0), "no I/O thread 7"),
                       (("GetEmulatorPinInfo", "u", 4), "flags"), (("GetIOThreadInfo", "u", LIVE), "not running")):
        refused(web.call, *call, word=word)


@pytest.mark.qemu
def test_io_threads(daemon, client, web, root_dir):
    web.create()
    web.call("AddIOThread", "uu", 5, LIVE | CONFIG)
    assert [i for i, _ in web.call("GetIOThreadInfo", "u", LIVE)] == [i for i, _ in web.call("GetIOThreadInfo", "u", CONFIG)] == [1, 5]
    assert web.call("GetStats", "uu", 128, 0)["iothread.count"] == 2
    refused(web.call, "AddIOThread", "uu", 5, LIVE, word="already")
    refused(web.call, "DelIOThread", "uu", 9, LIVE, word="no I/O thread 9")
    web.call("DelIOThread", "uu", 1, LIVE)
    assert web.call("GetStats", "uu", 128, 0)["iothread.count"] == 1
    daemon.restart()
    assert [i for i, _ in web.call("GetIOThreadInfo", "u", LIVE)] == [5]
    assert [i for i, _ in web.call("GetIOThreadInfo", "u", CONFIG)] == [1, 5]
    web.destroy()
    refused(web.call, "AddIOThread", "uu", 0, 0, word="from 1")
    used = define(client, definition("used", disk(root_dir / "disk.raw").replace("<driver ", "<driver iothread='1' "))
                  .replace("<os>", "<iothreads>1</iothreads><os>"))
    refused(used.call, "DelIOThread", "uu", 1, 0, word="'vda'")


@pytest.mark.qemu
def test_limits_of_a_disk(daemon, web):
    limit = {"total_bytes_sec": GLib.Variant("t", 1 << 20)}
    web.create()
    web.call("SetBlockIOTune", "sa{sv}u", "vda", limit, LIVE)
    assert web.call("GetBlockIOTune", "su", "vda", LIVE)["total_bytes_sec"] == 1 << 20
    assert web.call("GetBlockIOTune", "su", "vda", CONFIG)["total_bytes_sec"] == 0
    web.call("SetBlockIOTune", "sa{sv}u", "vda", {"read_iops_sec": GLib.Variant("t", 100), "read_bytes_sec": GLib.Variant("t", 4096)}, LIVE | CONFIG)
    for flags in (LIVE, CONFIG):
        found = web.call("GetBlockIOTune", "su", "vda", flags)
        assert (found["total_bytes_sec"], found["read_bytes_sec"], found["read_iops_sec"]) == (0, 4096, 100)
    web.destroy()
    web.create()  # with a group of its own now
    web.call("SetBlockIOTune", "sa{sv}u", "vda", {"read_iops_sec": GLib.Variant("t", 0)}, LIVE)
    assert web.call("GetBlockIOTune", "su", "vda", 0)["read_iops_sec"] == 0
    web.destroy()
    for arguments, word in ((("sdz", limit, 0), "sdz"), (("vda", {"x": GLib.Variant("t", 1)}, 0), "'x'"),
                            (("vda", {"total_bytes_sec": GLib.Variant("u", 1)}, 0), "type t"), (("vda", limit, 8), "flags"),
                            (("vda", {"total_bytes_sec": GLib.Variant("t", 1), "read_bytes_sec": GLib.Variant("t", 1)}, 0), "excludes")):
        refused(web.call, "SetBlockIOTune", "sa{sv}u", *arguments, word=word)


CASES = [
    ("SchedulerParameters", {"cpu_shares": ("t", 2048), "vcpu_quota": ("x", 50000), "vcpu_period": ("t", 100000)},
     [({"cpu_shares": ("u", 1)}, "type t"), ({"cpu_shares": ("t", 1)}, "2 to"), ({"x": ("t", 1)}, "'x'"), ({"vcpu_quota": ("x", 5)}, "1000 to")]),
    ("MemoryParameters", {"hard_limit": ("t", 1 << 20), "swap_hard_limit": ("t", 1 << 21)},
     [({"hard_limit": ("t", 1 << 22), "swap_hard_limit": ("t", 1)}, "below"), ({"min_guarantee": ("t", 1)}, "min_guarantee")]),
    ("NumaParameters", {"numa_nodeset": ("s", "0"), "numa_mode": ("i", 2)},
     [({"numa_mode": ("i", 4)}, "0 (strict)"), ({"numa_nodeset": ("s", "x")}, "no set"), ({"numa_nodeset": ("i", 1)}, "type s")]),
    ("BlockIOParameters", {"weight": ("u", 500), "device_read_bytes_sec": ("s", "/dev/loop0,4096,/dev/loop1,8192")},
     [({"weight": ("u", 5)}, "10 to 1000"), ({"device_weight": ("s", "/dev/loop0")}, "in turn"), ({"device_weight": ("s", "loop0,1")}, "in turn")]),
]


@pytest.mark.parametrize("name, values, wrong", CASES, ids=[c[0] for c in CASES])
def test_shares_of_the_host(daemon, web, name, values, wrong):
    def variants(entries):
        return {k: GLib.Variant(*v) for k, v in entries.items()}
    before = web.call("Get" + name, "u", 0)
    assert set(values) <= set(before)
    for entries, word in wrong:
        refused(web.call, f"Set{name}", "a{sv}u", variants(entries), 0, word=word)
    assert web.call("Get" + name, "u", CONFIG) == before
    web.call(f"Set{name}", "a{sv}u", variants(values), 0)
    daemon.restart()
    assert web.call("Get" + name, "u", 0) == before | {k: v[1] for k, v in values.items()}
    refused(web.call, f"Set{name}", "a{sv}u", {}, LIVE, word="not running")
    refused(web.call, f"Get{name}", "u", 8, word="flags")
