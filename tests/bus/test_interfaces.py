"""Guest interfaces beside those on networks and bridges: user networking with port forwards, devices of the host, taps that
somebody made."""

import os
import socket
from xml.etree import ElementTree

import pytest
from gi.repository import GLib

from console import Console
from harness import wait_for
from machines import DOMAIN, NATIVE, guest_definition, pid_of
from machines import define as define_machine
from machines import definition
from networks import NATIVE_NETWORK, clean, interface, link, refused, run  # noqa: F401
from networks import NATIVE_CONNECT, NETWORK  # noqa: F401
from machines import CONNECT, QEMU

pytestmark = [pytest.mark.skipif(not os.environ.get("VIRTBUS_NAMESPACE"), reason="only inside tests/bus/run, started as root"),
              pytest.mark.qemu]
MAC = "52:54:00:00:00:77"


def forwards(*ports, protocol="tcp"):
    ranges = "".join(f"<range start='{host}' to='{guest}'/>" for host, guest in ports)
    return f"<backend type='passt'/><portForward proto='{protocol}' address='127.0.0.1'>{ranges}</portForward>"


def ask(port, word=b""):
    """What stands behind the port says something and hangs up."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
            s.settimeout(5)
            s.sendall(word)
            return s.recv(100)
    except OSError:
        return b""


@pytest.fixture
def uplink():
    """A device of the host with a default route, as if it led somewhere."""
    run("ip", "link", "add", "vbup0", "type", "veth", "peer", "name", "vbup1")
    run("ip", "addr", "add", "192.0.2.2/24", "dev", "vbup0")
    run("ip", "link", "set", "vbup0", "up")
    run("ip", "link", "set", "vbup1", "up")
    run("ip", "route", "add", "default", "via", "192.0.2.1")
    run("ip", "addr", "add", "fd00:2::2/64", "dev", "vbup0", "nodad")
    run("ip", "route", "add", "default", "via", "fd00:2::1")
    yield "vbup0"
    run("ip", "link", "del", "vbup0", check=False)


@pytest.fixture
def path_without_passt(tmp_path):
    for folder in ("/usr/sbin", "/usr/bin"):
        for name in os.listdir(folder):
            if name != "passt" and not (tmp_path / name).exists():
                (tmp_path / name).symlink_to(os.path.join(folder, name))
    return str(tmp_path)


def serve(machine, address, router):
    """A guest that says hello on port 80, once and again."""
    reply = machine.client.send(machine.path, NATIVE, "OpenConsole", "su", "", 0)
    console = Console(reply.fds[0])
    console.wait_ready()
    for line in (f"ip addr add {address} dev eth0", f"ip route add default via {router}",  # none longer than a terminal
                 "echo 'while :; do echo hello | nc -l -p 80; done' > s", "sh s > /dev/null 2>&1 &",
                 f"ping -c 1 -W 2 {router}"):  # passt learns of the guest by what it says
        console.run(line)
    return console


class TestUser:
    @pytest.mark.guest
    @pytest.mark.system
    def test_ports_by_qemus_own(self, system_bus, polkit, make_daemon, guest_files, path_without_passt):
        """For a user without rights, on a host without passt."""
        daemon = make_daemon(system_bus, environment={"PATH": path_without_passt})
        machine = define_machine(daemon.client("alice"), guest_definition(
            "web", guest_files, devices=interface(forwards((18080, 80)), "user")))
        machine.create()
        console = serve(machine, "10.0.2.15/24", "10.0.2.2")
        wait_for(lambda: ask(18080) == b"hello\n", timeout=20)
        refused(machine.client.call, machine.path, NATIVE, "SetLink", "sb", "net7", False, word="net7")
        for is_up in (False, True):
            machine.client.call(machine.path, NATIVE, "SetLink", "sb", "net0", is_up)
            wait_for(lambda: console.run("cat /sys/class/net/eth0/carrier") == str(int(is_up)))  # noqa: B023
            state = ElementTree.fromstring(machine.client.call(machine.path, DOMAIN, "GetXMLDesc", "u", 0)).find("devices/interface/link")
            assert state.get("state") == ("up" if is_up else "down")
        refused(daemon.client("bob").call, machine.path, NATIVE, "SetLink", "sb", "net0", False)
        console.close()
        machine.destroy()

    @pytest.mark.guest
    def test_by_passt(self, daemon, client, guest_files, uplink):
        """It listens on the host's port and the guest has it as its router.  Who connects speaks first: the passt of Debian 12
        (2023-03) completes the guest's side of a connection only with the first bytes that it has for the guest."""
        second = interface("<link state='down'/>", "user").replace("<boot order='1'/>", "")
        machine = define_machine(client, guest_definition(
            "web", guest_files, devices=interface(forwards((18081, 80)), "user") + second))
        machine.create()
        assert len(passts()) == 1
        assert run("ss", "-ltn").stdout.count("127.0.0.1:18081") == 1
        console = serve(machine, "192.0.2.2/24", "192.0.2.1")
        assert "lladdr" in console.run("ip neigh show 192.0.2.1")
        wait_for(lambda: ask(18081, b"hi\n") == b"hello\n", timeout=20)
        console.run("ip link set eth1 up")
        assert console.run("cat /sys/class/net/eth1/carrier") == "0"
        daemon.restart()
        assert len(passts()) == 1
        wait_for(lambda: ask(18081, b"hi\n") == b"hello\n", timeout=20)
        daemon.kill()
        run("pkill", "-KILL", "^passt")  # of this namespace of processes; nobody hears of it
        wait_for(lambda: passts() == [])
        daemon.start()
        wait_for(lambda: machine.tree().find("devices/interface/link") is not None)
        assert machine.tree().find("devices/interface/link").get("state") == "down"
        assert console.run("cat /sys/class/net/eth0/carrier") == "0" and "has lost the user network of hostnet0" in daemon.read_log()
        console.close()
        machine.destroy()
        wait_for(lambda: passts() == [])

    def test_a_passt_that_dies(self, daemon, client, uplink):
        machine = define_machine(client, definition("web", interface(forwards((18083, 80)), "user")))
        machine.create()
        assert machine.tree().find("devices/interface/link") is None
        daemon.restart()
        assert machine.tree().find("devices/interface/link") is None
        run("pkill", "-KILL", "^passt")  # of this namespace of processes
        wait_for(lambda: machine.tree().find("devices/interface/link") is not None)
        assert machine.tree().find("devices/interface/link").get("state") == "down"
        machine.destroy()

    def test_passt_beside_a_tpm(self, client, uplink):
        """What is left of the last run ends before the helpers of this one start; passt is one, too."""
        machine = define_machine(client, definition("web", interface(forwards((18084, 80)), "user")
                                                    + "<tpm model='tpm-crb'><backend type='emulator'/></tpm>", machine="q35"))
        machine.create()
        assert len(passts()) == 1
        assert machine.tree().find("devices/interface/link") is None
        machine.destroy()
        wait_for(lambda: passts() == [])

    def test_a_port_that_is_taken(self, client, uplink):
        with socket.create_server(("127.0.0.1", 18082)):
            machine = define_machine(client, definition("web", interface(forwards((18082, 80)), "user")))
            refused(machine.create, word="18082")
        assert passts() == []

    def test_what_cannot_be(self, session_bus, make_daemon, path_without_passt):
        client = make_daemon(session_bus, environment={"PATH": path_without_passt}).client()
        for name, content, word in (
                ("a", "<backend type='passt'/><portForward proto='tcp'/>", "range"),
                ("b", "<backend type='passt'/><portForward proto='tcp'><range start='1' end='5000'/></portForward>", "1024"),
                ("c", "<backend type='passt'/><portForward proto='tcp' address='::1'><range start='80'/></portForward>", "IPv4"),
                ("d", "<backend type='passt' logFile='/tmp/x'/>", "passt")):
            refused(define_machine(client, definition(name, interface(content, "user"))).create, word=word)


def passts():
    return [line for line in run("ps", "-eo", "args").stdout.split("\n") if line.split() and line.split()[0].endswith("passt")]


def target_of(client, machine):
    tree = ElementTree.fromstring(client.call(machine.path, DOMAIN, "GetXMLDesc", "u", 0))
    return [i.find("target").get("dev") for i in tree.findall("devices/interface")]


class TestDevices:
    @pytest.mark.parametrize("mode, kernel_mode", [("bridge", "bridge"), ("private", "private"), ("vepa", "vepa"),
                                                   ("passthrough", "passthru")])
    def test_direct(self, client, uplink, mode, kernel_mode):
        before = link(uplink)["address"]
        machine = define_machine(client, definition("web", interface(
            f"<mac address='{MAC}'/><source dev='{uplink}' mode='{mode}'/><driver queues='2'/>", "direct")))
        machine.create()
        (name,) = target_of(client, machine)
        found = link(name)
        assert (found["linkinfo"]["info_kind"], found["linkinfo"]["info_data"]["mode"]) == ("macvtap", kernel_mode)
        assert (found["address"], found["link"], "UP" in found["flags"]) == (MAC, uplink, True)
        machine.destroy()
        wait_for(lambda: link(name) is None)
        assert link(uplink)["address"] == before

    def test_what_a_crash_leaves_is_removed(self, daemon, client, uplink):
        machines = [define_machine(client, definition(n, interface(f"<source dev='{uplink}' mode='bridge'/>", "direct")))
                    for n in ("one", "two")]
        for machine in machines:
            machine.create()
        (one,), (two,) = (target_of(client, machine) for machine in machines)
        pid = pid_of(daemon, machines[0])
        daemon.kill()
        os.kill(pid, 9)
        daemon.start()
        wait_for(lambda: link(one) is None)
        assert link(two) and client.call(machines[1].path, DOMAIN, "GetState", "u", 0)[0] == 1
        machines[1].destroy()
        wait_for(lambda: link(two) is None)

    def test_a_network_shares_its_devices(self, daemon, client, uplink):
        def lan(name, mode):
            xml = (f"<network><name>{name}</name><forward mode='{mode}'><interface dev='vbup0'/><interface dev='vbup1'/></forward>"
                   "</network>")
            return client.call(QEMU, CONNECT, "NetworkDefineXML", "s", xml)
        path = lan("lan", "passthrough")
        machines = [define_machine(client, definition(n, interface("<source network='lan'/>"))) for n in ("one", "two", "three")]
        for machine in machines[:2]:
            machine.create()
        lower = {link(target_of(client, machine)[0])["link"] for machine in machines[:2]}
        assert lower == {"vbup0", "vbup1"}
        refused(machines[2].create, word="passthrough")
        daemon.restart()
        wait_for(lambda: len(client.get(path, NATIVE_NETWORK, "Ports")) == 2)
        refused(machines[2].create, word="passthrough")
        machines[0].destroy()
        wait_for(lambda: len(client.get(path, NATIVE_NETWORK, "Ports")) == 1)
        wait_for(lambda: machines[2].create() is None)
        for machine in machines[1:]:
            machine.destroy()

    def test_a_tap_that_somebody_made(self, client):
        run("ip", "tuntap", "add", "vbtap0", "mode", "tap")
        try:
            machine = define_machine(client, definition("web", interface("<target dev='vbtap0' managed='no'/>", "ethernet")))
            machine.create()
            wait_for(lambda: "NO-CARRIER" not in link("vbtap0")["flags"])
            machine.destroy()
            assert link("vbtap0")
        finally:
            run("ip", "link", "del", "vbtap0")
        refused(machine.create, word="vbtap0")
        own = define_machine(client, definition("own", interface("<target dev='vbtap1'/>", "ethernet")))
        own.create()
        assert "UP" in link("vbtap1")["flags"] and "master" not in link("vbtap1")
        own.destroy()
        wait_for(lambda: link("vbtap1") is None)

    def test_what_is_missing(self, client):
        machine = define_machine(client, definition("web", interface("<source dev='vbnone' mode='bridge'/>", "direct")))
        refused(machine.create, word="vbnone")


class TestBandwidth:
    @staticmethod
    def classes(device):
        return run("tc", "class", "show", "dev", device).stdout

    def test_from_the_start_and_live(self, daemon, client, clean):
        run("ip", "link", "add", "vbhost", "type", "bridge")
        content = "<source bridge='vbhost'/><target dev='web0'/><bandwidth><inbound average='1000' peak='2000'/></bandwidth>"
        machine = define_machine(client, definition("web", interface(content, "bridge")))
        machine.create()
        try:
            assert "rate 8192Kbit ceil 16384Kbit" in self.classes("web0")
            found = machine.call("GetInterfaceParameters", "su", "web0", 0)
            assert (found["inbound.average"], found["inbound.peak"], found["outbound.average"]) == (1000, 2000, 0)
            self.set(machine, "web0", 1, {"inbound.average": 500, "inbound.peak": 0})
            assert "rate 4096Kbit ceil 4096Kbit" in self.classes("web0")
            before = machine.xml()
            self.set(machine, "web0", 1, {"outbound.average": 100})
            assert "mirred" in run("tc", "filter", "show", "dev", "web0", "ingress").stdout
            self.set(machine, "web0", 1, {"outbound.average": 0})
            assert machine.xml() == before and "rate 4096Kbit ceil 4096Kbit" in self.classes("web0")
            daemon.restart()
            assert machine.tree().find("devices/interface/bandwidth/inbound").attrib == {"average": "500"}
            assert machine.tree(2).find("devices/interface/bandwidth/inbound").get("average") == "1000"
            self.set(machine, machine.tree().find("devices/interface/mac").get("address"), 3, {"inbound.average": 0})
            assert self.classes("web0") == "" and "<bandwidth>" not in machine.xml() + machine.xml(2)
        finally:
            machine.destroy()
            run("ip", "link", "del", "vbhost")

    @staticmethod
    def set(machine, device, flags, values, kind="u"):
        machine.call("SetInterfaceParameters", "sa{sv}u", device, {k: GLib.Variant(kind, v) for k, v in values.items()}, flags)

    def test_what_is_wrong(self, client):
        machine = define_machine(client, definition("web", "<interface type='user'><mac address='52:54:00:00:00:01'/></interface>"))
        mac = "52:54:00:00:00:01"
        refused(self.set, machine, "eth7", 0, {"inbound.average": 1}, word="'eth7'")
        refused(self.set, machine, mac, 0, {"inbound.most": 1}, word="'inbound.most'")
        refused(self.set, machine, mac, 0, {"inbound.average": 1}, "t", word="type u")
        refused(self.set, machine, mac, 8, {"inbound.average": 1}, word="flags")
        refused(self.set, machine, mac, 0, {"inbound.floor": 1}, word="floor")
        self.set(machine, mac, 0, {"outbound.average": 5, "outbound.burst": 6})
        assert machine.call("GetInterfaceParameters", "su", mac, 2)["outbound.burst"] == 6
        refused(machine.create, word="no device on the host")
        assert machine.state[0] == 5
