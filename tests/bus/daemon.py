"""virtbusd as a child of the test, with all its files below one folder.

A Daemon may be started, ended, killed and started again within one test; finish() is the check at the end: it ends
with status 0, and no QEMU of its folder is left.
"""

import contextlib
import os
import pathlib
import shlex
import signal
import subprocess
import time

from harness import SCALE, BusError, Client, TimeoutExpired, wait_exit, wait_for

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", SOURCE / "build"))
DAEMON = os.environ.get("VIRTBUS_DAEMON", str(BUILD / "service/virtbusd"))
NAMES = ("org.libvirt", "org.virtbus1")
CONNECT = "org.libvirt.Connect"
DOMAIN = "org.libvirt.Domain"


def process_start_time(pid):
    """In clock ticks since boot: tells a process from a later one with its pid.  None if there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            return int(f.read().rsplit(")", 1)[1].split()[19])
    except (FileNotFoundError, ProcessLookupError):
        return None


def processes_with(variable):
    """pid → command line (a list) of every process, zombies aside, that has the variable in its environment."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            with open(f"/proc/{entry}/environ", "rb") as f:
                environment = f.read().decode(errors="replace").split("\0")
            if any(v.startswith(variable) for v in environment):
                with open(f"/proc/{entry}/cmdline", "rb") as f:
                    found[int(entry)] = f.read().decode(errors="replace").rstrip("\0").split("\0")
    return found


def preloaded(source, folder, **environment):
    """The environment of a Daemon that gets this, and the library made of the source beside this file, in the folder."""
    library = folder / pathlib.Path(source).with_suffix(".so")
    subprocess.run(["cc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", library, pathlib.Path(__file__).parent / source, "-ldl"], check=True)
    sanitizer = os.environ.get("ASAN_OPTIONS", "")
    return {"LD_PRELOAD": str(library), "ASAN_OPTIONS": f"{sanitizer}:verify_asan_link_order=0".strip(":"), **environment}


class Daemon:
    def __init__(self, bus, root, *options, environment=None):
        self.bus = bus
        self.root = pathlib.Path(root)
        self.options = list(options)
        self.environment = environment or {}
        self.process = None
        self.start_seconds = None
        self.log_path = self.root / "virtbusd.log"
        self.connections = []

    # Life

    def command(self):
        prefix = shlex.split(os.environ.get("VIRTBUS_DAEMON_PREFIX", ""))
        return prefix + [DAEMON, "--" + self.bus.kind, "--address=" + self.bus.address, "--root=" + str(self.root),
                         "--log-level=debug", *self.options]

    def spawn(self):
        """Starts the process and waits for nothing."""
        environment = dict(os.environ, G_DEBUG="fatal-criticals", **self.environment)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=environment, cwd="/")

    def start(self, timeout=10.0):
        """Starts it and waits until both names are its own."""
        watcher = self.client()
        started = time.monotonic()
        self.spawn()
        for name in NAMES:
            watcher.wait_owner(name, timeout=timeout, unless=lambda: self.process.poll() is not None)
            if self.process.poll() is not None:
                raise AssertionError(f"virtbusd ended with {self.process.returncode}:\n{self.read_log()}")
        self.start_seconds = time.monotonic() - started
        return self

    def stop(self):
        """SIGTERM; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return wait_exit(self.process)

    def kill(self):
        """SIGKILL, and waits until the bus knows."""
        self.process.kill()
        wait_exit(self.process)
        watcher = self.client()
        for name in NAMES:
            watcher.wait_owner(name, present=False)

    def restart(self, by_kill=True):
        if by_kill:
            self.kill()
        else:
            assert self.stop() == 0
        self.start()

    @property
    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def read_log(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace") if self.log_path.exists() else ""

    # Clients

    def client(self, user=None, destination="org.libvirt"):
        client = self.bus.connect(user, destination)
        self.connections.append(client)
        return client

    def socket_path(self):
        """The private socket: the one socket below the run folder that is the daemon's own."""
        found = [p for p in self.root.rglob("*socket*") if p.is_socket()]
        assert len(found) == 1, f"sockets below {self.root}: {found}"
        return found[0]

    def peer(self, user=None):
        """A connection to the private socket, without any bus between."""
        client = Client(f"unix:path={self.socket_path()}", user, is_bus=False)
        self.connections.append(client)
        return client

    # What it does on the machine

    def machines(self):
        """pid → command line of the QEMUs (or what plays them) of this daemon, by the mark that each is given."""
        return processes_with(f"VIRTBUS_RUN={self.root}/")

    def fd_count(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def resident_kib(self):
        """Its memory; 0 where that says nothing, as under a sanitizer."""
        if os.environ.get("VIRTBUS_UNMEASURED"):
            return 0
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))

    def pause_process(self, pid):
        os.kill(pid, signal.SIGSTOP)

    # The end

    @contextlib.contextmanager
    def traced(self, *options):
        """With its threads under strace, which changes some of their calls."""
        tracer = subprocess.Popen(["strace", "-f", "-o", os.devnull, *options, "-p", str(self.process.pid)],
                                  stderr=subprocess.PIPE)
        try:
            assert b"attached" in tracer.stderr.readline()
            yield
        finally:
            tracer.terminate()
            try:
                tracer.communicate(timeout=20)
            except subprocess.TimeoutExpired:  # it may wait for a thread that is no more
                tracer.kill()
                tracer.communicate()

    def destroy_machines(self):
        client = self.client()
        for driver in ("QEMU",):
            path = "/org/libvirt/" + driver
            for domain in client.call(path, CONNECT, "ListDomains", "u", 1, timeout=20):
                with contextlib.suppress(BusError):
                    client.call(domain, DOMAIN, "Destroy", "u", 0, timeout=20)

    def finish(self):
        """Ends it, and fails if it does not end well or leaves machines.  Whatever is left is killed."""
        problems = []
        if self.is_running:
            try:
                self.destroy_machines()
            except (BusError, TimeoutExpired) as e:
                problems.append(f"machines could not be destroyed: {e}")
            try:
                status = self.stop()
                if status != 0:
                    problems.append(f"SIGTERM gave status {status}")
            except TimeoutExpired as e:
                problems.append(str(e))
                self.process.kill()
                wait_exit(self.process)
        elif self.process is not None and self.process.returncode not in (0, -signal.SIGKILL):
            problems.append(f"it had ended with {self.process.returncode}")
        with contextlib.suppress(TimeoutExpired):  # a destroyed QEMU may need a moment to be gone
            wait_for(lambda: not self.machines(), 2.0 * SCALE)
        left = self.machines()
        for pid, line in left.items():
            problems.append(f"process {pid} is left: {' '.join(line)[:200]}")
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for client in self.connections:
            client.close()
            if client in self.bus.clients:
                self.bus.clients.remove(client)
        self.connections.clear()
        if problems:
            raise AssertionError("; ".join(problems) + "\n" + self.read_log()[-8000:])
