"""Network filters: their definitions, by the bus."""

import uuid
import xml.etree.ElementTree as ElementTree

import pytest

from harness import BusError
from machines import CONNECT, QEMU

FILTER = "org.libvirt.NWFilter"


def filter_xml(name, content="", filter_uuid=None):
    identity = f"<uuid>{filter_uuid}</uuid>" if filter_uuid else ""
    return f"<filter name='{name}'>{identity}{content}</filter>"


def define(client, *arguments):
    return client.call(QEMU, CONNECT, "NWFilterDefineXML", "s", filter_xml(*arguments))


def listed(client):
    return client.call(QEMU, CONNECT, "ListNWFilters", "u", 0)


def reference(name):
    return f"<filterref filter='{name}'/>"


class TestDefinitions:
    def test_define_find_and_undefine(self, daemon, client):
        path = define(client, "f", "<rule action='drop' direction='in'><tcp dstportstart='22'/></rule>")
        known = client.get_all(path, FILTER)
        assert known == {"Name": "f", "UUID": known["UUID"]}
        assert client.call(QEMU, CONNECT, "NWFilterLookupByName", "s", "f") == path
        assert client.call(QEMU, CONNECT, "NWFilterLookupByUUID", "s", known["UUID"]) == path
        text = client.call(path, FILTER, "GetXMLDesc", "u", 0)
        assert ElementTree.fromstring(text).find("rule/tcp").attrib == {"dstportstart": "22"}
        assert client.call(QEMU, CONNECT, "NWFilterDefineXML", "s", text) == path
        daemon.kill()
        daemon.start()
        assert listed(client) == [path] and client.call(path, FILTER, "GetXMLDesc", "u", 0) == text
        client.call(path, FILTER, "Undefine")
        assert listed(client) == []

    def test_a_circle_is_refused(self, client):
        identity = str(uuid.uuid4())
        define(client, "a", reference("b"))
        path = define(client, "b", reference("c"), identity)
        for name, content, filter_uuid in (("c", reference("a"), None), ("self", reference("self"), None),
                                           ("b", reference("a"), identity)):
            with pytest.raises(BusError) as e:
                define(client, name, content, filter_uuid)
            assert "contain itself" in e.value.message
        with pytest.raises(BusError) as e:
            client.call(path, FILTER, "Undefine")
        assert "'a'" in e.value.message
        assert len(listed(client)) == 2

    def test_bad_input_changes_nothing(self, client):
        path = define(client, "f")
        identity = client.get(path, FILTER, "UUID")
        before = client.call(path, FILTER, "GetXMLDesc", "u", 0)
        for arguments in (("f",), ("g", "", identity), ("g", "<rule/>"), ("a/b",)):
            with pytest.raises(BusError):
                define(client, *arguments)
        with pytest.raises(BusError):
            client.call(path, FILTER, "GetXMLDesc", "u", 1)
        assert listed(client) == [path] and client.call(path, FILTER, "GetXMLDesc", "u", 0) == before


@pytest.mark.system
class TestRights:
    def test_filters_are_not_for_everybody(self, system_daemon):
        root, alice = system_daemon.client(), system_daemon.client("alice")
        shipped = listed(root)
        path = define(root, "f")
        for call in (lambda: define(alice, "mine"), lambda: alice.call(path, FILTER, "Undefine")):
            with pytest.raises(BusError):
                call()
        assert listed(root) == shipped + [path] and listed(alice) in ([], shipped + [path])
