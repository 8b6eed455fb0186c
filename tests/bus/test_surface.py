"""Introspection on the wire: every kind of object of every driver, there or not, has exactly the members of the existing
API (tests/lint/surface.tsv, which tests/lint holds against the API itself) and of the native interfaces' files.
"""

import csv
import xml.etree.ElementTree as ElementTree

import pytest

from daemon import SOURCE
from every_kind import ABSENT, TEST, HeldJob, make_objects, read_interfaces
from harness import INTROSPECTABLE, OBJECT_MANAGER, PEER, PROPERTIES
from machines import CONNECT, QEMU

EMITS = "org.freedesktop.DBus.Property.EmitsChangedSignal"
NO_REPLY = "org.freedesktop.DBus.Method.NoReply"
STANDARD = {INTROSPECTABLE, PEER, PROPERTIES}


def annotations(element):
    return {a.get("name"): a.get("value") for a in element.findall("annotation")}


def arguments(element, direction, default):
    return tuple((a.get("name"), a.get("type")) for a in element.findall("arg")
                 if a.get("direction", default) == direction)


def members(interface):
    """{(kind, name): what callers see of it} of an <interface> element."""
    found = {}
    for node in interface:
        if node.tag == "method":
            seen = arguments(node, "in", "in"), arguments(node, "out", "in")
        elif node.tag == "signal":
            seen = arguments(node, "out", "out")
        elif node.tag == "property":
            seen = node.get("type"), node.get("access"), annotations(node).get(EMITS, annotations(interface).get(EMITS))
        else:
            continue
        assert (node.tag, node.get("name")) not in found, f"{node.get('name')} is there twice"
        found[node.tag, node.get("name")] = seen
    return found


def split_types(signature):
    """One complete type after the other."""
    while signature:
        end = len(signature) - len(signature.lstrip("a"))
        depth = signature[end] in "({"
        while depth:
            end += 1
            depth += (signature[end] in "({") - (signature[end] in ")}")
        yield signature[:end + 1]
        signature = signature[end + 1:]


def named_arguments(names, signature):
    if signature == "-":
        return ()
    types = list(split_types(signature))
    names = names.split(",")
    assert len(names) == len(types), (names, types)
    return tuple(zip((n.split()[-1] for n in names), types))


def compatible():
    """{interface: members} of surface.tsv."""
    found = {}
    with open(SOURCE / "tests/lint/surface.tsv", encoding="utf-8", newline="") as f:
        for row in csv.DictReader(f, delimiter="\t"):
            outs = named_arguments(row["out_args"], row["out"]) if row["kind"] != "property" else ()
            seen = {"method": (named_arguments(row["in_args"], row["in"]), outs), "signal": outs,
                    "property": (row["out"], row["access"], row["emits"])}[row["kind"]]
            found.setdefault(row["interface"], {})[row["kind"], row["name"]] = seen
    return found


def expected_at(kind):
    """{interface: members} of an object of that kind."""
    old = compatible()
    return {name: old[name] if name in old else members(element)
            for name, of, element in read_interfaces() if of == kind}


def check(client, path, kind):
    tree = ElementTree.fromstring(client.introspect(path))
    served = {e.get("name"): e for e in tree.findall("interface")}
    expected = expected_at(kind)
    assert set(served) - STANDARD - {OBJECT_MANAGER} == set(expected), path
    assert STANDARD <= set(served), path
    for name, seen in expected.items():
        assert members(served[name]) == seen, f"{path}: {name}"


def test_the_whole_of_it():
    """What this file compares with is all of the existing API."""
    kinds = [kind for seen in compatible().values() for kind, _name in seen]
    assert (kinds.count("method"), kinds.count("property"), kinds.count("signal")) == (195, 37, 28)
    assert len(compatible()) == 10
    assert {kind for _name, kind, _element in read_interfaces()} == set(ABSENT) | {"connect", "manager"}


@pytest.mark.parametrize("driver", [QEMU, TEST])
def test_objects_that_are_there(client, root_dir, driver):
    (root_dir / "pool").mkdir()
    objects = make_objects(client, driver, root_dir / "pool")
    assert set(objects) == set(ABSENT) - {"job"} | {"connect", "manager"}
    for kind, path in objects.items():
        check(client, path, kind)
    if driver == TEST:
        with HeldJob(client, objects["domain"]) as job:
            check(client, job.path, "job")


def drivers_of(client):
    tree = ElementTree.fromstring(client.introspect("/org/libvirt"))
    return ["/org/libvirt/" + n.get("name") for n in tree.findall("node")]


def test_objects_that_are_not_there(client):
    """Those of drivers that cannot run here, too; and the node above them."""
    for driver in drivers_of(client):
        check(client, driver, "connect")
        for kind, path in ABSENT.items():
            check(client, f"{driver}/{path}", kind)
            check(client, f"{driver}/{kind}", kind)


def test_object_manager_is_at_the_front_alone(client):
    for path in ["/org/libvirt", *drivers_of(client)]:
        names = {e.get("name") for e in ElementTree.fromstring(client.introspect(path)).findall("interface")}
        assert (OBJECT_MANAGER in names) == (path == "/org/libvirt"), path


@pytest.mark.parametrize("driver", [QEMU, TEST])
def test_children_by_their_whole_paths(client, root_dir, driver):
    """The node of a kind names its objects as the existing service does; relative names stand above it."""
    (root_dir / "pool").mkdir()
    objects = make_objects(client, driver, root_dir / "pool")
    lists = {"domain": "ListDomains", "network": "ListNetworks", "interface": "ListInterfaces",
             "nodedev": "ListNodeDevices", "nwfilter": "ListNWFilters", "secret": "ListSecrets",
             "storagepool": "ListStoragePools"}
    for kind in ABSENT:
        tree = ElementTree.fromstring(client.introspect(f"{driver}/{kind}"))
        children = [n.get("name") for n in tree.findall("node")]
        assert all(c.startswith(f"{driver}/{kind}/") for c in children)
        if kind in lists:
            assert sorted(children) == sorted(client.call(driver, CONNECT, lists[kind], "u", 0))
        elif kind != "job":
            assert children == [objects[kind]]


def test_every_member_is_announced_as_it_is(client, root_dir):
    """What says that it announces its changes is in ObjectManager's answer; the existing API's says false or const."""
    (root_dir / "pool").mkdir()
    objects = make_objects(client, TEST, root_dir / "pool")
    managed = client.managed_objects()
    for name, kind, element in read_interfaces():
        emits = {n.get("name"): annotations(n).get(EMITS) for n in element.findall("property")}
        if name.startswith("org.libvirt."):
            assert set(emits.values()) <= {"false", "const", None}, name
        else:
            assert set(emits.values()) <= {"true", "const"}, name
            if kind in objects:
                assert set(managed[objects[kind]][name]) == set(emits), name
