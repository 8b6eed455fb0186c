"""The two stacks that compare.py compares: virtbusd, and Debian's libvirtd with libvirt-dbus."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "bus"))

from daemon import BUILD, DAEMON  # noqa: E402
from harness import Bus, Polkit, wait_exit, wait_for  # noqa: E402

QEMU, TEST = "/org/libvirt/QEMU", "/org/libvirt/Test"
CONNECT = "org.libvirt.Connect"
STRANGER = "compare"  # the user whom polkit decides about; `compare` makes it
RULE = f"if (subject.user == '{STRANGER}' && action.id.indexOf('org.libvirt.') == 0) return polkit.Result.YES;"
BUS_POLICY = """<busconfig><policy context="mandatory"><allow own="org.libvirt"/><allow own="org.virtbus1"/>
<allow send_destination="org.libvirt"/><allow send_destination="org.virtbus1"/></policy></busconfig>
"""


def as_stranger():
    """What comes before a command that is not root's."""
    return ["setpriv", f"--reuid={STRANGER}", f"--regid={STRANGER}", "--clear-groups", "--"]


class Stack:
    """A bus and what owns org.libvirt on it."""

    def __init__(self, name, scratch, is_asked=False):
        """is_asked: on a bus of the system type, where polkitd decides about STRANGER."""
        self.name = name
        self.folder = scratch / name
        self.folder.mkdir()
        self.processes = []
        self.started_seconds = None
        self.polkit = None
        if is_asked:
            self.add_policy()
            pathlib.Path("/etc/dbus-1/system.d/compare.conf").write_text(BUS_POLICY, encoding="ascii")
        self.bus = Bus("system" if is_asked else "session", str(self.folder / "bus"))
        if is_asked:
            self.polkit = Polkit(self.bus, str(self.folder))
            self.polkit.rules(RULE)

    def add_policy(self):
        """Its actions, for polkitd."""

    def spawn(self, command, **environment):
        """Its standard output and error go to a file of its name."""
        with open(self.folder / (pathlib.Path(command[0]).name + ".log"), "ab") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                                       env=dict(os.environ, **environment))
        self.processes.append(process)
        return process

    def client(self):
        return self.bus.connect()

    def start(self):
        client = self.client()
        started = time.monotonic()
        self.spawn_all()
        client.wait_owner("org.libvirt", timeout=60, unless=lambda: any(p.poll() is not None for p in self.processes))
        if any(p.poll() is not None for p in self.processes):
            raise RuntimeError("\n".join(f"{p.name}: {p.read_text()}" for p in self.folder.glob("*.log")))
        wait_for(lambda: self.answers(client), 60, f"{self.name} to list its machines")
        self.started_seconds = time.monotonic() - started
        return client

    @staticmethod
    def answers(client):
        try:
            client.call(QEMU, CONNECT, "ListDomains", "u", 0)
        except Exception:  # not there yet, in one of several ways
            return False
        return True

    def stop(self):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            wait_exit(process, 30)
        self.processes = []

    def end(self):
        self.stop()
        if self.polkit:
            self.polkit.stop()
        self.bus.stop()

    def memory_mb(self, kind):
        """Rss; or Pss, in which a page that n processes share counts as 1/n."""
        total = 0
        for process in self.processes:
            with open(f"/proc/{process.pid}/smaps_rollup", encoding="ascii") as f:
                total += next(int(line.split()[1]) for line in f if line.startswith(kind + ":"))
        return total / 1024


class Ours(Stack):
    def spawn_all(self):
        self.spawn([DAEMON, "--" + self.bus.kind, "--address=" + self.bus.address, "--root=" + str(self.folder / "root"),
                    "--log-level=warning"])

    def add_policy(self):
        shutil.copy(BUILD / "introspection/org.libvirt.api.policy", "/usr/share/polkit-1/actions/")

    def socket(self):
        return next(p for p in (self.folder / "root").rglob("*socket*") if p.is_socket())


class Theirs(Stack):
    def spawn_all(self):
        os.makedirs("/run/libvirt", exist_ok=True)
        self.spawn(["/usr/sbin/virtlogd"])
        if self.polkit:
            configuration = self.folder / "libvirtd.conf"
            configuration.write_text(pathlib.Path("/etc/libvirt/libvirtd.conf").read_text(encoding="utf-8") +
                                     'access_drivers = ["polkit"]\nunix_sock_rw_perms = "0777"\n', encoding="utf-8")
            self.spawn(["/usr/sbin/libvirtd", f"--config={configuration}"], DBUS_SYSTEM_BUS_ADDRESS=self.bus.address)
        else:
            self.spawn(["/usr/sbin/libvirtd"])
        wait_for(lambda: os.path.exists("/run/libvirt/libvirt-sock"), 30, "libvirtd")
        # Whoever calls, libvirtd knows its bridge only, so that this is whom polkit is asked about.
        self.spawn([*(as_stranger() if self.polkit else ()), "/usr/sbin/libvirt-dbus", "--system"],
                   DBUS_SYSTEM_BUS_ADDRESS=self.bus.address)
