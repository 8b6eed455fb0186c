"""<bandwidth> of networks, portgroups and interfaces: what the kernel was told, and how long a transfer takes then."""

import json
import os
import signal
import socket
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from gi.repository import GLib

from harness import wait_for
from machines import DOMAIN, definition, pid_of
from machines import define as define_machine
from networks import ADDRESS, NETWORK, clean, define, guests, held_between, interface, link, network, on_portgroup, refused, rules, run, up  # noqa: F401

pytestmark = pytest.mark.skipif(not os.environ.get("VIRTBUS_NAMESPACE"), reason="only inside tests/bus/run, started as root")
KIB = 1024


def classes(device):
    """Class → (rate, ceil) in KiB/s."""
    text = run("tc", "class", "show", "dev", device, check=False).stdout
    rates = {}
    for line in text.splitlines():
        words = line.split()
        rates[words[2]] = tuple(round(kib(words[words.index(w) + 1])) for w in ("rate", "ceil"))
    return rates


def kib(text):
    for unit, factor in (("Gbit", 10**9), ("Mbit", 10**6), ("Kbit", 10**3), ("bit", 1)):
        if text.endswith(unit):
            return float(text[:-len(unit)]) * factor / 8 / KIB
    raise ValueError(text)


def ifbs():
    return [found["ifname"] for found in json.loads(run("ip", "-json", "link", "show", "type", "ifb").stdout or "[]")
            if found.get("ifname")]


def ifb(device):
    return f"vbifb{link(device)['ifindex']}"


SENDER = ("import socket, sys\n"
          "s = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=30)\n"
          "s.sendall(bytes(int(sys.argv[3])))\n"
          "s.shutdown(socket.SHUT_WR)\n"
          "s.recv(1)\n")


def transfer(receiver, receiver_address, sender, amount):
    """Seconds that `amount` bytes take, from the first that comes to the last; `receiver` and `sender` are guests, or None for
    the host."""
    script = ("import socket, sys, time\n"
              "s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
              "s.bind((sys.argv[1], 0)); s.listen(); print(s.getsockname()[1], flush=True)\n"
              "c, _ = s.accept(); n = len(c.recv(1)); began = time.monotonic()\n"
              "while True:\n"
              "    got = len(c.recv(65536))\n"
              "    n += got\n"
              "    if not got: break\n"
              "print(n, time.monotonic() - began, flush=True)\n")

    def words(guest, text, *arguments):
        return [*(("ip", "netns", "exec", guest.name) if guest else ()), sys.executable, "-c", text, *arguments]
    with subprocess.Popen(words(receiver, script, receiver_address), stdout=subprocess.PIPE, text=True) as listener:
        port = listener.stdout.readline().strip()
        subprocess.run(words(sender, SENDER, receiver_address, port, str(amount)), check=True, timeout=60)
        received, seconds = listener.stdout.readline().split()
    assert int(received) == amount
    return float(seconds)


LIMITS = "<bandwidth><inbound average='{}' peak='{}' burst='64'/><outbound average='{}'/></bandwidth>"


class TestNetworks:
    def test_transfers_take_their_time(self, daemon, client, guests):
        """Without a limit it would be some milliseconds; a busy machine may need longer."""
        up(client, "lab", content=LIMITS.format(400, 800, 200) + ADDRESS.format(1))
        guest = guests("web", "vblab")
        guest.set_address("10.77.1.2/24", "10.77.1.1")
        wait_for(lambda: guest.reaches("10.77.1.1"))
        assert classes("vblab")["1:1"] == (400, 800) and classes(ifb("vblab"))["1:1"] == (200, 200)
        inbound, outbound = transfer(guest, "10.77.1.2", None, 400 * KIB), transfer(None, "10.77.1.1", guest, 200 * KIB)
        assert 0.6 < inbound < 15 and 0.6 < outbound < 15
        daemon.restart()
        assert classes("vblab")["1:1"] == (400, 800) and classes(ifb("vblab"))["1:1"] == (200, 200)
        assert transfer(None, "10.77.1.1", guest, 200 * KIB) > 0.6

    def test_is_gone_with_the_network(self, daemon, client):
        path = up(client, "lab", content=LIMITS.format(400, 800, 200) + ADDRESS.format(1))
        assert ifbs() == [ifb("vblab")]
        client.call(path, NETWORK, "Destroy")
        assert (ifbs(), link("vblab")) == ([], None)
        client.call(path, NETWORK, "Create")
        daemon.kill()
        run("ip", "link", "del", "vblab")
        daemon.start()  # the bridge is made again, and the old one's device goes with the network at the latest
        assert classes("vblab")["1:1"] == (400, 800) and ifb("vblab") in ifbs()
        client.call(path, NETWORK, "Destroy")
        assert ifbs() == []

    def test_what_the_kernel_refuses_is_taken_back(self, client):
        """Whoever has devices of the daemon's names keeps them."""
        path = define(client, "lab", content=LIMITS.format(400, 800, 200) + ADDRESS.format(1))
        run("ip", "link", "add", "vbprobe", "type", "bridge")
        last = link("vbprobe")["ifindex"]
        names = [f"vbifb{last + n}" for n in range(1, 60)]
        for name in names:
            run("ip", "link", "add", name, "index", str(last + 1000 + int(name[5:])), "type", "ifb")
        try:
            refused(client.call, path, NETWORK, "Create", word="somebody else's")
            assert link("vblab") is None and rules() == "" and all(link(name) for name in names)
        finally:
            for name in names:
                run("ip", "link", "del", name, check=False)

    @pytest.mark.parametrize("limits, word", [
        ("<inbound average='0'/>", "1 to"), ("<inbound average='5' peak='4'/>", "less than the average"),
        ("<inbound average='5' burst='2000'/>", "200 seconds"), ("<inbound average='5' floor='4'/>", "not for the network")])
    def test_what_is_wrong(self, client, limits, word):
        path = define(client, "lab", content=f"<bandwidth>{limits}</bandwidth>" + ADDRESS.format(1))
        refused(client.call, path, NETWORK, "Create", word=word)
        assert link("vblab") is None and rules() == ""


def set_limits(machine, device, values, flags=1):
    machine.call("SetInterfaceParameters", "sa{sv}u", device, {k: GLib.Variant("u", v) for k, v in values.items()}, flags)


@pytest.mark.qemu
class TestShares:
    def test_a_floor_is_kept_for_a_guest(self, daemon, client):
        up(client, "lab", content="<bandwidth><inbound average='1000' peak='2000'/></bandwidth>" + ADDRESS.format(1))
        one, two = (define_machine(client, definition(name, interface(
            f"<mac address='52:54:00:00:00:0{n}'/><source network='lab'/><bandwidth><inbound floor='{floor}'/></bandwidth>")))
            for n, (name, floor) in enumerate((("one", 300), ("two", 701))))
        one.create()
        assert classes("vblab") == {"1:1": (1000, 2000), "1:2": (700, 2000), "1:3": (300, 2000)}
        assert "match 52540000/ffffffff at -14" in run("tc", "filter", "show", "dev", "vblab").stdout
        refused(two.create, word="1001 KiB/s")
        target = one.tree().find("devices/interface/target").get("dev")
        set_limits(one, target, {"inbound.floor": 299})
        assert classes("vblab")["1:3"][0] == 299
        two.create()
        assert (classes("vblab")["1:2"], classes("vblab")["1:4"]) == ((1, 2000), (701, 2000))
        before = one.xml()
        refused(set_limits, one, target, {"inbound.floor": 300}, word="1001 KiB/s")
        assert one.xml() == before and classes("vblab")["1:3"][0] == 299
        daemon.restart()
        wait_for(lambda: len(classes("vblab")) == 4)
        two.destroy()
        wait_for(lambda: classes("vblab") == {"1:1": (1000, 2000), "1:2": (701, 2000), "1:3": (299, 2000)})
        one.destroy()
        wait_for(lambda: classes("vblab") == {"1:1": (1000, 2000), "1:2": (1000, 2000)})

    def test_a_share_passes_its_guest_alone(self, client):
        """What goes to the guest with a share is counted in its class."""
        up(client, "lab", content="<bandwidth><inbound average='1000'/></bandwidth>" + ADDRESS.format(1))
        machine = define_machine(client, definition("one", interface(
            "<mac address='52:54:00:00:00:77'/><source network='lab'/><bandwidth><inbound floor='300'/></bandwidth>")))
        machine.create()
        run("ip", "neigh", "replace", "10.77.1.50", "lladdr", "52:54:00:00:00:77", "dev", "vblab")

        def sent(number):
            text = run("tc", "-s", "class", "show", "dev", "vblab", "classid", f"1:{number}").stdout
            return int(text.split("Sent ")[1].split()[0])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            def arrives():
                """The bridge has a carrier a moment after the guest is plugged in."""
                before = sent(3)
                s.sendto(bytes(1000), ("10.77.1.50", 9))
                return sent(3) >= before + 1000
            wait_for(arrives)
        machine.destroy()

    def test_needs_a_network_with_an_average(self, client):
        up(client, "lab")
        machine = define_machine(client, definition("one", interface(
            "<source network='lab'/><bandwidth><inbound floor='300'/></bandwidth>")))
        refused(machine.create, word="<inbound average=...>")
        assert machine.state[0] == 5


GROUPS = ("<portgroup name='slow' default='yes'>" + LIMITS.format(100, 100, 50) + "</portgroup>"
          "<portgroup name='fast'>" + LIMITS.format(9000, 9000, 9000) + "</portgroup>")


@pytest.mark.qemu
class TestPortgroups:
    def test_limits_of_those_that_use_it(self, daemon, client):
        path = up(client, "lab", content=ADDRESS.format(1) + GROUPS)
        contents = {"one": "<source network='lab'/><target dev='one0'/>",
                    "two": "<source network='lab' portgroup='fast'/><target dev='two0'/>",
                    "own": "<source network='lab'/><target dev='own0'/><bandwidth><inbound average='7'/></bandwidth>"}
        machines = {name: define_machine(client, definition(name, interface(content))) for name, content in contents.items()}
        for machine in machines.values():
            machine.create()

        def shown():
            return [classes(device).get("1:1", (0,))[0] for device in ("one0", ifb("one0"), "two0", "own0", ifb("own0"))]
        assert shown() == [100, 50, 9000, 7, 0]

        macs = {name: machine.tree(2).find("devices/interface/mac").get("address") for name, machine in machines.items()}

        def told(name, flags=1):
            """What is said to be in effect, by the two ways to ask."""
            values = client.call(machines[name].path, DOMAIN, "GetInterfaceParameters", "su", f"{name}0" if flags == 1 else macs[name], flags)
            inbound = machines[name].tree(0 if flags == 1 else 2).find("devices/interface/bandwidth/inbound")
            assert values["inbound.average"] == (int(inbound.get("average")) if inbound is not None else 0)
            return values["inbound.average"], values["outbound.average"]
        assert (told("one"), told("two"), told("own")) == ((100, 50), (9000, 9000), (7, 0))
        assert (told("one", 2), told("own", 2)) == ((0, 0), (7, 0))

        def change(name, *limits, flags=1):
            client.call(path, NETWORK, "Update", "uuisu", 1, 9, -1,
                        f"<portgroup name='{name}' default='{'yes' if name == 'slow' else 'no'}'>"
                        + (LIMITS.format(*limits) if limits else "") + "</portgroup>", flags)
        change("slow", 120, 120, 60)
        assert shown() == [120, 60, 9000, 7, 0]
        daemon.restart()
        wait_for(lambda: len(client.get(path, "org.virtbus1.Network", "Ports")) == 3)
        change("slow", 130, 130, 70)
        assert shown() == [130, 70, 9000, 7, 0] and told("one") == (130, 70)
        xml = ElementTree.tostring(machines["one"].tree().find("devices/interface"), encoding="unicode")
        machines["one"].call("UpdateDevice", "su", xml, 1)  # what was shown is not its own by that
        change("slow", 140, 140, 80)
        assert shown()[:2] == [140, 80] and told("one") == (140, 80)
        change("slow", 130, 130, 70)
        refused(change, "slow", 0, 0, 0, word="portgroup 'slow'")
        assert shown() == [130, 70, 9000, 7, 0]
        set_limits(machines["own"], "own0", {"inbound.average": 0})
        assert shown() == [130, 70, 9000, 130, 70]  # its portgroup's again
        change("slow")
        assert shown() == [0, 0, 9000, 0, 0] and told("one") == (0, 0)
        for machine in machines.values():
            machine.destroy()
        wait_for(lambda: ifbs() == [])


    def test_changed_while_a_machine_starts(self, client, tmp_path):
        """Its port is not there yet, and has what is said by then all the same."""
        run("ip", "link", "add", "vbhost", "type", "bridge")
        path, machine = on_portgroup(client, GROUPS, "fast")
        with held_between(machine, "one0", tmp_path):
            client.call(path, NETWORK, "Update", "uuisu", 1, 9, -1, f"<portgroup name='fast'>{LIMITS.format(70, 70, 60)}</portgroup>", 1)
        assert classes("one0")["1:1"][0] == 70 and classes(ifb("one0"))["1:1"][0] == 60
        assert machine.tree().find("devices/interface/bandwidth/inbound").get("average") == "70"
        machine.destroy()


@pytest.mark.qemu
class TestInterfaces:
    def test_a_guest_sends_through_its_limit(self, client):
        """QEMU's network boot asks for an address and gets it."""
        path = up(client, "lab")
        machine = define_machine(client, definition("web", interface(
            "<mac address='52:54:00:00:00:77'/><source network='lab'/><target dev='web0'/>" + LIMITS.format(500, 500, 300))))
        machine.create()
        assert classes(ifb("web0"))["1:1"] == (300, 300)
        wait_for(lambda: client.call(path, NETWORK, "GetDHCPLeases", "su", "52:54:00:00:00:77", 0), timeout=60)
        text = run("tc", "-s", "class", "show", "dev", ifb("web0"), "classid", "1:2").stdout
        assert int(text.split("Sent ")[1].split()[0]) > 300
        set_limits(machine, "web0", {"outbound.average": 0})
        assert ifbs() == [] and run("tc", "filter", "show", "dev", "web0", "ingress").stdout == ""
        machine.destroy()

    def test_of_a_device_of_the_host(self, daemon, client):
        """What leaves a macvtap was sent by the guest."""
        run("ip", "link", "add", "vbup0", "type", "veth", "peer", "name", "vbup1")
        run("ip", "link", "set", "vbup0", "up")
        run("ip", "link", "set", "vbup1", "up")
        try:
            machine = define_machine(client, definition("web", interface(
                "<source dev='vbup0' mode='bridge'/><target dev='web0'/>" + LIMITS.format(500, 600, 300), "direct")))
            machine.create()
            name = machine.tree().find("devices/interface/target").get("dev")
            assert classes(name)["1:1"] == (300, 300) and classes(ifb(name))["1:1"] == (500, 600)
            set_limits(machine, name, {"outbound.average": 250})
            assert classes(name)["1:1"] == (250, 250)
            pid = pid_of(daemon, machine)
            daemon.kill()
            os.kill(pid, signal.SIGKILL)
            daemon.start()
            wait_for(lambda: link(name) is None and ifbs() == [])
        finally:
            run("ip", "link", "del", "vbup0", check=False)

    def test_killed_with_its_machine(self, daemon, client):
        run("ip", "link", "add", "vbhost", "type", "bridge")
        machines = [define_machine(client, definition(name, interface(
            f"<source bridge='vbhost'/><target dev='{name}0'/>" + LIMITS.format(500, 600, 300), "bridge"))) for name in ("one", "two")]
        for machine in machines:
            machine.create()
        assert len(ifbs()) == 2
        pid = pid_of(daemon, machines[0])
        daemon.kill()
        os.kill(pid, signal.SIGKILL)
        daemon.start()
        wait_for(lambda: ifbs() == [ifb("two0")])
        assert classes("two0")["1:1"] == (500, 600)
        machines[1].destroy()
        wait_for(lambda: ifbs() == [])

    def test_what_failed_leaves_nothing(self, client):
        machine = define_machine(client, definition("web", interface(
            "<source bridge='vbnone'/><target dev='web0'/>" + LIMITS.format(500, 600, 300), "bridge")))
        refused(machine.create, word="vbnone")
        wait_for(lambda: ifbs() == [] and link("web0") is None)
