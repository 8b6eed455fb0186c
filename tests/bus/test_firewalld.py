"""Zones of the real firewalld, Debian's, which is unpacked by tests/firewalld/install and runs in the namespaces of the
tests."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys

import pytest

from daemon import SOURCE
from harness import wait_exit, wait_for
from machines import CONNECT, QEMU
from networks import NATIVE_NETWORK, NETWORK, clean, define, dnsmasqs, guests, link, network, refused, rules, run, up  # noqa: F401

ROOT = pathlib.Path(os.environ.get("VIRTBUS_CACHE", "/nonexistent")) / "firewalld/root/usr"
NAME, PATH = "org.fedoraproject.FirewallD1", "/org/fedoraproject/FirewallD1"

pytestmark = [pytest.mark.system, pytest.mark.skipif(not ROOT.exists(), reason="firewalld is not unpacked")]


class Firewalld:
    def __init__(self, bus, folder):
        self.client = bus.connect(destination=NAME)
        self.folder = folder
        self.process = None

    def start(self):
        environment = dict(os.environ, PYTHONPATH=str(ROOT / "lib/python3/dist-packages"))
        (self.folder / "firewalld").mkdir(exist_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, "-B", ROOT / "sbin/firewalld", "--nofork", "--nopid", f"--system-config={self.folder}/firewalld",
             f"--default-config={ROOT}/lib/firewalld", f"--log-file={self.folder}/firewalld.log"],
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.client.wait_owner(NAME, timeout=30, unless=lambda: self.process.poll() is not None)
        assert self.process.poll() is None, (self.folder / "firewalld.log").read_text()
        self.zone_of("lo")  # it answers once it has started

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            wait_exit(self.process, 20)
            self.client.wait_owner(NAME, present=False)

    def call(self, interface, member, *arguments):
        return self.client.call(PATH, NAME + interface, member, *arguments, timeout=30)

    def zone_of(self, device):
        return self.call(".zone", "getZoneOfInterface", "s", device)

    def move(self, device, zone):
        self.call(".zone", "changeZoneOfInterface", "ss", zone, device)


@pytest.fixture
def idle(system_bus, root_dir):
    """A firewalld that does not run yet."""
    service = Firewalld(system_bus, root_dir)
    yield service
    if service.process:
        service.stop()


@pytest.fixture
def firewalld(polkit, idle):
    idle.start()
    return idle


@pytest.fixture
def client(system_daemon):
    return system_daemon.client()


def healthy(client, path):
    wait_for(lambda: client.get(path, NATIVE_NETWORK, "Health") == "ok", 20)


def in_zone(firewalld, zone, device="vblab"):
    wait_for(lambda: firewalld.zone_of(device) == zone, 20)


def test_a_bridge_is_in_its_zone(firewalld, client, guests, tmp_path):  # noqa: F811
    path = define(client, "lab", forward="<forward mode='nat'/>", zone="trusted")
    assert firewalld.zone_of("vblab") == ""
    client.call(path, NETWORK, "Create")
    assert firewalld.zone_of("vblab") == "trusted"
    assert "zone='trusted'" in client.call(path, NETWORK, "GetXMLDesc", "u", 0)
    guest = guests("one", "vblab")
    guest.ask_for_address(tmp_path)
    assert guest.address().startswith("10.77.1.") and guest.reaches("10.77.1.1")
    client.call(path, NETWORK, "Destroy")
    assert firewalld.zone_of("vblab") == ""


def test_without_a_zone_it_is_in_ours(idle, polkit, root_dir, client, guests, tmp_path):  # noqa: F811
    """As installed: guests get their addresses and what the network allows, whatever the host lets in elsewhere."""
    zones = root_dir / "firewalld/zones"
    zones.mkdir(parents=True)
    shutil.copy(SOURCE / "service/install/firewalld-zone.xml", zones / "virtbus.xml")
    early = up(client, "early", 2, forward="<forward mode='nat'/>")
    idle.start()
    in_zone(idle, "virtbus", "vbearly")
    path, opened = up(client, "lab", forward="<forward mode='nat'/>"), up(client, "wide", 3, forward="<forward mode='open'/>")
    assert [idle.zone_of(f"vb{name}") for name in ("lab", "wide")] == ["virtbus", ""]
    for each in (early, path):
        healthy(client, each)
    guest = guests("one", "vblab")
    guest.ask_for_address(tmp_path)
    assert guest.address().startswith("10.77.1.") and guest.reaches("10.77.1.1")
    idle.call("", "reload")
    in_zone(idle, "virtbus")
    for each in (early, path, opened):
        client.call(each, NETWORK, "Destroy")
    assert [idle.zone_of(f"vb{name}") for name in ("early", "lab")] == ["", ""]


def test_a_zone_that_is_not_there(firewalld, client):
    path = define(client, "lab", zone="nosuch")
    error = refused(client.call, path, NETWORK, "Create", word="no zone 'nosuch'")
    assert "public" in error.message and "trusted" in error.message
    assert (link("vblab"), rules(), dnsmasqs(), client.get(path, NETWORK, "Active")) == (None, "", {}, False)


def test_its_zones_are_for_those_who_may(firewalld, client, system_daemon):
    error = refused(system_daemon.client("alice").call, QEMU, CONNECT, "NetworkCreateXML", "s", network("own", zone="nosuch"),
                    word="libvirt")
    assert "public" not in error.message and "zone" not in error.message


def test_a_daemon_of_a_session_has_no_zones(daemon):
    client = daemon.client()
    refused(client.call, define(client, "own", zone="trusted"), NETWORK, "Create", word="bus of the system")
    assert (link("vbown"), rules(), dnsmasqs()) == (None, "", {})


def test_without_firewalld(idle, client):
    path = define(client, "lab", zone="trusted")
    refused(client.call, path, NETWORK, "Create", word="firewalld, which does not run")
    assert (link("vblab"), rules(), dnsmasqs()) == (None, "", {})
    idle.start()
    client.call(path, NETWORK, "Create")
    assert idle.zone_of("vblab") == "trusted"


def test_what_fails_later_is_taken_out_again(firewalld, client):
    path = define(client, "lab", zone="trusted", content="<ip address='10.77.1.1' prefix='24'><tftp root='/nonexistent'/></ip>")
    refused(client.call, path, NETWORK, "Create", word="nonexistent")
    assert (link("vblab"), rules(), dnsmasqs(), firewalld.zone_of("vblab")) == (None, "", {}, "")


def test_a_device_of_the_host_stays_in_its_zone(firewalld, client):
    run("ip", "link", "add", "vblab", "type", "bridge")
    path = define(client, "lab", zone="trusted")
    for zone in ("trusted", "home"):
        firewalld.move("vblab", zone)
        refused(client.call, path, NETWORK, "Create", word="not this network's")
        assert firewalld.zone_of("vblab") == zone


def test_put_there_again(firewalld, client):
    """What is in no zone is put there when firewalld has read its configuration again, and when it has been started."""
    path = up(client, "lab", zone="trusted")
    firewalld.move("vblab", "home")
    firewalld.call("", "reload")
    in_zone(firewalld, "trusted")
    firewalld.stop()
    wait_for(lambda: "firewalld, which does not run" in client.get(path, NATIVE_NETWORK, "Health"), 20)
    firewalld.start()
    in_zone(firewalld, "trusted")
    healthy(client, path)
    firewalld.stop()
    client.call(path, NETWORK, "Destroy")
    firewalld.start()
    assert firewalld.zone_of("vblab") == ""


def health_says(client, path, *words):
    return wait_for(lambda: all(w in client.get(path, NATIVE_NETWORK, "Health") for w in words), 20)


def test_what_it_drops_is_seen(firewalld, client):
    """Without a zone a bridge is where firewalld lets nothing in but what an administrator has named."""
    path, alone = up(client, "lab", forward="<forward mode='nat'/>"), up(client, "alone", 2)
    health_says(client, path, "forwards", "filter_FWD_public of table inet firewalld", "zone=")
    health_says(client, alone, "DHCP", "filter_IN_public of table inet firewalld")
    firewalld.call(".zone", "addService", "ssi", "public", "dhcp", 0)
    healthy(client, alone)
    health_says(client, path, "filter_FWD_public")
    firewalld.move("vblab", "trusted")
    healthy(client, path)
    firewalld.stop()
    healthy(client, path)


def test_what_iptables_legacy_drops_is_seen(system_bus, polkit, make_daemon, tmp_path):
    """Its rules are beside nftables' own, and nobody tells of them: they are looked at when others change."""
    libraries = next(ROOT.glob("lib/*/xtables")).parent
    for tool in ("iptables-legacy", "iptables-legacy-save", "iptables-restore-translate"):
        (tmp_path / tool).write_text(f"#!/bin/sh\nexport LD_LIBRARY_PATH={libraries} "
                                     f"XTABLES_LIBDIR={libraries}/xtables\nexec {ROOT}/sbin/{tool} \"$@\"\n")
        (tmp_path / tool).chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}

    def iptables(*words):
        run(str(tmp_path / "iptables-legacy"), *words)
    iptables("--version")
    try:
        iptables("-P", "FORWARD", "DROP")
    except subprocess.CalledProcessError as error:
        if "can't initialize iptables table" not in error.stderr:
            raise
        pytest.skip("this kernel has no iptables-legacy")
    try:
        client = make_daemon(system_bus, environment=environment).client()
        path = up(client, "lab", forward="<forward mode='nat'/>")
        health_says(client, path, "chain FORWARD of table ip filter of iptables-legacy")
        iptables("-A", "FORWARD", "-i", "vblab", "-j", "ACCEPT")
        other = up(client, "other", 2)
        healthy(client, path)
        iptables("-A", "INPUT", "-p", "udp", "--dport", "67", "-j", "DROP")
        client.call(other, NETWORK, "Destroy")
        health_says(client, path, "DHCP", "of iptables-legacy")
    finally:
        iptables("-F")
        iptables("-P", "FORWARD", "ACCEPT")


def test_taken_back(firewalld, client, system_daemon):
    path = up(client, "lab", zone="trusted")
    system_daemon.kill()
    firewalld.move("vblab", "home")
    system_daemon.start()
    in_zone(firewalld, "trusted")
    healthy(client, path)
    system_daemon.kill()
    firewalld.stop()
    system_daemon.start()
    wait_for(lambda: "firewalld, which does not run" in client.get(path, NATIVE_NETWORK, "Health"), 20)
    assert client.get(path, NETWORK, "Active") is True
    firewalld.start()
    in_zone(firewalld, "trusted")
    client.call(path, NETWORK, "Destroy")
    assert firewalld.zone_of("vblab") == "" and link("vblab") is None
