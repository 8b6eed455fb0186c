"""Several clients do what comes to their minds, valid or not, and the daemon is killed in the middle; what was acknowledged
is there afterwards, and nothing else is left.

VIRTBUS_CHAOS_SEED and VIRTBUS_CHAOS_SECONDS choose another run.
"""

import os
import random
import subprocess
import time
from xml.etree import ElementTree

import pytest

from gi.repository import GLib
from every_kind import METHODS, TEST, empty
from harness import BusError, wait_for
from machines import CONNECT, DOMAIN, QEMU, SHUTOFF, Machine, definition, disk, path_of
from test_matrix import EXTREMES
from test_snapshots import holds, run, write
from test_storage import MIB, POOL, names, started, volume_xml

SEED = int(os.environ.get("VIRTBUS_CHAOS_SEED", "1"))
SECONDS = float(os.environ.get("VIRTBUS_CHAOS_SECONDS", "25"))
SNAPSHOT = "org.libvirt.DomainSnapshot"
NETWORK = "org.libvirt.Network"
UUID = "5f0c1d3e-0000-4000-8000-00000000000{}"
RNG = "<rng model='virtio'><backend model='random'>/dev/urandom</backend><alias name='ua-{}'/></rng>"
DISK_ONLY, MANAGED_SAVE, SNAPSHOTS_METADATA, GONE = 16, 1, 2, None


class Kept:
    """Something that is stored: what it may be, None for not at all."""

    def __init__(self):
        self.known = {GONE}
        self.pending = None  # the reply to what changes it, and what it will be then

    def may_change(self):
        return self.pending is None

    def begin(self, reply, value):
        self.pending = (reply, value)

    def settle(self, is_dead):
        """Once replies have come, or none will."""
        if self.pending is None or not (self.pending[0].done or is_dead):
            return
        reply, value = self.pending
        self.pending = None
        if reply.done and reply.error is None:
            self.known = {value}
        elif not isinstance(reply.error, BusError) or "NoReply" in reply.error.name:
            self.known |= {value}


class Guest(Kept):
    def __init__(self, number, root):
        super().__init__()
        self.uuid, self.name, self.byte = UUID.format(number), f"chaos{number}", number + 1
        self.path = path_of(self.uuid)
        self.image = root / f"{self.name}.qcow2"
        run("qemu-img", "create", "-q", "-f", "qcow2", self.image, "1M")
        write(self.image, self.byte)

    def xml(self, title):
        return definition(self.name, disk(self.image, driver="qcow2"), domain_uuid=self.uuid, memory_kib=16384,
                          extra=f"<title>{title}</title>")


class Chaos:
    def __init__(self, daemon, root, folder, seed):
        self.daemon, self.root, self.folder = daemon, root, folder
        self.random = random.Random(seed)
        self.count = 0
        self.clients = [daemon.client() for _ in range(3)] + [daemon.peer()]
        self.guests = [Guest(i, root) for i in range(3)]
        self.networks = [Kept() for _ in range(2)]
        self.volumes = [Kept() for _ in range(3)]
        self.pool = started(self.clients[0], folder)
        self.replies = []

    def client(self):
        return self.random.choice(self.clients)

    def begin(self, path, interface, member, signature="", *arguments, fds=None):
        reply = self.client().begin(path, interface, member, signature, *arguments, fds=fds)
        self.replies.append(reply)
        return reply

    def number(self):
        self.count += 1
        return self.count

    # What is done

    def define(self, guest):
        if not guest.may_change():
            return
        title = f"t{self.number()}"
        guest.begin(self.begin(QEMU, CONNECT, "DomainDefineXML", "s", guest.xml(title)), title)

    def undefine(self, guest):
        if guest.may_change():
            guest.begin(self.begin(guest.path, DOMAIN, "Undefine", "u", MANAGED_SAVE | SNAPSHOTS_METADATA), GONE)

    def title(self, guest):
        if guest.may_change() and guest.known != {GONE}:
            title = f"t{self.number()}"
            guest.begin(self.begin(guest.path, DOMAIN, "SetMetadata", "isssu", 1, title, "", "", 2), title)

    def run_it(self, guest):
        self.begin(guest.path, DOMAIN, *self.random.choice([
            ("Create", "u", self.random.choice([0, 1, 8])), ("Create", "u", 0), ("Destroy", "u", 0), ("Suspend",), ("Resume",),
            ("Reset", "u", 0), ("ManagedSave", "u", 0), ("ManagedSaveRemove", "u", 0), ("SetMemory", "tu", 8192, 0),
            ("AttachDevice", "su", RNG.format(self.random.randrange(2)), self.random.choice([0, 1])),
            ("DetachDevice", "su", RNG.format(self.random.randrange(2)), self.random.choice([0, 1])),
            ("GetXMLDesc", "u", 0), ("GetJobInfo",), ("AbortJob",)]))

    def snapshot(self, guest):
        """Inside: what is written stays where it is."""
        name = f"s{self.random.randrange(3)}"
        path = f"{QEMU}/domainsnapshot/" + guest.path.rsplit("/", 1)[1] + f"/{name}"
        self.begin(*self.random.choice([
            (guest.path, DOMAIN, "SnapshotCreateXML", "su", f"<domainsnapshot><name>{name}</name></domainsnapshot>", 0),
            (guest.path, DOMAIN, "SnapshotCreateXML", "su", "<domainsnapshot/>", DISK_ONLY),
            (path, SNAPSHOT, "Delete", "u", 0), (guest.path, DOMAIN, "ListDomainSnapshots", "u", 0)]))

    def volume(self, _guest):
        index = self.random.randrange(len(self.volumes))
        kept, name = self.volumes[index], f"v{index}"
        if not kept.may_change():
            return
        if self.random.random() < 0.6:
            kind = self.random.choice(["raw", "qcow2"])
            kept.begin(self.begin(self.pool, POOL, "StorageVolCreateXML", "su", volume_xml(name, MIB, kind=kind), 0), name)
        else:
            volumes = self.daemon_lookup(name)
            if volumes:
                kept.begin(self.begin(volumes, "org.libvirt.StorageVol", "Delete", "u", 0), GONE)

    def daemon_lookup(self, name):
        try:
            return self.client().call(self.pool, POOL, "StorageVolLookupByName", "s", name)
        except (BusError, GLib.Error):
            return None

    def network(self, _guest):
        index = self.random.randrange(len(self.networks))
        kept, identity = self.networks[index], UUID.format(8 + index)
        path = f"{QEMU}/network/_{identity.replace('-', '_')}"
        if not kept.may_change():
            return
        if self.random.random() < 0.6:
            bridge = f"vbc{self.number()}"
            xml = f"<network><name>n{index}</name><uuid>{identity}</uuid><bridge name='{bridge}'/></network>"
            kept.begin(self.begin(QEMU, CONNECT, "NetworkDefineXML", "s", xml), bridge)
        else:
            kept.begin(self.begin(path, NETWORK, "Undefine"), GONE)

    def nonsense(self, guest):
        method = self.random.choice([m for m in METHODS if "h" not in m.signature and m.name not in ("Undefine", "Shutdown")])
        path = self.random.choice([guest.path, TEST, QEMU, TEST + "/domain/_6695eb01_f6a4_8304_79aa_97f2502e193f", self.pool])
        if path.startswith(QEMU) and not method.arguments:
            return  # that would be valid
        values = [EXTREMES.get(kind, empty(kind)) if path.startswith(QEMU) or self.random.random() < 0.5 else empty(kind)
                  for _name, kind in method.arguments]
        self.begin(path, method.interface, method.name, method.signature, *values)

    def step(self):
        guest = self.random.choice(self.guests)
        action = self.random.choices(
            [self.define, self.undefine, self.title, self.run_it, self.snapshot, self.volume, self.network, self.nonsense],
            [3, 1, 3, 8, 3, 3, 2, 4])[0]
        action(guest)

    # What must be true

    def settle(self, is_dead=False):
        for kept in [*self.guests, *self.networks, *self.volumes]:
            kept.settle(is_dead)

    def wait(self):
        wait_for(lambda: all(r.done for r in self.replies) or self.daemon.process.poll() is not None, 120, "all replies")
        assert self.daemon.process.poll() is None, self.daemon.read_log()[-6000:]
        self.replies.clear()
        self.settle()

    def kill(self):
        self.daemon.kill()
        wait_for(lambda: all(r.done for r in self.replies), 30, "the bus to answer for it")
        self.settle(is_dead=True)
        self.replies.clear()
        self.daemon.start(timeout=20)
        self.clients[-1].close()
        self.clients[-1] = self.daemon.peer()

    def title_of(self, guest):
        machine = Machine(self.clients[0], guest.path)
        try:
            return machine.tree(2).findtext("title") if machine.get("Persistent") else GONE
        except BusError as e:
            assert "not found" in e.message, e
            return GONE

    def check(self):
        client = self.clients[0]
        for guest in self.guests:
            found = self.title_of(guest)
            assert found in guest.known, f"{guest.name} is {found}, should be of {guest.known}"
            guest.known = {found}
            if found is not GONE:
                source = Machine(client, guest.path).tree(2).find("devices/disk/source").get("file")
                assert os.path.exists(source), f"{guest.name} has lost {source}"
        for index, kept in enumerate(self.networks):
            path = f"{QEMU}/network/_{UUID.format(8 + index).replace('-', '_')}"
            try:
                xml = client.call(path, NETWORK, "GetXMLDesc", "u", 1)
                found = ElementTree.fromstring(xml).find("bridge").get("name")
            except BusError as e:
                assert "not found" in e.message, e
                found = GONE
            assert found in kept.known, f"network {index} is {found}, should be of {kept.known}"
            kept.known = {found}
        wait_for(lambda: client.get(self.pool, POOL, "Active"), 20, "the pool")
        client.call(self.pool, POOL, "Refresh", "u", 0)
        there = set(names(client, self.pool))
        for index, kept in enumerate(self.volumes):
            found = f"v{index}" if f"v{index}" in there else GONE
            assert found in kept.known, f"volume {index} is {found}, should be of {kept.known}"
            kept.known = {found}
        assert not [p for p in os.listdir(self.folder) if p.startswith(".virtbus")]

    def check_images(self):
        """At the end, when nothing runs: what was written to the disks is there."""
        for guest in self.guests:
            title = self.title_of(guest)
            source = guest.image
            if title is not GONE:
                machine = Machine(self.clients[0], guest.path)
                machine.destroy() if machine.state[0] != SHUTOFF else None
                source = machine.tree(2).find("devices/disk/source").get("file")
            subprocess.run(["qemu-img", "check", "-q", source], check=True)
            assert holds(source, guest.byte), f"{source} has lost what was written"


def links():
    return {entry for entry in os.listdir("/sys/class/net") if entry != "lo"}


@pytest.mark.qemu
def test_chaos(daemon, root_dir, tmp_path):
    before = links()
    (tmp_path / "pool").mkdir()
    chaos = Chaos(daemon, root_dir, tmp_path / "pool", SEED)
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        for _ in range(chaos.random.randrange(5, 40)):
            chaos.step()
            if chaos.random.random() < 0.3:
                chaos.clients[0].ping()  # so that it is in the middle of something
            chaos.settle()
        if chaos.random.random() < 0.5:
            chaos.kill()
        else:
            chaos.wait()
        chaos.check()
    chaos.wait()
    daemon.destroy_machines()  # also those that are not stored any longer
    chaos.check_images()
    wait_for(lambda: not daemon.machines(), 20, "all machines to be gone")
    assert links() == before
