"""Statistics of a machine, with libvirt's names."""

import pytest

from harness import BusError
from machines import RUNNING, SHUTOFF, define, definition, disk

STATE, CPU, BALLOON, VCPU, INTERFACE, BLOCK = (1 << i for i in range(6))


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
    for stats, flags in ((1 << 30, 0), (STATE, 4)):
        with pytest.raises(BusError):
            web.call("GetStats", "uu", stats, flags)
