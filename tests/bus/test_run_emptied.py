"""The folder of what is up has been emptied, as a boot of the host does that leaves the network, or a hand: what the next
daemon finds by its tags."""

import fcntl
import os
import pathlib
import shutil

import pytest
from gi.repository import GLib

from harness import BusError, wait_for
from machines import AFFECT_LIVE, CONNECT, QEMU, definition
from machines import define as define_machine
from networks import NATIVE_NETWORK, NETWORK, STARTED, clean, define, dnsmasqs, instead_of, interface, link, network, refused, rules, run, up  # noqa: F401

pytestmark = pytest.mark.system
UNFINISHED = 0x76627573  # drivers/network/bridge.c


@pytest.fixture
def client(system_daemon):
    return system_daemon.client()


def start_with_nothing(daemon):
    folder = next(daemon.root.rglob("network/booted")).parent.parent
    daemon.kill()
    for found in folder.iterdir():
        shutil.rmtree(found) if found.is_dir() else found.unlink()
    daemon.start()


def booted(daemon):
    wait_for(lambda: any(daemon.root.rglob("network/booted")), 20)


def test_what_is_stored_comes_up_on_its_bridge(system_daemon, client):
    booted(system_daemon)
    path = up(client, "lab", forward="<forward mode='nat'/>")
    client.call(QEMU, CONNECT, "NetworkCreateXML", "s", network("gone", 2, forward="<forward mode='nat'/>"))
    define(client, "down", 3)
    before = link("vblab")
    assert link("vbgone") and len(dnsmasqs()) == 2
    run("ip", "link", "add", "vbother", "type", "bridge")
    run("ip", "link", "add", "vbhalf", "type", "bridge")
    run("ip", "link", "set", "vbhalf", "group", str(UNFINISHED))
    events = client.listen(interface=CONNECT, member="NetworkEvent")
    start_with_nothing(system_daemon)
    wait_for(lambda: client.get(path, NETWORK, "Active") and link("vbgone") is None and link("vbhalf") is None, 20)
    booted(system_daemon)  # it has done all
    assert (link("vblab")["ifindex"], link("vblab")["addr_info"][0]["local"]) == (before["ifindex"], "10.77.1.1")
    assert link("vbother") and link("vbdown") is None
    assert 'iifname "vblab"' in rules() and "vbgone" not in rules() and len(dnsmasqs()) == 1
    wait_for(lambda: [s.values[1] for s in events.signals] == [STARTED], 20)
    assert client.get(path, NATIVE_NETWORK, "Health") == "ok"
    client.call(path, NETWORK, "Destroy")
    assert (link("vblab"), rules(), dnsmasqs()) == (None, "", {})


def test_what_nobody_knows_is_removed(system_daemon, client):
    booted(system_daemon)
    client.call(QEMU, CONNECT, "NetworkCreateXML", "s", network("gone", forward="<forward mode='nat'/>"))
    assert link("vbgone") and "vbgone" in rules() and len(dnsmasqs()) == 1
    start_with_nothing(system_daemon)
    wait_for(lambda: (link("vbgone"), rules(), dnsmasqs()) == (None, "", {}), 20)


def test_one_whose_bridge_has_another_name_is_not_brought_up(system_daemon, client):
    booted(system_daemon)
    path = up(client, "lab", forward="<forward mode='nat'/>")
    define(client, "lab", bridge="vbnew", network_uuid=client.get(path, NETWORK, "UUID"))
    start_with_nothing(system_daemon)
    wait_for(lambda: (link("vblab"), rules(), dnsmasqs()) == (None, "", {}), 20)
    assert client.get(path, NETWORK, "Active") is False and link("vbnew") is None


def test_another_daemon_takes_nothing(system_daemon, session_bus, make_daemon, client, tmp_path):
    """One of root's session knows nothing of these networks, machines and filters, and they are not left over for that."""
    booted(system_daemon)
    up(client, "lab", forward="<forward mode='nat'/>")
    before = (link("vblab")["ifindex"], rules(), dnsmasqs())
    other = make_daemon(session_bus, root=tmp_path)
    words = f"another virtbusd, process {system_daemon.process.pid}"
    mine = other.client()
    path = define(mine, "mine", 2, forward="<forward mode='nat'/>")
    with pytest.raises(BusError, match=words):
        mine.call(path, NETWORK, "Create")
    assert (link("vblab")["ifindex"], rules(), dnsmasqs()) == before
    client.call(QEMU, CONNECT, "NetworkLookupByName", "s", "lab")
    system_daemon.kill()
    mine.call(path, NETWORK, "Create")
    assert link("vbmine")
    mine.call(path, NETWORK, "Destroy")
    other.stop()
    system_daemon.start()
    wait_for(lambda: 'iifname "vblab"' in rules(), 20)
    assert link("vblab")["ifindex"] == before[0]


def test_one_of_roots_session_leaves_the_host_to_the_systems(system_bus, polkit, session_bus, make_daemon, tmp_path):
    """It is started at every login of root, and has nothing to do there."""
    idle = make_daemon(session_bus, root=tmp_path)
    stored = define(idle.client(), "mine", 2, forward="<forward mode='nat'/>")
    idle.restart()
    wait_for(lambda: any(idle.root.rglob("network/booted")), 20)
    system = make_daemon(system_bus)
    up(system.client(), "lab", forward="<forward mode='nat'/>")
    refused(idle.client().call, stored, NETWORK, "Create", word=f"another virtbusd, process {system.process.pid}")
    system.restart()
    wait_for(lambda: link("vblab") and 'iifname "vblab"' in rules(), 20)
    assert "another virtbusd" not in system.read_log()


def test_who_claims_it_later_cares_for_all(system_daemon, session_bus, make_daemon, client, tmp_path):
    booted(system_daemon)
    other = make_daemon(session_bus, root=tmp_path)
    mine = other.client()
    path = define(mine, "mine", 2, forward="<forward mode='nat'/>")
    system_daemon.stop()
    mine.call(path, NETWORK, "Create")
    healthy = mine.get(path, NATIVE_NETWORK, "Health")
    run("nft", "flush", "ruleset")
    wait_for(lambda: 'iifname "vbmine"' in rules(), 20)
    assert healthy == "ok"
    mine.call(path, NETWORK, "Destroy")


@pytest.mark.qemu
def test_machines_that_run_are_not_changed_without_it(system_bus, polkit, session_bus, make_daemon, tmp_path):
    run("ip", "link", "add", "vbhost", "type", "bridge")
    session = make_daemon(session_bus, root=tmp_path)
    machine = define_machine(session.client(), definition("one", interface(
        "<mac address='52:54:00:00:00:01'/><source bridge='vbhost'/><target dev='one0'/>", "bridge")))
    machine.create()
    session.kill()
    system = make_daemon(system_bus)
    session.start()
    words = f"another virtbusd, process {system.process.pid}"
    refused(machine.call, "SetInterfaceParameters", "sa{sv}u", "one0", {"inbound.average": GLib.Variant("u", 100)}, 1, word=words)
    with_rate = interface("<mac address='52:54:00:00:00:01'/><source bridge='vbhost'/><target dev='one0'/>"
                          "<bandwidth><inbound average='100'/></bandwidth>", "bridge")
    refused(machine.call, "UpdateDevice", "su", with_rate, AFFECT_LIVE, word=words)
    assert "htb" not in run("tc", "qdisc", "show", "dev", "one0").stdout
    system.stop()
    machine.call("UpdateDevice", "su", with_rate, AFFECT_LIVE)
    assert "htb" in run("tc", "qdisc", "show", "dev", "one0").stdout
    machine.destroy()
    wait_for(lambda: run("ip", "link", "show", "type", "ifb").stdout == "", 20)


def test_autostart_that_was_cut_off_goes_on(daemon, tmp_path):
    """The daemon is told to end while the first network comes up: the next one starts them all."""
    client = daemon.client()
    booted(daemon)
    paths = [define(client, name, number) for number, name in enumerate(("lab", "other"), 1)]
    for path in paths:
        client.set(path, NETWORK, "Autostart", "b", True)
    daemon.kill()
    next(daemon.root.rglob("network/booted")).unlink()
    lock = tmp_path / "lock"
    with instead_of("nft", f'mkdir {tmp_path}/once 2> {os.devnull} && flock --shared {lock} true; exec "$real" "$@"', tmp_path):
        with lock.open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            daemon.start()
            wait_for((tmp_path / "once").exists, 20)
            assert daemon.stop() == 0
    assert (link("vblab"), link("vbother"), list(daemon.root.rglob("network/booted"))) == (None, None, [])
    daemon.start()
    wait_for(lambda: all(client.get(path, NETWORK, "Active") for path in paths), 20)


def test_where_the_systems_daemon_has_run_no_other_claims(system_daemon, session_bus, make_daemon, client, tmp_path):
    """Also while it is down: what it has made is nobody else's."""
    booted(system_daemon)
    up(client, "lab", forward="<forward mode='nat'/>")
    before = rules()
    other = make_daemon(session_bus, root=tmp_path)
    mine = other.client()
    path = define(mine, "mine", 2, forward="<forward mode='nat'/>")
    machine = define_machine(mine, definition("one", interface("<source bridge='vblab'/>", "bridge")))
    system_daemon.kill()
    folder = pathlib.Path("/run/virtbus/qemu")  # without --root it would have made that
    folder.mkdir(parents=True)
    try:
        for call in ((mine.call, path, NETWORK, "Create"), (machine.create,)):
            refused(*call, word="are those of the system's virtbusd")
        assert rules() == before
        system_daemon.start()
        wait_for(lambda: 'iifname "vblab"' in rules(), 20)
        client.call(client.call(QEMU, CONNECT, "NetworkLookupByName", "s", "lab"), NETWORK, "Destroy")
    finally:
        folder.rmdir()
        folder.parent.rmdir()
