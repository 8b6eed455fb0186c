"""Machines without XML: defined and read natively, checked before they are, and what a change would do."""

import json
import os
import pwd
import subprocess
import time
from xml.etree import ElementTree

import pytest
from every_kind import TEST, TEST_DOMAIN, make_objects
from gi.repository import GLib
from harness import BusError
from machines import CONNECT, DOMAIN, NATIVE, QEMU, define, definition, disk, list_machines

CONNECT_NATIVE = "org.virtbus1.Connect"
WEB = {"type": "qemu", "name": "web", "memory_kib": 65536, "vcpus": 2,
       "os": {"type": "hvm", "arch": "x86_64", "machine": "q35"},
       "devices": {"disks": [{"type": "file", "target": "vda", "bus": "virtio", "format": "qcow2",
                              "source": {"file": "/nonexistent/web.qcow2"}}],
                   "graphics": [{"type": "vnc", "autoport": True, "password": "geheim"}]}}


def variant(value):
    if isinstance(value, dict):
        return GLib.Variant("a{sv}", native(value))
    if isinstance(value, list):
        return GLib.Variant("av", [variant(item) for item in value])
    kinds = {bool: "b", int: "x", str: "s"}
    return GLib.Variant(kinds[type(value)], value)


def native(values):
    return {key: variant(value) for key, value in values.items()}


def connect(client, member, signature, *arguments):
    return client.call(QEMU, CONNECT_NATIVE, member, signature, *arguments)


def define_native(client, values):
    return connect(client, "DefineDomain", "a{sv}a{sv}", native(values), {})


def get_definition(client, path, **options):
    return client.call(path, NATIVE, "GetDefinition", "a{sv}", native(options))


def get_xml(client, path, flags):
    return client.call(path, DOMAIN, "GetXMLDesc", "u", flags)


def test_a_machine_without_xml(client):
    path = define_native(client, WEB)
    tree = ElementTree.fromstring(get_xml(client, path, 1))
    assert tree.findtext("name") == "web" and tree.findtext("memory") == "65536"
    assert tree.find("devices/disk/source").get("file") == "/nonexistent/web.qcow2"
    assert tree.find("devices/graphics").get("passwd") == "geheim"
    told = get_definition(client, path)
    assert told["memory_kib"] == 65536 and told["devices"]["disks"][0]["bus"] == "virtio"
    assert "geheim" not in json.dumps(told)
    assert told["devices"]["controllers"], "what is filled in is shown"
    # lossless but for secrets, in both directions
    before = get_xml(client, path, 0)
    assert define_native(client, told) == path
    assert get_xml(client, path, 0) == before and get_definition(client, path) == told


@pytest.mark.parametrize("change, words", [
    ({"devices": {"disks": [{"target": "vda", "bsu": "virtio"}]}}, "devices.disks[0].bsu"),
    ({"devices": {"disks": [{"target": "vda", "bus": "virtoi"}]}}, "devices.disks[0].bus"),
    ({"memory": 1}, "memory"),
    ({"vcpus": "two"}, "vcpus"),
    ({"vcpus": -1}, "vcpus"),
    ({"name": "a/b"}, "'/'"),
])
def test_slips_are_named_with_their_path(client, change, words):
    with pytest.raises(BusError) as e:
        define_native(client, {**WEB, **change})
    assert words in e.value.message
    assert list_machines(client) == []


@pytest.mark.qemu
def test_a_run_without_xml(client):
    values = {key: value for key, value in WEB.items() if key != "devices"}
    with pytest.raises(BusError) as e:
        connect(client, "CreateDomain", "a{sv}a{sv}", native(values), native({"pausd": True}))
    assert "pausd" in e.value.message
    path = connect(client, "CreateDomain", "a{sv}a{sv}", native(values), native({"paused": True}))
    assert client.get(path, NATIVE, "State") == "paused"
    told = get_definition(client, path)
    assert told["devices"]["controllers"][0]["info"]["alias"] and told["id"] > 0
    client.call(path, DOMAIN, "Destroy", "u", 0)
    assert list_machines(client) == []


def validate(client, xml):
    return [tuple(problem) for problem in connect(client, "Validate", "s", xml)]


def test_validate(client):
    assert validate(client, definition("good")) == []
    assert list_machines(client) == []
    (kind, what), = validate(client, definition("odd", "<memroy/>"))
    assert kind == "unknown" and "<memroy>" in what
    (kind, what), = validate(client, definition("bad", "<disk type='file'/>"))
    assert kind == "invalid" and "disk" in what
    (kind, what), = validate(client, definition("none", machine="pdp11"))
    assert kind == "unsupported" and "pdp11" in what
    (kind, what), = validate(client, "<domain")
    assert kind == "invalid"
    (kind, what), = validate(client, definition("mode", extra="<cpu mode='host-passthrough'/>"))
    assert kind == "unsupported" and "host-passthrough" in what


def plan(client, machine, xml):
    return {path: (kind, why) for path, kind, why in client.call(machine.path, NATIVE, "Plan", "s", xml)}


def test_plan_of_a_machine_that_does_not_run(client):
    machine = define(client, definition("web", disk("/nonexistent/a")))
    xml = get_xml(client, machine.path, 2)
    assert plan(client, machine, xml) == {}
    assert plan(client, machine, xml.replace("/nonexistent/a", "/nonexistent/b")) == {
        "devices.disks[0].source.file": ("next-start", "the machine does not run")}
    assert get_xml(client, machine.path, 2) == xml
    assert plan(client, machine, xml.replace("<name>web", "<name>wob"))["name"][0] == "refused"
    assert plan(client, machine, definition("web"))["uuid"][0] == "refused"
    client.call(QEMU, CONNECT, "GetDomainCapabilities", "ssssu", "", "", "", "", 0)  # now it is known what QEMU has
    machine_type = ElementTree.fromstring(xml).find("os/type").get("machine")
    kind, why = plan(client, machine, xml.replace(f"machine='{machine_type}'", "machine='pdp11'"))[""]
    assert kind == "refused" and "pdp11" in why
    with pytest.raises(BusError):
        plan(client, machine, "<domain")


@pytest.mark.qemu
def test_plan_of_a_running_machine(client):
    machine = define(client, definition("web", "<graphics type='vnc' autoport='yes'/>"
                                               "<channel type='unix'><target type='virtio' name='a'/></channel>"))
    machine.create()
    xml = get_xml(client, machine.path, 2)
    assert plan(client, machine, xml) == {}
    changed = xml.replace("<name>web</name>", "<name>web</name><title>new</title>").replace(
        "<vcpu placement='static'>1", "<vcpu placement='static'>2").replace("</channel>", "</channel><sound model='ich9'/>")
    told = plan(client, machine, changed)
    assert told["title"] == ("live", "org.libvirt.Domain.SetMetadata does it")
    assert told["vcpus"] == ("next-start", "the guest would see another machine")
    assert told["devices.sounds[0]"][0] == "next-start"
    machine.call("SetMetadata", "isssu", 1, "new", "", "", 1)
    assert "title" not in plan(client, machine, changed)
    machine.destroy()


def cpu_of(xml):
    return ElementTree.fromstring(xml).find("cpu")


@pytest.mark.qemu
def test_flags_of_the_xml(client):
    """SECURE (1), INACTIVE (2), UPDATE_CPU (4), MIGRATABLE (8): each does what it says, in a running machine."""
    client.call(QEMU, CONNECT, "GetDomainCapabilities", "ssssu", "", "", "", "", 0)
    machine = define(client, definition("web", "<graphics type='vnc' autoport='yes' passwd='geheim'/>",
                                        extra="<cpu mode='host-model'><feature policy='disable' name='aes'/>"
                                              "<feature policy='optional' name='avx512f'/></cpu>"))
    machine.create()
    live, inactive = machine.xml(0), machine.xml(2)
    assert "geheim" not in live + inactive + machine.xml(4)
    assert "passwd='geheim'" in machine.xml(1) and "passwd='geheim'" in machine.xml(3)
    assert "<domain type='qemu' id='" in live and "<alias" in live and int(ElementTree.fromstring(live).find("devices/graphics").get("port"))
    assert "<domain type='qemu'>" in inactive and "<alias" not in inactive and "port='-1'" in inactive
    assert cpu_of(live).get("mode") == "host-model"
    for flags in (4, 6, 8, 10):
        told = cpu_of(machine.xml(flags))
        assert told.get("mode") == "custom" and told.findtext("model") and told.get("match") == "exact"
        policies = {feature.get("name"): feature.get("policy") for feature in told.findall("feature")}
        assert policies["aes"] == "disable" and policies["avx512f"] == "disable"  # TCG has none
    assert "passwd='geheim'" in machine.xml(8) and "passwd='geheim'" in machine.xml(10)
    assert machine.xml(0) == live, "reading changes nothing"
    with pytest.raises(BusError):
        machine.xml(16)
    # what was told can be defined again, and is the same
    for flags in (1, 3):
        define(client, machine.xml(flags))
        assert machine.xml(2) == inactive
    define(client, machine.xml(10))
    assert cpu_of(machine.xml(2)).get("mode") == "custom"
    machine.destroy()


def test_by_one_line(daemon, client):
    """The example, with what it makes."""
    script = os.path.join(os.path.dirname(__file__), "../../busctl-examples/define-native.sh")
    result = subprocess.run([script, "one", "/nonexistent/one.qcow2"], capture_output=True, text=True, check=True,
                            env=dict(os.environ, VIRTBUS_BUS=daemon.bus.address))
    path = result.stdout.strip()
    tree = ElementTree.fromstring(get_xml(client, path, 2))
    assert tree.find("devices/disk/source").get("file") == "/nonexistent/one.qcow2"
    assert tree.find("devices/interface") is not None and tree.find("devices/graphics") is not None
    assert path in client.call(QEMU, CONNECT, "ListDomains", "u", 0)


REPLACE = {"replace": GLib.Variant("b", True)}


@pytest.mark.parametrize("driver, xml", [(QEMU, definition("web")), (TEST, TEST_DOMAIN)], ids=["QEMU", "Test"])
def test_a_definition_without_a_uuid_can_replace(client, driver, xml):
    """Which libvirt's clients call "already exists with uuid": whoever defines by name means the one that has it."""
    path = client.call(driver, CONNECT_NATIVE, "DefineXML", "sa{sv}", xml, REPLACE)
    with pytest.raises(BusError) as e:
        client.call(driver, CONNECT_NATIVE, "DefineXML", "sa{sv}", xml, {})
    assert e.value.name == "org.virtbus1.Error.Exists"
    changed = xml.replace("</name>", "</name><title>again</title>")
    assert client.call(driver, CONNECT_NATIVE, "DefineXML", "sa{sv}", changed, REPLACE) == path
    assert client.get(path, NATIVE, "Title") == "again"
    other = changed.replace("</name>", "</name><uuid>00000000-1111-4222-8333-444444444444</uuid>")
    with pytest.raises(BusError) as e:
        client.call(driver, CONNECT_NATIVE, "DefineXML", "sa{sv}", other, REPLACE)
    assert e.value.name == "org.virtbus1.Error.Exists"
    if driver == QEMU:
        assert connect(client, "DefineDomain", "a{sv}a{sv}", native(WEB), REPLACE) == path


@pytest.mark.system
def test_others_are_not_replaced(system_daemon):
    root, alice = system_daemon.client(), system_daemon.client("alice")
    paths = {connect(who, "DefineXML", "sa{sv}", definition("web"), REPLACE) for who in (root, alice, root, alice)}
    assert len(paths) == 2


def test_since_when(daemon, client):
    before = time.time_ns() // 1000
    web = define(client, definition("web"))
    created = web.get("CreatedAt", NATIVE)
    assert before <= created <= time.time_ns() // 1000
    daemon.restart()
    define(client, definition("web", domain_uuid=web.uuid, vcpus=2))
    assert web.get("CreatedAt", NATIVE) == created
    assert web.get("LastChangedBy", NATIVE) == os.getuid()


@pytest.mark.system
@pytest.mark.parametrize("driver, xml", [(QEMU, definition("web")), (TEST, TEST_DOMAIN)], ids=["QEMU", "Test"])
def test_by_whom(system_daemon, driver, xml):
    """libby, of group libvirt, may change what is root's."""
    root, libby = system_daemon.client(), system_daemon.client("libby")
    uids = {"root": 0, "libby": pwd.getpwnam("libby").pw_uid}
    root.managed_objects()  # signals go to callers that the daemon knows
    events = root.listen(interface=NATIVE, member="Lifecycle")
    web = define(libby, xml, driver)
    assert events.wait().values == ("defined", "added", "/", uids["libby"], 1)
    assert (web.get("Owner", NATIVE), web.get("LastChangedBy", NATIVE)) == (0, uids["libby"])
    changes = root.listen(interface="org.freedesktop.DBus.Properties", member="PropertiesChanged", path=web.path)
    root.call(web.path, DOMAIN, "SetMetadata", "isssu", 1, "root's", "", "", 2)
    assert web.get("LastChangedBy", NATIVE) == uids["root"]
    changes.wait(lambda s: s.values[1].get("LastChangedBy") == uids["root"])
    libby.set(web.path, NATIVE, "Autostart", "b", True)
    assert web.get("LastChangedBy", NATIVE) == uids["libby"]
    if driver == QEMU:
        system_daemon.restart()
        assert web.get("LastChangedBy", NATIVE) == uids["libby"]


@pytest.mark.parametrize("driver", [QEMU, TEST])
def test_undefining_takes_what_is_the_daemons(client, root_dir, driver):
    """And no disk; whoever wants to be asked says so."""
    (root_dir / "pool").mkdir()
    path = make_objects(client, driver, root_dir / "pool")["domain"]
    if driver == TEST:
        client.call(path, DOMAIN, "Create", "u", 0)
        client.call(path, DOMAIN, "ManagedSave", "u", 0)
    with pytest.raises(BusError) as e:
        client.call(path, DOMAIN, "Undefine", "u", 0)
    assert e.value.message
    def plan(**options):
        options = {key.replace("_", "-"): GLib.Variant("b", value) for key, value in options.items()}
        return client.call(path, NATIVE, "PlanUndefine", "a{sv}", options)

    assert ("definition", "web", "removed") in plan()
    snapshots = [(kind, fate) for kind, _name, fate in plan() if kind == "snapshot"]
    assert snapshots and set(snapshots) == {("snapshot", "removed")}
    assert {fate for kind, _name, fate in plan(snapshots_metadata=False) if kind == "snapshot"} == {"refused"}
    assert (("saved-state", "", "removed") in plan()) == (driver == TEST)
    assert (("saved-state", "", "refused") in plan(managed_save=False)) == (driver == TEST)
    assert driver == TEST or ("disk", str(root_dir / "web.qcow2"), "kept") in plan()
    with pytest.raises(BusError) as e:
        plan(everything=True)
    assert e.value.name == "org.virtbus1.Error.InvalidArgument"
    for kept in ["snapshots-metadata"] + (["managed-save"] if driver == TEST else []):
        with pytest.raises(BusError) as e:
            client.call(path, NATIVE, "Undefine", "a{sv}", {kept: GLib.Variant("b", False)})
        assert e.value.name == "org.virtbus1.Error.OperationInvalid"
    client.call(path, NATIVE, "Undefine", "a{sv}", {})
    assert path not in client.managed_objects()
    assert driver == TEST or (root_dir / "web.qcow2").exists()


def test_what_says_nothing_of_its_type_is_read_again(daemon, client):
    """Natively and as XML: the architecture that it gets is stored with a type, without which it would be lost."""
    values = dict(WEB, os={"arch": "x86_64"})
    paths = [connect(client, "DefineDomain", "a{sv}a{sv}", native(values), {}),
             define(client, "<domain type='qemu'><name>bare</name><memory>65536</memory></domain>").path]
    before = [client.call(path, DOMAIN, "GetXMLDesc", "u", 0) for path in paths]
    assert all(ElementTree.fromstring(xml).findtext("os/type") == "hvm" for xml in before)
    daemon.restart()
    assert [client.call(path, DOMAIN, "GetXMLDesc", "u", 0) for path in paths] == before
