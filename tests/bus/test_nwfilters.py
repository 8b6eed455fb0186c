"""Network filters: their definitions, by the bus."""

import uuid
import xml.etree.ElementTree as ElementTree

import pytest
from gi.repository import GLib

from harness import BusError, wait_for
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

    def test_two_of_one_uuid_at_once(self, daemon, client):
        """One is refused, and the other is what is stored."""
        identity = str(uuid.uuid4())
        pending = [client.begin(QEMU, CONNECT, "NWFilterDefineXML", "s", filter_xml(name, "", identity))
                   for name in "ab"]
        wait_for(lambda: all(one.done for one in pending))
        done, = [one for one in pending if one.error is None]
        daemon.kill()
        daemon.start()
        path, = listed(client)
        assert path == done.result().value
        assert client.get(path, FILTER, "Name") == "ab"[pending.index(done)]

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


class TestNative:
    """The same without XML."""

    RULE = {"action": GLib.Variant("s", "drop"), "direction": GLib.Variant("s", "in"), "protocol": GLib.Variant("s", "tcp"),
            "match": GLib.Variant("a{sv}", {"dstportstart": GLib.Variant("u", 22), "srcipaddr": GLib.Variant("s", "$IP")})}

    def define(self, client, name, entries, options=None, **more):
        values = {"name": GLib.Variant("s", name), "entries": GLib.Variant("aa{sv}", entries)}
        return client.call(QEMU, "org.virtbus1.Connect", "DefineFilter", "a{sv}a{sv}", values | more, options or {})

    def test_defined_and_read(self, client):
        path = self.define(client, "f", [self.RULE, {"reference": GLib.Variant("s", "g"), "parameters": GLib.Variant(
            "a{sv}", {"A": GLib.Variant("as", ["1", "2"]), "B": GLib.Variant("s", "3")})}])
        tree = ElementTree.fromstring(client.call(path, FILTER, "GetXMLDesc", "u", 0))
        assert tree.find("rule/tcp").attrib == {"srcipaddr": "$IP", "dstportstart": "22"}
        assert [p.attrib["value"] for p in tree.findall("filterref/parameter")] == ["1", "2", "3"]
        told = client.call(path, "org.virtbus1.Filter", "GetDefinition", "a{sv}", {})
        assert told["uuid"] == client.get(path, FILTER, "UUID") and told["chain"] == "root"
        assert told["entries"] == [
            {"action": "drop", "direction": "in", "priority": 500, "protocol": "tcp",
             "match": {"srcipaddr": "$IP", "dstportstart": 22}},
            {"reference": "g", "parameters": {"A": ["1", "2"], "B": ["3"]}}]
        assert self.define(client, "f", [self.RULE], uuid=GLib.Variant("s", told["uuid"])) == path
        assert self.define(client, "f", [self.RULE] * 2, {"replace": GLib.Variant("b", True)}) == path
        assert len(client.call(path, "org.virtbus1.Filter", "GetDefinition", "a{sv}", {})["entries"]) == 2
        assert self.define(client, "f", [self.RULE], {"replace": GLib.Variant("b", True)}) == path
        assert len(client.call(path, "org.virtbus1.Filter", "GetDefinition", "a{sv}", {})["entries"]) == 1

    def test_bad_input_changes_nothing(self, client):
        path = self.define(client, "f", [self.RULE])
        before = client.call(path, FILTER, "GetXMLDesc", "u", 0)
        for entries, more, words in (
                ([self.RULE, {"act": GLib.Variant("s", "drop")}], {}, "entries[1].act"),
                ([self.RULE | {"match": GLib.Variant("a{sv}", {"port": GLib.Variant("u", 22)})}], {}, "entries[0].match.port"),
                ([self.RULE | {"match": GLib.Variant("a{sv}", {"dstportstart": GLib.Variant("u", 70000)})}], {}, "70000"),
                ([self.RULE], {"rules": GLib.Variant("u", 1)}, "rules"), ([self.RULE], {}, "'f'")):
            with pytest.raises(BusError) as e:
                self.define(client, "f", entries, **more)
            assert words in e.value.message
        with pytest.raises(BusError):
            client.call(path, "org.virtbus1.Filter", "GetDefinition", "a{sv}", {"inactive": GLib.Variant("b", True)})
        assert listed(client) == [path] and client.call(path, FILTER, "GetXMLDesc", "u", 0) == before


@pytest.mark.system
class TestRights:
    def test_filters_are_not_for_everybody(self, system_daemon):
        root, alice = system_daemon.client(), system_daemon.client("alice")
        shipped = listed(root)
        path = define(root, "f")
        for call in (lambda: define(alice, "mine"), lambda: TestNative().define(alice, "mine", []),
                     lambda: alice.call(path, "org.virtbus1.Filter", "GetDefinition", "a{sv}", {}),
                     lambda: alice.call(path, FILTER, "Undefine")):
            with pytest.raises(BusError):
                call()
        assert listed(root) == shipped + [path] and listed(alice) in ([], shipped + [path])
