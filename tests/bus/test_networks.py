"""Virtual networks: their definitions, by the bus.  Nothing is started: no link of the host is touched
(test_networks_up.py does that)."""

import uuid
import xml.etree.ElementTree as ElementTree

import pytest

from harness import BusError, wait_for
from machines import CONNECT, QEMU

NETWORK = "org.libvirt.Network"
DEFINED, UNDEFINED = 0, 1
LIST_INACTIVE, LIST_ACTIVE, LIST_PERSISTENT = 1, 2, 4


def network(name, content="", network_uuid=None):
    identity = f"<uuid>{network_uuid}</uuid>" if network_uuid else ""
    return f"<network><name>{name}</name>{identity}{content}</network>"


def define(client, xml):
    return client.call(QEMU, CONNECT, "NetworkDefineXML", "s", xml)


def listed(client, flags=0):
    return client.call(QEMU, CONNECT, "ListNetworks", "u", flags)


def read(client, path, flags=0):
    return ElementTree.fromstring(client.call(path, NETWORK, "GetXMLDesc", "u", flags))


class TestDefinitions:
    def test_define_find_and_undefine(self, client):
        events = client.listen(interface=CONNECT, member="NetworkEvent")
        path = define(client, network("lab", "<ip address='10.20.0.1' prefix='24'/>"))
        assert events.wait().values == (path, DEFINED)
        assert client.get_all(path, NETWORK) == {
            "Active": False, "Autostart": False, "Name": "lab", "Persistent": True,
            "UUID": client.get(path, NETWORK, "UUID")}
        assert listed(client) == [path] == listed(client, LIST_INACTIVE | LIST_PERSISTENT)
        assert listed(client, LIST_ACTIVE) == []
        assert client.call(QEMU, CONNECT, "NetworkLookupByName", "s", "lab") == path
        assert client.call(QEMU, CONNECT, "NetworkLookupByUUID", "s", client.get(path, NETWORK, "UUID")) == path
        events.clear()
        client.call(path, NETWORK, "Undefine")
        assert events.wait().values == (path, UNDEFINED)
        assert listed(client) == []
        with pytest.raises(BusError) as e:
            read(client, path)
        assert e.value.name == "org.libvirt.Error"

    def test_what_is_left_open_is_filled_in(self, client):
        tree = read(client, define(client, network("lab")))
        assert tree.find("bridge").attrib == {"name": "virbr0", "stp": "on", "delay": "0"}
        assert tree.find("mac").get("address").startswith("52:54:00:")
        assert read(client, define(client, network("other"))).find("bridge").get("name") == "virbr1"

    def test_what_it_gives_can_be_defined_again(self, client):
        path = define(client, network("lab", "<forward dev='up0'/><ip address='10.20.0.1' prefix='24'/>"))
        xml = client.call(path, NETWORK, "GetXMLDesc", "u", 0)
        assert define(client, xml) == path
        assert client.call(path, NETWORK, "GetXMLDesc", "u", 0) == xml

    def test_a_definition_is_replaced_by_its_uuid(self, client):
        identity = str(uuid.uuid4())
        path = define(client, network("lab", "<mtu size='1400'/>", identity))
        assert define(client, network("lab", "<mtu size='9000'/>", identity)) == path
        assert read(client, path).find("mtu").get("size") == "9000"
        assert listed(client) == [path]

    def test_survives_the_daemon(self, daemon, client):
        path = define(client, network("lab", "<metadata><a:b xmlns:a='urn:a'> c </a:b></metadata>"))
        xml = client.call(path, NETWORK, "GetXMLDesc", "u", 0)
        daemon.kill()
        daemon.start()
        assert client.call(path, NETWORK, "GetXMLDesc", "u", 0) == xml
        assert listed(client) == [path]

    def test_undefined_stays_undefined(self, daemon, client):
        client.call(define(client, network("lab")), NETWORK, "Undefine")
        daemon.kill()
        daemon.start()
        assert listed(client) == []

    def test_many_at_once(self, client):
        """Of those with one name, one; of the others, each with a bridge of its own."""
        replies = [client.begin(QEMU, CONNECT, "NetworkDefineXML", "s", network("same")) for _ in range(10)]
        replies += [client.begin(QEMU, CONNECT, "NetworkDefineXML", "s", network(f"n{i}")) for i in range(10)]
        outcomes = []
        for reply in replies:
            try:
                outcomes.append(reply.result().value)
            except BusError as e:
                outcomes.append(e)
        paths = listed(client)
        assert sorted(o for o in outcomes if isinstance(o, str)) == sorted(paths)
        assert sum(client.get(path, NETWORK, "Name") == "same" for path in paths) == 1
        bridges = [read(client, path).find("bridge").get("name") for path in paths]
        assert len(set(bridges)) == len(paths) >= 2


class TestBadInput:
    def test_changes_nothing(self, client):
        path = define(client, network("lab"))
        before = client.call(path, NETWORK, "GetXMLDesc", "u", 0)
        for xml in ("", "<domain/>", "<network/>", network("a/b"), network("x", "<ip address='1.2.3'/>"),
                    network("lab"), network("x", "<bridge name='virbr0'/>"),
                    network("other", "", client.get(path, NETWORK, "UUID"))):
            with pytest.raises(BusError):
                define(client, xml)
        assert listed(client) == [path]
        assert client.call(path, NETWORK, "GetXMLDesc", "u", 0) == before

    def test_unknown_flags(self, client):
        path = define(client, network("lab"))
        with pytest.raises(BusError) as e:
            client.call(path, NETWORK, "GetXMLDesc", "u", 2)
        assert "2" in e.value.message


@pytest.mark.system
class TestRights:
    def test_networks_are_not_for_everybody(self, system_daemon):
        root, alice = system_daemon.client(), system_daemon.client("alice")
        events = alice.listen(interface=CONNECT, member="NetworkEvent")
        path = define(root, network("lab"))
        with pytest.raises(BusError):
            define(alice, network("mine"))
        with pytest.raises(BusError):
            alice.call(path, NETWORK, "Undefine")
        assert listed(alice) == []
        wait_for(lambda: listed(root) == [path])
        alice.ping_bus()
        assert events.signals == []
