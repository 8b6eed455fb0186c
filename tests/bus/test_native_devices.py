"""Devices without XML: plugged in by kind and fields, taken out and changed by their alias."""

import pytest

from harness import BusError, wait_for
from machines import AFFECT_CONFIG, AFFECT_LIVE, DOMAIN, NATIVE, XML_INACTIVE, Machine, define, definition
from test_hotplug import BOTH, image, targets, web  # noqa: F401: fixtures
from test_native_definitions import native

DISK = {"type": "file", "target": "sda", "bus": "scsi", "format": "raw"}
VIRTIO = {"type": "file", "target": "vda", "bus": "virtio", "format": "raw"}
CARD = {"type": "user", "mac": "52:54:00:00:00:01", "model": "virtio"}


def attach(machine, kind, values, flags=0):
    return machine.call("AttachDevice", "sa{sv}u", kind, native(values), flags, interface=NATIVE)


def detach(machine, alias, flags=0):
    machine.call("DetachDevice", "su", alias, flags, interface=NATIVE)


def update(machine, alias, changes, flags=0):
    machine.call("UpdateDevice", "sa{sv}u", alias, native(changes), flags, interface=NATIVE)


def refused(machine, word, member, signature, *arguments):
    before = machine.xml(), machine.xml(XML_INACTIVE)
    with pytest.raises(BusError) as e:
        machine.call(member, signature, *arguments, interface=NATIVE)
    assert word in e.value.message, e.value.message
    assert (machine.xml(), machine.xml(XML_INACTIVE)) == before
    return e.value


def test_in_the_definition(daemon, web, image):
    assert attach(web, "disk", {**VIRTIO, "source": {"file": str(image)}}) == ""
    assert targets(web) == ["vda"]
    update(web, "virtio-disk0", {"readonly": True, "tune": {"total_iops_sec": 10}})
    daemon.restart()
    found = web.tree().find("devices/disk")
    assert found.find("readonly") is not None and found.find("iotune/total_iops_sec").text == "10"
    assert found.find("source").get("file") == str(image)
    update(web, "virtio-disk0", {"tune": {}})
    assert web.tree().find("devices/disk/iotune") is None
    detach(web, "virtio-disk0")
    assert targets(web) == []


def test_what_is_wrong(web, image):
    disk = {**VIRTIO, "source": {"file": str(image)}}
    attach(web, "disk", disk)
    for word, member, signature, *arguments in (
            ("already", "AttachDevice", "sa{sv}u", "disk", native(disk), 0),
            ("toaster", "AttachDevice", "sa{sv}u", "toaster", {}, 0),
            ("colour", "AttachDevice", "sa{sv}u", "disk", native({**disk, "target": "vdb", "colour": "red"}), 0),
            ("target", "AttachDevice", "sa{sv}u", "disk", {}, 0),
            ("8", "AttachDevice", "sa{sv}u", "disk", native({**disk, "target": "vdb"}), 8),
            ("not running", "AttachDevice", "sa{sv}u", "disk", native({**disk, "target": "vdb"}), AFFECT_LIVE),
            ("nothing9", "DetachDevice", "su", "nothing9", 0),
            ("nothing9", "UpdateDevice", "sa{sv}u", "nothing9", {}, 0),
            ("0x10", "DetachDevice", "su", "virtio-disk0", 16),
            ("colour", "UpdateDevice", "sa{sv}u", "virtio-disk0", native({"colour": ""}), 0)):
        refused(web, word, member, signature, *arguments)
    assert refused(web, "nothing9", "DetachDevice", "su", "nothing9", 0).name == "org.virtbus1.Error.NoDevice"


@pytest.mark.qemu
def test_in_a_machine_that_runs(daemon, client, image):
    machine = define(client, definition("web", "<controller type='scsi' model='virtio-scsi'/>"))
    machine.create()
    added = client.listen(interface=DOMAIN, member="DeviceAdded")
    removed = client.listen(interface=DOMAIN, member="DeviceRemoved")
    alias = attach(machine, "disk", {**DISK, "source": {"file": str(image)}}, BOTH)
    assert added.wait().values == (alias,) == ("scsi0-0-0-0",)
    assert targets(machine) == targets(machine, XML_INACTIVE) == ["sda"]
    update(machine, alias, {"tune": {"total_iops_sec": 77}}, BOTH)
    assert machine.call("GetBlockIOTune", "su", "sda", AFFECT_LIVE)["total_iops_sec"] == 77
    card = attach(machine, "interface", CARD, BOTH)
    update(machine, card, {"link": "down"}, BOTH)
    for flags in (0, XML_INACTIVE):
        assert machine.tree(flags).find("devices/interface/link").get("state") == "down"
        assert machine.tree(flags).find("devices/disk/iotune/total_iops_sec").text == "77"
    refused(machine, "model", "UpdateDevice", "sa{sv}u", card, native({"model": "e1000"}), BOTH)
    update(machine, card, {"model": "e1000"}, AFFECT_CONFIG)
    detach(machine, alias, BOTH)
    assert removed.wait().values == (alias,)
    detach(machine, card, AFFECT_LIVE)
    machine.call("Reset", "u", 0)
    wait_for(lambda: machine.tree().find("devices/interface") is None, 10)
    assert machine.tree(XML_INACTIVE).find("devices/interface/model").get("type") == "e1000"
    assert targets(machine) == targets(machine, XML_INACTIVE) == []
    rng = attach(machine, "rng", {"model": "virtio", "backend": "builtin"}, AFFECT_LIVE)
    assert rng == "rng0"


@pytest.mark.system
def test_who_may(system_daemon, polkit, image):
    """domain.write is not domain.save, here too."""
    polkit.rules("if (subject.user == 'bob' && ['getattr', 'read', 'write'].indexOf("
                 "action.id.replace('org.libvirt.api.domain.', '')) >= 0) return polkit.Result.YES;")
    machine = define(system_daemon.client("alice"), definition("hers"))
    his = Machine(system_daemon.client("bob"), machine.path)
    for member, signature, arguments in (("AttachDevice", "sa{sv}u", ("disk", native(DISK))),
                                         ("DetachDevice", "su", ("net0",)), ("UpdateDevice", "sa{sv}u", ("net0", {}))):
        for flags in (0, AFFECT_CONFIG, BOTH):
            with pytest.raises(BusError) as e:
                his.call(member, signature, *arguments, flags, interface=NATIVE)
            assert e.value.name.endswith(("AccessDenied", "InteractiveAuthorizationRequired")), e.value
