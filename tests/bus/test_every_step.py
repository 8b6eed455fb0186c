"""The daemon is killed before each step of what networks and interfaces of machines are made of, one after the other; the
next one has all of it or nothing."""

import json
import os

import pytest

from daemon import preloaded
from harness import BusError, wait_for
from machines import QEMU, RUNNING, SHUTOFF, definition
from machines import define as define_machine
from networks import ADDRESS, NATIVE_NETWORK, NETWORK, clean, define, dnsmasqs, interface, link, rules, run  # noqa: F401
from test_bandwidth import LIMITS, ifbs

pytestmark = pytest.mark.skipif(not os.environ.get("VIRTBUS_NAMESPACE"), reason="only inside tests/bus/run, started as root")


@pytest.fixture
def die_file(tmp_path):
    return tmp_path / "die"


@pytest.fixture
def daemon_environment():
    """What it has in its environment beside."""
    return {}


@pytest.fixture
def daemon(session_bus, make_daemon, tmp_path, die_file, daemon_environment):
    """One that can be told when to die."""
    return make_daemon(session_bus, environment=preloaded("die.c", tmp_path, DIE_FILE=str(die_file), **daemon_environment))


def answers(daemon):
    """It may have died after its reply, by a step that nobody waits for."""
    try:
        daemon.client().get(QEMU, "org.libvirt.Connect", "Version")
    except BusError:
        return False
    return True


def every_step(daemon, die_file, begin, check, again):
    """begin() calls a method; it is interrupted at its first step, the second, ... until it has none left.  check() after each,
    and again() puts things as they were before.  Returns how many steps there were."""
    for number in range(1, 1000):
        die_file.write_text(str(number))
        call = begin()
        wait_for(lambda: call.done or not daemon.is_running, 20)  # noqa: B023
        die_file.unlink()
        if call.done and not call.error and answers(daemon):
            return number
        # Its own work of before may have been the step: then nobody has taken the call.
        assert not call.error or not daemon.is_running or any(e in str(call.error) for e in ("NoReply", "ServiceUnknown")), call.error
        wait_for(lambda: not daemon.is_running, 20)
        daemon.kill()  # the bus knows of it
        daemon.start()
        check()
        again()
    raise AssertionError("it never ends")


class TestNetworks:
    CONTENT = LIMITS.format(400, 800, 200) + ADDRESS.format(1)

    def all_or_nothing(self, client, path):
        wait_for(lambda: len(dnsmasqs()) == client.get(path, NETWORK, "Active"))
        is_up = client.get(path, NETWORK, "Active")
        assert (link("vblab") is not None, 'iifname "vblab"' in rules(), len(ifbs())) == (is_up, is_up, is_up)
        if is_up:
            assert client.get(path, NATIVE_NETWORK, "Health") == "ok"
            assert link("vblab")["addr_info"][0]["local"] == "10.77.1.1"

    def turn(self, client, path, is_wanted):
        if client.get(path, NETWORK, "Active") != is_wanted:
            client.call(path, NETWORK, "Create" if is_wanted else "Destroy")
        self.all_or_nothing(client, path)

    @pytest.mark.parametrize("member, is_up, at_least", [("Create", False, 20), ("Destroy", True, 5)])
    def test_starts_and_ends(self, daemon, client, die_file, member, is_up, at_least):
        path = define(client, "lab", forward="<forward mode='nat'/>", content=self.CONTENT)
        self.turn(client, path, is_up)
        steps = every_step(daemon, die_file, lambda: client.begin(path, NETWORK, member),
                           lambda: self.all_or_nothing(client, path), lambda: self.turn(client, path, is_up))
        print(f"{member}: {steps} steps")
        assert steps > at_least
        self.turn(client, path, False)
        assert (link("vblab"), rules(), dnsmasqs(), ifbs()) == (None, "", {}, [])


@pytest.mark.qemu
class TestMachines:
    def all_or_nothing(self, daemon, client, machine, network):
        seen = {}

        def is_settled():
            is_up = machine.state[0] == RUNNING
            taps = [i["ifname"] for i in json.loads(run("ip", "-json", "link", "show", "type", "tun").stdout or "[]") if i.get("ifname")]
            plugged = [i["ifname"] for i in json.loads(run("ip", "-json", "link", "show", "master", "vblab", check=False).stdout or "[]")
                       if i.get("ifname")]
            seen.update(state=machine.state, taps=taps, plugged=plugged, ifbs=ifbs(), machines=daemon.machines(),
                        ports=client.get(network, NATIVE_NETWORK, "Ports"))
            return (machine.state[0] in (RUNNING, SHUTOFF) and taps == plugged and
                    [len(seen[what]) for what in ("taps", "ifbs", "machines", "ports")] == [is_up] * 4)
        try:
            wait_for(is_settled)
        except AssertionError as error:
            raise AssertionError(f"{error}: {seen}") from error

    @pytest.mark.parametrize("member, is_up, at_least", [("create", False, 20), ("destroy", True, 5)])
    def test_starts_and_ends(self, daemon, client, die_file, member, is_up, at_least):
        network = define(client, "lab", content=ADDRESS.format(1))
        client.call(network, NETWORK, "Create")
        machine = define_machine(client, definition("web", interface("<source network='lab'/>" + LIMITS.format(500, 500, 300))))

        def turn(is_wanted):
            if (machine.state[0] == RUNNING) != is_wanted:
                (machine.create if is_wanted else machine.destroy)()
            self.all_or_nothing(daemon, client, machine, network)

        def begin():
            return client.begin(machine.path, "org.libvirt.Domain", member.capitalize(), "u", 0)
        turn(is_up)
        steps = every_step(daemon, die_file, begin, lambda: self.all_or_nothing(daemon, client, machine, network), lambda: turn(is_up))
        print(f"{member}: {steps} steps")
        assert steps > at_least
        turn(False)
