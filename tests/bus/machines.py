"""Definitions to test with, the numbers that libvirt's clients know, and a short way to call a machine's methods."""

import contextlib
import json
import os
import pathlib
import socket
import uuid
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from harness import PROPERTIES

QEMU = "/org/libvirt/QEMU"
CONNECT = "org.libvirt.Connect"
DOMAIN = "org.libvirt.Domain"
NATIVE = "org.virtbus1.Domain"
FAKE_QEMU = pathlib.Path(__file__).resolve().parents[1] / "qmp/fake-qemu"


# virDomainEventType with the details of each, and virDomainState with the reasons that are used
DEFINED, UNDEFINED, STARTED, SUSPENDED, RESUMED, STOPPED, SHUTDOWN, PMSUSPENDED, CRASHED = range(9)
DEFINED_ADDED, DEFINED_UPDATED, DEFINED_RENAMED = 0, 1, 2
UNDEFINED_REMOVED, UNDEFINED_RENAMED = 0, 1
STARTED_BOOTED = 0
SUSPENDED_PAUSED = 0
RESUMED_UNPAUSED = 0
STOPPED_SHUTDOWN, STOPPED_DESTROYED, STOPPED_CRASHED, STOPPED_FAILED = 0, 1, 2, 5
SHUTDOWN_GUEST, SHUTDOWN_HOST = 1, 2
CRASHED_PANICKED = 0

RUNNING, PAUSED, SHUTOFF, STATE_CRASHED = 1, 3, 5, 6
RUNNING_BOOTED, RUNNING_UNPAUSED = 1, 5
PAUSED_USER = 1
SHUTOFF_UNKNOWN, SHUTOFF_SHUTDOWN, SHUTOFF_DESTROYED, SHUTOFF_CRASHED, SHUTOFF_FAILED = 0, 1, 2, 3, 6
STATE_CRASHED_PANICKED = 1

# virConnectListAllDomainsFlags
LIST_ACTIVE, LIST_INACTIVE, LIST_PERSISTENT, LIST_TRANSIENT = 1, 2, 4, 8
LIST_RUNNING, LIST_PAUSED, LIST_SHUTOFF, LIST_OTHER = 16, 32, 64, 128
LIST_AUTOSTART, LIST_NO_AUTOSTART = 1024, 2048

# virDomainCreateFlags, virDomainXMLFlags, virDomainShutdownFlagValues, virDomainModificationImpact, metadata
START_PAUSED, START_AUTODESTROY, START_VALIDATE = 1, 2, 16
XML_SECURE, XML_INACTIVE, XML_UPDATE_CPU, XML_MIGRATABLE = 1, 2, 4, 8
SHUTDOWN_ACPI, SHUTDOWN_AGENT = 1, 2
AFFECT_CURRENT, AFFECT_LIVE, AFFECT_CONFIG = 0, 1, 2
METADATA_DESCRIPTION, METADATA_TITLE, METADATA_ELEMENT = 0, 1, 2


def definition(name, devices="", *, domain_uuid=None, memory_kib=32768, vcpus=1, kind="qemu", machine="pc",
               emulator=None, boot="", extra="", on_crash=None):
    """A machine without disks: it sits in its firmware, which is enough for a life cycle."""
    parts = [f"<domain type='{kind}'>", f"<name>{escape(name)}</name>"]
    if domain_uuid:
        parts.append(f"<uuid>{domain_uuid}</uuid>")
    parts.append(f"<memory unit='KiB'>{memory_kib}</memory><vcpu>{vcpus}</vcpu>")
    parts.append(f"<os><type arch='x86_64' machine='{machine}'>hvm</type>{boot}</os>")
    parts.append("<features><acpi/></features>" + extra)
    if on_crash:
        parts.append(f"<on_crash>{on_crash}</on_crash>")
    parts.append("<devices>")
    if emulator:
        parts.append(f"<emulator>{escape(str(emulator))}</emulator>")
    parts.append(devices + "<memballoon model='none'/></devices></domain>")
    return "".join(parts)


def guest_definition(name, files, words="", devices="", **options):
    """A machine that boots the test guest, with a serial console."""
    boot = (f"<kernel>{escape(str(files))}/vmlinuz</kernel><initrd>{escape(str(files))}/initramfs</initrd>"
            f"<cmdline>console=ttyS0 quiet {escape(words)}</cmdline>")
    serial = "<serial type='pty'/><console type='pty'/>"
    return definition(name, serial + devices, boot=boot, memory_kib=262144, machine="q35", **options)


def disk(source, *, target="vda", bus="virtio", kind="file", driver="raw", read_only=False):
    key = "dev" if kind == "block" else "file"
    return (f"<disk type='{kind}' device='disk'><driver name='qemu' type='{driver}'/>"
            f"<source {key}={quoteattr(str(source))}/><target dev='{target}' bus='{bus}'/>"
            + ("<readonly/>" if read_only else "") + "</disk>")


def path_of(domain_uuid, driver=QEMU):
    return f"{driver}/domain/_{str(domain_uuid).replace('-', '_')}"


class Machine:
    """One domain object, as a client sees it."""

    def __init__(self, client, path):
        self.client = client
        self.path = path

    def call(self, member, signature="", *args, interface=DOMAIN, **options):
        return self.client.call(self.path, interface, member, signature, *args, **options)

    def begin(self, member, signature="", *args, interface=DOMAIN, **options):
        return self.client.begin(self.path, interface, member, signature, *args, **options)

    def get(self, name, interface=DOMAIN):
        return self.client.get(self.path, interface, name)

    def create(self, flags=0):
        self.call("Create", "u", flags)

    def destroy(self, flags=0):
        self.call("Destroy", "u", flags)

    def undefine(self, flags=0):
        self.call("Undefine", "u", flags)

    def shutdown(self, flags=0):
        self.call("Shutdown", "u", flags)

    def suspend(self):
        self.call("Suspend")

    def resume(self):
        self.call("Resume")

    def xml(self, flags=0):
        return self.call("GetXMLDesc", "u", flags)

    def tree(self, flags=0):
        return ElementTree.fromstring(self.xml(flags))

    @property
    def state(self):
        return self.call("GetState", "u", 0)

    @property
    def name(self):
        return self.get("Name")

    @property
    def uuid(self):
        return self.get("UUID")


def define(client, xml, driver=QEMU):
    return Machine(client, client.call(driver, CONNECT, "DomainDefineXML", "s", xml))


def create_transient(client, xml, flags=0, driver=QEMU):
    return Machine(client, client.call(driver, CONNECT, "DomainCreateXML", "su", xml, flags))


def list_machines(client, flags=0, driver=QEMU):
    return client.call(driver, CONNECT, "ListDomains", "u", flags)


class Lifecycle:
    """The DomainEvents of a driver, as (path, event, detail)."""

    def __init__(self, client, driver=QEMU):
        self.recorder = client.listen(interface=CONNECT, member="DomainEvent", path=driver)

    def wait(self, machine, event, detail, timeout=10.0):
        """Waits for exactly this event of this machine, whatever others come before; the Signal."""
        return self.recorder.wait(lambda s: s.values == (machine.path, event, detail), timeout,
                                  f"event ({event}, {detail}) of {machine.path}")

    def of(self, machine):
        """(event, detail) of the machine's events so far that no wait has taken."""
        return [s.values[1:] for s in self.recorder.signals if s.values[0] == machine.path]

    def clear(self):
        self.recorder.clear()


class FakeQemu:
    """A place for a fake QEMU: a definition's emulator is its path, tricks are set by lines."""

    def __init__(self, directory, tricks=""):
        directory.mkdir(exist_ok=True)
        directory.chmod(0o755)
        self.path = directory / ("qemu-" + uuid.uuid4().hex[:8])
        self.path.symlink_to(FAKE_QEMU)
        self.log_path = pathlib.Path(f"{self.path}.log")
        self.log_path.touch()
        self.log_path.chmod(0o666)
        self.tricks(tricks)

    def tricks(self, text):
        mode = pathlib.Path(f"{self.path}.mode")
        mode.write_text(text, encoding="utf-8")
        mode.chmod(0o644)

    def log(self):
        return [json.loads(line) for line in self.log_path.read_text(encoding="utf-8").splitlines()]

    def runs(self):
        """What was noted of each start that was no probe."""
        return [entry for entry in self.log() if "argv" in entry and not entry["is_probe"]]

    def commands(self):
        """The QMP commands of the runs, in order."""
        found, is_run = [], False
        for entry in self.log():
            if "argv" in entry:
                is_run = not entry["is_probe"]
            elif is_run:
                found.append(entry["execute"])
        return found


SECOND_MONITOR = "second.sock"


def with_arguments(xml, *arguments):
    """The definition, whose QEMU gets these, too."""
    return xml.replace("<domain ", "<domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0' ").replace(
        "</domain>", "<qemu:commandline>" + "".join(f"<qemu:arg value='{a}'/>" for a in arguments) + "</qemu:commandline></domain>")


def with_second_monitor(xml, root):
    """The definition, whose QEMU has one that the daemon knows nothing of: Monitor(root, SECOND_MONITOR)."""
    return with_arguments(xml, "-qmp", f"unix:{root}/{SECOND_MONITOR},server=on,wait=off")


class Monitor:
    """QEMU's, while no daemon has it, or another one."""

    def __init__(self, root, name="monitor.sock"):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        here = os.open(next(root.rglob(name)).parent, os.O_PATH)
        self.socket.connect(f"/proc/self/fd/{here}/{name}")
        os.close(here)
        self.lines = self.socket.makefile("rw")
        self.lines.readline()
        self.ask("qmp_capabilities")

    def ask(self, command, **arguments):
        self.lines.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.lines.flush()
        return next(answer for answer in map(json.loads, self.lines) if "event" not in answer)["return"]

    def close(self):
        self.lines.close()
        self.socket.close()


def pid_of(daemon, machine):
    """The process of a running machine of this daemon: the one whose command line has its uuid or name."""
    domain_uuid, name = machine.uuid, machine.name
    found = [pid for pid, line in daemon.machines().items()
             if any(domain_uuid in argument or f"guest={name}" in argument for argument in line)]
    assert len(found) == 1, f"{name}: processes {found} of {daemon.machines()}"
    return found[0]


@contextlib.contextmanager
def text_file(path, text, mode=0o644, owner=None):
    """A file with that text, mode and owner (uid), gone afterwards."""
    path = pathlib.Path(path)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    if owner is not None:
        os.chown(path, owner, owner)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def set_property(machine, name, signature, value, interface=DOMAIN):
    machine.client.set(machine.path, interface, name, signature, value)


__all__ = [name for name in dir() if not name.startswith("_")] + ["PROPERTIES"]


def boot_sector():
    """Prints what the disk's second sector says, writes "WRITTEN" there, prints "READY"; by the BIOS and COM1."""
    parts = [
        "31c0 8ed8 8ec0 8816f07d",            # ds = es = 0; the drive's number is kept
        "bb007e b80102 b90200 b600 cd13",      # the second sector to 0x7e00
        "be007e e8{print}",
        "bb{written} b80103 b90200 b600 8a16f07d cd13",
        "be{ready} e8{print}",
        "f4 ebfd",                             # for ever
        "baf803 ac 84c0 7403 ee ebf8 c3",      # print: [si] to COM1, up to a 0
    ]
    sizes = [len(bytes.fromhex(part.format(print="0000", written="0000", ready="0000"))) for part in parts]
    print_at, end = sum(sizes[:6]), sum(sizes)
    ready, written = b"READY\0", b"WRITTEN\0"
    code = b""
    for i, part in enumerate(parts):
        after_call = sum(sizes[:i + 1])
        code += bytes.fromhex(part.format(
            print=((print_at - after_call) & 0xffff).to_bytes(2, "little").hex(),
            ready=(0x7c00 + end).to_bytes(2, "little").hex(),
            written=(0x7c00 + end + len(ready)).to_bytes(2, "little").hex()))
    return (code + ready + written).ljust(510, b"\0") + b"\x55\xaa"
