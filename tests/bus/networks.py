"""Networks that are up: how tests make them, look at what the host has of them, and plug in guests, which are namespaces at
the end of a veth."""

import contextlib
import errno
import fcntl
import json
import os
import pathlib
import shutil
import signal
import subprocess

import pytest

from harness import BusError, wait_for
from machines import CONNECT, QEMU, definition
from machines import define as define_machine

NETWORK = "org.libvirt.Network"
DEFINED, UNDEFINED, STARTED, STOPPED = range(4)
ADDRESS = "<ip address='10.77.{0}.1' netmask='255.255.255.0'><dhcp><range start='10.77.{0}.10' end='10.77.{0}.20'/></dhcp></ip>"
NATIVE_NETWORK = "org.virtbus1.Network"
NATIVE_CONNECT = "org.virtbus1.Connect"


def network(name, number=1, forward="", content="", bridge=None, network_uuid=None, zone=None):
    identity = f"<uuid>{network_uuid}</uuid>" if network_uuid else ""
    where = f" zone='{zone}'" if zone else ""
    return (f"<network><name>{name}</name>{identity}{forward}<bridge name='{bridge or 'vb' + name}'{where} delay='0'/>"
            f"{content or ADDRESS.format(number)}</network>")


def run(*words, check=True):
    return subprocess.run(words, check=check, capture_output=True, text=True)


def link(name):
    found = run("ip", "-json", "-details", "addr", "show", "dev", name, check=False)
    if found.returncode != 0:
        return None
    return next((one for one in json.loads(found.stdout or "[]") if one.get("ifname")), None)  # it may just be going


def rules():
    return run("nft", "list", "table", "inet", "virtbus", check=False).stdout


@contextlib.contextmanager
def instead_of(tool, script, folder):
    """The daemon's tool is a script, in which "$real" is the tool. `folder`: of the test."""
    path, real, other = pathlib.Path(shutil.which(tool)), folder / f"{tool}-real", folder / f"{tool}-other"
    shutil.copy(path, real)
    other.write_text(f"#!/bin/sh\nreal={real}\n{script}\n")
    other.chmod(0o755)
    run("mount", "--bind", str(other), str(path))
    try:
        yield
    finally:
        run("umount", "--lazy", str(path))


def dnsmasqs():
    """pid → command line of those in this namespace of processes.  Each has a child that runs the lease hook, and that
    listens nowhere: it is not counted."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_text().split("\0")
                state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
                listens = words[0].endswith("dnsmasq") and any(
                    os.readlink(fd).startswith("socket:") for fd in (entry / "fd").iterdir())
            except OSError:
                continue
            if listens and state != "Z":
                found[int(entry.name)] = words
    return found


def binds(endpoint, address, port):
    try:
        endpoint.bind((address, port))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return False
    return True


def define(client, *arguments, **options):
    return client.call(QEMU, CONNECT, "NetworkDefineXML", "s", network(*arguments, **options))


def up(client, *arguments, **options):
    path = define(client, *arguments, **options)
    client.call(path, NETWORK, "Create")
    return path


def refused(call, *arguments, word=""):
    with pytest.raises(BusError) as e:
        call(*arguments)
    assert word in e.value.message
    return e.value


class Guest:
    """A network namespace whose eth0 is plugged into a bridge."""

    def __init__(self, name, bridge, mac="52:54:00:00:00:01"):
        self.name = name
        run("ip", "netns", "add", name)
        run("ip", "link", "add", f"v{name}", "type", "veth", "peer", "name", "eth0", "address", mac, "netns", name)
        run("ip", "link", "set", f"v{name}", "master", bridge, "up")
        self.run("ip", "link", "set", "lo", "up")
        self.run("ip", "link", "set", "eth0", "up")

    def run(self, *words, check=True):
        return run("ip", "netns", "exec", self.name, *words, check=check)

    def ask_for_address(self, tmp_path):
        script = tmp_path / f"dhcp-{self.name}"
        script.write_text("#!/bin/sh\n[ \"$1\" = bound ] || exit 0\nip addr add $ip/$mask dev $interface\n"
                          "[ -z \"$router\" ] || ip route add default via $router\necho \"$ip\" \"$dns\" >&2\n")
        script.chmod(0o755)
        done = self.run("busybox", "udhcpc", "-i", "eth0", "-n", "-q", "-f", "-t", "10", "-T", "1", "-x", f"hostname:{self.name}",
                        "-s", str(script))
        return done.stderr.split("\n")

    def address(self, family="inet"):
        found = json.loads(self.run("ip", "-json", "addr", "show", "dev", "eth0").stdout)[0]["addr_info"]
        return next(a["local"] for a in found if a["family"] == family and a["scope"] == "global")

    def set_address(self, address, router):
        self.run("ip", "addr", "add", address, "dev", "eth0", "nodad")
        self.run("ip", "route", "add", "default", "via", router)

    def reaches(self, address):
        return self.run("busybox", "ping", "-c", "1", "-W", "1", address, check=False).returncode == 0

    def remove(self):
        run("ip", "netns", "del", self.name, check=False)
        run("ip", "link", "del", f"v{self.name}", check=False)


@pytest.fixture
def guests():
    made = []

    def make(*arguments, **options):
        made.append(Guest(*arguments, **options))
        return made[-1]
    yield make
    for guest in made:
        guest.remove()


@pytest.fixture(autouse=True)
def clean():
    """Whatever a failed test leaves would be the next one's trouble."""
    yield
    for pid in dnsmasqs():
        os.kill(pid, signal.SIGKILL)
    for kind in ("bridge", "ifb"):
        for found in json.loads(run("ip", "-json", "link", "show", "type", kind).stdout or "[]"):
            if found.get("ifname", "ifb0") not in ("ifb0", "ifb1"):  # the kernel's own
                run("ip", "link", "del", found["ifname"], check=kind == "bridge")  # a daemon may just remove it
    for family in ("inet", "bridge"):
        run("nft", "delete", "table", family, "virtbus", check=False)


@contextlib.contextmanager
def held_between(machine, device, folder, *call):
    """While the machine starts, or in that call: its device is there, and not yet plugged in, for nft is slow with its filter."""
    lock, waits = folder / "lock", folder / "waits"
    with instead_of("nft", f'touch {waits}; flock --shared {lock} true; exec "$real" "$@"', folder):
        with lock.open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            pending = machine.begin(*(call or ("Create", "u", 0)))
            wait_for(lambda: link(device) and waits.exists())
            yield
        pending.result(60)


def on_portgroup(client, groups, name):
    """The path of a network on the bridge vbhost, which is there, and a machine in that group of its, with a filter."""
    path = client.call(QEMU, CONNECT, "NetworkDefineXML", "s",
                       f"<network><name>lan</name><forward mode='bridge'/><bridge name='vbhost'/>{groups}</network>")
    client.call(path, NETWORK, "Create")
    client.call(QEMU, CONNECT, "NWFilterDefineXML", "s", "<filter name='open'/>")
    return path, define_machine(client, definition("one", interface(
        f"<source network='lan' portgroup='{name}'/><target dev='one0'/><filterref filter='open'/>")))


def interface(content, kind="network", model="virtio"):
    return f"<interface type='{kind}'>{content}<model type='{model}'/><boot order='1'/></interface>"
