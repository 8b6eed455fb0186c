#!/usr/bin/python3 -B
"""compare.py --scratch FOLDER [--quick] [--write] [PART...]

What `compare` runs in its namespaces: both stacks side by side, and a table of medians and 99th percentiles in
microseconds with the ratios.  The parts: calls (reads at 1, 100, 1,000 and 10,000 machines, with 1 and 16 calls in
flight, by the bus, by our private socket and by libvirt's own protocol), life (machines that really start and end),
signals (news to 10 subscribers), rights (reads of 1,000 machines by a user about whom polkit decides),
scale (the daemon's start and its memory with 0, 1,000 and 10,000 definitions), networks (start and end of a NAT
network with a real dnsmasq), volumes (the list of a folder of 10,000, which both know already).  Rows in which virtbusd
is less than 3 times as fast as libvirt-dbus, or slower than libvirt's own protocol, are named with the reason.  --write
puts the result into docs/performance.md.
"""

import argparse
import os
import pathlib
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "bus"))

from daemon import BUILD  # noqa: E402
from machines import STOPPED, Lifecycle, Machine, definition  # noqa: E402
from stacks import CONNECT, QEMU, TEST, Ours, Theirs, as_stranger  # noqa: E402
from table import Table  # noqa: E402

DOMAIN, PROPERTIES = "org.libvirt.Domain", "org.freedesktop.DBus.Properties"
NETWORK, POOL = "org.libvirt.Network", "org.libvirt.StoragePool"
NAT = ("<network><name>bench{0}</name><forward mode='nat'/><bridge name='vbbench{0}' delay='0'/>"
       "<ip address='10.99.{0}.1' prefix='24'><dhcp><range start='10.99.{0}.10' end='10.99.{0}.200'/></dhcp></ip></network>")
LIBRARY = "/usr/lib/x86_64-linux-gnu/libvirt.so.0"
URI = "qemu:///system"


def machine_uuid(index):
    return f"00000000-0000-4000-8000-{index:012d}"


def machine_path(index):
    return f"{QEMU}/domain/_{machine_uuid(index).replace('-', '_')}"


def machine_xml(index):
    """About 5 KB with what is filled in: two disks, two interfaces, a display."""
    devices = "".join(f"<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/nonexistent/{i}'/>"
                      f"<target dev='vd{'ab'[i]}' bus='virtio'/></disk>" for i in range(2))
    devices += "".join(f"<interface type='user'><mac address='52:54:00:{index >> 8 & 255:02x}:{index & 255:02x}:0{i}'/>"
                       "<model type='virtio'/></interface>" for i in range(2))
    return definition(f"m{index}", devices + "<graphics type='vnc' port='-1'/><video><model type='vga'/></video>"
                      "<serial type='pty'/><console type='pty'/>", domain_uuid=machine_uuid(index), machine="q35")


# Name → the calls of a round, one after the other; without a path they are those of the first machine.
CALLS = {
    "Ping": [(QEMU, "org.freedesktop.DBus.Peer", "Ping")],
    "ListDomains": [(QEMU, CONNECT, "ListDomains", "u", "0")],
    "GetState": [(None, DOMAIN, "GetState", "u", "0")],
    "GetAll": [(None, PROPERTIES, "GetAll", "s", DOMAIN)],
    "GetXMLDesc": [(None, DOMAIN, "GetXMLDesc", "u", "0")],
    "GetAllDomainStats": [(QEMU, CONNECT, "GetAllDomainStats", "uu", "0", "0")],
    "Introspect": [(None, "org.freedesktop.DBus.Introspectable", "Introspect")],
    # All that the Machines page reads of one, its statistics by the groups that it asks for.
    "Cockpit": [(None, DOMAIN, "GetXMLDesc", "u", "0"), (None, DOMAIN, "GetXMLDesc", "u", "2"),
                (None, DOMAIN, "GetState", "u", "0"), (None, PROPERTIES, "GetAll", "s", DOMAIN),
                (None, DOMAIN, "ListDomainSnapshots", "u", "0"), (None, DOMAIN, "GetStats", "uu", "45", "0")],
}
COSTLY = ("ListDomains", "GetAllDomainStats", "Introspect")
NOT_BY_RPC = ("Introspect", "GetCapabilities")
TITLES = {"Cockpit": "everything Cockpit reads of one machine"}
MEMORY_BARS = {0: 10, 1000: 20, 10000: 100}
START_BARS = {1000: " (bar: 0.1 s)", 10000: " (bar: 0.5 s)"}
TOGETHER = 12
SUBSCRIBERS = 10
# Calls that polkit decides, and the bars of the first one of a caller and of those after it.
ASKED = {"GetState": ("", ""), "GetAll": ("", ""), "ListDomains": (" (bar: 200 ms)", " (bar: 20 ms)")}


def in_turn(begin, items, in_flight=16):
    """begin(item) of all, some of them at a time; the seconds that it took."""
    started, pending = time.monotonic(), []
    for item in items:
        pending.append(begin(item))
        if len(pending) >= in_flight:
            pending.pop(0).result(600)
    for entry in pending:
        entry.result(600)
    return time.monotonic() - started


class Comparison:
    def __init__(self, scratch, quick):
        self.scratch = scratch
        self.quick = quick
        self.table = Table()
        self.memory = []
        self.ours, self.theirs = Ours("ours", scratch), Theirs("theirs", scratch)
        self.clients = {}

    def start(self):
        took = {}
        for stack in (self.ours, self.theirs):
            self.clients[stack] = stack.start()
            started = time.monotonic()
            self.clients[stack].call(QEMU, CONNECT, "GetCapabilities", timeout=600)
            took[stack] = time.monotonic() - started
        self.add_pair("GetCapabilities, cold cache (virtbusd asks QEMU in the background)", [took[self.theirs]], [took[self.ours]])

    def add_pair(self, what, theirs, ours):
        """Seconds of both by the bus."""
        self.table.add(what, peer=self.summary(theirs), bus=self.summary(ours))

    def stop(self):
        for stack in (self.ours, self.theirs):
            stack.end()

    def define(self, first, last):
        for stack, client in self.clients.items():
            self.define_on(stack, client, first, last)

    @staticmethod
    def define_on(stack, client, first, last):
        in_turn(lambda index: client.begin(QEMU, CONNECT, "DomainDefineXML", "s", machine_xml(index), timeout=600),
                range(first, last))
        print(f"{stack.name}: {last} machines", file=sys.stderr)

    def run_tool(self, command):
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            print(result.stderr.strip(), file=sys.stderr)
            return None
        return tuple(float(word) for word in result.stdout.split())

    def calls_tool(self, address, calls, rounds, in_flight, *options, machine=0, user=()):
        words = []
        for path, *rest in calls:
            words += ["+"] * bool(words) + [path or machine_path(machine), *rest]
        return self.run_tool([*user, BUILD / "tests/bench/calls", *options, f"--in-flight={in_flight}", address, str(rounds),
                              *words])

    def grow(self, parts):
        """All that depends on how many machines there are."""
        have = 0
        for count in (0, 1, 100, 1000) if self.quick else (0, 1, 100, 1000, 10000):
            self.define(have, count)
            have = count
            if "scale" in parts and count in MEMORY_BARS:
                self.measure_start(count)
            if "calls" in parts and count > 0:
                self.measure_calls(count)
                if "scale" in parts and count in MEMORY_BARS:
                    self.note_memory(count, "after the calls above")
            if "life" in parts and count == 1000:
                self.measure_definition(count)
            if "rights" in parts and count == 1000:
                self.measure_rights(count)

    def measure_calls(self, count):
        for name, calls in CALLS.items():
            rounds = 1000 if name not in COSTLY or count < 100 else max(16, 20000 // count)
            for in_flight in (1, 16):
                self.measure_call(name, calls, count, rounds, in_flight)
        if count == 1:
            self.measure_call("GetCapabilities", [(QEMU, CONNECT, "GetCapabilities")], count, 20, 1)
        if count >= 1000:
            self.measure_call("GetManagedObjects", [("/org/libvirt", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")],
                              count, 16, 1, is_theirs=False)

    def measure_call(self, name, calls, count, rounds, in_flight, is_theirs=True):
        columns = {
            "bus": self.calls_tool(self.ours.bus.address, calls, rounds, in_flight),
            "socket": self.calls_tool(f"unix:path={self.ours.socket()}", calls, rounds, in_flight, "--peer"),
        }
        if is_theirs:
            columns["peer"] = self.calls_tool(self.theirs.bus.address, calls, rounds, in_flight)
        if is_theirs and name not in NOT_BY_RPC:
            columns["rpc"] = self.run_tool([BUILD / "tests/bench/rpc", f"--in-flight={in_flight}", LIBRARY, URI, "m0", name,
                                            str(rounds)])
        self.table.add(f"{TITLES.get(name, name)}, {count:,} machines, {in_flight} in flight", **columns)

    def measure_definition(self, count):
        """Define and undefine one more, in turn on both."""
        xml, path = definition("more", domain_uuid=machine_uuid(999998)), machine_path(999998)
        took = {stack: ([], []) for stack in (self.theirs, self.ours)}
        for _ in range(5 if self.quick else 20):
            for stack, (defined, undefined) in took.items():
                started = time.monotonic()
                self.clients[stack].call(QEMU, CONNECT, "DomainDefineXML", "s", xml)
                defined.append(time.monotonic() - started)
                started = time.monotonic()
                self.clients[stack].call(path, DOMAIN, "Undefine", "u", 0)
                undefined.append(time.monotonic() - started)
        for number, name in enumerate(("DomainDefineXML", "Undefine")):
            self.add_pair(f"{name}, {count:,} machines", took[self.theirs][number], took[self.ours][number])
        self.measure_definitions_at_once(count)

    def measure_definitions_at_once(self, count):
        """One's share of the time of many that are defined and undefined with 16 calls in flight."""
        took = {stack: ([], []) for stack in (self.theirs, self.ours)}
        indices = range(900000, 900000 + (32 if self.quick else 160))
        for stack, (defined, undefined) in took.items():
            client = self.clients[stack]
            defined.append(in_turn(lambda i: client.begin(QEMU, CONNECT, "DomainDefineXML", "s", machine_xml(i)), indices) /
                           len(indices))
            undefined.append(in_turn(lambda i: client.begin(machine_path(i), DOMAIN, "Undefine", "u", 0), indices) /
                             len(indices))
        for number, name in enumerate(("DomainDefineXML", "Undefine")):
            self.add_pair(f"{name}, {count:,} machines, 16 in flight, the share of one", took[self.theirs][number],
                          took[self.ours][number])

    def measure_signals(self):
        """Machines of the test driver, so that a change costs nothing but its announcement."""
        for machines in (1, 16):
            columns = {}
            for column, stack in (("peer", self.theirs), ("bus", self.ours)):
                paths = []
                for i in range(machines):
                    xml = (f"<domain type='test'><name>heard{i}</name><uuid>{machine_uuid(800000 + i)}</uuid>"
                           "<memory>1024</memory><vcpu>1</vcpu><os><type>hvm</type></os></domain>")
                    paths.append(self.clients[stack].call(TEST, CONNECT, "DomainCreateXML", "su", xml, 0))
                columns[column] = self.run_tool([BUILD / "tests/bench/signals", stack.bus.address, str(SUBSCRIBERS),
                                                 "320" if self.quick else "3200", *paths])
                for path in paths:
                    self.clients[stack].call(path, DOMAIN, "Destroy", "u", 0)
            self.table.add(f"Suspend or Resume until all have its signal, {SUBSCRIBERS} subscribers, {machines} in flight, "
                           "test driver", **columns)

    def measure_rights(self, count):
        """Both on a bus of the system type, for a user about whom polkit decides; one after the other, for it is the
        bus that polkitd is on."""
        found = {}
        for stack in (self.theirs, self.ours):
            stack.stop()
        for column, kind in (("peer", Theirs), ("bus", Ours)):
            stack = kind(column + "-asked", self.scratch, is_asked=True)
            try:
                client = stack.start()
                if column == "bus":
                    self.define_on(stack, client, 0, count)  # libvirtd has those that it had
                for name in ASKED:
                    found[name, column] = self.rights_of(stack, CALLS[name], 3 if name in COSTLY else 20)
            finally:
                stack.end()
        for stack in (self.theirs, self.ours):
            self.clients[stack] = stack.start()
        for name, bars in ASKED.items():
            for number, which in enumerate(("A caller's first", "A caller's next")):
                self.table.add(f"{which} {name} if polkit decides, {count:,} machines{bars[number]}",
                               **{column: found[name, column][number] for column in ("peer", "bus")})

    def rights_of(self, stack, calls, rounds):
        """Of a caller's first call, and of those after it."""
        first = [self.calls_tool(stack.bus.address, calls, 1, 1, "--cold", machine=i, user=as_stranger())
                 for i in range(rounds)]
        if None in first:
            return None, None
        return (self.summary([f[0] / 1e6 for f in first]),
                self.calls_tool(stack.bus.address, calls, rounds, 1, user=as_stranger()))

    @staticmethod
    def summary(seconds):
        values = sorted(s * 1e6 for s in seconds)
        return (values[len(values) // 2], values[min(len(values) - 1, len(values) * 99 // 100)],
                len(values) * 1e6 / sum(values))

    def life_of(self, client, rounds, kind):
        """Seconds of: Define, Create, Destroy, Undefine, and from a kill of QEMU until its signal."""
        took = {name: [] for name in ("DomainDefineXML", "Create", "Destroy", "Undefine", "QEMU killed until the signal")}
        xml = definition("life", domain_uuid=machine_uuid(999999), kind=kind)
        machine = Machine(client, machine_path(999999))
        events = Lifecycle(client)

        def timed(name, function, *arguments):
            started = time.monotonic()
            function(*arguments)
            took[name].append(time.monotonic() - started)

        for _ in range(rounds):
            timed("DomainDefineXML", client.call, QEMU, CONNECT, "DomainDefineXML", "s", xml)
            timed("Create", machine.create)
            timed("Destroy", machine.destroy)
            events.recorder.wait(lambda s: s.values[1] == STOPPED, 30)
            machine.create()
            pid = self.qemu_pid()
            started = time.monotonic()
            os.kill(pid, signal.SIGKILL)
            took["QEMU killed until the signal"].append(
                events.recorder.wait(lambda s: s.values[1] == STOPPED, 30).arrived - started)
            timed("Undefine", machine.undefine)
        return took

    @staticmethod
    def qemu_pid():
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    words = (entry / "cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue
                if b"qemu-system" in words[0] and any(w.startswith(b"guest=life") for w in words):
                    found.append(int(entry.name))
        assert len(found) == 1, found
        return found[0]

    def measure_life(self):
        rounds = 5 if self.quick else 20
        for kind, title in (("qemu", "TCG"), *([("kvm", "KVM")] if os.access("/dev/kvm", os.R_OK | os.W_OK) else ())):
            theirs = self.life_of(self.clients[self.theirs], rounds, kind)
            ours = self.life_of(self.clients[self.ours], rounds, kind)
            for name, took in ours.items():
                self.add_pair(f"{name}, no disks, {title}", theirs[name], took)
        self.add_pair(f"Create of {TOGETHER} at once, until all run", self.create_together(self.theirs),
                      self.create_together(self.ours))

    def create_together(self, stack):
        client = self.clients[stack]
        machines = [Machine(client, machine_path(999900 + i)) for i in range(TOGETHER)]
        for i in range(TOGETHER):
            client.call(QEMU, CONNECT, "DomainDefineXML", "s", definition(f"life{i}", domain_uuid=machine_uuid(999900 + i)))
        started = time.monotonic()
        pending = [machine.begin("Create", "u", 0, timeout=120) for machine in machines]
        for entry in pending:
            entry.result(120)
        took = time.monotonic() - started
        for machine in machines:
            machine.destroy()
            machine.undefine()
        return [took]

    def networks_of(self, client, number, took):
        """One turn of: Create and Destroy of a network that is there already."""
        path = client.call(QEMU, CONNECT, "NetworkDefineXML", "s", NAT.format(number))
        for name in took:
            started = time.monotonic()
            client.call(path, NETWORK, name)
            took[name].append(time.monotonic() - started)
        client.call(path, NETWORK, "Undefine")

    def measure_networks(self):
        """Turn by turn, for both have the one network namespace."""
        took = {stack: {"Create": [], "Destroy": []} for stack in (self.theirs, self.ours)}
        for _ in range(5 if self.quick else 20):
            for number, stack in enumerate(took, 1):
                self.networks_of(self.clients[stack], number, took[stack])
        for name in ("Create", "Destroy"):
            self.add_pair(f"{name} of a NAT network", took[self.theirs][name], took[self.ours][name])

    def measure_volumes(self):
        """Both have the same folder; neither needs to look at it any more."""
        count = 1000 if self.quick else 10000
        folder = self.scratch / "volumes"
        folder.mkdir()
        for number in range(count):
            with open(folder / f"v{number}.img", "wb") as file:
                file.truncate(2**20)
        xml = f"<pool type='dir'><name>volumes</name><target><path>{folder}</path></target></pool>"
        columns = {}
        for name, stack in (("peer", self.theirs), ("bus", self.ours)):
            client = self.clients[stack]
            pool = client.call(QEMU, CONNECT, "StoragePoolDefineXML", "su", xml, 0)
            client.call(pool, POOL, "Create", "u", 0, timeout=600)
            calls = [(pool, POOL, "ListStorageVolumes", "u", "0")]
            columns[name] = self.calls_tool(stack.bus.address, calls, 20, 1)
            if stack is self.ours:
                columns["socket"] = self.calls_tool(f"unix:path={stack.socket()}", calls, 20, 1, "--peer")
            client.call(pool, POOL, "Destroy", timeout=600)
            client.call(pool, POOL, "Undefine")
        self.table.add(f"ListStorageVolumes, {count:,} volumes", **columns)

    def measure_start(self, count):
        for stack in (self.theirs, self.ours):
            stack.stop()
            self.clients[stack] = stack.start()
        self.add_pair(f"the daemon's start until the first list, {count:,} definitions{START_BARS.get(count, '')}",
                      [self.theirs.started_seconds], [self.ours.started_seconds])
        self.note_memory(count, "fresh")

    def note_memory(self, count, when):
        self.memory.append(f"memory, {count:,} definitions, {when}: libvirtd, virtlogd and libvirt-dbus "
                           f"{self.theirs.memory_mb('Rss'):.1f} MB, virtbusd {self.ours.memory_mb('Rss'):.1f} MB "
                           f"({self.ours.memory_mb('Pss'):.1f} MB with shared pages in part; bar {MEMORY_BARS[count]} MB)")

    def report(self, command, load):
        """What stands in docs/performance.md."""
        version = subprocess.run(["/usr/sbin/libvirtd", "--version"], capture_output=True, text=True,
                                 check=True).stdout.split()[-1]
        yield f"`{command}`, as root, on {os.cpu_count()} processors (Linux {os.uname().release}, load {load:.1f} when it"
        yield f"began): Debian's libvirtd {version} with libvirt-dbus, and virtbusd, each on a bus of its own, the same calls on"
        yield "both in turn. \"libvirt's protocol\" is libvirt's C client on libvirtd's socket, \"socket\" is virtbusd's private one."
        yield ""
        yield from self.table.lines()
        if self.memory:
            yield ""
            yield from (f"    {line}" for line in self.memory)


def write_document(lines):
    """As the part "Beside libvirt" of docs/performance.md, in place of what is there."""
    document = HERE.parent.parent / "docs/performance.md"
    before, heading, after = document.read_text(encoding="utf-8").partition("## Beside libvirt\n")
    rest = after[after.index("\n## "):]
    document.write_text(before + heading + "\n" + "\n".join(lines) + "\n" + rest, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scratch", type=pathlib.Path, required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--write", action="store_true", help="the result becomes part of docs/performance.md")
    parser.add_argument("part", nargs="*", metavar="PART", help="calls, life, signals, rights, networks, volumes, scale; all without one")
    options = parser.parse_args()
    parts = options.part or ["life", "signals", "networks", "volumes", "calls", "rights", "scale"]
    command = " ".join([f"BUILD=$PWD/{BUILD.name} tests/bench/compare", *["--quick"] * options.quick, *options.part])
    load = os.getloadavg()[0]
    comparison = Comparison(options.scratch, options.quick)
    try:
        comparison.start()
        for part in ("life", "signals", "networks", "volumes"):
            if part in parts:
                getattr(comparison, f"measure_{part}")()
        if {"life", "calls", "rights", "scale"} & set(parts):
            comparison.grow(parts)
    finally:
        comparison.stop()
    lines = list(comparison.report(command, load))
    print("\n".join(lines))
    if options.write:
        write_document(lines)


main()
