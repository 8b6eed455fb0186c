"""A machine's life in the org.libvirt family: defined, started, paused, stopped, gone; with libvirt's numbers.

The machines have no disk: they sit in their firmware under TCG, up in a few hundredths of a second.
"""

import os
import signal
import uuid

import pytest

from harness import BusError, TimeoutExpired, drain, wait_for
from machines import (
    AFFECT_CONFIG, AFFECT_CURRENT, AFFECT_LIVE, CONNECT, DEFINED, DEFINED_ADDED, DEFINED_RENAMED, DEFINED_UPDATED,
    DOMAIN, LIST_ACTIVE, LIST_AUTOSTART, LIST_INACTIVE, LIST_NO_AUTOSTART, LIST_OTHER, LIST_PAUSED, LIST_PERSISTENT,
    LIST_RUNNING, LIST_SHUTOFF, LIST_TRANSIENT, METADATA_DESCRIPTION, METADATA_ELEMENT, METADATA_TITLE, PAUSED,
    PAUSED_USER, QEMU, RESUMED, RESUMED_UNPAUSED, RUNNING, RUNNING_BOOTED, RUNNING_UNPAUSED, SHUTOFF,
    SHUTOFF_CRASHED, SHUTOFF_DESTROYED, STARTED, STARTED_BOOTED, START_PAUSED, STOPPED, STOPPED_DESTROYED,
    STOPPED_FAILED, SUSPENDED, SUSPENDED_PAUSED, UNDEFINED, UNDEFINED_REMOVED, UNDEFINED_RENAMED, XML_INACTIVE,
    Lifecycle, Machine, create_transient, define, definition, list_machines, path_of, pid_of, set_property)

LIBVIRT_ERROR = "org.libvirt.Error"
UNUSED_UUID = "00000000-1111-2222-3333-444444444444"


@pytest.fixture
def events(client):
    return Lifecycle(client)


@pytest.fixture
def web(client):
    """A defined machine named web."""
    return define(client, definition("web"))


class TestDefine:
    def test_path_name_and_uuid(self, client):
        number = str(uuid.uuid4())
        machine = define(client, definition("web", domain_uuid=number))
        assert machine.path == path_of(number)
        assert machine.name == "web"
        assert machine.uuid == number

    def test_a_uuid_is_made_up(self, client):
        machine = define(client, definition("web"))
        assert str(uuid.UUID(machine.uuid)) == machine.uuid
        assert machine.path == path_of(machine.uuid)

    def test_the_full_machine_type_is_stored_also_of_an_emulator_that_nobody_asked_yet(self, client, root_dir):
        emulator = root_dir / "qemu"
        emulator.symlink_to("/usr/bin/qemu-system-x86_64")
        machine = define(client, definition("web", emulator=emulator, machine="q35"))
        assert machine.tree().find("os/type").get("machine").startswith("pc-q35-")
        [file] = root_dir.rglob(f"{machine.uuid}.xml")
        assert "machine='pc-q35-" in file.read_text()

    def test_event(self, client, events):
        machine = define(client, definition("web"))
        events.wait(machine, DEFINED, DEFINED_ADDED)

    def test_properties_of_a_defined_machine(self, client, web):
        values = client.get_all(web.path, DOMAIN)
        # There is no scheduler before there is a process: a property whose value cannot be had may be left out.
        values.pop("SchedulerType", None)
        assert values == {"Active": False, "Autostart": False, "Id": 0, "Name": "web", "OSType": "hvm",
                          "Persistent": True, "Updated": False, "UUID": web.uuid}

    def test_state_of_a_defined_machine(self, web):
        assert web.state == (SHUTOFF, 0)

    def test_redefining_updates(self, client, web, events):
        again = define(client, definition("web", domain_uuid=web.uuid, memory_kib=65536))
        assert again.path == web.path
        events.wait(web, DEFINED, DEFINED_UPDATED)
        assert web.tree().findtext("memory") == "65536"
        assert len(list_machines(client)) == 1

    def test_a_name_is_taken(self, client, web):
        with pytest.raises(BusError) as e:
            define(client, definition("web", domain_uuid=str(uuid.uuid4())))
        assert e.value.name == LIBVIRT_ERROR
        assert "web" in e.value.message
        assert len(list_machines(client)) == 1

    def test_a_uuid_is_taken(self, client, web):
        with pytest.raises(BusError) as e:
            define(client, definition("other", domain_uuid=web.uuid))
        assert e.value.name == LIBVIRT_ERROR
        assert web.uuid in e.value.message
        assert web.name == "web"

    def test_definition_comes_back(self, client):
        xml = definition(
            "web", "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>", memory_kib=49152,
            vcpus=2, on_crash="restart",
            extra="<title>The web</title><description>Serves &lt;pages&gt;</description>")
        tree = define(client, xml).tree()
        assert tree.get("type") == "qemu"
        assert tree.findtext("name") == "web"
        assert tree.findtext("title") == "The web"
        assert tree.findtext("description") == "Serves <pages>"
        assert (tree.findtext("memory"), tree.find("memory").get("unit")) == ("49152", "KiB")
        assert tree.findtext("vcpu") == "2"
        assert tree.findtext("on_crash") == "restart"
        assert tree.findtext("os/type") == "hvm"
        assert tree.find("devices/rng/backend").text == "/dev/urandom"

    def test_what_it_gives_can_be_defined_again(self, client, web):
        before = web.xml()
        assert define(client, before).path == web.path
        assert web.xml() == before

    def test_survives_a_restart(self, daemon, client, web):
        before = web.xml()
        daemon.restart(by_kill=False)
        assert list_machines(client) == [web.path]
        assert web.xml() == before

    def test_a_thousand(self, client):
        paths = {define(client, definition(f"m{i}")).path for i in range(1000)}
        assert set(list_machines(client)) == paths
        assert len(paths) == 1000


class TestUndefine:
    def test_it_goes(self, client, web, events):
        web.undefine()
        events.wait(web, UNDEFINED, UNDEFINED_REMOVED)
        assert list_machines(client) == []

    def test_it_stays_gone_after_a_restart(self, daemon, client, web):
        web.undefine()
        daemon.restart(by_kill=False)
        assert list_machines(client) == []

    def test_a_running_one_becomes_transient(self, client, web, events):
        web.create()
        web.undefine()
        events.wait(web, UNDEFINED, UNDEFINED_REMOVED)
        assert web.get("Persistent") is False
        assert web.state[0] == RUNNING
        web.destroy()
        events.wait(web, STOPPED, STOPPED_DESTROYED)
        assert list_machines(client) == []

    def test_the_name_is_free_again(self, client, web):
        web.undefine()
        assert define(client, definition("web")).name == "web"


class TestMissing:
    def test_methods(self, client):
        machine = Machine(client, path_of(UNUSED_UUID))
        with pytest.raises(BusError) as e:
            machine.create()
        assert e.value.name == LIBVIRT_ERROR
        assert e.value.message.startswith("Domain not found")

    def test_get_all_is_empty(self, client):
        assert client.get_all_raw(path_of(UNUSED_UUID), DOMAIN).n_children() == 0

    def test_get(self, client):
        with pytest.raises(BusError) as e:
            client.get(path_of(UNUSED_UUID), DOMAIN, "Name")
        assert e.value.name == LIBVIRT_ERROR

    @pytest.mark.parametrize("member, signature, argument", [
        ("DomainLookupByName", "s", "nobody"), ("DomainLookupByUUID", "s", UNUSED_UUID),
        ("DomainLookupByID", "i", 12345)])
    def test_lookups(self, client, member, signature, argument):
        with pytest.raises(BusError) as e:
            client.call(QEMU, CONNECT, member, signature, argument)
        assert e.value.name == LIBVIRT_ERROR
        assert "Domain not found" in e.value.message
        assert str(argument) in e.value.message


class TestLookup:
    def test_by_name_uuid_and_id(self, client, web):
        assert client.call(QEMU, CONNECT, "DomainLookupByName", "s", "web") == web.path
        assert client.call(QEMU, CONNECT, "DomainLookupByUUID", "s", web.uuid) == web.path
        assert client.call(QEMU, CONNECT, "DomainLookupByUUID", "s", web.uuid.upper()) == web.path
        web.create()
        number = web.get("Id")
        assert number > 0
        assert client.call(QEMU, CONNECT, "DomainLookupByID", "i", number) == web.path

    def test_not_a_uuid(self, client):
        with pytest.raises(BusError) as e:
            client.call(QEMU, CONNECT, "DomainLookupByUUID", "s", "no uuid")
        assert e.value.name == LIBVIRT_ERROR


@pytest.mark.qemu
class TestRun:
    def test_create_and_destroy(self, daemon, web, events):
        web.create()
        events.wait(web, STARTED, STARTED_BOOTED)
        assert web.state == (RUNNING, RUNNING_BOOTED)
        assert web.get("Active") is True
        assert web.get("Id") > 0
        pid = pid_of(daemon, web)
        web.destroy()
        events.wait(web, STOPPED, STOPPED_DESTROYED)
        assert web.state == (SHUTOFF, SHUTOFF_DESTROYED)
        assert web.get("Active") is False
        assert web.get("Id") == 0
        assert pid not in daemon.machines()

    def test_nothing_else_is_announced(self, web, events):
        web.create()
        web.destroy()
        events.wait(web, STARTED, STARTED_BOOTED)
        events.wait(web, STOPPED, STOPPED_DESTROYED)
        drain(0.2)
        assert events.of(web) == []

    def test_ids_are_not_used_again(self, web):
        seen = set()
        for _ in range(3):
            web.create()
            seen.add(web.get("Id"))
            web.destroy()
        assert len(seen) == 3

    def test_start_paused(self, web, events):
        web.create(START_PAUSED)
        events.wait(web, STARTED, STARTED_BOOTED)
        assert web.state[0] == PAUSED
        web.resume()
        events.wait(web, RESUMED, RESUMED_UNPAUSED)
        assert web.state[0] == RUNNING

    def test_suspend_and_resume(self, web, events):
        web.create()
        web.suspend()
        events.wait(web, SUSPENDED, SUSPENDED_PAUSED)
        assert web.state == (PAUSED, PAUSED_USER)
        web.resume()
        events.wait(web, RESUMED, RESUMED_UNPAUSED)
        assert web.state == (RUNNING, RUNNING_UNPAUSED)

    def test_reset_keeps_it_running(self, daemon, web):
        web.create()
        pid = pid_of(daemon, web)
        web.call("Reset", "u", 0)
        assert web.state[0] == RUNNING
        assert pid_of(daemon, web) == pid

    def test_nmi(self, web):
        web.create()
        web.call("InjectNMI", "u", 0)
        assert web.state[0] == RUNNING

    @pytest.mark.parametrize("member, signature, arguments", [
        ("Suspend", "", ()), ("Resume", "", ()), ("Shutdown", "u", (0,)), ("Reboot", "u", (0,)),
        ("Reset", "u", (0,)), ("Destroy", "u", (0,)), ("InjectNMI", "u", (0,))])
    def test_what_needs_a_running_machine(self, web, events, member, signature, arguments):
        events.clear()
        with pytest.raises(BusError) as e:
            web.call(member, signature, *arguments)
        assert e.value.name == LIBVIRT_ERROR
        assert "not running" in e.value.message
        assert web.state == (SHUTOFF, 0)

    def test_create_twice(self, daemon, web):
        web.create()
        pid = pid_of(daemon, web)
        with pytest.raises(BusError) as e:
            web.create()
        assert e.value.name == LIBVIRT_ERROR
        assert "already running" in e.value.message
        assert pid_of(daemon, web) == pid

    def test_transient(self, client, events):
        machine = create_transient(client, definition("short"))
        events.wait(machine, STARTED, STARTED_BOOTED)
        assert machine.get("Persistent") is False
        machine.destroy()
        events.wait(machine, STOPPED, STOPPED_DESTROYED)
        assert list_machines(client) == []

    def test_transient_becomes_persistent(self, client):
        machine = create_transient(client, definition("short"))
        define(client, definition("short", domain_uuid=machine.uuid))
        assert machine.get("Persistent") is True
        machine.destroy()
        assert list_machines(client) == [machine.path]

    def test_transient_needs_a_free_name(self, client, web):
        with pytest.raises(BusError) as e:
            create_transient(client, definition("web", domain_uuid=str(uuid.uuid4())))
        assert e.value.name == LIBVIRT_ERROR
        assert list_machines(client) == [web.path]

    def test_create_with_files(self, web):
        read_end, write_end = os.pipe()
        try:
            web.call("CreateWithFiles", "ahu", [0, 1], 0, fds=[read_end, write_end])
        except BusError as e:
            # A driver that cannot pass files says so, and starts nothing.
            assert web.state[0] == SHUTOFF, e
        else:
            assert web.state[0] == RUNNING
        finally:
            os.close(read_end)
            os.close(write_end)

    def test_create_with_no_files(self, web):
        web.call("CreateWithFiles", "ahu", [], 0)
        assert web.state[0] == RUNNING

    def test_a_change_of_a_running_machine_waits(self, client, web):
        web.create()
        define(client, definition("web", domain_uuid=web.uuid, memory_kib=65536))
        assert web.get("Updated") is True
        assert web.tree().findtext("memory") == "32768"
        assert web.tree(XML_INACTIVE).findtext("memory") == "65536"
        web.destroy()
        assert web.get("Updated") is False
        assert web.tree().findtext("memory") == "65536"

    def test_live_xml_has_its_id(self, web):
        web.create()
        assert web.tree().get("id") == str(web.get("Id"))
        assert web.tree(XML_INACTIVE).get("id") is None

    def test_killed_from_outside(self, daemon, web, events):
        web.create()
        os.kill(pid_of(daemon, web), signal.SIGKILL)
        events.wait(web, STOPPED, STOPPED_FAILED)
        assert web.state == (SHUTOFF, SHUTOFF_CRASHED)

    def test_a_killed_transient_one_is_gone(self, daemon, client, events):
        machine = create_transient(client, definition("short"))
        os.kill(pid_of(daemon, machine), signal.SIGKILL)
        events.wait(machine, STOPPED, STOPPED_FAILED)
        assert list_machines(client) == []

    def test_destroy_a_stopped_process(self, daemon, web, events):
        web.create()
        os.kill(pid_of(daemon, web), signal.SIGSTOP)
        web.destroy()
        events.wait(web, STOPPED, STOPPED_DESTROYED)

    def test_many_at_once(self, client, events):
        machines = [define(client, definition(f"m{i}", memory_kib=16384)) for i in range(8)]
        for pending in [m.begin("Create", "u", 0) for m in machines]:
            pending.result(60)
        assert len(list_machines(client, LIST_ACTIVE)) == 8
        for pending in [m.begin("Destroy", "u", 0) for m in machines]:
            pending.result(60)
        assert list_machines(client, LIST_ACTIVE) == []

    def test_contending_calls_leave_a_definite_state(self, web, events):
        """Starts and destroys that cross: each succeeds or says why, and the end is as the last one says."""
        pending = []
        for _ in range(5):
            pending.append(web.begin("Create", "u", 0))
            pending.append(web.begin("Destroy", "u", 0))
        for entry in pending:
            wait_for(lambda entry=entry: entry.done, 60)
            assert entry.error is None or isinstance(entry.error, BusError) and entry.error.name == LIBVIRT_ERROR
        if web.get("Active"):
            web.destroy()
        assert web.state == (SHUTOFF, SHUTOFF_DESTROYED)


@pytest.mark.qemu
class TestList:
    def test_filters(self, client):
        off, on, paused, short = (
            define(client, definition("off")), define(client, definition("on")),
            define(client, definition("paused")), create_transient(client, definition("short")))
        on.create()
        paused.create()
        paused.suspend()
        set_property(off, "Autostart", "b", True)
        everything = {off.path, on.path, paused.path, short.path}

        def listed(flags):
            found = list_machines(client, flags)
            assert len(found) == len(set(found))
            return set(found)

        assert listed(0) == everything
        assert listed(LIST_ACTIVE) == {on.path, paused.path, short.path}
        assert listed(LIST_INACTIVE) == {off.path}
        assert listed(LIST_ACTIVE | LIST_INACTIVE) == everything
        assert listed(LIST_PERSISTENT) == {off.path, on.path, paused.path}
        assert listed(LIST_TRANSIENT) == {short.path}
        assert listed(LIST_RUNNING) == {on.path, short.path}
        assert listed(LIST_PAUSED) == {paused.path}
        assert listed(LIST_SHUTOFF) == {off.path}
        assert listed(LIST_OTHER) == set()
        assert listed(LIST_RUNNING | LIST_PAUSED) == {on.path, paused.path, short.path}
        assert listed(LIST_AUTOSTART) == {off.path}
        assert listed(LIST_NO_AUTOSTART) == {on.path, paused.path, short.path}
        assert listed(LIST_ACTIVE | LIST_PERSISTENT) == {on.path, paused.path}

    def test_unknown_flags(self, client):
        with pytest.raises(BusError) as e:
            list_machines(client, 1 << 30)
        assert e.value.name == LIBVIRT_ERROR
        assert "0x40000000" in e.value.message.lower()


class TestRename:
    def test_it_has_the_new_name(self, daemon, client, web, events):
        web.call("Rename", "su", "www", 0)
        events.wait(web, UNDEFINED, UNDEFINED_RENAMED)
        events.wait(web, DEFINED, DEFINED_RENAMED)
        assert web.name == "www"
        assert client.call(QEMU, CONNECT, "DomainLookupByName", "s", "www") == web.path
        with pytest.raises(BusError):
            client.call(QEMU, CONNECT, "DomainLookupByName", "s", "web")
        daemon.restart(by_kill=False)
        assert web.name == "www"
        assert len(list_machines(client)) == 1

    @pytest.mark.parametrize("name", ["", "a/b", "a\nb", "web"])
    def test_bad_names(self, web, name):
        with pytest.raises(BusError) as e:
            web.call("Rename", "su", name, 0)
        assert e.value.name == LIBVIRT_ERROR
        assert web.name == "web"

    def test_a_taken_name(self, client, web):
        define(client, definition("www"))
        with pytest.raises(BusError) as e:
            web.call("Rename", "su", "www", 0)
        assert "www" in e.value.message
        assert web.name == "web"

    @pytest.mark.qemu
    def test_not_while_it_runs(self, web):
        web.create()
        with pytest.raises(BusError):
            web.call("Rename", "su", "www", 0)
        assert web.name == "web"


class TestAutostart:
    def test_set_and_kept(self, daemon, web):
        set_property(web, "Autostart", "b", True)
        assert web.get("Autostart") is True
        daemon.restart()
        assert web.get("Autostart") is True
        wait_for(lambda: web.get("Active"), 20, "the machine to be started")
        set_property(web, "Autostart", "b", False)
        assert web.get("Autostart") is False

    def test_others_do_not_start(self, daemon, web):
        daemon.restart()
        with pytest.raises(TimeoutExpired):
            wait_for(lambda: web.get("Active"), 0.5)

    def test_transient_ones_cannot(self, client):
        machine = create_transient(client, definition("short"))
        with pytest.raises(BusError) as e:
            set_property(machine, "Autostart", "b", True)
        assert e.value.name == LIBVIRT_ERROR


class TestMetadata:
    NAMESPACE = "urn:example:notes"

    def test_title_and_description(self, client, web):
        changed = client.listen(interface=DOMAIN, member="MetadataChange", path=web.path)
        web.call("SetMetadata", "isssu", METADATA_TITLE, "The web", "", "", AFFECT_CURRENT)
        web.call("SetMetadata", "isssu", METADATA_DESCRIPTION, "Serves pages", "", "", AFFECT_CURRENT)
        assert web.call("GetMetadata", "isu", METADATA_TITLE, "", AFFECT_CURRENT) == "The web"
        assert web.call("GetMetadata", "isu", METADATA_DESCRIPTION, "", AFFECT_CURRENT) == "Serves pages"
        assert web.tree().findtext("title") == "The web"
        assert changed.wait().values[0] == METADATA_TITLE
        assert changed.wait().values[0] == METADATA_DESCRIPTION

    def test_title_is_one_line(self, web):
        with pytest.raises(BusError) as e:
            web.call("SetMetadata", "isssu", METADATA_TITLE, "two\nlines", "", "", AFFECT_CURRENT)
        assert e.value.name == LIBVIRT_ERROR

    def test_title_goes(self, web):
        web.call("SetMetadata", "isssu", METADATA_TITLE, "The web", "", "", AFFECT_CURRENT)
        web.call("SetMetadata", "isssu", METADATA_TITLE, "", "", "", AFFECT_CURRENT)
        assert web.tree().find("title") is None
        with pytest.raises(BusError):
            web.call("GetMetadata", "isu", METADATA_TITLE, "", AFFECT_CURRENT)

    def test_element(self, daemon, client, web):
        changed = client.listen(interface=DOMAIN, member="MetadataChange", path=web.path)
        text = "<note priority='1'>buy <b>milk</b></note>"
        web.call("SetMetadata", "isssu", METADATA_ELEMENT, text, "n", self.NAMESPACE, AFFECT_CURRENT)
        assert changed.wait().values == (METADATA_ELEMENT, self.NAMESPACE)
        assert "<b>milk</b>" in web.call("GetMetadata", "isu", METADATA_ELEMENT, self.NAMESPACE, AFFECT_CURRENT)
        daemon.restart()
        assert web.tree().find(f"metadata/{{{self.NAMESPACE}}}note") is not None
        web.call("SetMetadata", "isssu", METADATA_ELEMENT, "", "", self.NAMESPACE, AFFECT_CURRENT)
        with pytest.raises(BusError) as e:
            web.call("GetMetadata", "isu", METADATA_ELEMENT, self.NAMESPACE, AFFECT_CURRENT)
        assert e.value.name == LIBVIRT_ERROR

    def test_elements_of_others_stay(self, client):
        extra = ("<metadata><a:x xmlns:a='urn:a' k='v'>  spaces  <!-- and a comment --></a:x>"
                 "<b:y xmlns:b='urn:b'/></metadata>")
        machine = define(client, definition("web", extra=extra))
        machine.call("SetMetadata", "isssu", METADATA_ELEMENT, "<z/>", "c", "urn:c", AFFECT_CURRENT)
        tree = machine.tree()
        assert tree.find("metadata/{urn:a}x").text == "  spaces  "
        assert tree.find("metadata/{urn:b}y") is not None
        assert tree.find("metadata/{urn:c}z") is not None

    @pytest.mark.parametrize("text", ["<open>", "", "two<a/>", "<a xmlns='urn:other'/>x"])
    def test_bad_elements(self, web, text):
        with pytest.raises(BusError) as e:
            web.call("SetMetadata", "isssu", METADATA_ELEMENT, text or "<", "n", self.NAMESPACE, AFFECT_CURRENT)
        assert e.value.name == LIBVIRT_ERROR

    @pytest.mark.qemu
    def test_live_and_config(self, web):
        web.create()
        web.call("SetMetadata", "isssu", METADATA_TITLE, "now", "", "", AFFECT_LIVE)
        web.call("SetMetadata", "isssu", METADATA_TITLE, "next", "", "", AFFECT_CONFIG)
        assert web.call("GetMetadata", "isu", METADATA_TITLE, "", AFFECT_LIVE) == "now"
        assert web.call("GetMetadata", "isu", METADATA_TITLE, "", AFFECT_CONFIG) == "next"
        assert web.tree().findtext("title") == "now"
        web.destroy()
        assert web.tree().findtext("title") == "next"

    def test_live_needs_a_running_machine(self, web):
        with pytest.raises(BusError) as e:
            web.call("SetMetadata", "isssu", METADATA_TITLE, "now", "", "", AFFECT_LIVE)
        assert "not running" in e.value.message


class TestGraphics:
    @pytest.mark.qemu
    def test_open_graphics_fd(self, client):
        machine = define(client, definition("web", "<graphics type='vnc' port='-1' autoport='yes'/>"
                                                   "<video><model type='vga'/></video>"))
        machine.create()
        reply = client.send(machine.path, DOMAIN, "OpenGraphicsFD", "uu", 0, 0)
        assert len(reply.fds) == 1
        with os.fdopen(reply.fds[0], "rb", buffering=0) as stream:
            os.set_blocking(stream.fileno(), True)
            assert stream.read(4) == b"RFB "

    def test_no_such_display(self, web):
        web.create()
        with pytest.raises(BusError) as e:
            web.call("OpenGraphicsFD", "uu", 3, 0)
        assert e.value.name == LIBVIRT_ERROR


def test_set_of_a_wrong_type(client, web):
    with pytest.raises(BusError) as e:
        client.set(web.path, DOMAIN, "Autostart", "s", "yes")
    assert e.value.name == "org.freedesktop.DBus.Error.InvalidArgs"
    assert web.get("Autostart") is False


def test_set_of_what_is_read_only(client, web):
    with pytest.raises(BusError) as e:
        client.set(web.path, DOMAIN, "Name", "s", "www")
    assert e.value.name == "org.freedesktop.DBus.Error.InvalidArgs"
    assert web.name == "web"
