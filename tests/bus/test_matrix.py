"""Every method of every interface with what nobody should send it, from the introspection files alone: objects that are
not there, unknown flags, extreme numbers, empty and huge texts, wrong descriptors; by the owner and by a stranger.

A method that is added is here by itself.  What a valid call does is tested elsewhere: here each must be answered, with
an error where there has to be one, and the daemon must be afterwards what it was before.
"""

import contextlib
import os
import pathlib
import re
import socket
import xml.etree.ElementTree as ElementTree

import pytest

from harness import BusError, wait_for
from machines import QEMU, define, definition

SOURCE = pathlib.Path(__file__).resolve().parents[2]
TEST = "/org/libvirt/Test"
ABSENT_UUID = "00000000-1111-4222-8333-444444444444"
UNKNOWN_FLAG = 1 << 27
HUGE = "x" * (10 << 20)
# How a path of each kind ends where nothing is.
ABSENT = {
    "domainsnapshot": "domainsnapshot/_00000000_1111_4222_8333_444444444444_absent", "interface": "interface/absent",
    "nodedev": "nodedev/absent", "storagevol": "storagevol/absent", "job": "job/4294967295",
} | {kind: f"{kind}/_{ABSENT_UUID.replace('-', '_')}" for kind in
     ("domain", "network", "nwfilter", "secret", "storagepool")}
# What people write about a machine may be long; of what is validated the problems are the answer.
ANY_LENGTH = ("SetMetadata", "SetTitle", "SetDescription", "Validate")
# Calls that wait by design, or whose effect would end the test; their arguments are tried by others.
EXTREMES_SKIPPED = {("org.virtbus1.Manager", "SetLogLevel")}


class Method:
    def __init__(self, interface, kind, node):
        self.interface = interface
        self.kind = kind
        self.name = node.get("name")
        self.arguments = [(a.get("name"), a.get("type")) for a in node.findall("arg") if a.get("direction") == "in"]
        self.signature = "".join(kind for _name, kind in self.arguments)

    @property
    def id(self):
        return f"{self.interface}.{self.name}"

    def values(self, **given):
        """Arguments that are empty, but for those named or, by their type, given."""
        return [given.get(name, given.get(kind.translate({ord(c): None for c in "{}()"}), empty(kind)))
                for name, kind in self.arguments]


def empty(kind):
    if kind[0] == "a":
        return {} if kind[1] == "{" else []
    return {"s": "", "o": "/", "b": False, "d": 0.0, "v": None}.get(kind, 0)


def read_methods():
    for path in sorted((SOURCE / "introspection").glob("org.*.xml")):
        for interface in ElementTree.parse(path).getroot().iter("interface"):
            notes = {a.get("name"): a.get("value") for a in interface.findall("annotation")}
            for node in interface.findall("method"):
                yield Method(interface.get("name"), notes["org.virtbus1.Kind"], node)


METHODS = list(read_methods())
OF_OBJECTS = [m for m in METHODS if m.kind in ABSENT]
WITH_FLAGS = [m for m in METHODS if ("flags", "u") in m.arguments]


def refused(client, path, method, values, fds=None):
    """The error of a call that must not succeed."""
    try:
        value = client.call(path, method.interface, method.name, method.signature, *values, fds=fds)
    except BusError as e:
        assert e.message, f"{method.id}: an error without a text"
        assert "\n" not in e.message.strip()
        return e
    pytest.fail(f"{method.id} was not refused: {str(value)[:1000]}")


def answered(client, path, method, values, fds=None):
    """A call that may succeed or fail, but has to be answered."""
    with contextlib.suppress(BusError):
        client.call(path, method.interface, method.name, method.signature, *values, timeout=20, fds=fds)


def family(interface):
    return interface.rsplit(".", 1)[0]


@pytest.fixture
def objects(client, root_dir):
    """kind → path of an object that is there."""
    folder = root_dir / "pool"
    folder.mkdir()
    found = {"connect": QEMU, "manager": "/org/libvirt"}
    found["domain"] = define(client, definition("web")).path
    found["network"] = client.call(QEMU, "org.libvirt.Connect", "NetworkDefineXML", "s",
                                   "<network><name>lab</name></network>")
    found["nwfilter"] = client.call(QEMU, "org.libvirt.Connect", "NWFilterDefineXML", "s", "<filter name='f'/>")
    found["secret"] = client.call(QEMU, "org.libvirt.Connect", "SecretDefineXML", "su", "<secret/>", 0)
    found["storagepool"] = client.call(QEMU, "org.libvirt.Connect", "StoragePoolDefineXML", "su",
                                       f"<pool type='dir'><name>p</name><target><path>{folder}</path></target></pool>", 0)
    client.call(found["storagepool"], "org.libvirt.StoragePool", "Create", "u", 0)
    found["storagevol"] = client.call(found["storagepool"], "org.libvirt.StoragePool", "StorageVolCreateXML", "su",
                                      "<volume><name>v</name><capacity>1048576</capacity></volume>", 0)
    return found


@pytest.fixture
def whole(daemon, client, objects):
    """By the end the objects are all there, the daemon has no descriptor more, and hardly more memory."""
    before = daemon.fd_count()
    resident = daemon.resident_kib()
    yield
    assert daemon.is_running
    for path in objects.values():
        client.introspect(path)
    for kind, member in (("domain", "ListDomains"), ("network", "ListNetworks"), ("nwfilter", "ListNWFilters"),
                         ("secret", "ListSecrets"), ("storagepool", "ListStoragePools")):
        assert objects[kind] in client.call(QEMU, "org.libvirt.Connect", member, "u", 0), f"the {kind} is gone"
    wait_for(lambda: daemon.fd_count() <= before, 10, "descriptors to be closed")
    assert daemon.resident_kib() - resident < 48 * 1024


def test_every_kind_is_there():
    """What this file believes of the kinds is what the files say."""
    assert {m.kind for m in METHODS} == set(ABSENT) | {"connect", "manager"}
    assert len(METHODS) > 220


@pytest.mark.parametrize("driver", [QEMU, TEST])
def test_absent_objects(client, daemon, driver):
    """Each method of an object that is not there: the error says what is missing, in the interface's family."""
    for method in OF_OBJECTS:
        error = refused(client, f"{driver}/{ABSENT[method.kind]}", method, method.values(), method_fds(method))
        assert error.name.startswith(family(method.interface)), f"{method.id}: {error}"


def method_fds(method):
    return [0] if "h" in method.signature else None


def test_paths_that_are_none(client):
    for method in METHODS:
        for path in (f"{QEMU}/nonsense", f"{QEMU}/domain/a/b", "/org/libvirt/Nonsense", "/"):
            if method.kind == "manager" and path == "/":
                continue
            error = refused(client, path, method, method.values(), method_fds(method))
            assert error.name in ("org.freedesktop.DBus.Error.UnknownMethod", "org.freedesktop.DBus.Error.UnknownObject",
                                  "org.freedesktop.DBus.Error.UnknownInterface", "org.libvirt.Error"), f"{method.id}: {error}"


def test_objects_of_another_kind(client, objects, whole):
    """A method on an object that has not got its interface."""
    for method in METHODS:
        other = objects["network" if method.kind != "network" else "secret"]
        error = refused(client, other, method, method.values(), method_fds(method))
        assert error.name == "org.freedesktop.DBus.Error.UnknownMethod", f"{method.id}: {error}"


def test_unknown_flags(client, objects, whole):
    """A flag that nobody knows is an error wherever there are flags, and nothing is done."""
    for method in WITH_FLAGS:
        if method.kind in objects:
            refused(client, objects[method.kind], method, method.values(flags=UNKNOWN_FLAG), method_fds(method))


@pytest.mark.parametrize("kind,value", [("u", 2**32 - 1), ("i", -2**31), ("t", 2**64 - 1), ("x", -2**63), ("d", 1e308),
                                        ("s", "\x01\x7f%n%s../../" * 10), ("as", ["", "a" * 1000] * 100)])
def test_extremes(client, objects, whole, kind, value):
    """The least and the most that a type can hold."""
    for method in METHODS:
        if kind not in [k for _name, k in method.arguments] or (method.interface, method.name) in EXTREMES_SKIPPED:
            continue
        given = {name: value for name, k in method.arguments if k == kind}
        if ("flags", "u") in method.arguments:
            given["flags"] = UNKNOWN_FLAG if kind != "u" else value
        if method.kind in objects:
            answered(client, objects[method.kind], method, method.values(**given), method_fds(method))


@pytest.mark.slow
def test_huge_texts(client, objects, whole):
    """10 MiB where a text is expected, which is never one that makes sense."""
    for method in METHODS:
        names = [name for name, kind in method.arguments if kind == "s"]
        if not names or method.kind not in objects or method.name in ANY_LENGTH:
            continue
        error = refused(client, objects[method.kind], method, method.values(**{name: HUGE for name in names}),
                        method_fds(method))
        assert len(error.message) < 100000, f"{method.id} sends it back"


@contextlib.contextmanager
def wrong_descriptors(root_dir):
    """A folder, a socket without a peer, a device, an end of a pipe that cannot do what is wanted."""
    listener = socket.socket(socket.AF_UNIX)
    reader, writer = os.pipe()
    folder = os.open(root_dir, os.O_RDONLY)
    null = os.open("/dev/null", os.O_RDONLY)
    try:
        yield {"folder": folder, "socket": listener.fileno(), "device": null, "pipe": writer}
    finally:
        for fd in (reader, writer, folder, null):
            os.close(fd)
        listener.close()


def test_wrong_descriptors(client, objects, whole, root_dir):
    with wrong_descriptors(root_dir) as fds:
        for method in METHODS:
            if "h" not in method.signature or method.kind not in objects:
                continue
            for fd in fds.values():
                answered(client, objects[method.kind], method, method.values(h=0, ah=[0]), [fd])


@pytest.mark.system
class TestStranger:
    """Who may not see an object cannot tell whether it is there: the same error, word for word, for every method."""

    def test_present_and_absent(self, system_daemon, root_dir):
        root = system_daemon.client()
        machine = define(root, definition("secretive"))
        filter_path = root.call(QEMU, "org.libvirt.Connect", "NWFilterDefineXML", "s", "<filter name='f'/>")
        network = root.call(QEMU, "org.libvirt.Connect", "NetworkDefineXML", "s", "<network><name>lab</name></network>")
        secret = root.call(QEMU, "org.libvirt.Connect", "SecretDefineXML", "su", "<secret/>", 0)
        there = {"domain": machine.path, "nwfilter": filter_path, "network": network, "secret": secret}
        mallory = system_daemon.client("mallory")
        for method in METHODS:
            if method.kind not in there:
                continue
            present = refused(mallory, there[method.kind], method, method.values(), method_fds(method))
            absent = refused(mallory, f"{QEMU}/{ABSENT[method.kind]}", method, method.values(), method_fds(method))
            identity = there[method.kind].rsplit("/", 1)[1]
            assert present.name == absent.name, method.id
            assert anonymous(present.message, identity) == anonymous(absent.message, ABSENT[method.kind].rsplit("/", 1)[1]), \
                method.id

    def test_huge_text_of_a_stranger(self, system_daemon):
        """What is not allowed is not read: the answer is quick, and no memory is spent on it."""
        mallory = system_daemon.client("mallory")
        system_daemon.client().call(QEMU, "org.libvirt.Connect", "ListDomains", "u", 0)
        for method in METHODS:
            if method.kind == "connect" and "s" in method.signature:
                names = [name for name, kind in method.arguments if kind == "s"]
                answered(mallory, QEMU, method, method.values(**{name: "x" * (1 << 20) for name in names}),
                         method_fds(method))
        assert system_daemon.is_running


def anonymous(message, identity):
    """The text without what names the object that was asked for."""
    uuid = identity.strip("_").replace("_", "-")
    return re.sub(re.escape(uuid) + "|" + re.escape(identity), "X", message)
