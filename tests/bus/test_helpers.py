"""What is started beside QEMU: swtpm and virtiofsd."""

import os
import pathlib
import signal

import pytest
from gi.repository import GLib

from harness import BusError, wait_for
from machines import NATIVE, SHUTOFF, create_transient, define, definition, list_machines
from networks import instead_of

SECRET_UUID = "0a81f5b2-8403-7b23-c8d6-21ccc2f80d6e"
TPM, KEEP_TPM = 32, 64
ENCRYPTED = (f"<backend type='emulator' version='2.0'><encryption secret='{SECRET_UUID}'/>"
             "<active_pcr_banks><sha256/></active_pcr_banks></backend>")
SHARED = "<memoryBacking><access mode='shared'/></memoryBacking>"


def tpm(backend="<backend type='emulator' version='2.0'/>", model="tpm-crb"):
    return f"<tpm model='{model}'>{backend}</tpm>"


def folder(path, attributes="", tag="share"):
    return (f"<filesystem type='mount'><driver type='virtiofs'/>{attributes}<source dir='{path}'/>"
            f"<target dir='{tag}'/></filesystem>")


def processes(root_dir, name):
    """Those of that program that carry the tag of a run below root_dir."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            line, environment = (entry / "cmdline").read_bytes().split(b"\0"), (entry / "environ").read_bytes()
        except OSError:
            continue
        if os.path.basename(line[0]) == name.encode() and f"VIRTBUS_RUN={root_dir}/".encode() in environment:
            found.append(int(entry.name))
    return found


def define_secret(client):
    path = client.call("/org/libvirt/QEMU", "org.libvirt.Connect", "SecretDefineXML", "su",
                       f"<secret private='yes'><uuid>{SECRET_UUID}</uuid>"
                       "<usage type='vtpm'><name>web</name></usage></secret>", 0)
    client.call(path, "org.libvirt.Secret", "SetValue", "ayu", b"passphrase", 0)
    return path


def uid_of(pid):
    return int(next(line for line in open(f"/proc/{pid}/status") if line.startswith("Uid:")).split()[1])


def state(root_dir):
    return [path for path in pathlib.Path(root_dir).rglob("tpm2-00.permall") if path.is_file()]


def refused(call, *arguments, words=""):
    with pytest.raises(BusError) as e:
        call(*arguments)
    assert words in e.value.message, e.value.message


@pytest.mark.qemu
class TestTpm:
    def test_it_lives_with_its_machine(self, client, root_dir):
        machine = define(client, definition("web", tpm(), machine="q35"))
        machine.create()
        assert len(processes(root_dir, "swtpm")) == 1
        [file] = state(root_dir)
        assert file.stat().st_mode & 0o077 == 0
        machine.destroy()
        wait_for(lambda: not processes(root_dir, "swtpm"))
        before = file.read_bytes()
        machine.create()
        machine.destroy()
        assert file.exists() and len(file.read_bytes()) == len(before)
        for options, fate in (({}, "removed"), ({"tpm": GLib.Variant("b", False)}, "kept")):
            assert tuple(machine.call("PlanUndefine", "a{sv}", options, interface=NATIVE)[-1]) == \
                ("tpm", str(file.parent), fate)
        machine.undefine()
        assert state(root_dir) == []

    def test_what_becomes_of_that_of_a_machine_that_runs(self, daemon, client, root_dir):
        """It is needed until the end, and what was said of it when the definition was forgotten counts then."""
        kept = "<backend type='emulator' version='2.0' persistent_state='yes'/>"
        for backend, flags, stays in ((kept, TPM, False), ("<backend type='emulator' version='2.0'/>", KEEP_TPM, True)):
            machine = define(client, definition("web", tpm(backend), machine="q35"))
            machine.create()
            machine.undefine(flags)
            daemon.kill()
            daemon.start()
            assert state(root_dir)
            machine.destroy()
            assert bool(state(root_dir)) == stays

    def test_the_plan_goes_by_the_run(self, client, root_dir):
        """The definition of the next run says nothing of what is left of this one."""
        def said(answer):
            return tpm(f"<backend type='emulator' version='2.0' persistent_state='{answer}'/>")

        machine = define(client, definition("web", said("yes"), machine="q35"))
        machine.create()
        define(client, definition("web", said("no"), machine="q35", domain_uuid=machine.uuid))
        assert machine.call("PlanUndefine", "a{sv}", {}, interface=NATIVE)[-1][::2] == ("tpm", "kept")
        machine.undefine()
        machine.destroy()
        assert state(root_dir)

    def test_it_survives_the_daemon_and_ends_with_the_machine(self, daemon, client, root_dir):
        machine = define(client, definition("web", tpm(model="tpm-tis"), machine="q35"))
        machine.create()
        pids = processes(root_dir, "swtpm")
        daemon.kill()
        daemon.start()
        wait_for(lambda: machine.get("State", NATIVE) == "running")
        assert processes(root_dir, "swtpm") == pids
        machine.destroy()
        wait_for(lambda: not processes(root_dir, "swtpm"))

    def test_undefine_may_keep_it(self, client, root_dir):
        machine = define(client, definition("web", tpm(), machine="q35"))
        machine.create()
        machine.destroy()
        machine.undefine(KEEP_TPM)
        assert len(state(root_dir)) == 1

    def test_one_that_was_kept_survives_a_machine_without_any(self, client, root_dir):
        machine = define(client, definition("web", tpm(), machine="q35"))
        number = machine.uuid
        machine.create()
        machine.destroy()
        machine.undefine(KEEP_TPM)
        create_transient(client, definition("web", machine="q35", domain_uuid=number)).destroy()
        wait_for(lambda: list_machines(client) == [], timeout=20)
        assert len(state(root_dir)) == 1

    def test_a_transient_machine_that_does_not_start_leaves_none(self, client, root_dir):
        """And takes none along that is an earlier machine's."""
        devices = tpm() + folder(root_dir / "none")
        refused(create_transient, client, definition("web", devices, machine="q35", extra=SHARED), words="virtiofsd")
        assert state(root_dir) == []
        machine = define(client, definition("web", tpm(), machine="q35"))
        number = machine.uuid
        machine.create()
        machine.destroy()
        machine.undefine(KEEP_TPM)
        refused(create_transient, client, definition("web", devices, machine="q35", extra=SHARED, domain_uuid=number),
                words="virtiofsd")
        assert len(state(root_dir)) == 1

    def test_a_transient_machine_takes_it_along(self, client, root_dir):
        machine = create_transient(client, definition("web", tpm(), machine="q35"))
        assert len(state(root_dir)) == 1
        machine.destroy()
        wait_for(lambda: state(root_dir) == [])

    def test_the_end_of_one_spares_the_next_of_its_uuid(self, client, root_dir):
        """What is left of a run is killed after a while, by a tag that the next run of that UUID has, too."""
        other = create_transient(client, definition("other", tpm(), machine="q35"))
        [held] = processes(root_dir, "swtpm")
        os.kill(held, signal.SIGSTOP)
        xml = definition("web", tpm(), machine="q35", domain_uuid=SECRET_UUID)
        create_transient(client, xml).destroy()
        other.destroy()
        machine = create_transient(client, xml)
        pids = processes(root_dir, "qemu-system-x86_64")
        wait_for(lambda: held not in processes(root_dir, "swtpm"), timeout=15)
        assert len(pids) == 1 and processes(root_dir, "qemu-system-x86_64") == pids
        assert machine.get("State", NATIVE) == "running"
        machine.destroy()

    def test_a_transient_machine_that_begins_anew_has_it_still(self, client, root_dir):
        xml = definition("web", tpm(), machine="q35", extra="<on_poweroff>restart</on_poweroff>")
        machine = create_transient(client, xml)
        [file], [pid] = state(root_dir), processes(root_dir, "qemu-system-x86_64")
        inode = file.parent.stat().st_ino
        os.kill(pid, signal.SIGTERM)
        wait_for(lambda: processes(root_dir, "qemu-system-x86_64") not in ([], [pid]), timeout=20)
        wait_for(lambda: machine.get("State", NATIVE) == "running", timeout=20)
        assert file.exists() and file.parent.stat().st_ino == inode
        machine.destroy()
        wait_for(lambda: state(root_dir) == [])

    def test_it_goes_when_the_machine_does_not_begin_anew(self, client, root_dir):
        path = define_secret(client)
        xml = definition("web", tpm(ENCRYPTED), machine="q35", extra="<on_poweroff>restart</on_poweroff>")
        create_transient(client, xml)
        client.call(path, "org.libvirt.Secret", "Undefine", "")
        [pid] = processes(root_dir, "qemu-system-x86_64")
        os.kill(pid, signal.SIGTERM)
        wait_for(lambda: list_machines(client) == [], timeout=20)
        assert state(root_dir) == []

    def test_its_state_is_encrypted_with_a_secret(self, client, root_dir):
        machine = define(client, definition("web", tpm(ENCRYPTED), machine="q35"))
        refused(machine.create, words="There is no secret with UUID")
        path = define_secret(client)
        machine.create()
        machine.destroy()
        client.call(path, "org.libvirt.Secret", "SetValue", "ayu", b"another", 0)
        with pytest.raises(BusError):
            machine.create()
        assert machine.state[0] == SHUTOFF

    @pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
    def test_one_that_a_daemon_was_killed_in_is_made_anew(self, daemon, client, root_dir, tmp_path):
        begun = tmp_path / "begun"
        machine = define(client, definition("web", tpm(), machine="q35"))
        with instead_of("swtpm_setup", "while [ $1 != --tpmstate ]; do shift; done; echo half > $2/tpm2-00.permall; "
                        f"sleep infinity & touch {begun}; wait", tmp_path):
            machine.begin("Create", "u", 0)
            wait_for(begun.exists, timeout=30)
            daemon.kill()
        assert [file.read_text() for file in state(root_dir)] == ["half\n"]
        daemon.start()
        wait_for(lambda: not processes(root_dir, "sleep"), timeout=30)
        machine.create()
        [file] = state(root_dir)
        assert file.parent.name == "tpm" and len(file.read_bytes()) > 1000
        machine.destroy()

    def test_what_the_host_lacks_is_said(self, client):
        machine = define(client, definition("web", tpm("<backend type='passthrough'><device path='/dev/tpm77'/>"
                                                       "</backend>", "tpm-tis"), machine="q35"))
        refused(machine.create, words="/dev/tpm77")


@pytest.mark.qemu
class TestFolders:
    def test_it_is_served(self, client, root_dir):
        machine = define(client, definition("web", folder(root_dir), machine="q35", extra=SHARED))
        machine.create()
        assert processes(root_dir, "virtiofsd")
        machine.destroy()
        wait_for(lambda: not processes(root_dir, "virtiofsd"))

    def test_memory_must_be_shared(self, client, root_dir):
        machine = define(client, definition("web", folder(root_dir), machine="q35"))
        refused(machine.create, words="<access mode='shared'/>")

    def test_a_folder_that_is_not_there(self, client, root_dir):
        machine = define(client, definition("web", folder(root_dir / "none"), machine="q35", extra=SHARED))
        refused(machine.create, words="virtiofsd")
        assert machine.state[0] == SHUTOFF

    def test_a_start_ends_what_the_last_one_left(self, client, root_dir):
        machine = define(client, definition("web", folder(root_dir), machine="q35", extra=SHARED))
        machine.create()
        pids = processes(root_dir, "virtiofsd")
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        machine.destroy()
        machine.create()
        assert not set(pids) & set(processes(root_dir, "virtiofsd"))
        machine.destroy()


@pytest.mark.qemu
@pytest.mark.system
class TestRights:
    def test_they_run_as_the_owner(self, system_daemon, root_dir):
        import pwd

        alice = system_daemon.client("alice")
        shared = root_dir / "alices"
        shared.mkdir()
        os.chown(shared, pwd.getpwnam("alice").pw_uid, pwd.getpwnam("alice").pw_gid)
        machine = define(alice, definition("own", tpm() + folder(shared), machine="q35", extra=SHARED))
        machine.create()
        expected = {pwd.getpwnam("alice").pw_uid}
        assert {uid_of(pid) for name in ("swtpm", "virtiofsd") for pid in processes(root_dir, name)} == expected
        machine.destroy()
        machine = define(system_daemon.client(), definition("shared", tpm() + folder(shared), machine="q35",
                                                            extra=SHARED))
        machine.create()
        assert 0 not in {uid_of(pid) for pid in processes(root_dir, "swtpm")}
        machine.destroy()
        assert machine.state[0] == SHUTOFF
