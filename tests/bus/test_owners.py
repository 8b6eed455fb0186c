"""What a definition names (networks, filters, pools) is its owner's: nobody's machine uses what is another's, takes it by
accident, or learns by an error whether it is there."""

import os
import uuid

import pytest

from harness import BusError
from machines import CONNECT, NATIVE, QEMU, create_transient
from machines import definition as definition_of
from networks import NATIVE_CONNECT, clean, interface, network, refused, run, up  # noqa: F401

pytestmark = [pytest.mark.skipif(not os.environ.get("VIRTBUS_NAMESPACE"), reason="only inside tests/bus/run, started as root"),
              pytest.mark.system]


@pytest.fixture
def root(system_daemon):
    return system_daemon.client()


@pytest.fixture
def alice(system_daemon, polkit):
    """A user who may define networks, filters and pools of their own."""
    polkit.rules('polkit.addRule(function(action, subject) {'
                 '  if (subject.user == "alice" && action.lookup("owner") != "root") return polkit.Result.YES; });')
    return system_daemon.client("alice")


def definition(name, devices):
    """Errors that name the machine are the same each time."""
    return definition_of(name, devices, domain_uuid=uuid.uuid5(uuid.NAMESPACE_DNS, name))


def same_answer(call, *, there, absent):
    """The name that is another's gets the words that one which nobody has gets."""
    texts = []
    for name in (there, absent):
        with pytest.raises(BusError) as e:
            call(name)
        texts.append((e.value.name, e.value.message.replace(name, "NAME")))
    assert texts[0] == texts[1]
    return texts[0][1]


def disk(pool):
    return f"<disk type='volume'><source pool='{pool}' volume='one.img'/><target dev='vda' bus='virtio'/></disk>"


@pytest.mark.qemu
class TestMachines:
    def test_networks(self, root, alice):
        up(root, "lab", forward="<forward mode='nat'/>")

        def plugged(name):
            create_transient(alice, definition("web", interface(f"<source network='{name}'/>")))

        def listening(name):
            create_transient(alice, definition(
                "web", f"<graphics type='vnc' autoport='yes'><listen type='network' network='{name}'/></graphics>"))
        same_answer(plugged, there="lab", absent="none")
        assert "not up" in same_answer(listening, there="lab", absent="none")

    def test_root_does_not_take_what_is_alices(self, root, alice):
        alice.call(QEMU, CONNECT, "NetworkDefineXML", "s", network("theirs", 3))
        refused(create_transient, root, definition("web", interface("<source network='theirs'/>")), word="no network with matching name")
        up(root, "theirs", 4)
        machine = create_transient(root, definition("web", interface("<source network='theirs'/>")))
        (port,) = root.get(root.call(QEMU, CONNECT, "NetworkLookupByName", "s", "theirs"), "org.virtbus1.Network", "Ports")
        assert port["domain"] == machine.path
        machine.destroy()

    def test_pools(self, root, alice, tmp_path):
        (tmp_path / "one.img").write_bytes(b"\0" * 4096)
        path = root.call(QEMU, CONNECT, "StoragePoolDefineXML", "su",
                         f"<pool type='dir'><name>disks</name><target><path>{tmp_path}</path></target></pool>", 0)
        root.call(path, "org.libvirt.StoragePool", "Create", "u", 0)

        def start(name):
            create_transient(alice, definition("web", disk(name)))

        def line(name):
            alice.call(QEMU, NATIVE_CONNECT, "DomainXMLToNative", "ssu", "qemu-argv", definition("web", disk(name)), 0)
        assert "of the machine's owner" in same_answer(start, there="disks", absent="none")
        same_answer(line, there="disks", absent="none")
        assert root.call(QEMU, NATIVE_CONNECT, "DomainXMLToNative", "ssu", "qemu-argv", definition("web", disk("disks")), 0)

    def test_secrets(self, root, alice):
        secret = root.call(QEMU, CONNECT, "SecretDefineXML", "su",
                           "<secret><usage type='vtpm'><name>key</name></usage></secret>", 0)
        there, absent = root.get(secret, "org.libvirt.Secret", "UUID"), "6d1e0b5f-0000-4000-8000-000000000001"

        def start(name):
            create_transient(alice, definition("web", "<tpm model='tpm-crb'><backend type='emulator' version='2.0'>"
                                                      f"<encryption secret='{name}'/></backend></tpm>"))
        assert "same owner" in same_answer(start, there=there, absent=absent)

    def test_neighbours_of_the_host(self, root, alice):
        """A card that is on none of the host's networks has whatever hardware address its owner likes."""
        up(root, "lab")
        run("ip", "neigh", "replace", "10.77.1.5", "lladdr", "52:54:00:00:00:77", "dev", "vblab")
        card = "<mac address='52:54:00:00:00:77'/>"
        theirs = create_transient(alice, definition("theirs", interface(card, "user")))
        ours = create_transient(root, definition("ours", interface(card + "<source network='lab'/>")))
        assert theirs.get("Addresses", NATIVE) == [] and len(ours.get("Addresses", NATIVE)) == 1
        theirs.destroy()
        ours.destroy()


def block(name, reference):
    return f"<filter name='{name}'><filterref filter='{reference}'/></filter>"


def test_filters(root, alice):
    """Those that are parts of each other are one owner's."""
    FILTER = "org.libvirt.NWFilter"
    root.call(QEMU, CONNECT, "NWFilterDefineXML", "s", "<filter name='one'/>")
    root.call(QEMU, CONNECT, "NWFilterDefineXML", "s", block("two", "one"))
    theirs = alice.call(QEMU, CONNECT, "NWFilterDefineXML", "s", block("one", "two"))  # a circle only with root's
    alice.call(QEMU, CONNECT, "NWFilterDefineXML", "s", "<filter name='two'/>")  # hides nothing of root's
    refused(root.call, QEMU, CONNECT, "NWFilterDefineXML", "s", block("one", "two"), word="'one'")
    refused(alice.call, QEMU, CONNECT, "NWFilterDefineXML", "s", block("two", "one"), word="'two'")
    alice.call(theirs, FILTER, "Undefine")
