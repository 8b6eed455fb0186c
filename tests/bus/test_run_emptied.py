"""The folder of what is up has been emptied, as a boot of the host does that leaves the network, or a hand: what the next
daemon finds by its tags."""

import shutil

import pytest

from harness import BusError, wait_for
from machines import CONNECT, QEMU
from networks import NATIVE_NETWORK, NETWORK, STARTED, clean, define, dnsmasqs, link, network, rules, run, up  # noqa: F401

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
    start_with_nothing(system_daemon)
    events = client.listen(interface=CONNECT, member="NetworkEvent")
    wait_for(lambda: client.get(path, NETWORK, "Active") and link("vbgone") is None and link("vbhalf") is None, 20)
    booted(system_daemon)  # it has done all
    assert (link("vblab")["ifindex"], link("vblab")["addr_info"][0]["local"]) == (before["ifindex"], "10.77.1.1")
    assert link("vbother") and link("vbdown") is None
    assert 'iifname "vblab"' in rules() and "vbgone" not in rules() and len(dnsmasqs()) == 1
    assert all(s.values[1] == STARTED for s in events.signals)
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
    assert words in other.read_log()
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
