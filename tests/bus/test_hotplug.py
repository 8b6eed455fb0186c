"""Devices come and go: in the definition, in a machine that runs, in both."""

import pytest

from harness import BusError, wait_for
from machines import (
    AFFECT_CONFIG, AFFECT_LIVE, DOMAIN, XML_INACTIVE, create_transient, define, definition, disk)

BOTH = AFFECT_LIVE | AFFECT_CONFIG


@pytest.fixture
def web(client):
    return define(client, definition("web"))


@pytest.fixture
def image(root_dir):
    path = root_dir / "data.img"
    path.write_bytes(bytes(1 << 20))
    path.chmod(0o666)
    return path


def attach(machine, xml, flags=0):
    machine.call("AttachDevice", "su", xml, flags)


def detach(machine, xml, flags=0):
    machine.call("DetachDevice", "su", xml, flags)


def refused(machine, member, xml, flags, *words):
    """The call fails, says why, and has changed nothing."""
    before = machine.xml(), machine.xml(XML_INACTIVE)
    with pytest.raises(BusError) as e:
        machine.call(member, "su", xml, flags)
    for word in words:
        assert word in e.value.message, e.value.message
    assert (machine.xml(), machine.xml(XML_INACTIVE)) == before
    return e.value


def targets(machine, flags=0):
    return [target.get("dev") for target in machine.tree(flags).findall("devices/disk/target")]


class TestDefinition:
    def test_comes_and_goes(self, daemon, client, web, image):
        before = web.xml()
        attach(web, disk(image), AFFECT_CONFIG)
        found = web.tree().find("devices/disk")
        assert found.find("target").get("dev") == "vda"
        assert found.find("address").get("type") == "pci"
        daemon.restart()
        assert targets(web) == ["vda"]
        detach(web, "<disk><target dev='vda'/></disk>")
        assert web.xml() == before
        daemon.restart()
        assert web.xml() == before

    def test_with_its_controller(self, web, image):
        attach(web, disk(image, target="sda", bus="scsi"))
        assert [c.get("index") for c in web.tree().findall("devices/controller[@type='scsi']")] == ["0"]

    def test_refused(self, web, image):
        attach(web, disk(image))
        refused(web, "AttachDevice", disk(image), 0, "vda", "already")
        refused(web, "AttachDevice", disk(image, target="vdb"), 8, "8")
        refused(web, "AttachDevice", disk(image, target="vdb"), AFFECT_LIVE, "not running")
        refused(web, "AttachDevice", "<disk", 0)
        refused(web, "AttachDevice", "<toaster/>", 0, "toaster")
        refused(web, "AttachDevice", "<disk/>", 0, "target")
        refused(web, "DetachDevice", "<disk><target dev='vdz'/></disk>", 0, "vdz")
        refused(web, "DetachDevice", "<interface type='user'><mac address='52:54:00:00:00:09'/></interface>", 0,
                "52:54:00:00:00:09")
        refused(web, "DetachDevice", disk(image), 4, "4")


@pytest.mark.qemu
class TestDisks:
    @pytest.mark.parametrize("bus,target", [("virtio", "vdb"), ("scsi", "sda"), ("usb", "sda")])
    def test_live(self, daemon, client, image, bus, target):
        machine = define(client, definition("web", "<controller type='scsi' model='virtio-scsi'/>"))
        machine.create()
        added = client.listen(interface=DOMAIN, member="DeviceAdded")
        attach(machine, disk(image, target=target, bus=bus), AFFECT_LIVE)
        alias = machine.tree().find("devices/disk/alias").get("name")
        assert added.wait().values == (alias,)
        assert targets(machine) == [target]
        assert targets(machine, XML_INACTIVE) == []
        refused(machine, "AttachDevice", disk(image, target=target, bus=bus), AFFECT_LIVE, "already")
        xml = machine.xml()
        daemon.restart()
        assert machine.xml() == xml
        removed = client.listen(interface=DOMAIN, member="DeviceRemoved")
        if bus == "virtio":  # the firmware has no driver that would let go of it: QEMU does when it resets
            detach(machine, disk(image, target=target, bus=bus))
            assert targets(machine) == [target]
            assert removed.values() == []
            machine.call("Reset", "u", 0)
        else:
            detach(machine, disk(image, target=target, bus=bus), AFFECT_LIVE)
        assert removed.wait().values == (alias,)
        assert targets(machine) == []
        refused(machine, "DetachDevice", disk(image, target=target, bus=bus), AFFECT_LIVE, target)
        daemon.restart()  # which may be killed before the status is on disk: QEMU knows
        wait_for(lambda: targets(machine) == [], 10)
        attach(machine, disk(image, target=target, bus=bus), BOTH)
        assert targets(machine) == targets(machine, XML_INACTIVE) == [target]
        machine.destroy()
        assert targets(machine) == [target]

    def test_nothing_is_left_of_a_failure(self, client, image, root_dir):
        machine = define(client, definition("web"))
        machine.create()
        for _ in range(2):
            refused(machine, "AttachDevice", disk(root_dir / "none.img"), 0, "none.img")
        attach(machine, disk(image))
        machine.destroy()

    def test_slots_are_used_up(self, client, image):
        machine = define(client, definition("web", machine="q35"))
        machine.create()
        while True:
            number = len(targets(machine))
            try:
                attach(machine, disk(image, target=f"vd{chr(97 + number)}").replace("</disk>", "<shareable/></disk>"))
            except BusError as e:
                assert "no free PCI slot" in e.message
                break
        machine.destroy()

    def test_buses_that_take_nothing(self, client, image):
        machine = create_transient(client, definition("web"))
        refused(machine, "AttachDevice", disk(image, target="hda", bus="ide"), 0, "ide")
        refused(machine, "AttachDevice", "<sound model='ac97'/>", 0, "sound")
        with pytest.raises(BusError) as e:
            attach(machine, disk(image), BOTH)
        assert "persistent" in e.value.message
        machine.destroy()
