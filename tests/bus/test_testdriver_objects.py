"""The Test driver's objects beside machines: what clients of test:///default find, and that all of it is in memory."""

import pathlib
import uuid

import pytest

from harness import BusError
from machines import CONNECT

TEST = "/org/libvirt/Test"
NETWORK, NWFILTER, SECRET, POOL, VOLUME, INTERFACE, NODEDEV = (
    f"org.libvirt.{kind}"
    for kind in ("Network", "NWFilter", "Secret", "StoragePool", "StorageVol", "Interface", "NodeDevice"))
DEFAULT_POOL = f"{TEST}/storagepool/_dfe224cb_28fb_8dd0_c4b2_64eb3f0f4566"
GIB = 1 << 30
VOLUME_XML = """<volume><name>sparse.img</name><capacity unit='G'>2</capacity><allocation>0</allocation>
<target><path>/var/lib/virt/images/sparse.img</path><permissions><mode>0744</mode></permissions></target></volume>"""
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

    def test_addresses_are_nobodys(self, client):
        """As nothing is made of a network, two of them may have the same addresses."""
        path = client.call(TEST, CONNECT, "NetworkCreateXML", "s",
                           "<network><name>bar</name><ip address='192.168.122.1' prefix='24'/></network>")
        assert client.get(path, NETWORK, "Active") is True

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


class TestStorage:
    def test_the_first_pool(self, client):
        assert client.call(TEST, CONNECT, "ListStoragePools", "u", 0) == [DEFAULT_POOL]
        assert client.call(TEST, CONNECT, "StoragePoolLookupByName", "s", "default-pool") == DEFAULT_POOL
        assert client.call(TEST, CONNECT, "StoragePoolLookupByUUID", "s", DEFAULT_POOL[-36:].replace("_", "-")) == \
            DEFAULT_POOL
        assert client.get_all(DEFAULT_POOL, POOL) == {
            "Active": True, "Autostart": False, "Name": "default-pool", "Persistent": True,
            "UUID": "dfe224cb-28fb-8dd0-c4b2-64eb3f0f4566"}
        assert client.call(DEFAULT_POOL, POOL, "GetInfo") == (2, 100 * GIB, 0, 100 * GIB)
        assert client.call(DEFAULT_POOL, POOL, "ListStorageVolumes", "u", 0) == []
        assert "<path>/default-pool</path>" in client.call(DEFAULT_POOL, POOL, "GetXMLDesc", "u", 0)

    def test_life(self, client, daemon):
        events = client.listen(interface=CONNECT, member="StoragePoolEvent", path=TEST)
        refreshed = client.listen(interface=POOL, member="Refresh")
        xml = "<pool type='dir'><name>foo</name><target><path>/foo</path></target></pool>"
        path = client.call(TEST, CONNECT, "StoragePoolDefineXML", "su", xml, 0)
        client.set(path, POOL, "Autostart", "b", True)
        assert client.get(path, POOL, "Autostart") is True
        client.call(path, POOL, "Build", "u", 0)
        client.call(path, POOL, "Create", "u", 0)
        assert refreshed.wait().path == path
        client.call(path, POOL, "Refresh", "u", 0)
        assert refreshed.wait().path == path
        assert "started" in refused(client, path, POOL, "Undefine")
        client.call(path, POOL, "Destroy")
        client.call(path, POOL, "Delete", "u", 0)
        client.call(path, POOL, "Undefine")
        numbers = [events.wait().values for _ in range(6)]
        assert numbers == [(path, event, 0) for event in (DEFINED, 4, STARTED, STOPPED, 5, UNDEFINED)]
        assert not pathlib.Path("/foo").exists() and not files_below(daemon.root)

    def test_transient(self, client):
        xml = "<pool type='logical'><name>vg</name><source><name>vg</name></source></pool>"
        path = client.call(TEST, CONNECT, "StoragePoolCreateXML", "su", xml, 0)
        volume = client.call(path, POOL, "StorageVolCreateXML", "su", VOLUME_XML, 0)
        assert client.call(volume, VOLUME, "GetInfo", "u", 0)[0] == 1
        client.call(path, POOL, "Destroy")
        assert client.call(TEST, CONNECT, "ListStoragePools", "u", 0) == [DEFAULT_POOL]

    def test_volume(self, client, daemon):
        volume = client.call(DEFAULT_POOL, POOL, "StorageVolCreateXML", "su", VOLUME_XML, 0)
        key = "/default-pool/sparse.img"
        assert client.get_all(volume, VOLUME) == {"Name": "sparse.img", "Key": key, "Path": key}
        for path, interface, member, text in ((TEST, CONNECT, "StorageVolLookupByKey", key),
                                              (TEST, CONNECT, "StorageVolLookupByPath", key),
                                              (DEFAULT_POOL, POOL, "StorageVolLookupByName", "sparse.img")):
            assert client.call(path, interface, member, "s", text) == volume
        assert client.call(volume, VOLUME, "GetInfo", "u", 0) == (0, 2 * GIB, 0)
        assert client.call(DEFAULT_POOL, POOL, "ListStorageVolumes", "u", 0) == [volume]
        assert "already" in refused(client, DEFAULT_POOL, POOL, "StorageVolCreateXML", "su", VOLUME_XML, 0)
        client.call(volume, VOLUME, "Resize", "tu", 3 * GIB, 0)
        assert client.call(volume, VOLUME, "GetInfo", "u", 0) == (0, 3 * GIB, 3 * GIB)
        assert client.call(DEFAULT_POOL, POOL, "GetInfo") == (2, 100 * GIB, 3 * GIB, 97 * GIB)
        assert "SHRINK" in refused(client, volume, VOLUME, "Resize", "tu", GIB, 0)
        assert "bytes left" in refused(client, volume, VOLUME, "Resize", "tu", 200 * GIB, 0)
        xml = client.call(volume, VOLUME, "GetXMLDesc", "u", 0)
        assert f"<key>{key}</key>" in xml and "<mode>0744</mode>" in xml and "<capacity unit='bytes'>3221225472<" in xml
        client.call(volume, VOLUME, "Delete", "u", 0)
        assert client.call(DEFAULT_POOL, POOL, "ListStorageVolumes", "u", 0) == []
        assert not pathlib.Path("/default-pool").exists() and not files_below(daemon.root)

    def test_copy(self, client):
        client.call(DEFAULT_POOL, POOL, "StorageVolCreateXML", "su", VOLUME_XML, 0)
        xml = "<volume><name>clone.img</name><capacity>0</capacity><allocation>0</allocation></volume>"
        copy = client.call(DEFAULT_POOL, POOL, "StorageVolCreateXMLFrom", "ssu", xml, "/default-pool/sparse.img", 0)
        assert client.call(copy, VOLUME, "GetInfo", "u", 0) == (0, 2 * GIB, 0)
        refused(client, DEFAULT_POOL, POOL, "StorageVolCreateXMLFrom", "ssu", xml.replace("clone", "other"), "/none", 0)

    def test_volumes_survive_a_stop(self, client):
        volume = client.call(DEFAULT_POOL, POOL, "StorageVolCreateXML", "su", VOLUME_XML, 0)
        client.call(DEFAULT_POOL, POOL, "Destroy")
        refused(client, volume, VOLUME, "GetInfo", "u", 0)
        assert "1 volumes" in refused(client, DEFAULT_POOL, POOL, "Delete", "u", 0)
        client.call(DEFAULT_POOL, POOL, "Create", "u", 0)
        assert client.call(DEFAULT_POOL, POOL, "ListStorageVolumes", "u", 0) == [volume]
        client.call(DEFAULT_POOL, POOL, "Destroy")
        client.call(DEFAULT_POOL, POOL, "Undefine")
        xml = "<pool type='dir'><name>p</name><uuid>dfe224cb-28fb-8dd0-c4b2-64eb3f0f4566</uuid>" \
              "<target><path>/p</path></target></pool>"
        assert client.call(TEST, CONNECT, "StoragePoolCreateXML", "su", xml, 0) == DEFAULT_POOL
        assert client.call(DEFAULT_POOL, POOL, "ListStorageVolumes", "u", 0) == []

    def test_no_content(self, client):
        volume = client.call(DEFAULT_POOL, POOL, "StorageVolCreateXML", "su", VOLUME_XML, 0)
        assert "no content" in refused(client, volume, VOLUME, "Wipe", "uu", 0, 0)
        assert "no content" in refused(client, volume, VOLUME, "Delete", "u", 1)
        assert client.call(DEFAULT_POOL, POOL, "ListStorageVolumes", "u", 0) == [volume]

    def test_sources(self, client):
        assert client.call(TEST, CONNECT, "FindStoragePoolSources", "ssu", "logical", "", 0).startswith("<sources")
        refused(client, TEST, CONNECT, "FindStoragePoolSources", "ssu", "none", "", 0)


INTERFACE_XML = """<interface type='ethernet' name='test-iface'><start mode='onboot'/>
<mac address='11:22:33:44:55:66'/><mtu size='1492'/><protocol family='ipv4'><ip address='192.168.15.5' prefix='24'/>
<route gateway='192.168.15.1'/></protocol></interface>"""
PORT_XML = """<device><name>scsi_host22</name><parent>scsi_host2</parent><capability type='scsi_host'><host>22</host>
<unique_id>22</unique_id><capability type='fc_host'><wwnn>2000000098765432</wwnn><wwpn>1000000098765432</wwpn>
<fabric_wwn>2000000098769876</fabric_wwn></capability></capability></device>"""


class TestInterfaces:
    def test_the_first_one(self, client):
        [path] = client.call(TEST, CONNECT, "ListInterfaces", "u", 0)
        assert client.get_all(path, INTERFACE) == {"Active": True, "MAC": "aa:bb:cc:dd:ee:ff", "Name": "eth1"}
        assert client.call(TEST, CONNECT, "InterfaceLookupByName", "s", "eth1") == path
        assert client.call(TEST, CONNECT, "InterfaceLookupByMAC", "s", "aa:bb:cc:dd:ee:ff") == path

    def test_life(self, client, daemon):
        path = client.call(TEST, CONNECT, "InterfaceDefineXML", "su", INTERFACE_XML, 0)
        assert client.get_all(path, INTERFACE) == {
            "Active": False, "MAC": "11:22:33:44:55:66", "Name": "test-iface"}
        assert client.call(TEST, CONNECT, "InterfaceLookupByMAC", "s", "11:22:33:44:55:66") == path
        client.call(path, INTERFACE, "Create", "u", 0)
        assert client.get(path, INTERFACE, "Active") is True
        assert "up already" in refused(client, path, INTERFACE, "Create", "u", 0)
        assert '<mtu size="1492"/>' in client.call(path, INTERFACE, "GetXMLDesc", "u", 0).replace("'", '"')
        client.call(path, INTERFACE, "Destroy", "u", 0)
        assert client.get(path, INTERFACE, "Active") is False
        client.call(path, INTERFACE, "Undefine")
        assert path not in client.call(TEST, CONNECT, "ListInterfaces", "u", 0)
        assert not files_below(daemon.root)

    def test_rollback(self, client):
        assert "begun" in refused(client, TEST, CONNECT, "InterfaceChangeCommit", "u", 0)
        first = client.call(TEST, CONNECT, "ListInterfaces", "u", 0)
        client.call(TEST, CONNECT, "InterfaceChangeBegin", "u", 0)
        assert "begun already" in refused(client, TEST, CONNECT, "InterfaceChangeBegin", "u", 0)
        client.call(TEST, CONNECT, "InterfaceDefineXML", "su", INTERFACE_XML, 0)
        client.call(first[0], INTERFACE, "Undefine")
        client.call(TEST, CONNECT, "InterfaceChangeRollback", "u", 0)
        assert client.call(TEST, CONNECT, "ListInterfaces", "u", 0) == first
        assert client.get(first[0], INTERFACE, "Active") is True

    def test_commit(self, client):
        client.call(TEST, CONNECT, "InterfaceChangeBegin", "u", 0)
        path = client.call(TEST, CONNECT, "InterfaceDefineXML", "su", INTERFACE_XML, 0)
        client.call(TEST, CONNECT, "InterfaceChangeCommit", "u", 0)
        assert "begun" in refused(client, TEST, CONNECT, "InterfaceChangeRollback", "u", 0)
        assert path in client.call(TEST, CONNECT, "ListInterfaces", "u", 0)


class TestNodeDevices:
    def test_the_first_ones(self, client):
        paths = client.call(TEST, CONNECT, "ListNodeDevices", "u", 0)
        named = {client.get(path, NODEDEV, "Name"): client.get(path, NODEDEV, "Parent") for path in paths}
        assert named == {"computer": "", "scsi_host1": "computer", "scsi_host2": "computer",
                         "scsi_host11": "scsi_host1"}
        path = client.call(TEST, CONNECT, "NodeDeviceLookupByName", "s", "scsi_host2")
        assert client.call(path, NODEDEV, "ListCaps") == ["scsi_host", "fc_host", "vport_ops"]

    def test_a_virtual_port(self, client):
        events = client.listen(interface=CONNECT, member="NodeDeviceEvent", path=TEST)
        path = client.call(TEST, CONNECT, "NodeDeviceCreateXML", "su", PORT_XML, 0)
        assert events.wait().values == (path, 0, 0)
        assert client.get_all(path, NODEDEV) == {"Name": "scsi_host12", "Parent": "scsi_host2"}
        assert client.call(path, NODEDEV, "ListCaps") == ["scsi_host", "fc_host"]
        assert "<wwnn>2000000098765432</wwnn>" in client.call(path, NODEDEV, "GetXMLDesc", "u", 0)
        assert client.call(TEST, CONNECT, "NodeDeviceLookupSCSIHostByWWN", "ssu", "2000000098765432",
                           "1000000098765432", 0) == path
        assert "already" in refused(client, TEST, CONNECT, "NodeDeviceCreateXML", "su", PORT_XML, 0)
        assert "in memory" in refused(client, path, NODEDEV, "Reset")
        assert "in memory" in refused(client, path, NODEDEV, "Detach", "su", "", 0)
        assert "in memory" in refused(client, path, NODEDEV, "ReAttach")
        client.call(path, NODEDEV, "Destroy")
        assert events.wait().values == (path, 1, 0)
        assert len(client.call(TEST, CONNECT, "ListNodeDevices", "u", 0)) == 4

    def test_what_cannot_be_made(self, client):
        for old, new in (("scsi_host2<", "scsi_host3<"), ("scsi_host2<", "computer<"), ("2000000098765432", "2")):
            refused(client, TEST, CONNECT, "NodeDeviceCreateXML", "su", PORT_XML.replace(old, new), 0)
        computer = client.call(TEST, CONNECT, "NodeDeviceLookupByName", "s", "computer")
        refused(client, computer, NODEDEV, "Destroy")


def test_objects_of_drivers_are_apart(client):
    """What is made in one driver is not seen by another's clients."""
    xml = "<network><name>bar</name></network>"
    ours = client.call(TEST, CONNECT, "NetworkDefineXML", "s", xml)
    theirs = client.call("/org/libvirt/QEMU", CONNECT, "NetworkDefineXML", "s", xml)
    assert ours.startswith(TEST) and theirs.startswith("/org/libvirt/QEMU")
    assert client.call("/org/libvirt/QEMU", CONNECT, "ListNetworks", "u", 0) == [theirs]
