"""The Test driver's objects beside machines: what clients of test:///default find, and that all of it is in memory."""

import pathlib
import uuid

import pytest

from harness import BusError
from machines import CONNECT

TEST = "/org/libvirt/Test"
NETWORK, NWFILTER, SECRET = (f"org.libvirt.{kind}" for kind in ("Network", "NWFilter", "Secret"))
DEFAULT_NETWORK = f"{TEST}/network/_dd8fe884_6c02_601e_7551_cca97df1c5df"
DEFINED, UNDEFINED, STARTED, STOPPED = range(4)
COMMAND_ADD_FIRST, SECTION_DHCP_HOST = 4, 4


def refused(client, *arguments):
    with pytest.raises(BusError) as e:
        client.call(*arguments)
    assert e.value.name == "org.libvirt.Error"
    return e.value.message


def files_below(root):
    """What the daemon's folders have of objects of these kinds."""
    return [p for p in pathlib.Path(root).rglob("*") if p.is_file() and p.suffix in (".xml", ".conf", ".leases")]


class TestNetworks:
    def test_the_first_one(self, client):
        assert client.call(TEST, CONNECT, "ListNetworks", "u", 0) == [DEFAULT_NETWORK]
        assert client.call(TEST, CONNECT, "NetworkLookupByName", "s", "default") == DEFAULT_NETWORK
        assert client.get_all(DEFAULT_NETWORK, NETWORK) == {
            "Active": True, "Autostart": True, "Name": "default", "Persistent": True,
            "UUID": "dd8fe884-6c02-601e-7551-cca97df1c5df"}
        assert client.call(DEFAULT_NETWORK, NETWORK, "GetDHCPLeases", "su", "", 0) == []

    def test_life(self, client, daemon):
        events = client.listen(interface=CONNECT, member="NetworkEvent", path=TEST)
        xml = f"<network><name>bar</name><uuid>{uuid.uuid4().hex}</uuid><forward dev='eth0'/></network>"
        path = client.call(TEST, CONNECT, "NetworkDefineXML", "s", xml)
        for member in ("Create", "Destroy", "Undefine"):
            client.call(path, NETWORK, member)
        numbers = [events.wait().values for _ in range(4)]
        assert numbers == [(path, event) for event in (DEFINED, STARTED, STOPPED, UNDEFINED)]
        assert client.call(TEST, CONNECT, "ListNetworks", "u", 0) == [DEFAULT_NETWORK]
        assert not files_below(daemon.root)

    def test_transient(self, client):
        path = client.call(TEST, CONNECT, "NetworkCreateXML", "s", "<network><name>bar</name></network>")
        assert client.get(path, NETWORK, "Persistent") is False
        client.call(path, NETWORK, "Destroy")
        assert client.call(TEST, CONNECT, "ListNetworks", "u", 0) == [DEFAULT_NETWORK]

    def test_no_link_is_made(self, client):
        assert not pathlib.Path("/sys/class/net/virbr0").exists()

    def test_update_keeps_the_text(self, client):
        host = "<host mac='de:af:de:af:02:02' name='foo' ip='192.168.122.10'/>"
        client.call(DEFAULT_NETWORK, NETWORK, "Update", "uuisu", COMMAND_ADD_FIRST, SECTION_DHCP_HOST, -1, host, 0)
        assert f"      {host}\n" in client.call(DEFAULT_NETWORK, NETWORK, "GetXMLDesc", "u", 0)
        assert "flag" in refused(client, DEFAULT_NETWORK, NETWORK, "Update", "uuisu", COMMAND_ADD_FIRST,
                                 SECTION_DHCP_HOST, -1, host, 1 << 20)


class TestSecrets:
    def test_value(self, client, daemon):
        events = client.listen(interface=CONNECT, member="SecretEvent", path=TEST)
        xml = "<secret><usage type='volume'><volume>/a</volume></usage></secret>"
        path = client.call(TEST, CONNECT, "SecretDefineXML", "su", xml, 0)
        assert events.wait().values == (path, DEFINED, 0)
        client.call(path, SECRET, "SetValue", "ayu", b"xyz", 0)
        assert bytes(client.call(path, SECRET, "GetValue", "u", 0)) == b"xyz"
        assert client.call(TEST, CONNECT, "SecretLookupByUsage", "is", 1, "/a") == path
        client.call(path, SECRET, "Undefine")
        assert events.wait().values == (path, UNDEFINED, 0)
        assert client.call(TEST, CONNECT, "ListSecrets", "u", 0) == []
        assert not files_below(daemon.root)


class TestFilters:
    def test_define_and_undefine(self, client, daemon):
        path = client.call(TEST, CONNECT, "NWFilterDefineXML", "s", "<filter name='f'><rule action='drop' "
                           "direction='in'/></filter>")
        assert client.call(TEST, CONNECT, "NWFilterLookupByName", "s", "f") == path
        assert "<filter name='f'" in client.call(path, NWFILTER, "GetXMLDesc", "u", 0)
        client.call(path, NWFILTER, "Undefine")
        assert client.call(TEST, CONNECT, "ListNWFilters", "u", 0) == []
        assert not files_below(daemon.root)


def test_objects_of_drivers_are_apart(client):
    """What is made in one driver is not seen by another's clients."""
    xml = "<network><name>bar</name></network>"
    ours = client.call(TEST, CONNECT, "NetworkDefineXML", "s", xml)
    theirs = client.call("/org/libvirt/QEMU", CONNECT, "NetworkDefineXML", "s", xml)
    assert ours.startswith(TEST) and theirs.startswith("/org/libvirt/QEMU")
    assert client.call("/org/libvirt/QEMU", CONNECT, "ListNetworks", "u", 0) == [theirs]
