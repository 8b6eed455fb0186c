"""Snapshots of machines in memory: the same objects, flags and events as those of QEMU's."""

import pytest

from harness import BusError
from machines import CONNECT, DOMAIN, Lifecycle, Machine, path_of

TEST = "/org/libvirt/Test"
SNAPSHOT = "org.libvirt.DomainSnapshot"
FIRST = path_of("6695eb01-f6a4-8304-79aa-97f2502e193f", TEST)
STOPPED, STARTED, SUSPENDED, DEFINED = 5, 2, 3, 0
FROM_SNAPSHOT = {STOPPED: 6, STARTED: 3, SUSPENDED: 5, DEFINED: 3}
RUNNING, PAUSED, SHUTOFF = 1, 3, 5
CHILDREN, METADATA_ONLY, CHILDREN_ONLY = 1, 2, 4


def take(client, name="my_snapshot", flags=0, domain=FIRST):
    return client.call(domain, DOMAIN, "SnapshotCreateXML", "su",
                       f"<domainsnapshot><name>{name}</name></domainsnapshot>", flags)


def refused(client, *arguments):
    with pytest.raises(BusError) as e:
        client.call(*arguments)
    assert e.value.name == "org.libvirt.Error"
    return e.value.message


def listed(client, flags=0, domain=FIRST):
    return client.call(domain, DOMAIN, "ListDomainSnapshots", "u", flags)


def events_of(client, lifecycle, *expected):
    for event in expected:
        lifecycle.wait(Machine(client, FIRST), event, FROM_SNAPSHOT[event], 2.0)


def test_take(client):
    assert "no current one" in refused(client, FIRST, DOMAIN, "SnapshotCurrent", "u", 0)
    path = take(client)
    assert listed(client) == [path]
    assert client.call(FIRST, DOMAIN, "SnapshotCurrent", "u", 0) == path
    assert client.call(FIRST, DOMAIN, "SnapshotLookupByName", "su", "my_snapshot", 0) == path
    assert client.call(path, SNAPSHOT, "IsCurrent", "u", 0) is True
    xml = client.call(path, SNAPSHOT, "GetXMLDesc", "u", 0)
    assert "<state>running</state>" in xml and "<domain type" in xml.replace('"', "'")
    assert "already" in refused(client, FIRST, DOMAIN, "SnapshotCreateXML", "su",
                                "<domainsnapshot><name>my_snapshot</name></domainsnapshot>", 0)


def test_tree(client):
    first, second = take(client, "first"), take(client, "second")
    assert "does not have a parent" in refused(client, first, SNAPSHOT, "GetParent", "u", 0)
    assert client.call(second, SNAPSHOT, "GetParent", "u", 0) == first
    assert client.call(first, SNAPSHOT, "ListChildren", "u", 0) == [second]
    third = take(client, "third")
    client.call(second, SNAPSHOT, "Delete", "u", 0)
    assert client.call(third, SNAPSHOT, "GetParent", "u", 0) == first
    client.call(first, SNAPSHOT, "Delete", "u", CHILDREN_ONLY)
    assert listed(client) == [first]
    assert client.call(FIRST, DOMAIN, "SnapshotCurrent", "u", 0) == first
    take(client, "fourth")
    client.call(first, SNAPSHOT, "Delete", "u", CHILDREN)
    assert listed(client) == []


def test_back_to_a_running_machine(client):
    path = take(client)
    lifecycle = Lifecycle(client, TEST)
    client.call(FIRST, DOMAIN, "SetMemory", "tu", 1 << 20, 3)
    client.call(path, SNAPSHOT, "Revert", "u", 0)
    events_of(client, lifecycle, STOPPED, DEFINED, STARTED)
    assert client.call(FIRST, DOMAIN, "GetState", "u", 0)[0] == RUNNING
    assert ">2097152</currentMemory>" in client.call(FIRST, DOMAIN, "GetXMLDesc", "u", 0)


def test_back_to_a_paused_one(client):
    path = take(client)
    lifecycle = Lifecycle(client, TEST)
    client.call(path, SNAPSHOT, "Revert", "u", 2)
    events_of(client, lifecycle, STOPPED, DEFINED, STARTED, SUSPENDED)
    assert client.call(FIRST, DOMAIN, "GetState", "u", 0)[0] == PAUSED


def test_back_to_one_that_was_off(client):
    client.call(FIRST, DOMAIN, "Destroy", "u", 0)
    path = take(client)
    client.call(FIRST, DOMAIN, "Create", "u", 0)
    lifecycle = Lifecycle(client, TEST)
    client.call(path, SNAPSHOT, "Revert", "u", 0)
    events_of(client, lifecycle, STOPPED, DEFINED)
    assert client.call(FIRST, DOMAIN, "GetState", "u", 0)[0] == SHUTOFF


def test_halt(client):
    lifecycle = Lifecycle(client, TEST)
    take(client, flags=8)
    events_of(client, lifecycle, STOPPED)


@pytest.mark.parametrize("flags", [1, 2, 1 << 10, 16 | 256])
def test_flags_that_are_refused(client, flags):
    refused(client, FIRST, DOMAIN, "SnapshotCreateXML", "su", "<domainsnapshot/>", flags)
    assert listed(client) == []


def test_undefine_needs_a_word(client):
    take(client)
    client.call(FIRST, DOMAIN, "Destroy", "u", 0)
    assert "1 snapshots" in refused(client, FIRST, DOMAIN, "Undefine", "u", 0)
    client.call(FIRST, DOMAIN, "Undefine", "u", 2)
    assert client.call(TEST, CONNECT, "ListDomains", "u", 0) == []


def test_redefine(client):
    """A record is put back after it was lost, and its words change, as with real machines."""
    redefine, current = 1, 2
    path = take(client)
    xml = client.call(path, SNAPSHOT, "GetXMLDesc", "u", 1)
    client.call(path, SNAPSHOT, "Delete", "u", METADATA_ONLY)
    assert listed(client) == []
    assert client.call(FIRST, DOMAIN, "SnapshotCreateXML", "su", xml, redefine | current) == path
    assert client.call(path, SNAPSHOT, "IsCurrent", "u", 0) is True
    other = xml.replace("</name>", "</name><description>other words</description>", 1)
    client.call(FIRST, DOMAIN, "SnapshotCreateXML", "su", other, redefine)
    assert "other words" in client.call(path, SNAPSHOT, "GetXMLDesc", "u", 0)
    client.call(path, SNAPSHOT, "Revert", "u", 0)
    wrong = xml.replace("<state>running</state>", "<state>shutoff</state>").replace("snapshot='internal'", "snapshot='no'", 1)
    refused(client, FIRST, DOMAIN, "SnapshotCreateXML", "su", wrong, redefine)
    orphan = xml.replace("my_snapshot", "orphan").replace("</state>", "</state><parent><name>nobody</name></parent>")
    assert "nobody" in refused(client, FIRST, DOMAIN, "SnapshotCreateXML", "su", orphan, redefine)
    assert listed(client) == [path]


@pytest.mark.parametrize("state", ["running", "shutoff", "disk-snapshot"])
def test_a_record_without_the_machine(client, state):
    record = f"<domainsnapshot><name>bare</name><state>{state}</state><creationTime>1</creationTime></domainsnapshot>"
    path = client.call(FIRST, DOMAIN, "SnapshotCreateXML", "su", record, 1)
    assert "definition" in refused(client, path, SNAPSHOT, "Revert", "u", 0)
    assert client.call(FIRST, DOMAIN, "GetState", "u", 0)[0] == 1
    client.call(path, SNAPSHOT, "Delete", "u", 0)
    assert listed(client) == []
