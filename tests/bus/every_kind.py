"""An object of every kind of a driver, and the methods of all kinds as the introspection files declare them: for tests
that go over all of it, so that what is added is in them by itself.
"""

import contextlib
import pathlib
import subprocess
import xml.etree.ElementTree as ElementTree

from gi.repository import GLib
from harness import BusError, wait_for
from machines import CONNECT, DOMAIN, QEMU, define, definition, disk

TEST = "/org/libvirt/Test"
INTROSPECTION = pathlib.Path(__file__).resolve().parents[2] / "introspection"
ABSENT_UUID = "00000000-1111-4222-8333-444444444444"
# How a path of each kind ends where nothing is.
ABSENT = {
    "domainsnapshot": "domainsnapshot/_00000000_1111_4222_8333_444444444444_absent", "interface": "interface/absent",
    "nodedev": "nodedev/absent", "storagevol": "storagevol/absent", "job": "job/4294967295",
} | {kind: f"{kind}/_{ABSENT_UUID.replace('-', '_')}" for kind in
     ("domain", "network", "nwfilter", "secret", "storagepool")}
# The Test driver's machine and port that are there from the beginning are left alone: tests may need them.
TEST_DOMAIN = "<domain type='test'><name>web</name><memory>1024</memory><os><type>hvm</type></os></domain>"
TEST_INTERFACE = "<interface type='ethernet' name='eth7'><mac address='aa:bb:cc:dd:ee:07'/></interface>"
TEST_PORT = """<device><parent>scsi_host2</parent><capability type='scsi_host'><capability type='fc_host'>
<wwnn>2000000098765432</wwnn><wwpn>1000000098765432</wwpn></capability></capability></device>"""


class Method:
    def __init__(self, interface, kind, node):
        notes = {a.get("name"): a.get("value") for a in node.findall("annotation")}
        self.interface = interface
        self.kind = kind
        self.name = node.get("name")
        self.job = notes["org.virtbus1.Job"]
        self.arguments = [(a.get("name"), a.get("type")) for a in node.findall("arg") if a.get("direction") == "in"]
        self.results = [a.get("type") for a in node.findall("arg") if a.get("direction") == "out"]
        self.signature = "".join(kind for _name, kind in self.arguments)

    @property
    def id(self):
        return f"{self.interface}.{self.name}"

    @property
    def fds(self):
        """A descriptor for each argument that is one."""
        return [0] if "h" in self.signature else None

    def values(self, **given):
        """Arguments that are empty, but for those named or, by their type, given."""
        return [given.get(name, given.get(kind.translate({ord(c): None for c in "{}()"}), empty(kind)))
                for name, kind in self.arguments]


def empty(kind):
    if kind[0] == "a":
        return {} if kind[1] == "{" else []
    return {"s": "", "o": "/", "b": False, "d": 0.0, "v": None}.get(kind, 0)


def read_interfaces():
    """(name, kind, element) of each."""
    for path in sorted(INTROSPECTION.glob("org.*.xml")):
        for element in ElementTree.parse(path).getroot().iter("interface"):
            notes = {a.get("name"): a.get("value") for a in element.findall("annotation")}
            yield element.get("name"), notes["org.virtbus1.Kind"], element


METHODS = [Method(name, kind, node) for name, kind, element in read_interfaces() for node in element.findall("method")]
WRITABLE = [(name, kind, node.get("name"), node.get("type")) for name, kind, element in read_interfaces()
            for node in element.findall("property") if node.get("access") != "read"]


def make_objects(client, driver, folder):
    """kind → path of an object that is there, all of them made for this but the host's own; no job."""
    def connect(member, signature, *arguments):
        return client.call(driver, CONNECT, member, signature, *arguments)

    found = {"connect": driver, "manager": "/org/libvirt"}
    image = pathlib.Path(folder).with_name("web.qcow2")
    if driver == QEMU:
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", image, "1M"], check=True)
    xml = definition("web", disk(image, driver="qcow2")) if driver == QEMU else TEST_DOMAIN
    found["domain"] = define(client, xml, driver).path
    found["domainsnapshot"] = client.call(found["domain"], DOMAIN, "SnapshotCreateXML", "su",
                                          "<domainsnapshot><name>first</name></domainsnapshot>", 0)
    found["network"] = connect("NetworkDefineXML", "s", "<network><name>lab</name></network>")
    found["nwfilter"] = connect("NWFilterDefineXML", "s", "<filter name='f'/>")
    found["secret"] = connect("SecretDefineXML", "su", "<secret/>", 0)
    found["storagepool"] = connect("StoragePoolDefineXML", "su", "<pool type='dir'><name>p</name><target>"
                                   f"<path>{folder}</path></target></pool>", 0)
    client.call(found["storagepool"], "org.libvirt.StoragePool", "Create", "u", 0)
    found["storagevol"] = client.call(found["storagepool"], "org.libvirt.StoragePool", "StorageVolCreateXML", "su",
                                      "<volume><name>v</name><capacity>1048576</capacity></volume>", 0)
    if driver == TEST:
        found["interface"] = connect("InterfaceDefineXML", "su", TEST_INTERFACE, 0)
        found["nodedev"] = connect("NodeDeviceCreateXML", "su", TEST_PORT, 0)
    else:
        found["interface"] = connect("InterfaceLookupByName", "s", "lo")
        found["nodedev"] = connect("NodeDeviceLookupByName", "s", "computer")
    return found


class HeldJob:
    """A job of the Test driver's machine that lasts until it is cancelled."""

    def __init__(self, client, domain):
        client.call(TEST, "org.virtbus1.Connect", "InjectFault", "ssa{sv}", DOMAIN, "SetMetadata",
                    {"delay-usec": GLib.Variant("t", 3600_000_000)})
        self.client = client
        self.call = client.begin(domain, DOMAIN, "SetMetadata", "isssu", 1, "x", "", "", 2)
        self.path = None

    def __enter__(self):
        self.path = wait_for(lambda: next((p for p in self.client.managed_objects() if p.startswith(f"{TEST}/job/")),
                                          None), what="the job")
        return self

    def __exit__(self, *_):
        if not self.call.done:
            with contextlib.suppress(BusError):  # it may have just ended
                self.client.call(self.path, "org.virtbus1.Job", "Cancel")
        wait_for(lambda: self.call.done, what="the job to end")
