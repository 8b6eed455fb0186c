"""What is malformed, huge, contradictory or hostile: one precise error each, bounded memory, and nothing changes."""

import contextlib
import os
import socket
import threading
import time
import uuid

import pytest
from gi.repository import Gio

from harness import SCALE, BusError, wait_for
from machines import (
    CONNECT, DOMAIN, QEMU, RUNNING, SHUTOFF, FakeQemu, Lifecycle, define, definition, disk, list_machines)

LIBVIRT_ERROR = "org.libvirt.Error"
INVALID_ARGS = "org.freedesktop.DBus.Error.InvalidArgs"


@pytest.fixture
def web(client):
    return define(client, definition("web"))


@pytest.fixture
def unchanged(daemon, client, web):
    """Nothing may have changed by the end: the machines, their definitions, the descriptors; memory is bounded."""
    before = web.xml()
    memory, descriptors = daemon.resident_kib(), daemon.fd_count()
    yield web
    assert list_machines(client) == [web.path]
    assert web.xml() == before
    assert web.get("Active") is False
    assert daemon.resident_kib() - memory < 65536
    wait_for(lambda: daemon.fd_count() <= descriptors + 1, 5, "descriptors to be closed")


def refused(client, xml, *words, member="DomainDefineXML", timeout=30):
    """The definition is refused, with these words in the error's text."""
    arguments = ("s", xml) if member == "DomainDefineXML" else ("su", xml, 0)
    with pytest.raises(BusError) as e:
        client.call(QEMU, CONNECT, member, *arguments, timeout=timeout)
    assert e.value.name == LIBVIRT_ERROR, e.value
    assert e.value.message and len(e.value.message) < 2000
    for word in words:
        assert word.lower() in e.value.message.lower(), e.value.message
    return e.value


MALFORMED = {
    "empty": "", "text": "hello", "unclosed": "<domain type='qemu'><name>x</name>",
    "crossed": "<domain type='qemu'><name>x</domain></name>", "two roots": definition("a") + definition("b"),
    "no quotes": "<domain type=qemu/>", "same attribute twice": "<domain type='qemu' type='kvm'/>",
    "undefined entity": "<domain type='qemu'><name>&nothing;</name></domain>",
    "control character": "<domain type='qemu'><name>a\x01b</name></domain>",
    "wrong encoding": "<?xml version='1.0' encoding='utf-16'?><domain/>",
    "other document": "<network><name>x</name></network>"}


class TestXml:
    @pytest.mark.parametrize("what", MALFORMED)
    def test_malformed(self, client, unchanged, what):
        refused(client, MALFORMED[what])

    @pytest.mark.parametrize("member", ["DomainDefineXML", "DomainCreateXML"])
    def test_line_is_named(self, client, unchanged, member):
        refused(client, "<domain type='qemu'>\n<name>x</name>\n<oops\n</domain>", "4", member=member)

    @pytest.mark.parametrize("change, words", [
        (("<name>x</name>", ""), ("name",)), (("<name>x</name>", "<name></name>"), ("name",)),
        (("<name>x</name>", "<name>a/b</name>"), ("name", "a/b")),
        (("<name>x</name>", "<name>a\nb</name>"), ("name",)),
        (("<memory unit='KiB'>32768</memory>", ""), ("memory",)),
        (("<memory unit='KiB'>32768</memory>", "<memory unit='KiB'>0</memory>"), ("memory",)),
        (("<memory unit='KiB'>32768</memory>", "<memory unit='KiB'>-1</memory>"), ("memory", "-1")),
        (("<memory unit='KiB'>32768</memory>", "<memory unit='EiB'>99999999999</memory>"), ("memory",)),
        (("<memory unit='KiB'>32768</memory>", "<memory unit='bananas'>1</memory>"), ("bananas",)),
        (("<memory unit='KiB'>32768</memory>", "<memory unit='KiB'>1.5</memory>"), ("1.5",)),
        (("<vcpu>1</vcpu>", "<vcpu>0</vcpu>"), ("vcpu",)), (("<vcpu>1</vcpu>", "<vcpu>many</vcpu>"), ("many",)),
        (("<vcpu>1</vcpu>", "<vcpu>99999999999999999999</vcpu>"), ("vcpu",)),
        (("type='qemu'", "type='steam'"), ("steam",)), (("type='qemu'", ""), ("type",)),
        (("arch='x86_64'", "arch='z80'"), ("z80",)), ((">hvm<", ">magic<"), ("magic",)),
        (("<features>", "<uuid>not-a-uuid</uuid><features>"), ("uuid", "not-a-uuid")),
        (("<features>", "<on_crash>explode</on_crash><features>"), ("explode",)),
        (("<memballoon", "<disk type='file' device='hologram'><target dev='vda'/></disk><memballoon"), ("hologram",)),
        (("<memballoon", "<disk type='file'><source file='/x'/></disk><memballoon"), ("target",)),
        (("<memballoon", disk("/a") + disk("/b") + "<memballoon"), ("vda",)),
        (("<memballoon", "<interface type='user'><mac address='zz:00'/></interface><memballoon"), ("zz:00",)),
        (("<memballoon", "<interface type='carrier-pigeon'/><memballoon"), ("carrier-pigeon",)),
        (("<memballoon", "<graphics type='telegraph'/><memballoon"), ("telegraph",))])
    def test_against_the_language(self, client, unchanged, change, words):
        xml = definition("x")
        assert change[0] in xml
        refused(client, xml.replace(change[0], change[1], 1), *words)

    def test_entities(self, client, unchanged):
        entities = "".join(f"<!ENTITY {chr(98 + i)} '{('&' + chr(97 + i) + ';') * 10}'>" for i in range(9))
        started = time.monotonic()
        refused(client, f"<!DOCTYPE d [<!ENTITY a '{'x' * 100}'>{entities}]>"
                        + definition("x").replace("<name>x", "<name>&j;"))
        assert time.monotonic() - started < 2 * SCALE

    def test_external_entity(self, client, unchanged, root_dir):
        secret = root_dir / "secret"
        secret.write_text("stolen", encoding="utf-8")
        xml = (f"<!DOCTYPE d [<!ENTITY e SYSTEM 'file://{secret}'>]>"
               + definition("x", extra="<description>&e;</description>"))
        try:
            machine = define(client, xml)
        except BusError as e:
            assert "stolen" not in e.message
        else:
            assert "stolen" not in machine.xml()
            machine.undefine()

    def test_network_is_not_asked(self, client, unchanged):
        """A document type on another host: nobody connects to it."""
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        listener.settimeout(0.5)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/d.dtd"
        try:
            define(client, f"<!DOCTYPE domain SYSTEM '{address}'>" + definition("x")).undefine()
        except BusError:
            pass  # refusing it is as good
        with pytest.raises(TimeoutError):
            listener.accept()
        listener.close()

    @pytest.mark.parametrize("depth", [300, 100000])
    def test_deep(self, client, unchanged, depth):
        try:
            define(client, definition("x", extra="<metadata>" + "<a>" * depth + "</a>" * depth + "</metadata>")
                   ).undefine()
        except BusError as e:
            assert e.name == LIBVIRT_ERROR and depth > 200

    def test_deep_and_unclosed(self, client, unchanged):
        refused(client, "<domain type='qemu'>" + "<a>" * 100000)

    @pytest.mark.slow
    def test_sixty_four_mebibytes(self, daemon, client, unchanged):
        started = time.monotonic()
        with pytest.raises(BusError) as e:
            client.call(QEMU, CONNECT, "DomainDefineXML", "s",
                        definition("x", extra=f"<description>{'d' * ((64 << 20) - 4096)}</description>"), timeout=60)
        assert e.value.name in (LIBVIRT_ERROR, "org.freedesktop.DBus.Error.LimitsExceeded")
        assert time.monotonic() - started < 20 * SCALE
        wait_for(lambda: daemon.resident_kib() < 98304, 5, "the memory to be given back")

    def test_many_devices(self, client, unchanged):
        devices = "".join(f"<serial type='null'><target port='{i}'/></serial>" for i in range(10000))
        started = time.monotonic()
        try:
            define(client, definition("x", devices)).undefine()
        except BusError as e:
            assert e.name == LIBVIRT_ERROR
        assert time.monotonic() - started < 10 * SCALE

    def test_long_name(self, client, unchanged):
        refused(client, definition("n" * 100000), "name")

    @pytest.mark.parametrize("name", [".", "..", "../../etc/passwd", " ", "\u202ename"])
    def test_names_that_are_no_files(self, daemon, client, unchanged, name):
        try:
            machine = define(client, definition(name))
        except BusError as e:
            assert e.name == LIBVIRT_ERROR
        else:
            assert machine.name == name
            daemon.restart()
            assert machine.name == name
            machine.undefine()

    def test_names_of_all_sorts(self, daemon, client):
        names = ["web-1", "a b", "ünï", "名前", "a_b.c", "-rf", "$(reboot)", "a'b\"c", "%s%n", "x" * 200]
        machines = [define(client, definition(name)) for name in names]
        daemon.restart()
        assert [m.name for m in machines] == names

    def test_nul_in_a_string(self, daemon, client, unchanged):
        """D-Bus forbids it: whoever sends it is disconnected by the bus, and nobody else notices."""
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(daemon.bus.address.removeprefix("unix:path="))
        connection.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n")
        assert connection.recv(200).startswith(b"OK")
        connection.sendall(b"BEGIN\r\nl\1\0\1" + b"\x04\0\0\0" + b"\1\0\0\0" + b"\x10\0\0\0" + b"\1\1o\0\1\0\0\0/\0\0\0"
                           b"\0\0\0\0" + b"a\0b\0" * 10)
        connection.settimeout(5)
        while connection.recv(4096):
            pass
        connection.close()

    def test_who_writes_all_the_time(self, daemon, client):
        """By the socket, from the first byte on: others have their turn all the same, and the daemon ends with it."""
        message = Gio.DBusMessage.new_signal("/a", "a.b", "C")
        message.set_serial(1)
        messages = message.to_blob(Gio.DBusCapabilityFlags.NONE) * 1000
        connections = [socket.socket(socket.AF_UNIX) for _ in range(2)]
        is_over = threading.Event()

        def write(connection):
            rest = messages
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                while not is_over.is_set():
                    with contextlib.suppress(TimeoutError):
                        rest = rest[connection.send(rest):] or messages

        writers = []
        for connection in connections:
            connection.connect(str(daemon.socket_path()))
            connection.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\nNEGOTIATE_UNIX_FD\r\n")
            assert connection.recv(200).startswith(b"OK")
            connection.settimeout(1)
            connection.sendall(b"BEGIN\r\n" + messages)
            writers.append(threading.Thread(target=write, args=(connection,)))
            writers[-1].start()
        try:
            for _ in range(20):
                client.call("/", "org.freedesktop.DBus.Peer", "Ping", timeout=10 * SCALE)
            assert daemon.stop() == 0
        finally:
            is_over.set()
            for writer in writers:
                writer.join()
            for connection in connections:
                connection.close()


NOTE = "urn:note"
LEVELS_MAX = 126  # and <domain> and <metadata> around them


@pytest.mark.qemu
@pytest.mark.parametrize("kind, text, prefix, uri, is_taken", [
    (2, f'<?xml version="1.0"?>\n<!-- a note -->\n<n:x xmlns:n="{NOTE}">1</n:x>\n', "n", NOTE, True),
    (2, "<a>" * LEVELS_MAX + "</a>" * LEVELS_MAX, "n", NOTE, True),
    (2, "<a>" * (LEVELS_MAX + 1) + "</a>" * (LEVELS_MAX + 1), "n", NOTE, False),
    (2, "<a/>", "1", NOTE, False), (2, "<a/>", "a!b", NOTE, False), (2, "<a/>", "xmlns", NOTE, False),
    (2, "<a/>", "n", "urn:\n", False), (2, "<a/>", "n", "urn:\x01", False),
    (1, "a\x01b", "", "", False), (0, "a\x01b", "", "", False), (0, "a\ufffeb", "", "", False)])
def test_metadata_of_a_running_machine(daemon, client, web, kind, text, prefix, uri, is_taken):
    """What is noted of it has to be read by the next daemon, which would not know the machine else."""
    web.create()
    before = web.xml()
    try:
        web.call("SetMetadata", "isssu", kind, text, prefix, uri, 1)
        assert is_taken and NOTE in web.call("GetMetadata", "isu", kind, uri, 1)
    except BusError as e:
        assert not is_taken and web.xml() == before, e
    web.suspend()
    after = web.xml()
    daemon.restart()
    assert web.state[0] == 3 and web.xml() == after
    web.destroy()


class TestArguments:
    METHODS = [("Create", "u", ()), ("Destroy", "u", ()), ("Undefine", "u", ()), ("Shutdown", "u", ()),
               ("Reboot", "u", ()), ("Reset", "u", ()), ("InjectNMI", "u", ()), ("GetXMLDesc", "u", ()),
               ("GetState", "u", ()), ("Rename", "su", ("x",)), ("GetMetadata", "isu", (1, "")),
               ("SetMetadata", "isssu", (1, "x", "", "")), ("OpenGraphicsFD", "uu", (0,))]

    @pytest.mark.parametrize("member, signature, arguments", METHODS)
    def test_unknown_flags(self, unchanged, member, signature, arguments):
        with pytest.raises(BusError) as e:
            unchanged.call(member, signature, *arguments, 1 << 31)
        assert e.value.name == LIBVIRT_ERROR
        assert "flag" in e.value.message.lower() and "80000000" in e.value.message

    @pytest.mark.parametrize("member, signature, arguments", [
        ("Create", "i", (0,)), ("Create", "s", ("0",)), ("Suspend", "u", (0,)), ("Rename", "us", (0, "x")),
        ("GetMetadata", "usu", (1, "", 0)), ("SetMetadata", "isss", (1, "", "", "")), ("Create", "v", None)])
    def test_wrong_types(self, client, unchanged, member, signature, arguments):
        from gi.repository import GLib

        with pytest.raises(BusError) as e:
            unchanged.call(member, signature, *(arguments or (GLib.Variant("u", 0),)))
        assert e.value.name == INVALID_ARGS

    @pytest.mark.parametrize("kind", [-1, 3, 2147483647])
    def test_unknown_kind_of_metadata(self, unchanged, kind):
        with pytest.raises(BusError) as e:
            unchanged.call("GetMetadata", "isu", kind, "", 0)
        assert e.value.name == LIBVIRT_ERROR
        assert str(kind) in e.value.message

    def test_descriptor_index_out_of_range(self, daemon, client, unchanged):
        """An index without a descriptor is an invalid message: whoever sends it may be disconnected."""
        from gi.repository import GLib

        sender = daemon.client()
        try:
            sender.call(unchanged.path, DOMAIN, "CreateWithFiles", "ahu", [0, 7], 0, timeout=5)
        except (BusError, GLib.Error):
            pass
        assert client.get(unchanged.path, DOMAIN, "Active") is False

    def test_both_ways_to_shut_down(self, unchanged):
        with pytest.raises(BusError):
            unchanged.call("Shutdown", "u", 0xFFFFFFFF)


@pytest.mark.qemu
class TestPaths:
    """What a definition names and the host does not have is refused at the start, by its name."""

    def start(self, client, devices="", **options):
        machine = define(client, definition("x", devices, **options))
        with pytest.raises(BusError) as e:
            machine.create()
        assert e.value.name == LIBVIRT_ERROR
        assert machine.state[0] == SHUTOFF
        machine.undefine()
        return e.value.message

    def test_missing_disk(self, client, unchanged):
        assert "/no/such/disk.img" in self.start(client, disk("/no/such/disk.img"))

    def test_disk_is_a_folder(self, client, unchanged, root_dir):
        assert str(root_dir) in self.start(client, disk(root_dir))

    def test_missing_kernel(self, client, unchanged):
        assert "/no/such/kernel" in self.start(client, boot="<kernel>/no/such/kernel</kernel>")

    def test_missing_emulator(self, client, unchanged):
        xml = definition("x", emulator="/no/such/qemu")
        try:
            machine = define(client, xml)
        except BusError as e:
            assert "/no/such/qemu" in e.message
            return
        with pytest.raises(BusError) as e:
            machine.create()
        assert "/no/such/qemu" in e.value.message
        machine.undefine()

    def test_emulator_is_no_program(self, client, unchanged, root_dir):
        path = root_dir / "text"
        path.write_text("no program", encoding="utf-8")
        for mode in (0o644, 0o755):
            path.chmod(mode)
            try:
                machine = define(client, definition("x", emulator=path))
            except BusError as e:
                assert str(path) in e.message
                continue
            with pytest.raises(BusError) as e:
                machine.create()
            assert str(path) in e.value.message
            machine.undefine()

    def test_image_of_another_format(self, client, unchanged, root_dir):
        """A raw image is not probed for what else it might be, and what is no qcow2 is not taken for one."""
        image = root_dir / "x.img"
        image.write_bytes(b"no qcow2".ljust(1 << 16, b"\0"))
        image.chmod(0o644)
        message = self.start(client, disk(image, driver="qcow2"))
        assert "qcow2" in message.lower() or str(image) in message

    def test_words_of_the_machine_type(self, client, unchanged):
        xml = definition("x", machine="no-such-machine")
        try:
            machine = define(client, xml)
        except BusError as e:
            assert "no-such-machine" in e.message
            return
        with pytest.raises(BusError) as e:
            machine.create()
        assert "no-such-machine" in e.value.message
        machine.undefine()

    @pytest.mark.parametrize("text", ["/x,readonly=off", "/x\nsecond", "/x,,y", "json:{}", "nbd:localhost:1"])
    def test_paths_are_not_options(self, client, unchanged, text):
        """What means something to QEMU in a file's name is a name like any other."""
        try:
            machine = define(client, definition("x", disk(text)))
        except BusError:
            return
        with pytest.raises(BusError):
            machine.create()
        assert machine.state[0] == SHUTOFF
        machine.undefine()


class TestBadQemu:
    """QEMUs that fail in every way: the start fails in bounded time with a reason, and no process is left."""

    def start(self, daemon, client, root_dir, tricks, timeout=60):
        fake = FakeQemu(root_dir / "fake", tricks)
        machine = define(client, definition("bad", emulator=fake.path))
        with pytest.raises(BusError) as e:
            machine.call("Create", "u", 0, timeout=timeout)
        assert e.value.name == LIBVIRT_ERROR
        assert machine.state[0] == SHUTOFF
        wait_for(lambda: daemon.machines() == {}, 5, "the process to be gone")
        machine.undefine()
        return e.value.message

    def test_exits_with_a_message(self, daemon, client, unchanged, root_dir):
        message = self.start(daemon, client, root_dir, "exit 1 qemu: the moon is in the wrong phase")
        assert "the moon is in the wrong phase" in message

    def test_exits_without_one(self, daemon, client, unchanged, root_dir):
        assert self.start(daemon, client, root_dir, "exit 3")

    def test_talks_too_much_on_stderr(self, daemon, client, unchanged, root_dir):
        message = self.start(daemon, client, root_dir, "exit 1 " + "blah " * 100000)
        assert len(message) < 20000

    def test_never_greets(self, daemon, client, unchanged, root_dir):
        started = time.monotonic()
        message = self.start(daemon, client, root_dir, "hang", timeout=90)
        assert "monitor" in message.lower() or "timed out" in message.lower()
        assert time.monotonic() - started < 75 * SCALE

    @pytest.mark.parametrize("tricks", ["garbage", "bad-utf8", "deep 1000000", "error qmp_capabilities go away",
                                        "die qmp_capabilities", "die cont", "error cont no",
                                        "close cont"])
    def test_nonsense(self, daemon, client, unchanged, root_dir, tricks):
        message = self.start(daemon, client, root_dir, tricks)
        if tricks.startswith("error qmp"):
            assert "go away" in message

    def test_wrong_ids(self, daemon, client, unchanged, root_dir):
        self.start(daemon, client, root_dir, "wrong-ids", timeout=90)

    def test_runs_before_it_was_told_to(self, daemon, client, root_dir):
        fake = FakeQemu(root_dir / "fake", "event qmp_capabilities RESUME")
        machine = define(client, definition("early", emulator=fake.path))
        events = Lifecycle(client)
        machine.create()
        assert machine.state[0] == RUNNING and fake.commands()[-1] == "cont"
        machine.destroy()
        wait_for(lambda: (5, 1) in events.of(machine))
        assert events.of(machine) == [(2, 0), (5, 1)]  # started once
        machine.undefine()
        self.start(daemon, client, root_dir, "event qmp_capabilities RESUME\nerror cont no")

    @pytest.mark.slow
    def test_a_line_of_a_gibibyte(self, daemon, client, unchanged, root_dir):
        peak = daemon.resident_kib() + 65536
        fake = FakeQemu(root_dir / "fake", "long-line 1073741824")
        machine = define(client, definition("bad", emulator=fake.path))
        pending = machine.begin("Create", "u", 0, timeout=120)

        def done():
            assert daemon.resident_kib() < peak
            return pending.done

        wait_for(done, 100)
        assert isinstance(pending.error, BusError)
        wait_for(lambda: daemon.machines() == {}, 5)
        machine.undefine()

    def test_others_work_meanwhile(self, daemon, client, root_dir):
        """A storm of events from one machine: the others are as quick as ever, and it can be ended."""
        fake = FakeQemu(root_dir / "fake", "events 100000")
        storm = define(client, definition("storm", emulator=fake.path))
        other = define(client, definition("other", emulator=FakeQemu(root_dir / "good").path))
        storm.create()
        other.create()
        before = daemon.resident_kib()
        took = []
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:
            started = time.monotonic()
            assert other.state[0] == RUNNING
            took.append(time.monotonic() - started)
        assert sorted(took)[len(took) // 2] < 0.02 * SCALE, sorted(took)[-5:]
        assert daemon.resident_kib() - before < 65536
        storm.destroy()
        assert storm.state[0] == SHUTOFF
        assert other.state[0] == RUNNING

    def test_deaf_to_one_command(self, daemon, client, root_dir):
        """A command without an answer ends by its deadline; other calls of the same machine say that it is busy."""
        fake = FakeQemu(root_dir / "fake", "deaf stop")
        machine = define(client, definition("bad", emulator=fake.path))
        machine.create()
        machine.begin("Suspend", timeout=120)
        wait_for(lambda: "stop" in fake.commands(), 10)
        started = time.monotonic()
        assert machine.state[0] == RUNNING
        assert machine.tree().findtext("name") == "bad"
        assert time.monotonic() - started < 0.5 * SCALE
        machine.destroy()
        assert machine.state[0] == SHUTOFF

    def test_answers_with_an_error(self, client, root_dir):
        fake = FakeQemu(root_dir / "fake", "error stop the guest is asleep")
        machine = define(client, definition("bad", emulator=fake.path))
        machine.create()
        with pytest.raises(BusError) as e:
            machine.suspend()
        assert "the guest is asleep" in e.value.message
        assert machine.state[0] == RUNNING

    @pytest.mark.parametrize("tricks", ["probe exit 1 broken", "probe hang", "probe garbage",
                                        "probe error query-machines no"])
    def test_cannot_be_probed(self, daemon, client, root_dir, tricks):
        """What cannot be probed is refused or used as it is, and nobody waits for it for long."""
        fake = FakeQemu(root_dir / "fake", tricks)
        started = time.monotonic()
        try:
            machine = define(client, definition("bad", emulator=fake.path))
            machine.call("Create", "u", 0, timeout=90)
            assert machine.state[0] == RUNNING
        except BusError as e:
            assert e.name == LIBVIRT_ERROR and e.message
        assert time.monotonic() - started < 75 * SCALE
        assert list_machines(client, 1) in ([], list_machines(client))

    def test_few_commands_for_a_start(self, client, root_dir):
        """A start takes a handful of QMP commands."""
        fake = FakeQemu(root_dir / "fake")
        machine = define(client, definition("web", emulator=fake.path))
        machine.create()
        machine.destroy()
        machine.create()
        last = fake.commands()[len(fake.commands()) - fake.commands()[::-1].index("qmp_capabilities") - 1:]
        assert "cont" in last
        assert len(last) <= 8, last

    def test_command_line(self, client, root_dir):
        fake = FakeQemu(root_dir / "fake")
        machine = define(client, definition("web", emulator=fake.path))
        machine.create()
        argv = fake.runs()[-1]["argv"]
        assert argv[argv.index("-sandbox") + 1].startswith("on")
        assert "-S" in argv
        assert "-nodefaults" in argv and "-no-user-config" in argv
        assert machine.uuid in " ".join(argv)

    def test_id_is_unique_although_starts_fail(self, daemon, client, root_dir):
        bad = define(client, definition("bad", emulator=FakeQemu(root_dir / "fake", "exit 1 no").path))
        good = define(client, definition("good", emulator=FakeQemu(root_dir / "good").path))
        seen = []
        for _ in range(3):
            with pytest.raises(BusError):
                bad.create()
            good.create()
            seen.append(good.get("Id"))
            good.destroy()
        assert len(set(seen)) == 3

    def test_failed_start_is_announced_as_such(self, client, root_dir):
        events = Lifecycle(client)
        bad = define(client, definition("bad", emulator=FakeQemu(root_dir / "fake", "error cont no").path))
        with pytest.raises(BusError):
            bad.create()
        client.ping()
        assert [e for e in events.of(bad) if e[0] == 2] == []  # never said to have been started

    def test_a_transient_one_that_fails_is_gone(self, client, root_dir):
        fake = FakeQemu(root_dir / "fake", "exit 1 no")
        refused(client, definition("bad", emulator=fake.path), "no", member="DomainCreateXML")
        assert list_machines(client) == []


def test_uuids_in_other_forms(client):
    number = str(uuid.uuid4())
    machine = define(client, definition("x", domain_uuid=number.upper()))
    assert machine.uuid == number
    bare = define(client, definition("y", domain_uuid=uuid.uuid4().hex))
    assert str(uuid.UUID(bare.uuid)) == bare.uuid
    assert bare.name == "y"
