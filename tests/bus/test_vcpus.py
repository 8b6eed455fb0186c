"""Processors are plugged in and taken out while the machine runs."""

import pytest

from console import Console
from harness import BusError, wait_for
from machines import (
    AFFECT_CONFIG, AFFECT_LIVE, NATIVE, XML_INACTIVE, Monitor, define, definition, guest_definition)
from test_hotplug import BOTH

pytestmark = pytest.mark.qemu
MAXIMUM, GUEST, HOTPLUGGABLE = 4, 8, 16


def with_vcpus(xml, current, most, content=""):
    return xml.replace("<vcpu>1</vcpu>", f"<vcpu current='{current}'>{most}</vcpu>{content}")


def get(machine, flags=0):
    return machine.call("GetVcpus", "u", flags)


def set_to(machine, count, flags=0):
    machine.call("SetVcpus", "uu", count, flags)


def refused(machine, count, flags, word):
    before = machine.xml(), machine.xml(XML_INACTIVE)
    with pytest.raises(BusError) as e:
        set_to(machine, count, flags)
    assert word in e.value.message, e.value.message
    assert (machine.xml(), machine.xml(XML_INACTIVE)) == before


def of_qemu(daemon, root_dir):
    """Which processors QEMU has, by number."""
    daemon.kill()
    monitor = Monitor(root_dir)
    found = [cpu["cpu-index"] for cpu in monitor.ask("query-cpus-fast")]
    monitor.close()
    daemon.start()
    return found


@pytest.mark.parametrize("board", ["pc", "q35"])
def test_plugged_in(daemon, client, root_dir, board):
    machine = define(client, with_vcpus(definition("web", machine=board), 1, 4))
    machine.create()
    set_to(machine, 2)
    set_to(machine, 3, BOTH)
    assert (get(machine, AFFECT_LIVE), get(machine, AFFECT_CONFIG), get(machine, MAXIMUM)) == (3, 3, 4)
    assert machine.get("VCPUs", NATIVE) == 3
    assert machine.tree().find("vcpu").get("current") == "3"
    assert of_qemu(daemon, root_dir) == [0, 1, 2]
    assert get(machine) == 3
    for count, flags, word in ((0, 0, "1 to 4"), (5, 0, "1 to 4"), (5, BOTH, "1 to 4"), (2, MAXIMUM | AFFECT_LIVE, "most"),
                               (2, HOTPLUGGABLE | AFFECT_CONFIG, "HOTPLUGGABLE"), (2, 32, "0x20"), (2, GUEST | AFFECT_CONFIG, "GUEST"),
                               (2, GUEST, "agent")):
        refused(machine, count, flags, word)
    refused(machine, 2, BOTH, "emulated")


def test_the_daemon_is_killed_meanwhile(daemon, client, root_dir):
    machine = define(client, with_vcpus(definition("web"), 1, 4))
    machine.create()
    daemon.kill()
    monitor = Monitor(root_dir)
    place = next(c for c in monitor.ask("query-hotpluggable-cpus") if c["props"]["socket-id"] == 1)
    monitor.ask("device_add", driver=place["type"], id="vcpu1", **place["props"])
    monitor.close()
    daemon.start()
    wait_for(lambda: get(machine) == 2, 10)
    set_to(machine, 4)
    assert of_qemu(daemon, root_dir) == [0, 1, 2, 3]


@pytest.mark.guest
def test_a_guest_sees_them(client, guest_files):
    machine = define(client, with_vcpus(guest_definition("web", guest_files), 1, 3))
    machine.create()
    reply = client.send(machine.path, NATIVE, "OpenConsole", "su", "", 0)
    console = Console(reply.fds[0])
    console.wait_ready()

    def there():
        return int(console.run("ls -d /sys/devices/system/cpu/cpu[0-9]* | wc -l"))

    assert there() == 1
    set_to(machine, 3)
    wait_for(lambda: there() == 3, 20)
    assert console.run("echo 1 >/sys/devices/system/cpu/cpu2/online; nproc").split()[-1] == "2"
    console.close()
    machine.destroy()
