"""Each kind of device that can be plugged into a machine that runs comes, is known to QEMU, and goes with all that is
behind it; what cannot says why."""

import pytest

from console import Console
from harness import BusError, wait_for
from machines import (
    AFFECT_LIVE, CONNECT, DOMAIN, NATIVE, QEMU, XML_INACTIVE, Monitor, create_transient, define, definition, guest_definition,
    with_arguments)
from test_encryption import define_secret, encrypted_disk
from test_encryption import image as encrypted_image
from test_hotplug import BOTH, RNG, TABLET, USER, aliases, attach, detach, refused

pytestmark = pytest.mark.qemu

SHMEM = "<shmem name='vb-{}'><model type='ivshmem-plain'/><size unit='M'>4</size></shmem>"


def backends(monitor):
    """All that QEMU has behind devices, by kind and name."""
    names = {("object", o["name"]) for o in monitor.ask("qom-list", path="/objects")}
    names |= {("chardev", c["label"]) for c in monitor.ask("query-chardev")}
    names |= {("node", n["node-name"]) for n in monitor.ask("query-named-block-nodes", flat=True)}
    names |= {("fdset", s["fdset-id"]) for s in monitor.ask("query-fdsets")}
    return names | {("device", o["name"]) for o in monitor.ask("qom-list", path="/machine/peripheral")}


def look(daemon, root_dir):
    """The same, while no daemon runs."""
    daemon.kill()
    monitor = Monitor(root_dir)
    found = backends(monitor)
    monitor.close()
    daemon.start()
    return found


def volume_disk(client, folder):
    folder.mkdir()
    pool = client.call(QEMU, CONNECT, "StoragePoolCreateXML", "su",
                       f"<pool type='dir'><name>disks</name><target><path>{folder}</path></target></pool>", 0)
    client.call(pool, "org.libvirt.StoragePool", "StorageVolCreateXML", "su",
                "<volume><name>one</name><capacity>1048576</capacity><target><format type='qcow2'/></target></volume>", 0)
    return ("<disk type='volume'><driver name='qemu' type='qcow2'/><source pool='disks' volume='one'/>"
            "<target dev='vdb' bus='virtio'/></disk>")


def on_root_ports(number):
    """A machine whose ports are without power while nobody has driven them: what is in one goes at once."""
    ports = "".join(f"<controller type='pci' index='{i}' model='pcie-root-port'/>" for i in range(1, number + 1))
    return with_arguments(definition("web", ports, machine="q35"), "-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off")


def test_on_pci(daemon, client, root_dir):
    """All of them at once, with the status on disk and read again in between."""
    define_secret(client)
    kinds = [("disk", encrypted_disk(encrypted_image(root_dir, "qcow2"))),
             ("disk", volume_disk(client, root_dir / "pool")),
             ("rng", "<rng model='virtio'><backend model='builtin'/></rng>"),
             ("rng", "<rng model='virtio'><rate bytes='100' period='1000'/><backend model='random'>/dev/urandom</backend></rng>"),
             ("crypto", "<crypto model='virtio' type='qemu'><backend model='builtin' queues='1'/></crypto>"),
             ("input", "<input type='keyboard' bus='virtio'/>"),
             ("controller", "<controller type='usb' index='1' model='nec-xhci'/>"),
             ("controller", "<controller type='virtio-serial' index='0'/>")]
    machine = define(client, on_root_ports(len(kinds) + 2))
    machine.create()
    before = look(daemon, root_dir)
    added = client.listen(interface=DOMAIN, member="DeviceAdded")
    removed = client.listen(interface=DOMAIN, member="DeviceRemoved")
    plugged = []
    for element, xml in kinds:
        known = aliases(machine, element)
        attach(machine, xml, AFFECT_LIVE)
        plugged += [a for a in aliases(machine, element) if a not in known]
        assert added.wait().values[0] == plugged[-1], xml
    assert len(plugged) == len(kinds)
    with_all = look(daemon, root_dir)
    assert {("device", alias) for alias in plugged} <= with_all
    for _, xml in kinds:
        detach(machine, xml, AFFECT_LIVE)
    for alias in plugged:
        removed.wait(lambda s, a=alias: s.values == (a,), 10, f"{alias} to be removed")
    assert look(daemon, root_dir) == before  # DetachDevice waits for what is behind a device, too
    for _, xml in kinds:
        attach(machine, xml, AFFECT_LIVE)
    machine.destroy()
    client.call(client.call(QEMU, CONNECT, "StoragePoolLookupByName", "s", "disks"), "org.libvirt.StoragePool", "Destroy")


WATCHDOG = "<watchdog model='i6300esb' action='{}'/>"
SERIAL = "<serial type='pty'><target type='pci-serial'/></serial>"


def test_on_conventional_pci(daemon, client, root_dir):
    """The firmware lets go of nothing: QEMU does when the machine is reset."""
    machine = define(client, definition("web"))
    machine.create()
    attach(machine, WATCHDOG.format("pause"), BOTH)
    refused(machine, "AttachDevice", WATCHDOG.format("reset"), AFFECT_LIVE, "action")
    attach(machine, SERIAL, AFFECT_LIVE)
    attach(machine, SHMEM.format(root_dir.name), AFFECT_LIVE)
    daemon.restart()
    removed = client.listen(interface=DOMAIN, member="DeviceRemoved")
    detach(machine, WATCHDOG.format("pause"), BOTH)
    detach(machine, SERIAL, AFFECT_LIVE)
    detach(machine, SHMEM.format(root_dir.name), AFFECT_LIVE)
    assert (aliases(machine, "watchdog"), removed.values()) == (["watchdog0"], [])
    machine.call("Reset", "u", 0)
    for alias in ("watchdog0", "serial0", "shmem0"):
        removed.wait(lambda s, a=alias: s.values == (a,), 10, alias)
    attach(machine, TABLET, AFFECT_LIVE)
    detach(machine, TABLET, AFFECT_LIVE)  # which waits until all is gone that is behind devices
    assert not {("chardev", "charserial0"), ("object", "shmmem-shmem0")} & look(daemon, root_dir)


def test_what_the_host_or_the_guest_has_not(client):
    machine = create_transient(client, definition("web", "<controller type='usb' model='qemu-xhci'/>"))
    usb = "<hostdev mode='subsystem' type='usb'><source><vendor id='0x1234'/><product id='0xabcd'/></source></hostdev>"
    place = "<hostdev mode='subsystem' type='usb'><source><address bus='99' device='99'/></source></hostdev>"
    pci = ("<hostdev mode='subsystem' type='pci' managed='{}'><source><address domain='0xabcd' bus='0' slot='1' function='0'/>"
           "</source></hostdev>")
    mdev = ("<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source>"
            "<address uuid='53764d0e-85a0-42b4-af5c-2046b460b1dc'/></source></hostdev>")
    function = ("<interface type='hostdev' managed='yes'><source><address type='pci' domain='0xabcd' bus='0' slot='1' function='0'/>"
                "</source>{}</interface>")
    for xml, word in ((function.format(""), "abcd"), (usb, "1234"), (place, "99"), (pci.format("no"), "abcd"), (pci.format("yes"), "abcd"), (mdev, "53764d0e"),
                      ("<vsock model='virtio'><cid auto='yes'/></vsock>", "vsock"),
                      ("<sound model='ich6'/>", "sound"), ("<video><model type='virtio'/></video>", "video"),
                      ("<tpm model='tpm-tis'><backend type='emulator'/></tpm>", "tpm"),
                      ("<filesystem type='mount'><source dir='/tmp'/><target dir='t'/></filesystem>", "filesystem"),
                      ("<memory model='dimm'><target><size unit='MiB'>128</size></target></memory>", "emory"),
                      ("<input type='keyboard' bus='ps2'/>", "input"), ("<redirdev bus='pci' type='pty'/>", "pci")):
        refused(machine, "AttachDevice", xml, AFFECT_LIVE, word)


@pytest.mark.parametrize("policy, starts", [("optional", True), ("requisite", False), ("mandatory", False)])
def test_a_usb_device_that_need_not_be_there(daemon, client, policy, starts):
    usb = f"""<hostdev mode='subsystem' type='usb'><source startupPolicy='{policy}'><vendor id='0x1234'/><product id='0xabcd'/></source>
              </hostdev>"""
    machine = define(client, definition("web", "<controller type='usb' model='qemu-xhci'/>" + usb))
    if not starts:
        with pytest.raises(BusError, match="no USB device 1234:abcd"):
            machine.create()
        return
    machine.create()
    assert "missing='yes'" in machine.xml()
    assert "missing" not in machine.xml(XML_INACTIVE)
    daemon.restart()
    assert (aliases(machine, "hostdev"), "missing='yes'" in machine.xml()) == (["hostdev0"], True)
    removed = client.listen(interface=DOMAIN, member="DeviceRemoved")
    refused(machine, "AttachDevice", usb.replace("abcd", "abce"), AFFECT_LIVE, "no USB device 1234:abce")
    detach(machine, usb, AFFECT_LIVE)
    assert (aliases(machine, "hostdev"), removed.wait(timeout=10).values) == ([], ("hostdev0",))


@pytest.mark.guest
def test_a_guest_lets_go(client, guest_files):
    """DetachDevice returns when a real Linux has let go, within the five seconds."""
    content = "".join(f"<controller type='pci' index='{i}' model='pcie-root-port'/>" for i in range(1, 8))
    cells = ("<maxMemory slots='4' unit='MiB'>1024</maxMemory>"
             "<cpu><numa><cell id='0' cpus='0' memory='256' unit='MiB'/></numa></cpu>")
    machine = define(client, guest_definition("web", guest_files, devices=content, extra=cells))
    machine.create()
    console = Console(client.send(machine.path, NATIVE, "OpenConsole", "su", "", 0).fds[0])
    console.wait_ready()
    kinds = (("interface", USER.format(1), "ls /sys/bus/pci/devices | wc -l"), ("rng", RNG, "ls /sys/bus/pci/devices | wc -l"),
             ("memory", "<memory model='dimm'><target><size unit='MiB'>128</size><node>0</node></target></memory>",
              "ls -d /sys/devices/system/memory/memory* | wc -l"))
    removed = client.listen(interface=DOMAIN, member="DeviceRemoved")
    for element, xml, command in kinds:
        before = console.run(command)
        attach(machine, xml, BOTH)
        wait_for(lambda b=before, c=command: int(console.run(c)) > int(b), 20, element)
        alias, = aliases(machine, element)
        detach(machine, xml, BOTH)
        assert removed.wait(timeout=30).values == (alias,)
        assert (aliases(machine, element), console.run(command)) == ([], before)
    console.close()
    machine.destroy()
