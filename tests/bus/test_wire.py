"""What is on the wire: introspection, paths, the nesting of variants, error names, names on the bus, readiness.

Existing clients of the org.libvirt interfaces match these to the byte.
"""

import os
import pathlib
import re
import signal
import socket
import stat
import subprocess
import time
from xml.etree import ElementTree

import pytest
from gi.repository import GLib

from daemon import DAEMON, SOURCE, Daemon
from harness import (
    BUS_NAME, BUS_PATH, INTROSPECTABLE, OBJECT_MANAGER, PEER, PROPERTIES, SCALE, Bus, BusError, entry_levels,
    wait_exit, wait_for)
from machines import CONNECT, DOMAIN, NATIVE, QEMU, Machine, define, definition, list_machines, path_of

UNKNOWN_METHOD = "org.freedesktop.DBus.Error.UnknownMethod"
INVALID_ARGS = "org.freedesktop.DBus.Error.InvalidArgs"
UNUSED_UUID = "00000000-1111-2222-3333-444444444444"
INTROSPECTION = SOURCE / "introspection"
# A table of the existing API's members that may lie beside the repository; without it the comparison is skipped.
SURFACE = next((p for p in (up / "shared/facts/surface.tsv" for up in SOURCE.parents) if p.exists()),
               SOURCE.parent / "shared/facts/surface.tsv")
COMPATIBLE = ["Connect", "Domain", "DomainSnapshot", "Interface", "Network", "NodeDevice", "NWFilter", "Secret",
              "StoragePool", "StorageVol"]
# An object of each kind; none of them exists, and that makes no difference to its introspection.
SAMPLES = {
    "Connect": QEMU, "Domain": path_of(UNUSED_UUID), "DomainSnapshot": f"{QEMU}/domainsnapshot/"
    + "_" + UNUSED_UUID.replace("-", "_") + "_first", "Interface": f"{QEMU}/interface/aa_3abb",
    "Network": path_of(UNUSED_UUID).replace("/domain/", "/network/"), "NodeDevice": f"{QEMU}/nodedev/computer",
    "NWFilter": path_of(UNUSED_UUID).replace("/domain/", "/nwfilter/"),
    "Secret": path_of(UNUSED_UUID).replace("/domain/", "/secret/"),
    "StoragePool": path_of(UNUSED_UUID).replace("/domain/", "/storagepool/"),
    "StorageVol": f"{QEMU}/storagevol/_2fvar_2fdisk_2eimg"}


@pytest.fixture
def web(client):
    return define(client, definition("web"))


def members(interface):
    """{(kind, name): (in types, out types or access)} of an <interface> element."""
    found = {}
    for method in interface.findall("method"):
        ins = [a.get("type") for a in method.findall("arg") if a.get("direction", "in") == "in"]
        outs = [a.get("type") for a in method.findall("arg") if a.get("direction") == "out"]
        found["method", method.get("name")] = ("".join(ins), "".join(outs))
    for entry in interface.findall("signal"):
        found["signal", entry.get("name")] = ("", "".join(a.get("type") for a in entry.findall("arg")))
    for entry in interface.findall("property"):
        found["property", entry.get("name")] = (entry.get("access"), entry.get("type"))
    return found


def interfaces_at(client, path):
    tree = ElementTree.fromstring(client.introspect(path))
    return {e.get("name"): e for e in tree.findall("interface")}


class TestIntrospection:
    @pytest.mark.parametrize("kind", COMPATIBLE)
    def test_object_has_what_its_file_declares(self, client, kind):
        declared = {}
        for path in sorted(INTROSPECTION.glob("*.xml")):
            for interface in ElementTree.parse(path).getroot().iter("interface"):
                declared[interface.get("name")] = members(interface)
        name = "org.libvirt." + kind
        served = interfaces_at(client, SAMPLES[kind])
        assert members(served[name]) == declared[name]
        native = "org.virtbus1." + kind
        if native in declared:
            assert members(served[native]) == declared[native]

    @pytest.mark.skipif(not SURFACE.exists(), reason="the table of the existing API's members is not at hand")
    @pytest.mark.parametrize("kind", COMPATIBLE)
    def test_object_has_what_existing_clients_expect(self, client, kind):
        expected = {}
        for line in SURFACE.read_text(encoding="utf-8").splitlines()[1:]:
            interface, what, name, ins, access, outs = line.split("\t")[:6]
            if interface != "org.libvirt." + kind:
                continue
            first = access if what == "property" else "" if ins == "-" else ins
            expected[what, name] = (first, "" if outs == "-" else outs)
        assert members(interfaces_at(client, SAMPLES[kind])["org.libvirt." + kind]) == expected

    def test_argument_names(self, client):
        domain = interfaces_at(client, path_of(UNUSED_UUID))[DOMAIN]
        method = next(m for m in domain.findall("method") if m.get("name") == "SetMetadata")
        assert [a.get("name") for a in method.findall("arg")] == ["type", "metadata", "key", "uri", "flags"]

    def test_standard_interfaces(self, client, web):
        assert {INTROSPECTABLE, PROPERTIES, PEER} <= set(interfaces_at(client, web.path))
        assert OBJECT_MANAGER in interfaces_at(client, "/org/libvirt")

    def test_children(self, client, web):
        """From the root down to the machine, every node names the next one, relative or absolute."""
        path = "/"
        for part in web.path.strip("/").split("/"):
            nodes = [n.get("name") for n in ElementTree.fromstring(client.introspect(path)).findall("node")]
            child = path.rstrip("/") + "/" + part
            assert part in nodes or child in nodes or child.lstrip("/") in nodes, f"{path}: {nodes}"
            path = child

    def test_writable_properties(self, client):
        for kind in COMPATIBLE:
            interface = interfaces_at(client, SAMPLES[kind])["org.libvirt." + kind]
            writable = [p.get("name") for p in interface.findall("property") if p.get("access") != "read"]
            assert writable == (["Autostart"] if kind in ("Domain", "Network", "StoragePool") else [])


class TestVariants:
    def test_get_has_one(self, client, web):
        value = client.get_raw(web.path, DOMAIN, "Active")
        assert value.get_type_string() == "v"
        assert value.get_variant().get_type_string() == "b"

    def test_get_all_of_the_old_family_has_two(self, client, web):
        levels = entry_levels(client.get_all_raw(web.path, DOMAIN))
        assert len(levels) >= 8
        assert set(levels.values()) == {2}
        assert set(entry_levels(client.get_all_raw(QEMU, CONNECT)).values()) == {2}

    def test_get_all_of_the_native_family_has_one(self, client, web):
        levels = entry_levels(client.get_all_raw(web.path, NATIVE))
        assert len(levels) >= 12
        assert set(levels.values()) == {1}

    def test_object_manager_has_one(self, client, web):
        objects = client.send("/org/libvirt", OBJECT_MANAGER, "GetManagedObjects").body.get_child_value(0)
        entry = next(e for e in (objects.get_child_value(i) for i in range(objects.n_children()))
                     if e.get_child_value(0).unpack() == web.path)
        interfaces = entry.get_child_value(1)
        checked = set()
        for i in range(interfaces.n_children()):
            name, properties = (interfaces.get_child_value(i).get_child_value(n) for n in (0, 1))
            if properties.n_children():
                assert set(entry_levels(properties).values()) == {1}, name.unpack()
                checked.add(name.unpack())
        assert NATIVE in checked

    def test_types_of_the_old_family(self, client, web):
        types = {name: client.get_raw(web.path, DOMAIN, name).get_variant().get_type_string()
                 for name in ("Active", "Autostart", "Id", "Name", "OSType", "Persistent", "Updated", "UUID")}
        assert types == {"Active": "b", "Autostart": "b", "Id": "u", "Name": "s", "OSType": "s", "Persistent": "b",
                         "Updated": "b", "UUID": "s"}

    def test_no_changes_are_announced_in_the_old_family(self, client, web):
        changes = client.listen(interface=PROPERTIES, member="PropertiesChanged", arg0=DOMAIN)
        client.set(web.path, DOMAIN, "Autostart", "b", True)
        define(client, definition("web", domain_uuid=web.uuid, memory_kib=65536))
        web.undefine()
        client.ping()
        client.ping_bus()
        wait_for(lambda: not GLib.MainContext.default().pending())
        assert changes.signals == []


class TestErrors:
    def test_unknown_method(self, client, web):
        with pytest.raises(BusError) as e:
            web.call("NoSuchMethod")
        assert e.value.name == UNKNOWN_METHOD

    def test_unknown_interface(self, client, web):
        with pytest.raises(BusError) as e:
            client.call(web.path, "org.example.Nothing", "Method")
        assert e.value.name in (UNKNOWN_METHOD, "org.freedesktop.DBus.Error.UnknownInterface")

    @pytest.mark.parametrize("path", ["/org/libvirt/NoSuchDriver", "/org/libvirt/QEMU/nokind/x", "/else"])
    def test_unknown_object(self, client, path):
        with pytest.raises(BusError) as e:
            client.call(path, CONNECT, "ListDomains", "u", 0)
        assert e.value.name in (UNKNOWN_METHOD, "org.freedesktop.DBus.Error.UnknownObject")

    def test_grandchild(self, client, web):
        with pytest.raises(BusError) as e:
            client.call(web.path + "/more", DOMAIN, "GetState", "u", 0)
        assert e.value.name in (UNKNOWN_METHOD, "org.freedesktop.DBus.Error.UnknownObject")

    def test_wrong_signature(self, client, web):
        with pytest.raises(BusError) as e:
            web.call("GetState", "s", "0")
        assert e.value.name == INVALID_ARGS

    def test_too_many_and_too_few_arguments(self, client, web):
        for signature, arguments in (("", ()), ("uu", (0, 0))):
            with pytest.raises(BusError) as e:
                web.call("GetState", signature, *arguments)
            assert e.value.name == INVALID_ARGS

    def test_unknown_property(self, client, web):
        with pytest.raises(BusError) as e:
            client.get(web.path, DOMAIN, "Nothing")
        assert e.value.name in (INVALID_ARGS, "org.freedesktop.DBus.Error.UnknownProperty")

    def test_unknown_interface_of_a_property(self, client, web):
        with pytest.raises(BusError) as e:
            client.get(web.path, "org.example.Nothing", "Name")
        assert e.value.name in (INVALID_ARGS, "org.freedesktop.DBus.Error.UnknownInterface")

    @pytest.mark.parametrize("path", [
        f"{QEMU}/domain/x", f"{QEMU}/domain/_zz", f"{QEMU}/domain/_", f"{QEMU}/domainsnapshot/x",
        f"{QEMU}/domain/" + "_" * 37, f"{QEMU}/domain/" + "a" * 4000])
    def test_paths_that_name_nothing(self, client, path):
        interface = "org.libvirt.DomainSnapshot" if "snapshot" in path else DOMAIN
        with pytest.raises(BusError) as e:
            client.call(path, interface, "GetXMLDesc", "u", 0)
        assert e.value.name == "org.libvirt.Error"
        assert client.get_all_raw(path, interface).n_children() == 0

    def test_not_yet_there(self, client, web):
        """What a driver cannot do is refused with the names of driver and method, for a machine that exists."""
        refused = []
        domain = interfaces_at(client, web.path)[DOMAIN]
        assert len(domain.findall("method")) > 80
        for member, signature, arguments in (("CoreDump", "suu", ("/dev/null", 0, 0)), ("FSTrim", "stu", ("", 0, 0)),
                                             ("PMWakeup", "u", (0,)), ("SetTime", "tuu", (0, 0, 0))):
            try:
                web.call(member, signature, *arguments)
            except BusError as e:
                assert e.name == "org.libvirt.Error"
                if "support" in e.message:
                    assert "QEMU" in e.message and member in e.message
                    refused.append(member)
                else:
                    assert "not running" in e.message
        assert set(refused) <= {"CoreDump", "FSTrim", "PMWakeup", "SetTime"}

    def test_drivers_that_cannot_run_here(self, client):
        tree = ElementTree.fromstring(client.introspect("/org/libvirt"))
        drivers = {n.get("name").rsplit("/", 1)[-1] for n in tree.findall("node")}
        assert {"QEMU", "Test"} <= drivers
        for driver in drivers - {"QEMU", "Test"}:
            path = "/org/libvirt/" + driver
            if CONNECT not in interfaces_at(client, path):
                continue
            with pytest.raises(BusError) as e:
                client.call(path, CONNECT, "ListDomains", "u", 0)
            assert e.value.name == "org.libvirt.Error" and e.value.message


class TestConnect:
    def test_properties(self, client):
        values = client.get_all(QEMU, CONNECT)
        assert values["Hostname"] == socket.gethostname()
        assert values["Version"] == 0 or values["Version"] // 1000000 >= 7  # of QEMU, once it was asked
        assert values["LibVersion"] // 1000000 >= 9  # of the library whose API this is
        assert values["Encrypted"] is False
        assert values["Secure"] == values["Encrypted"]

    def test_version_is_there_when_the_binaries_are_probed(self, client):
        wait_for(lambda: client.get(QEMU, CONNECT, "Version") >= 7000000, 20)


class TestProcess:
    """The daemon as a process: options, names, readiness, end."""

    def run(self, *arguments, **options):
        return subprocess.run([DAEMON, *arguments], capture_output=True, text=True, timeout=20, check=False,
                              stdin=subprocess.DEVNULL, **options)

    def test_help(self):
        result = self.run("--help")
        assert result.returncode == 0
        for option in ("--system", "--session", "--address", "--root", "--log-level", "--version"):
            assert option in result.stdout

    def test_version(self):
        result = self.run("--version")
        assert result.returncode == 0
        assert re.search(r"\d+\.\d+", result.stdout)

    @pytest.mark.parametrize("arguments", [
        ["--system", "--session"], ["--no-such-option"], ["--log-level=loud"], ["argument"], ["--root="]])
    def test_bad_options(self, arguments):
        result = self.run(*arguments)
        assert result.returncode != 0
        assert result.stderr.strip()
        assert result.stdout == ""

    def test_no_bus(self, root_dir):
        result = self.run("--session", "--address=unix:path=/nowhere/at/all", f"--root={root_dir}")
        assert result.returncode != 0
        assert "/nowhere/at/all" in result.stderr

    def test_names(self, daemon):
        client = daemon.client()
        owner = client.owner_of("org.libvirt")
        assert owner and owner == client.owner_of("org.virtbus1")
        pid = client.call(BUS_PATH, BUS_NAME, "GetConnectionUnixProcessID", "s", owner, destination=BUS_NAME)
        assert pid == daemon.process.pid

    def test_name_is_taken(self, session_bus, root_dir):
        """Another service has org.libvirt: the daemon says so and serves its own name."""
        other = session_bus.connect()
        assert other.call(BUS_PATH, BUS_NAME, "RequestName", "su", "org.libvirt", 4, destination=BUS_NAME) == 1
        daemon = Daemon(session_bus, root_dir)
        daemon.spawn()
        try:
            other.wait_owner("org.virtbus1", unless=lambda: not daemon.is_running)
            assert daemon.is_running, daemon.read_log()
            assert list_machines(daemon.client(destination="org.virtbus1")) == []
            assert other.owner_of("org.libvirt") == other.name
            assert "org.libvirt" in daemon.read_log()
        finally:
            other.close()
            daemon.finish()

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_ends_well(self, daemon, number):
        daemon.process.send_signal(number)
        assert wait_exit(daemon.process, 5) == 0

    def test_ends_with_its_bus(self, scratch, root_dir):
        bus = Bus("session", str(scratch / "short-bus"))
        daemon = Daemon(bus, root_dir).start()
        bus.stop()
        wait_exit(daemon.process, 10)

    def test_notifies_the_service_manager(self, session_bus, root_dir, make_daemon):
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = str(root_dir / "notify")
        notify.bind(path)
        notify.settimeout(10)
        daemon = make_daemon(session_bus, environment={"NOTIFY_SOCKET": path})
        received = notify.recv(4096).decode()
        while "READY=1" not in received:
            received += "\n" + notify.recv(4096).decode()
        daemon.stop()
        while "STOPPING=1" not in received:
            received += "\n" + notify.recv(4096).decode()

    def test_log_level_can_be_changed(self, client):
        path, interface = "/org/freedesktop/LogControl1", "org.freedesktop.LogControl1"
        assert client.get(path, interface, "LogLevel") == "debug"
        client.set(path, interface, "LogLevel", "s", "warning")
        assert client.get(path, interface, "LogLevel") == "warning"
        assert client.get(path, interface, "SyslogIdentifier") == "virtbusd"

    def test_keeps_to_its_folder(self, daemon, client, web):
        """Nothing the daemon has open for writing is outside of its folder."""
        for fd in os.listdir(f"/proc/{daemon.process.pid}/fd"):
            try:
                target = os.readlink(f"/proc/{daemon.process.pid}/fd/{fd}")
                mode = os.stat(f"/proc/{daemon.process.pid}/fd/{fd}").st_mode
                flags = pathlib.Path(f"/proc/{daemon.process.pid}/fdinfo/{fd}").read_text(encoding="ascii")
            except FileNotFoundError:
                continue
            writable = int(re.search(r"flags:\s+(\d+)", flags)[1], 8) & os.O_ACCMODE != os.O_RDONLY
            if stat.S_ISREG(mode) and writable and not target.startswith(("/memfd:", "/dev/")):
                assert target.startswith(str(daemon.root)), target

    def test_private_socket(self, daemon, client, web):
        peer = daemon.peer()
        assert list_machines(peer) == [web.path]
        assert Machine(peer, web.path).name == "web"
        assert set(entry_levels(peer.get_all_raw(web.path, DOMAIN)).values()) == {2}
        assert DOMAIN in interfaces_at(peer, web.path)
        assert web.path in peer.managed_objects()
        other = define(peer, definition("db"))
        assert Machine(client, other.path).name == "db"

    def test_private_socket_has_signals(self, daemon, client):
        peer = daemon.peer()
        events = peer.listen(interface=CONNECT, member="DomainEvent")
        peer.ping()
        machine = define(client, definition("db"))
        assert events.wait().values == (machine.path, 0, 0)

    def test_names_within_a_tenth_of_a_second(self, daemon, client):
        for i in range(1000):
            define(client, definition(f"m{i}"))
        daemon.stop()
        times = []
        for _ in range(3):
            daemon.start()
            times.append(daemon.start_seconds)
            assert len(list_machines(client)) == 1000
            daemon.stop()
        assert min(times) < 0.1 * SCALE, f"took {times} s (with the spawning of the process)"


class TestPeers:
    def test_ping_and_machine_id(self, client):
        client.ping()
        client.ping(QEMU)

    def test_no_reply_is_not_answered(self, client, web):
        client.no_reply(web.path, DOMAIN, "SetMetadata", "isssu", 1, "quiet", "", "", 0)
        wait_for(lambda: web.tree().findtext("title") == "quiet")

    def test_a_caller_that_leaves(self, daemon, client, web):
        """A caller that goes while its call runs does not disturb the others."""
        started = time.monotonic()
        for i in range(20):
            guest = daemon.client()
            guest.no_reply(QEMU, CONNECT, "DomainDefineXML", "s", definition(f"left{i}"))
            guest.close()
        client.ping()
        assert time.monotonic() - started < 10
        assert web.name == "web"


def test_a_title_of_characters_that_are_none(client):
    """Unicode says that U+FDD0 is no character and may be exchanged all the same."""
    machine = define(client, definition("web").replace("</name>", "</name><title>&#xfdd0;&#x1ffff;</title>"))
    assert machine.call("GetMetadata", "isu", 1, "", 2) == "\ufdd0\U0001ffff"
    assert "\ufdd0\U0001ffff" in machine.xml()
    assert machine.get("Title", NATIVE) == "\ufdd0\U0001ffff"
