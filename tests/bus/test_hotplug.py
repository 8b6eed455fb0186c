"""Devices come and go: in the definition, in a machine that runs, in both."""

import pathlib
import subprocess

import pytest

from console import Console
from harness import BusError, wait_for
from machines import (
    AFFECT_CONFIG, AFFECT_LIVE, DOMAIN, NATIVE, XML_INACTIVE, FakeQemu, Machine, create_transient, define, definition, disk,
    guest_definition)

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


USER = "<interface type='user'><mac address='52:54:00:00:00:{:02x}'/><model type='virtio'/></interface>"
CHANNEL = "<channel type='unix'><target type='virtio' name='org.test.{}'/></channel>"
RNG = "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"
REDIRECTED = "<redirdev bus='usb' type='unix'><source mode='bind' path='{}'/></redirdev>"
TABLET = "<input type='tablet' bus='usb'/>"


def aliases(machine, element):
    return [alias.get("name") for alias in machine.tree().findall(f"devices/{element}/alias")]


@pytest.mark.qemu
class TestOthers:
    def test_comes_and_goes_at_once(self, daemon, client, root_dir):
        """USB devices and ports of virtio-serial need no guest that lets go of them."""
        machine = define(client, definition("web", "<controller type='virtio-serial'/>"
                                                   "<controller type='usb' model='qemu-xhci'/>"))
        machine.create()
        for element, xml in (("channel", CHANNEL.format(1)), ("input", TABLET),
                             ("redirdev", REDIRECTED.format(root_dir / "usb.sock")),
                             ("channel", "<channel type='pty'><target type='virtio' name='org.test.2'/></channel>")):
            before = aliases(machine, element)
            for _ in range(2):  # what was behind it has gone: its name is free
                attach(machine, xml, AFFECT_LIVE)
                assert len(aliases(machine, element)) == len(before) + 1, element
                detach(machine, xml, AFFECT_LIVE)
                assert aliases(machine, element) == before
        machine.destroy()

    def test_of_pci(self, daemon, client):
        machine = define(client, definition("web"))
        machine.create()
        attach(machine, USER.format(1), BOTH)
        refused(machine, "AttachDevice", USER.format(1), AFFECT_LIVE, "52:54:00:00:00:01", "already")
        attach(machine, RNG)
        attach(machine, "<controller type='scsi' model='virtio-scsi'/>")
        assert (aliases(machine, "interface"), aliases(machine, "rng")) == (["net0"], ["rng0"])
        xml = machine.xml()
        daemon.restart()
        assert machine.xml() == xml
        removed = client.listen(interface=DOMAIN, member="DeviceRemoved")
        detach(machine, USER.format(1), BOTH)
        detach(machine, RNG)
        assert removed.values() == []
        machine.call("Reset", "u", 0)
        wait_for(lambda: aliases(machine, "interface") == aliases(machine, "rng") == [], 10)
        attach(machine, USER.format(1))
        attach(machine, RNG)
        machine.destroy()
        assert machine.tree().find("devices/interface") is None

    def test_memory(self, client):
        cells = ("<maxMemory slots='4' unit='MiB'>512</maxMemory>"
                 "<cpu><numa><cell id='0' cpus='0' memory='64' unit='MiB'/></numa></cpu>")
        machine = define(client, definition("web", memory_kib=65536, extra=cells))
        machine.create()
        dimm = "<memory model='dimm'><target><size unit='MiB'>128</size><node>0</node></target></memory>"
        attach(machine, dimm, BOTH)
        assert aliases(machine, "memory") == ["dimm0"]
        assert machine.tree().find("memory").text == machine.tree(XML_INACTIVE).find("memory").text == "196608"
        virtual = ("<memory model='virtio-mem'><target><size unit='MiB'>128</size><node>0</node>"
                   "<block unit='MiB'>2</block><requested unit='MiB'>{}</requested></target></memory>")
        attach(machine, virtual.format(0))
        machine.call("UpdateDevice", "su", virtual.format(64), AFFECT_LIVE)
        assert machine.tree().find("devices/memory[@model='virtio-mem']/target/requested").text == "65536"
        machine.destroy()


@pytest.mark.qemu
class TestUpdates:
    CDROM = ("<disk type='file' device='cdrom'><driver name='qemu' type='raw'/>{}<target dev='sdb' bus='sata'/>"
             "<readonly/></disk>")

    def test_medium(self, daemon, client, image, root_dir):
        second = root_dir / "second.iso"
        second.write_bytes(bytes(1 << 20))
        first = self.CDROM.format(f"<source file='{image}'/>")
        other = self.CDROM.format(f"<source file='{second}'/>")
        machine = define(client, definition("web", first, machine="q35"))
        machine.create()

        def source():
            found = machine.tree().find("devices/disk/source")
            return None if found is None else found.get("file")

        machine.call("UpdateDevice", "su", other, AFFECT_LIVE)
        assert source() == str(second)
        assert machine.tree(XML_INACTIVE).find("devices/disk/source").get("file") == str(image)
        refused(machine, "UpdateDevice", self.CDROM.format(f"<source file='{root_dir}/none.iso'/>"), 0, "none.iso")
        daemon.restart()
        machine.call("UpdateDevice", "su", self.CDROM.format(""), BOTH | 4)
        assert source() is None
        machine.call("UpdateDevice", "su", first, 0)
        machine.call("UpdateDevice", "su", other, 0)
        assert source() == str(second)
        refused(machine, "UpdateDevice", other.replace("<readonly/>", "<serial>x</serial>"), 0, "serial")
        refused(machine, "UpdateDevice", other.replace("sdb", "sdc"), 0, "sdc")
        refused(machine, "UpdateDevice", other, 8, "8")
        machine.destroy()

    def test_link_and_password(self, client):
        vnc = "<graphics type='vnc' autoport='yes' passwd='{}'/>"
        machine = define(client, definition("web", USER.format(1) + vnc.format("old")))
        machine.create()
        down = USER.format(1).replace("</interface>", "<link state='down'/></interface>")
        machine.call("UpdateDevice", "su", down, BOTH)
        for flags in (0, XML_INACTIVE):
            assert machine.tree(flags).find("devices/interface/link").get("state") == "down"
        refused(machine, "UpdateDevice", down.replace("virtio", "e1000"), AFFECT_LIVE, "model")
        machine.call("UpdateDevice", "su", vnc.format("new"), AFFECT_LIVE)
        assert machine.tree(1).find("devices/graphics").get("passwd") == "new"
        machine.destroy()


@pytest.mark.system
@pytest.mark.qemu
class TestRights:
    def test_a_link_that_does_not_go_down(self, daemon, client, root_dir):
        """The guest has the card by then: the call has not failed, and the definition says what is."""
        guest = define(client, definition("web", emulator=FakeQemu(root_dir / "fake", "error set_link no").path))
        guest.create()
        attach(guest, "<interface type='user'><link state='down'/></interface>", BOTH)
        state = [guest.tree(flags).find("devices/interface/link").get("state") for flags in (0, XML_INACTIVE)]
        assert state == ["up", "down"] and "is up, and was to be down: " in daemon.read_log()
        daemon.restart()
        assert guest.tree().find("devices/interface/link").get("state") == "up"
        guest.destroy()

    def test_shared_machine(self, system_daemon, image):
        """Its QEMU has no rights: it gets what the daemon opens, and a tap on a bridge."""
        image.chmod(0o600)
        machine = define(system_daemon.client(), definition("web", "<controller type='usb' model='qemu-xhci'/>"))
        machine.create()
        for _ in range(2):
            attach(machine, disk(image, target="sda", bus="usb"), AFFECT_LIVE)
            detach(machine, disk(image, target="sda", bus="usb"), AFFECT_LIVE)
        attach(machine, disk(image), AFFECT_LIVE)
        subprocess.run(["ip", "link", "add", "plugged", "type", "bridge"], check=True)
        try:
            card = USER.format(1).replace("'user'>", "'bridge'><source bridge='plugged'/>")
            refused(machine, "AttachDevice", card.replace("plugged", "unplugged"), AFFECT_LIVE, "unplugged")
            attach(machine, card, AFFECT_LIVE)
            tap = machine.tree().find("devices/interface/target").get("dev")
            ports = pathlib.Path("/sys/class/net/plugged/brif")
            assert [port.name for port in ports.iterdir()] == [tap]
            system_daemon.restart()
            detach(machine, card, AFFECT_LIVE)
            machine.call("Reset", "u", 0)
            wait_for(lambda: not list(ports.iterdir()), 10)
            card = USER.format(2).replace("'user'>", "'direct'><source dev='plugged' mode='bridge'/>")
            attach(machine, card, AFFECT_LIVE)
            name = machine.tree().find("devices/interface/target").get("dev")
            path = pathlib.Path("/sys/class/net") / name
            assert path.exists()
            detach(machine, card, AFFECT_LIVE)
            machine.call("Reset", "u", 0)
            wait_for(lambda: not path.exists(), 10)
        finally:
            machine.destroy()
            subprocess.run(["ip", "link", "del", "plugged"], check=True)

    def test_users_machine(self, system_daemon, image):
        image.chmod(0o600)  # root's
        machine = define(system_daemon.client("alice"), definition("hers"))
        machine.create()
        refused(machine, "AttachDevice", disk(image), AFFECT_LIVE, "Permission denied")
        machine.destroy()

    def test_who_may(self, system_daemon, polkit, image):
        """domain.write is not domain.save: a rule may allow one without the other."""
        polkit.rules("if (subject.user == 'bob' && ['getattr', 'read', 'write'].indexOf("
                     "action.id.replace('org.libvirt.api.domain.', '')) >= 0) return polkit.Result.YES;")
        machine = define(system_daemon.client("alice"), definition("hers"))
        his = Machine(system_daemon.client("bob"), machine.path)
        for member in ("AttachDevice", "DetachDevice", "UpdateDevice"):
            for flags in (0, AFFECT_CONFIG, BOTH):
                error = refused(his, member, disk(image), flags)
                assert error.name in ("org.freedesktop.DBus.Error.AccessDenied",
                                      "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired")
            refused(his, member, disk(image), AFFECT_LIVE, "not running")


@pytest.mark.guest
@pytest.mark.qemu
def test_a_guest_lets_go(client, image, guest_files):
    """A real Linux sees the disk come, and lets go of it while DetachDevice waits."""
    ports = "".join(f"<controller type='pci' index='{i}' model='pcie-root-port'/>" for i in range(1, 6))
    machine = define(client, guest_definition("web", guest_files, devices=ports))
    machine.create()
    reply = client.send(machine.path, NATIVE, "OpenConsole", "su", "", 0)
    console = Console(reply.fds[0])
    console.wait_ready()

    def count():
        return int(console.run("ls /sys/bus/pci/devices | wc -l"))

    number = count()
    attach(machine, disk(image))
    wait_for(lambda: count() == number + 1, 10)
    removed = client.listen(interface=DOMAIN, member="DeviceRemoved")
    detach(machine, disk(image))
    assert removed.wait(timeout=30).values == ("virtio-disk0",)
    assert targets(machine) == []
    assert count() == number
    console.close()
    machine.destroy()
