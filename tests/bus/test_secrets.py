"""Secrets: definitions and values, by the bus, and what of them is on the disk."""

import os
import pathlib
import uuid
import xml.etree.ElementTree as ElementTree

import pytest

from gi.repository import GLib
from harness import OBJECT_MANAGER, PROPERTIES, BusError
from machines import CONNECT, QEMU

SECRET = "org.libvirt.Secret"
CEPH, ISCSI = 2, 3
DEFINED, UNDEFINED = 0, 1


def secret(name="client.admin", attributes="", secret_uuid=None):
    identity = f"<uuid>{secret_uuid}</uuid>" if secret_uuid else ""
    return f"<secret {attributes}>{identity}<usage type='ceph'><name>{name}</name></usage></secret>"


def define(client, xml, flags=0):
    return client.call(QEMU, CONNECT, "SecretDefineXML", "su", xml, flags)


def set_value(client, path, value):
    client.call(path, SECRET, "SetValue", "ayu", value, 0)


def get_value(client, path):
    return bytes(client.call(path, SECRET, "GetValue", "u", 0))


def listed(client, flags=0):
    return client.call(QEMU, CONNECT, "ListSecrets", "u", flags)


def files_of(daemon):
    return [p for p in pathlib.Path(daemon.root).rglob("*") if p.is_file() and p.parent.name == "secret"]


class TestDefinitions:
    def test_define_find_and_undefine(self, client):
        events = client.listen(interface=CONNECT, member="SecretEvent")
        path = define(client, secret())
        assert events.wait().values == (path, DEFINED, 0)
        known = client.get_all(path, SECRET)
        assert known == {"UUID": known["UUID"], "UsageID": "client.admin", "UsageType": CEPH}
        assert listed(client) == [path] == listed(client, 2 | 8)
        assert listed(client, 1) == [] == listed(client, 4)
        assert client.call(QEMU, CONNECT, "SecretLookupByUUID", "s", known["UUID"]) == path
        assert client.call(QEMU, CONNECT, "SecretLookupByUsage", "is", CEPH, "client.admin") == path
        with pytest.raises(BusError):
            client.call(QEMU, CONNECT, "SecretLookupByUsage", "is", ISCSI, "client.admin")
        events.clear()
        client.call(path, SECRET, "Undefine")
        assert events.wait().values == (path, UNDEFINED, 0)
        assert listed(client) == []

    def test_what_it_gives_can_be_defined_again(self, client):
        path = define(client, secret())
        text = client.call(path, SECRET, "GetXMLDesc", "u", 0)
        assert ElementTree.fromstring(text).attrib == {"ephemeral": "no", "private": "no"}
        assert define(client, text) == path
        assert client.call(path, SECRET, "GetXMLDesc", "u", 0) == text

    def test_a_new_definition_keeps_the_value(self, daemon, client):
        identity = str(uuid.uuid4())
        path = define(client, secret(secret_uuid=identity))
        set_value(client, path, b"1234")
        assert define(client, secret(secret_uuid=identity, attributes="ephemeral='yes'")) == path
        assert get_value(client, path) == b"1234"
        assert define(client, secret(secret_uuid=identity)) == path
        daemon.kill()
        daemon.start()
        assert get_value(client, path) == b"1234"

    def test_bad_input_changes_nothing(self, client):
        path = define(client, secret(attributes="private='yes'"))
        identity = client.get(path, SECRET, "UUID")
        before = client.call(path, SECRET, "GetXMLDesc", "u", 0)
        for text in ("", "<network/>", secret(""), secret(), secret("other", secret_uuid=identity),
                     secret(secret_uuid=identity)):
            with pytest.raises(BusError):
                define(client, text)
        with pytest.raises(BusError) as e:
            define(client, secret("b"), 1)
        assert "1" in e.value.message
        assert listed(client) == [path]
        assert client.call(path, SECRET, "GetXMLDesc", "u", 0) == before

    def test_many_at_once(self, client):
        """Of those for one use, one."""
        replies = [client.begin(QEMU, CONNECT, "SecretDefineXML", "su", secret(), 0) for _ in range(10)]
        outcomes = []
        for reply in replies:
            try:
                outcomes.append(reply.result().value)
            except BusError:
                pass
        assert listed(client) == outcomes and len(outcomes) == 1


class TestValues:
    def test_survive_the_daemon_and_are_not_readable_on_the_disk(self, daemon, client):
        value = b"open\0sesame" + bytes(range(256))
        path = define(client, secret())
        with pytest.raises(BusError) as e:
            get_value(client, path)
        assert "no value" in e.value.message
        set_value(client, path, value)
        assert get_value(client, path) == value
        daemon.kill()
        daemon.start()
        assert get_value(client, path) == value
        set_value(client, path, b"")
        assert get_value(client, path) == b""
        set_value(client, path, b"OPEN-SESAME-OPEN-SESAME")
        files = files_of(daemon)
        assert len(files) == 2
        for file in files:
            assert os.stat(file).st_mode & 0o777 == 0o600
            assert b"OPEN-SESAME" not in file.read_bytes()

    def test_private_ones_are_not_given_out(self, client):
        path = define(client, secret(attributes="private='yes'"))
        set_value(client, path, b"1234")
        with pytest.raises(BusError) as e:
            get_value(client, path)
        assert "private" in e.value.message

    def test_ephemeral_ones_are_never_on_the_disk(self, daemon, client):
        path = define(client, secret(attributes="ephemeral='yes'"))
        set_value(client, path, b"1234")
        assert get_value(client, path) == b"1234"
        assert [p.name for p in files_of(daemon)] == ["key"]
        daemon.kill()
        daemon.start()
        assert listed(client) == []

    def test_without_its_key_a_value_is_gone_and_the_secret_is_not(self, daemon, client):
        path = define(client, secret())
        set_value(client, path, b"1234")
        daemon.kill()
        next(p for p in files_of(daemon) if p.name == "key").unlink()
        daemon.start()
        with pytest.raises(BusError) as e:
            get_value(client, path)
        assert "key" in e.value.message
        set_value(client, path, b"5678")
        assert get_value(client, path) == b"5678"

    def test_limits(self, client):
        path = define(client, secret())
        set_value(client, path, b"a" * 65536)
        with pytest.raises(BusError) as e:
            set_value(client, path, b"a" * 65537)
        assert "65536" in e.value.message
        assert get_value(client, path) == b"a" * 65536
        for member, arguments in (("GetValue", ("u", 1)), ("SetValue", ("ayu", b"a", 1)),
                                  ("GetXMLDesc", ("u", 1))):
            with pytest.raises(BusError):
                client.call(path, SECRET, member, *arguments)


NATIVE = "org.virtbus1.Secret"


def define_native(client, options=None, **values):
    values = {key: GLib.Variant("b" if isinstance(value, bool) else "s", value) for key, value in values.items()}
    return client.call(QEMU, "org.virtbus1.Connect", "DefineSecret", "a{sv}a{sv}", values, options or {})


class TestNative:
    def test_properties_and_their_changes(self, daemon, client):
        added = client.listen(interface=OBJECT_MANAGER, member="InterfacesAdded")
        path = define_native(client, usage_type="volume", volume="/a.img", is_private=True)
        known = added.wait(lambda s: s.values[0] == path).values[1][NATIVE]
        assert known == {"UUID": known["UUID"], "Usage": "/a.img", "UsageType": "volume", "Ephemeral": False,
                         "Private": True, "Owner": os.getuid(), "HasValue": False}
        changes = client.listen(path=path, interface=PROPERTIES, member="PropertiesChanged")
        client.call(path, NATIVE, "SetValue", "ay", b"1234")
        changes.wait(lambda s: s.values[1].get("HasValue") is True)
        with pytest.raises(BusError) as e:
            client.call(path, NATIVE, "GetValue")
        assert "private" in e.value.message
        daemon.kill()
        daemon.start()
        assert client.get(path, NATIVE, "HasValue") is True
        removed = client.listen(interface=OBJECT_MANAGER, member="InterfacesRemoved")
        client.call(path, NATIVE, "Undefine")
        removed.wait(lambda s: s.values[0] == path)

    def test_defined_again_by_its_use(self, client):
        """The value stays; a secret for another use is another one, and so is one without a use."""
        replace = {"replace": GLib.Variant("b", True)}
        path = define_native(client, usage_type="ceph", name="admin")
        client.call(path, NATIVE, "SetValue", "ay", b"1234")
        with pytest.raises(BusError) as e:
            define_native(client, usage_type="ceph", name="admin")
        assert e.value.name == "org.virtbus1.Error.Exists"
        assert define_native(client, replace, usage_type="ceph", name="admin", description="again") == path
        assert bytes(client.call(path, NATIVE, "GetValue")) == b"1234"
        assert "again" in client.call(path, NATIVE, "GetXML", "a{sv}", {})
        other = define_native(client, replace, usage_type="tls", name="admin")
        plain = {define_native(client, replace, description="d") for _ in range(2)}
        assert len({path, other} | plain) == 4
        with pytest.raises(BusError) as e:
            define_native(client, {"replaces": GLib.Variant("b", True)}, usage_type="ceph", name="b")
        assert "replace" in e.value.message

    @pytest.mark.parametrize("kind,key", [("ceph", "name"), ("iscsi", "target"), ("tls", "name"), ("vtpm", "name"),
                                          ("volume", "volume")])
    def test_kinds(self, client, kind, key):
        path = define_native(client, usage_type=kind, **{key: "/what it is for"})
        assert client.get(path, NATIVE, "UsageType") == kind
        text = client.call(path, NATIVE, "GetXML", "a{sv}", {})
        assert ElementTree.fromstring(text).find(f"usage/{key}").text == "/what it is for"
        client.call(path, NATIVE, "SetValue", "ay", b"value")
        assert bytes(client.call(path, NATIVE, "GetValue")) == b"value"
        other = "name" if key != "name" else "target"
        for values in ({key: "/what it is for"}, {other: "x"}, {}, {key: "new", "colour": "red"}, {key: "new", other: "x"}):
            with pytest.raises(BusError):
                define_native(client, usage_type=kind, **values)
        assert listed(client) == [path]


@pytest.mark.system
class TestRights:
    def test_to_know_of_one_is_not_to_read_it(self, system_daemon, polkit):
        root, alice = system_daemon.client(), system_daemon.client("alice")
        path = define(root, secret())
        set_value(root, path, b"1234")
        for member, arguments in (("GetValue", ()), ("SetValue", ("ay", b"a")), ("Undefine", ())):
            with pytest.raises(BusError):
                alice.call(path, NATIVE, member, *arguments)
        polkit.rules("if (subject.user == 'alice' && action.id.indexOf('read-secure') < 0) return polkit.Result.YES;")
        assert alice.get(path, NATIVE, "HasValue") is True
        with pytest.raises(BusError):
            alice.call(path, NATIVE, "GetValue")
        polkit.rules("if (subject.user == 'alice') return polkit.Result.YES;")
        assert bytes(alice.call(path, NATIVE, "GetValue")) == b"1234"

    def test_secrets_are_not_for_everybody(self, system_daemon):
        root, alice = system_daemon.client(), system_daemon.client("alice")
        path = define(root, secret())
        set_value(root, path, b"1234")
        assert listed(alice) == []
        for member, arguments in (("GetValue", ("u", 0)), ("SetValue", ("ayu", b"a", 0)),
                                  ("GetXMLDesc", ("u", 0)), ("Undefine", ())):
            with pytest.raises(BusError):
                alice.call(path, SECRET, member, *arguments)
        with pytest.raises(BusError):
            alice.call(QEMU, CONNECT, "SecretLookupByUsage", "is", CEPH, "client.admin")
        assert get_value(root, path) == b"1234"
