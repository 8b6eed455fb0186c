"""Who may do what: on a bus of the system type, with the real polkitd and real unprivileged users.

alice and bob are ordinary users, mallory is forbidden everything by a rule where a test says so, libby is a member
of group libvirt.  The installed rules are those that the build installs.
"""

import contextlib
import os
import pwd
import resource
import select
import socket
import time

import pytest
from gi.repository import Gio, GLib

from every_kind import TEST, HeldJob
from harness import SCALE, BusError, as_user, drain, wait_for
from machines import (
    CONNECT, DOMAIN, LIST_ACTIVE, NATIVE, PAUSED, QEMU, RUNNING, FakeQemu, Lifecycle, Machine, create_transient, define,
    definition, disk, list_machines, path_of, pid_of, set_property, text_file)
from people import Agent, Asker

pytestmark = pytest.mark.system
UNUSED_UUID = "00000000-1111-2222-3333-444444444444"
DENIED_NAMES = ("org.freedesktop.DBus.Error.AccessDenied",
                "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired")
FORBID_MALLORY = "if (subject.user == 'mallory') return polkit.Result.NO;"


def uid(user):
    return pwd.getpwnam(user).pw_uid


def denied(call):
    """Runs call(), which has to be refused for want of rights; the error."""
    with pytest.raises(BusError) as e:
        call()
    assert e.value.name in DENIED_NAMES, e.value
    return e.value


def hidden(call, missing):
    """Runs both, which have to fail alike: the one for an object that may not be seen, the other for none."""
    with pytest.raises(BusError) as first:
        call()
    with pytest.raises(BusError) as second:
        missing()
    assert first.value.name == second.value.name
    return first.value, second.value


@pytest.fixture
def people(system_daemon):
    """name → a connection to the bus of that user."""
    return {user or "root": system_daemon.client(user) for user in (None, "alice", "bob", "mallory", "libby")}


@pytest.fixture
def open_dir(scratch):
    """A folder that everybody may look into."""
    path = scratch / f"open{time.monotonic_ns()}"
    path.mkdir(mode=0o755)
    return path


class TestOwners:
    def test_own_machine(self, people):
        machine = define(people["alice"], definition("web"))
        assert machine.get("Owner", NATIVE) == uid("alice")
        machine.create()
        machine.suspend()
        assert machine.state[0] == PAUSED
        machine.resume()
        set_property(machine, "Autostart", "b", True)
        machine.call("SetMetadata", "isssu", 1, "title", "", "", 0)
        machine.destroy()
        machine.undefine()
        assert list_machines(people["alice"]) == []

    def test_what_root_and_the_group_define_is_everybodys(self, people):
        for who in ("root", "libby"):
            assert define(people[who], definition(f"of-{who}")).get("Owner", NATIVE) == 0

    def test_others_machine(self, people):
        machine = define(people["alice"], definition("web"))
        for call in ((lambda m: m.create()), (lambda m: m.undefine()), (lambda m: m.xml()), (lambda m: m.state),
                     (lambda m: m.name), (lambda m: set_property(m, "Autostart", "b", True)),
                     (lambda m: m.call("Rename", "su", "mine", 0)), (lambda m: m.call("SetMetadata", "isssu", 1, "x",
                                                                                      "", "", 0))):
            hidden(lambda call=call: call(Machine(people["bob"], machine.path)),
                   lambda call=call: call(Machine(people["bob"], path_of(UNUSED_UUID))))
        assert machine.name == "web"
        assert machine.state[0] == 5
        assert machine.get("Autostart") is False

    def test_others_do_not_see_it(self, people):
        number = "5e5e5e5e-1111-4222-8333-444444444444"
        machine = define(people["alice"], definition("web", domain_uuid=number))
        bob = people["bob"]
        assert list_machines(bob) == []
        assert machine.path not in bob.managed_objects()
        assert machine.path in people["alice"].managed_objects()
        assert bob.get_all_raw(machine.path, DOMAIN).n_children() == 0
        for member, there, missing in (("DomainLookupByUUID", number, UNUSED_UUID),
                                       ("DomainLookupByName", "web", "nobody")):
            first, second = hidden(lambda: bob.call(QEMU, CONNECT, member, "s", there),
                                   lambda: bob.call(QEMU, CONNECT, member, "s", missing))
            assert first.message.replace(there, "X") == second.message.replace(missing, "X")
        for node in (QEMU, QEMU + "/domain"):
            assert machine.path.rsplit("/", 1)[1] not in bob.introspect(node)

    def test_others_hear_nothing(self, people):
        heard = people["bob"].listen(sender="org.libvirt")
        events = Lifecycle(people["alice"])
        machine = define(people["alice"], definition("web"))
        machine.create()
        machine.destroy()
        events.wait(machine, 5, 1)
        drain(0.2)
        assert [s for s in heard.signals if machine.path in repr(s)] == []

    def test_root_and_the_group_see_all(self, people):
        machine = define(people["alice"], definition("web"))
        for who in ("root", "libby"):
            assert list_machines(people[who]) == [machine.path]
            assert machine.path in people[who].managed_objects()
            other = Machine(people[who], machine.path)
            other.create()
            assert other.state[0] == RUNNING
            other.destroy()

    def test_starting_anothers_machine_changes_no_owner(self, people):
        machine = define(people["alice"], definition("web"))
        Machine(people["root"], machine.path).create()
        assert machine.get("Owner", NATIVE) == uid("alice")

    def test_a_name_of_anothers_machine(self, people):
        """Names are each owner's own: what one has says nothing to another."""
        theirs = define(people["alice"], definition("web"))
        own = define(people["bob"], definition("web"))
        assert list_machines(people["bob"]) == [own.path]
        assert list_machines(people["alice"]) == [theirs.path]
        for who, machine in (("alice", theirs), ("bob", own)):
            assert people[who].call(QEMU, CONNECT, "DomainLookupByName", "s", "web") == machine.path

    def test_redefining_anothers_machine(self, people):
        machine = define(people["alice"], definition("web"))
        with pytest.raises(BusError):
            define(people["bob"], definition("web", domain_uuid=machine.uuid, memory_kib=99))
        assert machine.tree().findtext("memory") == "32768"
        assert machine.get("Owner", NATIVE) == uid("alice")

    def test_owner_survives_a_restart(self, system_daemon, people):
        machine = define(people["alice"], definition("web"))
        machine.create()
        system_daemon.restart()
        assert machine.get("Owner", NATIVE) == uid("alice")
        assert list_machines(people["bob"]) == []
        assert machine.state[0] == RUNNING
        machine.destroy()


class TestRules:
    def test_one_machine_for_one_user(self, people, polkit):
        web, db = (define(people["root"], definition(name)) for name in ("web", "db"))
        polkit.rules("if (action.id.indexOf('org.libvirt.api.domain.') == 0 && subject.user == 'bob' &&"
                     " action.lookup('connect_driver') == 'QEMU' && action.lookup('domain_name') == 'web')"
                     " return polkit.Result.YES;")
        bob = people["bob"]
        Machine(bob, web.path).create()
        assert Machine(bob, web.path).state[0] == RUNNING
        assert list_machines(bob) == [web.path]
        with pytest.raises(BusError):
            Machine(bob, db.path).create()
        with pytest.raises(BusError):
            Machine(people["mallory"], web.path).destroy()
        assert db.state[0] == 5
        Machine(bob, web.path).destroy()

    def test_by_uuid_and_owner(self, people, polkit):
        web = define(people["alice"], definition("web"))
        polkit.rules(f"if (subject.user == 'bob' && action.lookup('domain_uuid') == '{web.uuid}' &&"
                     " (action.lookup('owner') == 'alice' || action.lookup('owner') == "
                     f"'{uid('alice')}')) return polkit.Result.YES;")
        assert Machine(people["bob"], web.path).name == "web"

    def test_one_operation(self, people, polkit):
        """Whoever may read may not therefore start."""
        web = define(people["root"], definition("web"))
        polkit.rules("if (subject.user == 'bob' && (action.id == 'org.libvirt.api.domain.getattr' ||"
                     " action.id == 'org.libvirt.api.domain.read')) return polkit.Result.YES;")
        theirs = Machine(people["bob"], web.path)
        assert theirs.name == "web"
        assert theirs.state[0] == 5
        assert theirs.tree().findtext("name") == "web"
        denied(theirs.create)
        denied(theirs.undefine)
        assert web.state[0] == 5

    def test_seeing_is_not_reading(self, people, polkit):
        """Who may know of a machine, but not read it, is not told more by lists and signals either."""
        web = define(people["root"], definition("web"))
        polkit.rules("if (subject.user == 'bob' && (action.id == 'org.libvirt.api.domain.getattr' ||"
                     " action.id == 'org.libvirt.api.connect.search-domains')) return polkit.Result.YES;")
        bob = people["bob"]
        assert list_machines(bob) == [web.path]
        told, readable = bob.managed_objects()[web.path][NATIVE], bob.get_all(web.path, NATIVE)
        assert told == readable
        assert "Name" in told and "State" not in told and "MaxMemory" not in told
        assert "State" in people["root"].managed_objects()[web.path][NATIVE]
        changes = bob.listen(interface="org.freedesktop.DBus.Properties", member="PropertiesChanged", path=web.path)
        added = bob.listen(interface="org.freedesktop.DBus.ObjectManager", member="InterfacesAdded")
        web.create()
        db = define(people["root"], definition("db"))
        shown = lambda: [signal.values[1] for signal in added.signals if signal.values[0] == db.path]
        wait_for(shown, 5, "the second machine")
        assert "Name" in shown()[0][NATIVE] and "State" not in shown()[0][NATIVE]
        wait_for(lambda: any("State" in signal.values[2] for signal in changes.signals), 5, "the change of state")
        assert not any("State" in signal.values[1] for signal in changes.signals)

    def test_a_rule_is_forgotten_when_it_goes(self, people, polkit):
        web = define(people["root"], definition("web"))
        theirs = Machine(people["bob"], web.path)
        polkit.rules("if (subject.user == 'bob') return polkit.Result.YES;")
        assert theirs.name == "web"
        assert theirs.name == "web"
        polkit.rules(FORBID_MALLORY)

        def refused():
            try:
                theirs.xml()
            except BusError:
                return True
            return False

        wait_for(refused, 2, "the answer to be forgotten")

    def test_own_machine_can_be_forbidden(self, people, polkit):
        web = define(people["alice"], definition("web"))
        polkit.rules("if (action.id == 'org.libvirt.api.domain.start' && subject.user == 'alice')"
                     " return polkit.Result.NO;")
        denied(web.create)
        assert web.state[0] == 5

    def test_denied_before_the_input_is_read(self, system_daemon, people, polkit):
        polkit.rules(FORBID_MALLORY)
        mallory = people["mallory"]
        before = system_daemon.resident_kib()
        bomb = ("<!DOCTYPE d [<!ENTITY a '" + "x" * 1000 + "'>" + "".join(
            f"<!ENTITY {chr(98 + i)} '{('&' + chr(97 + i) + ';') * 10}'>" for i in range(8)) + "]><domain>&i;</domain>")
        for text in ("<broken", bomb, "<a>" * 100000, definition("web")):
            error = denied(lambda text=text: mallory.call(QEMU, CONNECT, "DomainDefineXML", "s", text))
            assert "line" not in error.message.lower()
        assert list_machines(people["root"]) == []
        assert system_daemon.resident_kib() - before < 16384


def test_every_method_is_refused(system_daemon, people, polkit):
    """Each method of each native and old interface of a machine and of the driver: no one is open to mallory, and
    each answers for a machine that exists just as for one that does not."""
    from test_wire import interfaces_at

    web = define(people["root"], definition("web"))
    polkit.rules(FORBID_MALLORY)
    mallory = people["mallory"]
    samples = {"s": "x", "u": 0, "i": 0, "t": 0, "x": 0, "b": False, "d": 0.0, "o": "/", "h": 0, "a{sv}": {}}

    open_to_all, told_apart, tried = [], [], 0
    for interface, element in interfaces_at(people["root"], web.path).items():
        if not interface.startswith(("org.libvirt.", "org.virtbus1.")):
            continue
        for method in element.findall("method"):
            signature = "".join(a.get("type") for a in method.findall("arg") if a.get("direction", "in") == "in")
            answers = []
            for path in (web.path, path_of(UNUSED_UUID)):
                read_end, write_end = os.pipe()
                try:
                    mallory.call(path, interface, method.get("name"), signature,
                                 *(samples.get(t, []) for t in split_signature(signature)), fds=[read_end] if "h" in signature else None)
                    answers.append("allowed")
                except BusError as e:
                    answers.append((e.name, e.message.replace(path, "PATH").replace(web.uuid, "UUID")
                                    .replace(UNUSED_UUID, "UUID")))
                finally:
                    os.close(read_end)
                    os.close(write_end)
            tried += 1
            if "allowed" in answers:
                open_to_all.append(f"{interface}.{method.get('name')}")
            elif answers[0] != answers[1]:
                told_apart.append((f"{interface}.{method.get('name')}", answers))
    assert tried > 80
    assert open_to_all == [] and told_apart == []
    assert web.state[0] == 5 and web.name == "web"


def split_signature(signature):
    """The complete types of a signature."""
    found, i = [], 0
    while i < len(signature):
        end = i
        while signature[end] == "a":
            end += 1
        if signature[end] in "({":
            depth, end = 1, end + 1
            while depth:
                depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(signature[end], 0)
                end += 1
        else:
            end += 1
        found.append(signature[i:end])
        i = end
    return found


class TestQuestions:
    """Prompts: a person is asked, and may take any time."""

    ASK_BOB = "if (subject.user == 'bob') return polkit.Result.AUTH_ADMIN;"

    @pytest.fixture
    def asked(self, people, polkit):
        """A machine about which bob's calls need a password, and a maker of askers with their agents."""
        web = define(people["root"], definition("web"))
        polkit.rules("if (action.id == 'org.libvirt.api.domain.start' && subject.user == 'bob')"
                     " return polkit.Result.AUTH_ADMIN;",
                     "if (subject.user == 'bob') return polkit.Result.YES;")
        with contextlib.ExitStack() as stack:

            def ask(count):
                asker = Asker("bob", count, "org.libvirt", web.path, DOMAIN, "Create", "u", "0")
                stack.callback(asker.end)
                agent = Agent(asker)
                stack.callback(agent.end)
                return asker, agent

            yield web, ask

    def test_without_leave_to_ask(self, people, asked):
        web, _ask = asked
        denied(Machine(people["bob"], web.path).create)
        assert web.state[0] == 5

    def test_the_person_is_asked(self, asked):
        web, ask = asked
        asker, agent = ask(1)
        asker.tell()
        begun = agent.wait(lambda lines: [line for line in lines if line.startswith("BEGIN")])
        assert begun[0].split()[1] == "org.libvirt.api.domain.start"
        assert web.state[0] == 5

    def test_the_caller_leaves(self, system_daemon, people, asked):
        web, ask = asked
        asker, agent = ask(1)
        asker.tell()
        agent.wait(lambda lines: any(line.startswith("BEGIN") for line in lines))
        asker.process.kill()
        agent.wait(lambda lines: any(line.startswith("CANCEL") for line in lines))
        assert web.state[0] == 5
        web.create()  # no job of the one that left is in the way
        assert web.state[0] == RUNNING

    def test_two_hundred_questions(self, system_daemon, people, asked):
        """One user's open questions are capped and stand in nobody's way."""
        web, ask = asked
        asker, agent = ask(200)
        asker.tell()
        agent.wait(lambda lines: any(line.startswith("BEGIN") for line in lines))
        asker.wait(lambda lines: "ASKED" in lines)
        took = []
        mine = define(people["alice"], definition("mine"))
        for _ in range(20):
            started = time.monotonic()
            assert mine.name == "mine"
            mine.call("SetMetadata", "isssu", 1, "x", "", "", 0)
            took.append(time.monotonic() - started)
        fresh = system_daemon.client("alice")
        started = time.monotonic()
        assert list_machines(fresh) == [mine.path]  # a caller about whom nothing is remembered
        assert time.monotonic() - started < 0.5 * SCALE
        assert sorted(took)[len(took) // 2] < 0.05 * SCALE, took
        assert len(agent.said("BEGIN")) <= 8
        asker.process.kill()
        agent.wait(lambda lines: len([line for line in lines if line.startswith("CANCEL")])
                   >= len([line for line in lines if line.startswith("BEGIN")]))
        assert Machine(people["bob"], web.path).name == "web"  # bob himself goes on, too


class TestMachinesRights:
    """A machine has its owner's rights and no more."""

    def test_user_of_the_process(self, system_daemon, people, open_dir):
        fake = FakeQemu(open_dir)
        own = define(people["alice"], definition("own", emulator=fake.path))
        own.create()
        run = fake.runs()[-1]
        assert run["uid"] == uid("alice")
        assert run["gid"] == pwd.getpwnam("alice").pw_gid
        assert 0 not in run["groups"]
        own.destroy()

    def test_machines_of_root_have_no_rights(self, system_daemon, people, open_dir):
        for who in ("root", "libby"):
            fake = FakeQemu(open_dir)
            machine = define(people[who], definition("of-" + who, emulator=fake.path))
            machine.create()
            run = fake.runs()[-1]
            assert run["uid"] not in (0, uid("libby")) and run["gid"] != 0
            assert 0 not in run["groups"]
            machine.destroy()

    def test_real_qemu_is_confined(self, system_daemon, people):
        own = define(people["alice"], definition("own"))
        own.create()
        pid = pid_of(system_daemon, own)
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
        assert set(status["Uid"].split()) == {str(uid("alice"))}
        assert "0" not in status["Groups"].split()
        assert status["Seccomp"] == "2"
        assert int(status["CapEff"], 16) == 0 and int(status["CapPrm"], 16) == 0
        assert status["NoNewPrivs"] == "1"
        own.destroy()

    def test_no_descriptor_beyond_its_own(self, system_daemon, people, open_dir):
        fake = FakeQemu(open_dir)
        own = define(people["alice"], definition("own", emulator=fake.path))
        own.create()
        for fd, target in fake.runs()[-1]["fds"].items():
            assert int(fd) <= 2 or target.startswith(("socket:", "/proc/", "pipe:", "/dev/null")), (fd, target)
        sockets = [t for fd, t in fake.runs()[-1]["fds"].items() if t.startswith("socket:")]
        assert len(sockets) <= 1  # the monitor's
        own.destroy()

    def secret_is_safe(self, machine, secret, fake=None):
        """Starting fails, or the process cannot have read it: its own user may not."""
        before = secret.read_bytes()
        with contextlib.suppress(BusError):
            machine.create()
        if machine.get("Active"):
            machine.destroy()
        assert secret.read_bytes() == before
        assert secret.stat().st_uid == 0
        assert secret.stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize("what", ["disk", "disk-read-only", "kernel", "initrd", "serial-file", "rng", "loader",
                                      "cdrom"])
    def test_files_of_root(self, system_daemon, people, open_dir, what):
        with text_file(open_dir / "secret", "the secret\n" * 100, 0o600) as secret:
            devices, boot = "", ""
            if what.startswith("disk"):
                devices = disk(secret, read_only=what.endswith("only"))
            elif what == "cdrom":
                devices = (f"<disk type='file' device='cdrom'><source file='{secret}'/><target dev='sda' bus='sata'/>"
                           "<readonly/></disk>")
            elif what == "kernel":
                boot = f"<kernel>{secret}</kernel>"
            elif what == "initrd":
                boot = f"<kernel>/proc/self/exe</kernel><initrd>{secret}</initrd>"
            elif what == "serial-file":
                devices = f"<serial type='file'><source path='{secret}'/></serial>"
            elif what == "rng":
                devices = f"<rng model='virtio'><backend model='random'>{secret}</backend></rng>"
            elif what == "loader":
                boot = f"<loader readonly='yes' type='pflash'>{secret}</loader>"
            machine_type = "q35" if what in ("cdrom", "loader") else "pc"
            try:
                machine = define(people["alice"], definition("own", devices, boot=boot, machine=machine_type))
            except BusError:
                return  # refused at once: safe, too
            with pytest.raises(BusError) as e:
                machine.create()
            assert "the secret" not in e.value.message
            assert machine.state[0] == 5
            self.secret_is_safe(machine, secret)

    def test_emulator_is_run_as_the_owner(self, system_daemon, people, open_dir):
        """A definition may name any program: it gains nothing that its owner could not run himself."""
        with text_file(open_dir / "secret", "the secret\n", 0o600) as secret:
            with text_file(open_dir / "script", f"#!/bin/sh\nexec 2>&1\nid -u > {open_dir}/ran\ncat {secret} >> "
                                                f"{open_dir}/ran\n", 0o755) as script, \
                    text_file(open_dir / "ran", "", 0o666) as ran:
                with contextlib.suppress(BusError):
                    define(people["alice"], definition("own", emulator=script)).create()
                assert "the secret" not in ran.read_text()
                assert ran.read_text().split("\n")[0] in ("", str(uid("alice")))

    def test_emulator_of_a_plan_is_run_as_who_named_it(self, system_daemon, people, polkit, open_dir):
        """Who may read a machine may not do with its rights what comes to his mind."""
        polkit.rules("if (subject.user == 'bob' && (action.id == 'org.libvirt.api.domain.getattr' ||"
                     " action.id == 'org.libvirt.api.domain.read')) return polkit.Result.YES;")
        with text_file(open_dir / "script", f"#!/bin/sh\nid -u > {open_dir}/ran\n", 0o755) as script, \
                text_file(open_dir / "ran", "", 0o666) as ran:
            for who in ("alice", "libby"):
                machine = define(people[who], definition("of-" + who))
                people["bob"].call(machine.path, NATIVE, "Plan", "s", definition("of-" + who, emulator=script))
                assert ran.read_text().strip() == str(uid("bob"))

    def test_planted_link(self, system_daemon, people, open_dir):
        """A link that somebody else put in the way of root's machine is not followed to where root's rights count."""
        with text_file(open_dir / "secret", "the secret\n", 0o600) as secret:
            planted = open_dir / "disk.img"
            planted.symlink_to(secret)
            os.lchown(planted, uid("mallory"), uid("mallory"))
            for who in ("alice", "libby"):
                machine = define(people[who], definition("of-" + who, disk(planted)))
                with pytest.raises(BusError):
                    machine.create()
                self.secret_is_safe(machine, secret)

    def test_own_files_work(self, system_daemon, people, open_dir):
        image = open_dir / "alice.img"
        with text_file(image, "\0" * 65536, 0o600, uid("alice")):
            machine = define(people["alice"], definition("own", disk(image)))
            machine.create()
            assert machine.state[0] == RUNNING
            assert image.stat().st_uid == uid("alice") and image.stat().st_mode & 0o777 == 0o600
            machine.destroy()

    def test_console_that_leads_elsewhere_by_now(self, system_daemon, people, open_dir):
        """In the place of the socket is a link to one that its owner could not connect with: it hears of nobody."""
        own = open_dir / "alices"
        own.mkdir()
        os.chown(own, uid("alice"), -1)
        machine = define(people["alice"], definition("own", f"<serial type='unix'><source mode='bind' path='{own}/s'/></serial>"))
        machine.create()
        [fd] = people["alice"].send(machine.path, NATIVE, "OpenConsole", "su", "", 0).fds
        os.close(fd)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as roots:
            roots.bind(str(open_dir / "roots"))
            os.chmod(open_dir / "roots", 0o600)
            roots.listen()
            (own / "s").unlink()
            (own / "s").symlink_to(open_dir / "roots")
            denied(lambda: machine.call("OpenConsole", "su", "", 0, interface=NATIVE))
            with pytest.raises(BlockingIOError):
                roots.accept()
        machine.destroy()

    def test_console_of_another(self, system_daemon, people):
        own = define(people["alice"], definition("own", "<serial type='pty'/>"))
        own.create()
        theirs = Machine(people["bob"], own.path)
        with pytest.raises(BusError):
            theirs.call("OpenConsole", "su", "", 0, interface=NATIVE)
        with pytest.raises(BusError):
            theirs.call("OpenGraphicsFD", "uu", 0, 0)
        own.destroy()


class TestCan:
    def test_answers(self, people, polkit):
        web = define(people["root"], definition("web"))
        polkit.rules("if (action.id == 'org.libvirt.api.domain.start' && subject.user == 'bob')"
                     " return polkit.Result.AUTH_ADMIN;",
                     "if (action.id == 'org.libvirt.api.domain.stop' && subject.user == 'bob')"
                     " return polkit.Result.NO;",
                     "if (subject.user == 'bob') return polkit.Result.YES;")
        theirs = Machine(people["bob"], web.path)
        assert theirs.call("Can", "s", "Start", interface=NATIVE)[0] == "challenge"
        assert theirs.call("Can", "s", "Stop", interface=NATIVE)[0] == "no"
        answer, why = web.call("Can", "s", "Start", interface=NATIVE)
        assert (answer, why) == ("yes", "")
        answer, why = web.call("Can", "s", "Pause", interface=NATIVE)
        assert answer == "no" and "not running" in why
        answers = {"Undefine": "yes", "Rename": "yes", "org.libvirt.Domain.AttachDevice": "yes", "SetLink": "no",
                   "SendKey": "no", "ManagedSave": "no"}
        assert {method: web.call("Can", "s", method, interface=NATIVE)[0] for method in answers} == answers
        answer, why = web.call("Can", "s", "MigrateToURI3", interface=NATIVE)
        assert answer == "no" and "org.libvirt.Domain.MigrateToURI3: machines are not migrated" in why
        other = create_transient(people["root"], definition("other"))
        answers = {"Undefine": ("no", "transient"), "ManagedSave": ("no", "transient"), "Rename": ("no", "running"),
                   "Pause": ("yes", ""), "SendKey": ("yes", "")}
        for method, (answer, word) in answers.items():
            told = other.call("Can", "s", method, interface=NATIVE)
            assert told[0] == answer and word in told[1], method
        other.destroy()


def test_two_hundred_machines_of_others_are_listed_fast(people, polkit):
    """Lists ask polkit no question for each object."""
    alice, bob = people["alice"], people["bob"]
    for i in range(200):
        define(alice, definition(f"m{i}"))
    own = define(bob, definition("own"))
    started = time.monotonic()
    assert list_machines(bob) == [own.path]
    assert list_machines(bob, LIST_ACTIVE) == []
    assert len(list_machines(alice)) == 200
    assert time.monotonic() - started < 1.0 * SCALE


def deaf_peer(daemon, user, path):
    """A connection to the private socket that has called once, and reads nothing any more."""
    address = str(daemon.socket_path())
    peer = socket.socket(socket.AF_UNIX)
    with as_user(user):
        peer.connect(address)
    peer.settimeout(20)
    peer.sendall(b"\0AUTH EXTERNAL " + str(uid(user)).encode().hex().encode() + b"\r\n")
    assert peer.recv(512).startswith(b"OK")
    call = Gio.DBusMessage.new_method_call("org.libvirt", path, DOMAIN, "GetState")
    call.set_body(GLib.Variant("(u)", (0,)))
    call.set_serial(1)
    peer.sendall(b"BEGIN\r\n" + call.to_blob(Gio.DBusCapabilityFlags.NONE))
    assert peer.recv(4096)
    return peer


def test_who_does_not_listen_is_thrown_off(system_daemon, people):
    """What is told on the private socket and not read would stay in the daemon's memory."""
    machine = define(people["alice"], definition("web", kind="test"), driver="/org/libvirt/Test")
    machine.create()
    good = Machine(system_daemon.peer("alice"), machine.path)
    assert good.state[0] == RUNNING
    with deaf_peer(system_daemon, "alice", machine.path) as deaf:
        ended, deadline = select.poll(), time.monotonic() + 60
        ended.register(deaf, select.POLLHUP)
        while not any(events & select.POLLHUP for _, events in ended.poll(0)):
            assert time.monotonic() < deadline, "it is not thrown off"
            calls = [machine.begin(member) for _ in range(25) for member in ("Suspend", "Resume")]
            wait_for(lambda: all(c.done for c in calls), 30)  # noqa: B023
    wait_for(lambda: "does not read its signals" in system_daemon.read_log(), 10)
    assert good.state[0] == RUNNING


def test_descriptors_of_one_are_not_those_of_all(system_daemon, people):
    """What comes with calls that wait is open meanwhile: nobody takes all that the daemon may have."""
    resource.prlimit(system_daemon.process.pid, resource.RLIMIT_NOFILE, (1200, 4096))
    machine = define(people["alice"], definition("web", kind="test"), driver=TEST)
    alice, bob = system_daemon.peer("alice"), system_daemon.peer("bob")
    with open("/dev/null", "rb") as null, HeldJob(people["root"], machine.path):
        files = [null.fileno()] * 40
        calls = [alice.begin(machine.path, DOMAIN, "SetMetadata", "isssu", 1, "x", "", "", 2, fds=files) for _ in range(60)]
        wait_for(lambda: sum(c.done for c in calls) >= 30, 20)
        assert 700 < system_daemon.fd_count() < 1000
        assert all("short of descriptors" in str(c.error) for c in calls if c.done)
        assert bob.call(TEST, CONNECT, "ListDomains", "u", 0, fds=files) == []
        define(people["bob"], definition("b", kind="test"), driver=TEST)
    wait_for(lambda: all(c.done for c in calls), 30)
    assert system_daemon.fd_count() < 200
    alice.call(machine.path, DOMAIN, "SetMetadata", "isssu", 1, "x", "", "", 2)
