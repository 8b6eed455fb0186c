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
from every_kind import ABSENT, METHODS, TEST, make_objects
from machines import CONNECT, DOMAIN, NATIVE, QEMU, Machine, define, definition, disk, list_machines, path_of

UNKNOWN_METHOD = "org.freedesktop.DBus.Error.UnknownMethod"
INVALID_ARGS = "org.freedesktop.DBus.Error.InvalidArgs"
NAMED_VALUES = {"a{sv}", "(ia{sv})", "a(sa{sv})"}
TEST_UUID = "6695eb01-f6a4-8304-79aa-97f2502e193f"
# What the existing service has, besides QEMU and Test, whether it can do anything with it or not.
OTHER_DRIVERS = {"session": {"UML", "VBox", "VMwareFusion", "VMwarePlayer", "VMwareWS"},
                 "system": {"BHyve", "LXC", "OpenVZ", "UML", "VBox", "VZ", "Xen"}}
UNUSED_UUID = "00000000-1111-2222-3333-444444444444"
@pytest.fixture
def web(client):
    return define(client, definition("web"))


def dictionaries(value):
    """The a{sv} in a value, at any depth outside of variants."""
    if value.get_type_string() == "a{sv}":
        yield value
    elif value.get_type_string()[0] in "(a":
        for i in range(value.n_children()):
            yield from dictionaries(value.get_child_value(i))


def running_machine(client, root_dir, driver):
    """With a disk, vda, and an interface, whose name is its `device`; of the Test driver the one that is there."""
    machine = Machine(client, path_of(TEST_UUID, TEST))
    if driver == QEMU:
        image = root_dir / "disk.img"
        image.write_bytes(b"\0" * 1024 * 1024)
        machine = define(client, definition("busy", disk(image) + "<interface type='user'><model type='virtio'/>"
                                            "<mac address='52:54:00:00:00:01'/></interface>"))
        machine.create()
    machine.device = "52:54:00:00:00:01"
    return machine


def interfaces_at(client, path):
    tree = ElementTree.fromstring(client.introspect(path))
    return {e.get("name"): e for e in tree.findall("interface")}


class TestIntrospection:
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


def refused(client, *arguments, **options):
    with pytest.raises(BusError) as e:
        client.call(*arguments, **options)
    return e.value


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

    @pytest.mark.qemu
    @pytest.mark.parametrize("driver", [QEMU, TEST])
    def test_typed_parameters_have_two(self, client, root_dir, driver):
        """Of every method of the old family that answers with values by name, as far as the driver has it."""
        machine = running_machine(client, root_dir, driver)
        checked = set()
        for method in METHODS:
            path = {"domain": machine.path, "connect": driver}.get(method.kind)
            if not path or not method.interface.startswith("org.libvirt.") or not NAMED_VALUES & set(method.results):
                continue
            values = method.values(disk="vda", device=machine.device, stats=0)
            try:
                body = client.send(path, method.interface, method.name, method.signature, *values).body
            except BusError:
                continue
            for dictionary in dictionaries(body):
                levels = entry_levels(dictionary)
                assert set(levels.values()) <= {2}, method.id
                checked |= {method.name} if levels else set()
        assert {"GetStats", "GetAllDomainStats", "GetSchedulerParameters", "GetMemoryParameters"} <= checked
        assert driver == TEST or {"GetBlockIOTune", "GetInterfaceParameters", "GetNumaParameters",
                                  "GetPerfEvents"} <= checked

    def test_types_of_the_old_family(self, client, web):
        types = {name: client.get_raw(web.path, DOMAIN, name).get_variant().get_type_string()
                 for name in ("Active", "Autostart", "Id", "Name", "OSType", "Persistent", "Updated", "UUID")}
        assert types == {"Active": "b", "Autostart": "b", "Id": "u", "Name": "s", "OSType": "s", "Persistent": "b",
                         "Updated": "b", "UUID": "s"}

    def test_no_changes_are_announced_in_the_old_family(self, client, web, root_dir):
        (root_dir / "pool").mkdir()
        objects = make_objects(client, TEST, root_dir / "pool")
        changes = client.listen(interface=PROPERTIES, member="PropertiesChanged")
        client.set(web.path, DOMAIN, "Autostart", "b", True)
        define(client, definition("web", domain_uuid=web.uuid, memory_kib=65536))
        web.undefine()
        for kind, members in (("domain", ("Create", "Suspend", "Destroy")), ("network", ("Create", "Destroy")),
                              ("storagepool", ("Destroy", "Create"))):
            interface = {"domain": DOMAIN, "network": "org.libvirt.Network"}.get(kind, "org.libvirt.StoragePool")
            client.set(objects[kind], interface, "Autostart", "b", True)
            for member in members:
                method = next(m for m in METHODS if m.id == f"{interface}.{member}")
                client.call(objects[kind], interface, member, method.signature, *method.values())
        client.ping()
        client.ping_bus()
        wait_for(lambda: not GLib.MainContext.default().pending())
        announced = {s.values[0] for s in changes.signals}
        assert announced and not {name for name in announced if not name.startswith("org.virtbus1.")}


class TestErrors:
    @pytest.mark.parametrize("interface, member, signature, arguments, text", [
        (DOMAIN, "GetState", "s", ["0"], "Type of message, “(s)”, does not match expected type “(u)”"),
        (DOMAIN, "GetState", "", [], "Type of message, “()”, does not match expected type “(u)”"),
        (DOMAIN, "GetState", "uu", [0, 0], "Type of message, “(uu)”, does not match expected type “(u)”"),
        (DOMAIN, "Resume", "u", [0], "Type of message, “(u)”, does not match expected type “()”"),
        (PROPERTIES, "Get", "ss", [DOMAIN, "Nothing"], "No such property “Nothing”"),
        (PROPERTIES, "Get", "ss", ["org.example", "Name"], "No such interface “org.example”"),
        (PROPERTIES, "GetAll", "s", ["org.example"], "No such interface “org.example”"),
        (PROPERTIES, "Get", "s", [DOMAIN], "Type of message, “(s)”, does not match expected type “(ss)”"),
        (PROPERTIES, "Set", "ssv", ["org.example", "Name", GLib.Variant("b", True)], "No such interface “org.example”"),
        (PROPERTIES, "Set", "ssv", [DOMAIN, "Nothing", GLib.Variant("b", True)], "No such property “Nothing”"),
        (PROPERTIES, "Set", "ssv", [DOMAIN, "Name", GLib.Variant("s", "x")], "Property “Name” is not writable"),
        (PROPERTIES, "Set", "ssv", [DOMAIN, "Autostart", GLib.Variant("u", 1)],
         "Error setting property “Autostart”: Expected type “b” but got “u”")])
    def test_wrong_arguments(self, client, web, interface, member, signature, arguments, text):
        """In GDBus's words, which the existing service has from it; for an object that is not there, too."""
        for path in (web.path, path_of(UNUSED_UUID)):
            error = refused(client, path, interface, member, signature, *arguments)
            assert (error.name, error.message) == (INVALID_ARGS, text)

    def test_unknown_members(self, client, web):
        for path, interface, member in (
                (web.path, DOMAIN, "NoSuchMethod"), (web.path, "org.example.Nothing", "Method"),
                (web.path, OBJECT_MANAGER, "GetManagedObjects"), (web.path + "/more", DOMAIN, "GetState"),
                ("/org/libvirt/NoSuchDriver", CONNECT, "ListDomains"), (f"{QEMU}/nokind/x", CONNECT, "ListDomains"),
                ("/else", CONNECT, "ListDomains")):
            error = refused(client, path, interface, member, "u" if interface == CONNECT else "",
                            *([0] if interface == CONNECT else []))
            assert (path, error.name) == (path, UNKNOWN_METHOD)

    @pytest.mark.parametrize("driver", [QEMU, TEST])
    def test_missing_objects(self, client, driver):
        """One name for all that is missing, and libvirt's first words, by which Cockpit tells it."""
        words = {"domain": "Domain not found:", "network": "Network not found:", "interface": "Interface not found:",
                 "nodedev": "Node device not found:", "nwfilter": "Network filter not found:",
                 "secret": "Secret not found:", "storagepool": "Storage pool not found:",
                 "storagevol": "Storage volume not found: no storage vol with matching"}
        for kind, text in words.items():
            interface = next(m.interface for m in METHODS if m.kind == kind and m.interface.startswith("org.libvirt."))
            for path in (f"{driver}/{ABSENT[kind]}", f"{driver}/{kind}"):
                error = refused(client, path, interface, "GetXMLDesc", "u", 0)
                assert error.name == "org.libvirt.Error" and error.message.startswith(text), error
                assert client.get_all_raw(path, interface).n_children() == 0
        for member, value, text in (("DomainLookupByName", "x", words["domain"]),
                                    ("NetworkLookupByName", "x", words["network"]),
                                    ("StoragePoolLookupByName", "x", words["storagepool"]),
                                    ("StorageVolLookupByPath", "/x", words["storagevol"]),
                                    ("NodeDeviceLookupByName", "x", words["nodedev"]),
                                    ("InterfaceLookupByMAC", "00:00:00:00:00:01", words["interface"])):
            error = refused(client, driver, CONNECT, member, "s", value)
            assert error.name == "org.libvirt.Error" and error.message.startswith(text), error

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

    def check_other_drivers(self, client, kind):
        """They are there, and every method of every object of theirs has the same clear answer."""
        tree = ElementTree.fromstring(client.introspect("/org/libvirt"))
        drivers = {n.get("name").rsplit("/", 1)[-1] for n in tree.findall("node")}
        assert drivers == OTHER_DRIVERS[kind] | {"QEMU", "Test"}
        for driver in OTHER_DRIVERS[kind]:
            path = "/org/libvirt/" + driver
            assert client.get(path, "org.virtbus1.Connect", "Available") is False
            assert client.get(path, "org.virtbus1.Connect", "Missing")
            for method in METHODS:
                if method.kind in ("manager", "job"):
                    continue
                at = path if method.kind == "connect" else f"{path}/{ABSENT[method.kind]}"
                error = refused(client, at, method.interface, method.name, method.signature, *method.values(),
                                fds=method.fds)
                assert error.name in ("org.libvirt.Error", "org.freedesktop.DBus.Error.NotSupported"), method.id
                assert error.message.startswith(f"The driver {driver} cannot run here: "), (method.id, error)

    def test_drivers_that_cannot_run_here(self, client):
        self.check_other_drivers(client, "session")

    @pytest.mark.system
    def test_drivers_that_cannot_run_on_the_system_bus(self, system_daemon):
        self.check_other_drivers(system_daemon.client(), "system")


class TestPaths:
    def test_how_names_are_written(self, client):
        """libvirt-dbus's vectors, where its own tests meet them."""
        def connect(member, signature, *arguments):
            return client.call(TEST, CONNECT, member, signature, *arguments)

        pool = connect("StoragePoolLookupByName", "s", "default-pool")
        volume = "<volume><name>sp-1.img</name><capacity>1</capacity></volume>"
        snapshot = "<domainsnapshot><name>a-b.c d_é</name></domainsnapshot>"
        assert [p.removeprefix(TEST) for p in (
            connect("NodeDeviceLookupByName", "s", "scsi_host1"),
            connect("InterfaceLookupByName", "s", "eth1"),
            client.call(pool, "org.libvirt.StoragePool", "StorageVolCreateXML", "su", volume, 0),
            client.call(path_of(TEST_UUID, TEST), DOMAIN, "SnapshotCreateXML", "su", snapshot, 0))] == [
                "/nodedev/scsi_5fhost1", "/interface/aa_3abb_3acc_3add_3aee_3aff",
                "/storagevol/_2fdefault_2dpool_2fsp_2d1_2eimg",
                "/domainsnapshot/_6695eb01_f6a4_8304_79aa_97f2502e193f_a_2db_2ec_20d_5f_c3_a9"]


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
        ["--system", "--session"], ["--no-such-option"], ["--log-level=loud"], ["argument"], ["--root="], ["-t"],
        ["-t", "0"], ["--threads=many"]])
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

    @pytest.mark.parametrize("arguments", [["--session"], ["--session", "-t", "4"], ["--session", "--threads=16"]])
    def test_as_the_existing_service_is_started(self, session_bus, root_dir, arguments):
        """Its tests start it by these words, find the bus by the environment, and give it a second."""
        watcher = session_bus.connect()
        environment = dict(os.environ, DBUS_SESSION_BUS_ADDRESS=session_bus.address, HOME=str(root_dir),
                           XDG_RUNTIME_DIR=str(root_dir), XDG_CONFIG_HOME=str(root_dir / "config"),
                           XDG_DATA_HOME=str(root_dir / "data"), XDG_STATE_HOME=str(root_dir / "state"),
                           XDG_CACHE_HOME=str(root_dir / "cache"))
        started = time.monotonic()
        with subprocess.Popen([DAEMON, *arguments], stdin=subprocess.DEVNULL, env=environment) as process:
            try:
                watcher.wait_owner("org.libvirt", unless=lambda: process.poll() is not None)
                assert time.monotonic() - started < 1 * SCALE
                assert watcher.call(TEST, CONNECT, "ListDomains", "u", 0) == [path_of(TEST_UUID, TEST)]
                process.terminate()
                watcher.wait_owner("org.libvirt", present=False)
                assert wait_exit(process, 5) == 0
            finally:
                process.kill()
                watcher.close()

    @pytest.mark.system
    def test_installed_files(self):
        """By their exact names: Cockpit's page, clients' builds and the bus look for them."""
        stage = pathlib.Path(os.environ["TMPDIR"]) / "stage"
        prefix = next(p.parents[1] for p in stage.rglob("dbus-1") if p.parent.name == "share").relative_to(stage)
        share = stage / prefix / "share"
        for name in ("system.d/org.libvirt.conf", "system-services/org.libvirt.service",
                     "services/org.libvirt.service", "system.d/org.virtbus1.conf",
                     "system-services/org.virtbus1.service", "services/org.virtbus1.service"):
            text = (share / "dbus-1" / name).read_text(encoding="utf-8")
            assert pathlib.PurePath(name).stem in text, name
        interfaces = {p.name for p in (share / "dbus-1/interfaces").iterdir()}
        assert interfaces == {p.name for p in (SOURCE / "introspection").glob("org.*.xml")}
        for name in interfaces:
            text = (share / "dbus-1/interfaces" / name).read_text(encoding="utf-8")
            assert ElementTree.fromstring(text).find("interface").get("name") + ".xml" == name
            assert text.count("org.gtk.GDBus.DocString") > 1 and "org.virtbus1.Action" not in text
        policies = {p.name for p in (share / "polkit-1/actions").iterdir()}
        assert "org.libvirt.api.policy" in policies
        assert list((share / "polkit-1/rules.d").iterdir())

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

    def test_second_on_the_same_folders(self, daemon, client, scratch, root_dir):
        """It ends, whatever bus it was to serve; the first goes on, and its successor has the folders when it is gone."""
        pid = client.call(BUS_PATH, BUS_NAME, "GetConnectionUnixProcessID", "s", "org.virtbus1", destination=BUS_NAME)
        bus = Bus("session", str(scratch / "other-bus"))
        second = Daemon(bus, root_dir)
        try:
            second.spawn()
            assert wait_exit(second.process, 30) == 1
            assert f"Another virtbusd, process {pid}, has the folder {root_dir}/run/virtbus: " in second.read_log()
            client.ping()
            daemon.kill()
            second.start()
        finally:
            second.finish()
            bus.stop()

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
        """Nothing the daemon has open for writing is outside of its folder, but the lock of what all daemons of a host share."""
        for fd in os.listdir(f"/proc/{daemon.process.pid}/fd"):
            try:
                target = os.readlink(f"/proc/{daemon.process.pid}/fd/{fd}")
                mode = os.stat(f"/proc/{daemon.process.pid}/fd/{fd}").st_mode
                flags = pathlib.Path(f"/proc/{daemon.process.pid}/fdinfo/{fd}").read_text(encoding="ascii")
            except FileNotFoundError:
                continue
            writable = int(re.search(r"flags:\s+(\d+)", flags)[1], 8) & os.O_ACCMODE != os.O_RDONLY
            if stat.S_ISREG(mode) and writable and not target.startswith(("/memfd:", "/dev/", "/run/virtbus-network-")):
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

    def test_whoever_has_the_names_has_all_machines(self, daemon, client):
        """How soon that is, tests/bench/spine.py measures."""
        for i in range(1000):
            define(client, definition(f"m{i}"))
        for _ in range(3):
            daemon.stop()
            daemon.start()
            assert len(list_machines(client)) == 1000


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
