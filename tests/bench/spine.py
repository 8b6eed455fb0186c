#!/usr/bin/python3 -B
"""spine.py [--quick] [PART...]

Measures virtbusd beside what the same thing costs without it, in one run on one machine, and prints a table.  The
parts: latency, scale, lifecycle, isolation, code (all of them without an argument).  --quick does less of each.
The daemon is BUILD/service/virtbusd (environment: BUILD, VIRTBUS_DAEMON), best built with --buildtype=release; it
runs on a bus of its own below a temporary folder.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import dbus.bus
from dbus.lowlevel import MethodCallMessage

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "bus"))

from daemon import BUILD, DAEMON, SOURCE, Daemon  # noqa: E402
from harness import Bus, wait_for  # noqa: E402
from machines import Lifecycle, define, definition, list_machines, pid_of  # noqa: E402

ROWS = []


def row(what, floor, ours, bar, passed=None):
    """A line of the table; printed at once, too, as a run takes minutes."""
    ROWS.append((what, floor, ours, bar, "" if passed is None else "ok" if passed else "NOT MET"))
    print("  ".join(str(cell) for cell in ROWS[-1]), file=sys.stderr, flush=True)


def percentile(values, part):
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def median(values):
    return percentile(values, 0.5)


def ms(seconds):
    return f"{seconds * 1000:.1f} ms"


def timed(function, *arguments):
    started = time.monotonic()
    function(*arguments)
    return time.monotonic() - started


class Stage:
    """A bus, and daemons on it with a folder each."""

    def __init__(self):
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="vbbench"))
        self.scratch.chmod(0o755)
        self.bus = Bus("session", str(self.scratch / "bus"))

    def daemon(self, name):
        root = self.scratch / name
        root.mkdir(exist_ok=True)
        daemon = Daemon(self.bus, root)
        daemon.command = lambda: [DAEMON, "--session", "--address=" + self.bus.address, "--root=" + str(root),
                                  "--log-level=warning"]
        return daemon.start()

    def latency_tool(self):
        built = BUILD / "tests/bench/latency"
        if built.exists():
            return built
        tool = self.scratch / "latency-tool"
        subprocess.run(["cc", "-std=gnu17", "-O2", "-o", tool, HERE / "latency.c", "-lsystemd"], check=True)
        return tool

    def end(self):
        self.bus.stop()
        shutil.rmtree(self.scratch, ignore_errors=True)


def run_latency(tool, address, path, rounds, *options):
    """name → (median, 99th percentile) in microseconds."""
    output = subprocess.run([tool, *options, address, path, str(rounds)], check=True, capture_output=True,
                            text=True).stdout
    return {name: (float(middle), float(high)) for name, middle, high, _mean in
            (line.split("\t") for line in output.splitlines())}


def measure_latency(stage, quick):
    daemon = stage.daemon("latency")
    client = daemon.client()
    machine = define(client, definition("web"))
    tool = stage.latency_tool()
    for where, address, options in (("bus", daemon.bus.address, ()),
                                    ("private socket", f"unix:path={daemon.socket_path()}", ("--peer",))):
        found = run_latency(tool, address, machine.path, 500 if quick else 5000, *options)
        floor = found.pop("Ping")[0]
        for name, (middle, high) in found.items():
            row(f"{name} by the {where} (p99 {high:.0f} µs)", f"Ping {floor:.0f} µs", f"{middle:.0f} µs", "+ 20 µs",
                middle - floor <= 20)
    daemon.finish()


def define_many(client, first, last):
    """Defines machines m<first>... with some calls in flight."""
    pending = []
    for i in range(first, last):
        pending.append(client.begin("/org/libvirt/QEMU", "org.libvirt.Connect", "DomainDefineXML", "s",
                                    definition(f"m{i}", domain_uuid=f"00000000-0000-4000-8000-{i:012d}")))
        if len(pending) >= 64:
            pending.pop(0).result(60)
    for entry in pending:
        entry.result(60)


def measure_floor_write(directory):
    """Seconds for a definition's bytes to be safely in a file: written, fsynced, renamed, the folder fsynced."""
    data, took = definition("floor").encode(), []
    folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    for i in range(100):
        started = time.monotonic()
        fd = os.open(directory / "new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.write(fd, data)
        os.fsync(fd)
        os.close(fd)
        os.rename(directory / "new", directory / f"file{i % 10}")
        os.fsync(folder)
        took.append(time.monotonic() - started)
    os.close(folder)
    return took


def measure_scale(stage, quick):
    daemon = stage.daemon("scale")
    client = daemon.client()
    row("resident memory, no definition", "", f"{daemon.resident_kib() / 1024:.1f} MB", "10 MB",
        daemon.resident_kib() <= 10 * 1024)

    floor = measure_floor_write(stage.scratch)
    took = [timed(define, client, definition(f"one{i}")) for i in range(50 if quick else 200)]
    row(f"Define, median (floor p99 {ms(percentile(floor, 0.99))})", ms(median(floor)), ms(median(took)), "")
    row("Define, p99", ms(percentile(floor, 0.99)), ms(percentile(took, 0.99)), "")
    for path in list_machines(client):
        client.call(path, "org.libvirt.Domain", "Undefine", "u", 0)

    # GLib's check of the whole reply would take longer than the daemon and the bus together.
    bare = dbus.bus.BusConnection(stage.bus.address)
    everything = MethodCallMessage("org.libvirt", "/org/libvirt", "org.freedesktop.DBus.ObjectManager",
                                   "GetManagedObjects")
    stats = MethodCallMessage("org.libvirt", "/org/libvirt/QEMU", "org.libvirt.Connect", "GetAllDomainStats")
    stats.append(dbus.UInt32(0), dbus.UInt32(0))
    have = 0
    for count, memory_bar, start_bar in ((1000, 20, 0.1),) if quick else ((1000, 20, 0.1), (10000, 100, 0.5)):
        took = timed(define_many, client, have, count)
        row(f"{count - have:,} machines defined, 64 at a time", "", ms(took), "")
        have = count
        daemon.stop()
        daemon.start(timeout=60)
        starts = [daemon.start_seconds]
        for _ in range(2):
            daemon.stop()
            starts.append(daemon.start(timeout=60).start_seconds)
        memory = daemon.resident_kib()
        row(f"start with {count:,} definitions, until the names are owned", "", ms(min(starts)), ms(start_bar),
            min(starts) <= start_bar)
        row(f"resident memory, {count:,} definitions, fresh", "", f"{memory / 1024:.1f} MB", f"{memory_bar} MB",
            memory <= memory_bar * 1024)
        for what, call, bar in (
                ("GetManagedObjects", lambda: bare.send_message_with_reply_and_block(everything, 60), 0.2),
                ("ListDomains", lambda: client.send("/org/libvirt/QEMU", "org.libvirt.Connect", "ListDomains", "u", 0),
                 0.01),
                ("GetAllDomainStats", lambda: bare.send_message_with_reply_and_block(stats, 60), count * 0.00001)):
            times = [timed(call) for _ in range(5 if quick else 15)]
            row(f"{what}, {count:,} machines", "", ms(median(times)), ms(bar), median(times) <= bar)
        row(f"resident memory, {count:,} definitions, after that", "", f"{daemon.resident_kib() / 1024:.1f} MB", "")
    daemon.finish()


class ByHand:
    """QEMU with the command line that the daemon gave it, spawned without the daemon."""

    def __init__(self, argv, directory):
        self.directory = directory
        self.argv = list(argv)
        self.pass_fds = []
        self.listener = None

    def prepare(self):
        """Gives every socket and file of the command line a place of its own; the monitor is a listening socket."""
        argv, monitor = list(self.argv), None
        key = next(i for i, argument in enumerate(argv) if "master-key.aes" in argument)
        del argv[key - 1:key + 1]  # of the daemon's machine, and gone with it
        for i, argument in enumerate(argv):
            if argv[i - 1] != "-chardev":
                continue
            socket_like = re.search(r"^socket|\"socket\"", argument)
            is_monitor = bool(re.search(r"id=[^,]*mon|\"id\":\s*\"[^\"]*mon", argument))
            if socket_like and is_monitor:
                monitor = i
        if monitor is None:
            raise RuntimeError(f"no monitor in {argv}")
        path = str(self.directory / "hand.sock")
        if os.path.exists(path):
            os.unlink(path)
        name = re.search(r"id=([^,]+)", argv[monitor]) or re.search(r"\"id\":\s*\"([^\"]+)\"", argv[monitor])
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        argv[monitor] = f"socket,id={name[1]},fd={self.listener.fileno()},server=on,wait=off"
        for i, argument in enumerate(argv):  # its own files would be those of the daemon's machine
            if i != monitor and "path=" in argument:
                argv[i] = re.sub(r"path=([^,]+)", lambda m: f"path={self.directory}/hand-{i}", argument)
        return argv, path

    def run(self):
        """Seconds from the spawning to the answer of query-status."""
        argv, path = self.prepare()
        started = time.monotonic()
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, pass_fds=[self.listener.fileno()])
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(path)
        self.listener.close()
        connection.sendall(b'{"execute":"qmp_capabilities"}{"execute":"query-status"}')
        data = b""
        while b'"singlestep"' not in data and b'"status"' not in data:
            more = connection.recv(65536)
            if not more:
                raise RuntimeError(process.stderr.read().decode())
            data += more
        took = time.monotonic() - started
        process.kill()
        process.wait()
        process.stderr.close()
        connection.close()
        return took


def measure_lifecycle(stage, quick):
    daemon = stage.daemon("lifecycle")
    client = daemon.client()
    machine = define(client, definition("web"))
    machine.create()
    with open(f"/proc/{pid_of(daemon, machine)}/cmdline", "rb") as f:
        by_hand = ByHand(f.read().decode().rstrip("\0").split("\0"), stage.scratch)
    machine.destroy()
    floor, ours, destroys, killed = [], [], [], []
    events = Lifecycle(client)
    for _ in range(5 if quick else 20):
        floor.append(by_hand.run())
        ours.append(timed(machine.create))
        destroys.append(timed(machine.destroy))
        machine.create()
        pid = pid_of(daemon, machine)
        events.clear()
        started = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        killed.append(events.recorder.wait(lambda s: s.values[1] == 5).arrived - started)
    row("Create, no disks, TCG (floor: the same command line until query-status)", ms(median(floor)),
        ms(median(ours)), "+ 30 ms", median(ours) - median(floor) <= 0.03)
    row("Destroy", "", ms(median(destroys)), "60 ms", median(destroys) <= 0.06)
    row("QEMU killed until the signal is here", "", ms(median(killed)), "20 ms", median(killed) <= 0.02)
    daemon.finish()


def measure_isolation(stage, quick):
    """The calls on one machine while another's QEMU is stopped and has a hundred calls waiting."""
    daemon = stage.daemon("isolation")
    client = daemon.client()
    stuck, other = (define(client, definition(name)) for name in ("stuck", "other"))
    stuck.create()
    other.create()
    tool, rounds = stage.latency_tool(), 500 if quick else 3000
    before = run_latency(tool, daemon.bus.address, other.path, rounds)
    pid = pid_of(daemon, stuck)
    os.kill(pid, signal.SIGSTOP)
    try:
        pending = [stuck.begin("InjectNMI", "u", 0, timeout=300) for _ in range(100)]
        client.connection.flush_sync(None)
        meanwhile = run_latency(tool, daemon.bus.address, other.path, rounds)
        waiting = sum(not p.done for p in pending)
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_for(lambda: all(p.done for p in pending), 60)
    for name in ("Ping", "Get", "GetAll", "GetState"):
        row(f"{name} of another machine, p99, one QEMU stopped with {waiting} calls waiting",
            f"{before[name][1]:.0f} µs", f"{meanwhile[name][1]:.0f} µs", "unchanged",
            meanwhile[name][1] <= before[name][1] * 1.5 + 20)
    daemon.finish()


def longest_functions(paths):
    """(lines, name, file) of every function, by the brace in the first column."""
    found = []
    for path in paths:
        lines = path.read_text(encoding="utf-8").splitlines()
        start = None
        for number, line in enumerate(lines):
            if line == "{":
                start = number
            elif line == "}" and start is not None:
                head = next((text for text in reversed(lines[:start]) if text and not text[0].isspace()), "")
                name = re.search(r"(\w+)\(", head)
                found.append((number - start + 1, name[1] if name else "?", path.relative_to(SOURCE)))
                start = None
    return sorted(found, key=lambda entry: entry[0], reverse=True)


def measure_code(_stage, _quick):
    paths = [p for top in ("service", "drivers") for p in sorted((SOURCE / top).rglob("*.c"))]
    if paths:
        sizes = sorted(((len(p.read_text(encoding="utf-8").splitlines()), p.relative_to(SOURCE)) for p in paths),
                       reverse=True)
        row("largest file", "", f"{sizes[0][1]}, {sizes[0][0]} lines", "700 lines", sizes[0][0] <= 700)
        lines, name, path = longest_functions(paths)[0]
        row("longest function", "", f"{name} in {path}, {lines} lines", "80 lines", lines <= 80)
    checker = SOURCE / "tests/lint/layers.py"
    if checker.exists():
        result = subprocess.run([sys.executable, checker, BUILD], capture_output=True, text=True, check=False, cwd=SOURCE)
        last = (result.stdout + result.stderr).strip().splitlines()
        row("calls between layers and cycles between files (tests/lint/layers.py)", "", last[-1] if last else "none",
            "0", result.returncode == 0)


PARTS = {"latency": measure_latency, "scale": measure_scale, "lifecycle": measure_lifecycle,
         "isolation": measure_isolation, "code": measure_code}


def machine_line():
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        for line in f:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} × {model}, Linux {os.uname().release}, load {load:.1f} at the start"


def build_line():
    options = BUILD / "meson-info/intro-buildoptions.json"
    if not options.exists():
        return DAEMON
    values = {o["name"]: o["value"] for o in json.loads(options.read_text(encoding="utf-8"))}
    return f"buildtype={values['buildtype']}, b_sanitize={values['b_sanitize']}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("part", nargs="*", metavar="PART")
    options = parser.parse_args()
    unknown = [part for part in options.part if part not in PARTS]
    if unknown:
        parser.error(f"no part {unknown[0]}; there are {', '.join(PARTS)}")
    heading = [f"$ {' '.join(sys.argv)}", machine_line(), build_line()]
    stage = Stage()
    try:
        for part in options.part or PARTS:
            PARTS[part](stage, options.quick)
    finally:
        stage.end()
    print("\n".join(heading) + "\n")
    header = ("what", "floor", "virtbusd", "bar", "")
    widths = [max(len(str(r[i])) for r in [header, *ROWS]) for i in range(5)]
    for entry in [header, tuple("-" * w for w in widths), *ROWS]:
        print("| " + " | ".join(str(cell).ljust(widths[i]) for i, cell in enumerate(entry)) + " |")
    return 1 if any(r[4] == "NOT MET" for r in ROWS) else 0


sys.exit(main())
