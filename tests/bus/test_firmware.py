"""Firmware that is chosen by QEMU's descriptions, and its variables."""

import os
import pathlib
import pwd

import pytest
from gi.repository import GLib

from harness import BusError
from machines import NATIVE, SHUTOFF, START_PAUSED, create_transient, define, definition

RESET_NVRAM = 32
NVRAM, KEEP_NVRAM = 4, 8


def efi(name="web", features="", loader="", machine="q35", nvram=""):
    xml = definition(name, machine=machine, memory_kib=131072)
    firmware = f"<firmware>{features}</firmware>" if features else ""
    return xml.replace("<os>", "<os firmware='efi'>").replace("</os>", f"{firmware}{loader}{nvram}</os>")


def feature(name, enabled):
    return f"<feature name='{name}' enabled='{enabled}'/>"


def variables(root_dir):
    return [path for path in pathlib.Path(root_dir).rglob("*") if "/nvram/" in str(path) and path.is_file()]


def refused(call, *arguments, words=""):
    with pytest.raises(BusError) as e:
        call(*arguments)
    assert words in e.value.message, e.value.message


@pytest.mark.qemu
class TestChoice:
    def test_it_is_shown_while_it_runs(self, client, root_dir):
        machine = define(client, efi(features=feature("secure-boot", "no")))
        assert machine.tree().find("os/loader") is None
        machine.create(START_PAUSED)
        os_element = machine.tree().find("os")
        assert os_element.findtext("loader") == "/usr/share/OVMF/OVMF_CODE_4M.fd"
        assert os_element.find("loader").attrib == {"readonly": "yes", "type": "pflash"}
        assert os_element.find("nvram").get("template") == "/usr/share/OVMF/OVMF_VARS_4M.fd"
        [file] = variables(root_dir)
        assert os_element.findtext("nvram") == str(file)
        assert file.read_bytes() == pathlib.Path("/usr/share/OVMF/OVMF_VARS_4M.fd").read_bytes()
        assert file.stat().st_mode & 0o777 == 0o600
        machine.destroy()
        assert machine.tree().find("os/loader") is None

    def test_secure_boot(self, client):
        machine = define(client, efi(features=feature("secure-boot", "yes") + feature("enrolled-keys", "yes")))
        machine.create(START_PAUSED)
        tree = machine.tree()
        assert tree.find("os/loader").get("secure") == "yes"
        assert tree.findtext("os/loader") == "/usr/share/OVMF/OVMF_CODE_4M.ms.fd"
        assert tree.find("features/smm").get("state") == "on"
        machine.destroy()

    def test_what_no_image_can_do_is_said(self, client):
        machine = define(client, efi(features=feature("secure-boot", "yes"), machine="pc"))
        refused(machine.create, words="No EFI firmware of this host")
        assert machine.state[0] == SHUTOFF


@pytest.mark.qemu
class TestVariables:
    def test_they_stay_until_they_are_reset(self, client, root_dir):
        machine = define(client, efi(features=feature("secure-boot", "no")))
        machine.create(START_PAUSED)
        machine.destroy()
        [file] = variables(root_dir)
        template = file.read_bytes()
        file.write_bytes(template[:-4] + b"mine")
        machine.create(START_PAUSED)
        machine.destroy()
        assert file.read_bytes().endswith(b"mine")
        machine.create(START_PAUSED | RESET_NVRAM)
        machine.destroy()
        assert file.read_bytes() == template

    def test_those_of_another_firmware_are_not_run_with_this_one(self, client, root_dir):
        """An upgrade may have brought an image with another size of variables; a rename must not hide them."""
        machine = define(client, efi(features=feature("secure-boot", "no")))
        machine.create(START_PAUSED)
        machine.destroy()
        [file] = variables(root_dir)
        file.write_bytes(b"mine" * 1024)
        machine.call("Rename", "su", "other", 0)
        file = file.with_name("other_VARS.fd")
        refused(machine.create, words=f"The firmware variables {file} are of format raw and 4096 bytes, and the firmware "
                                      "of this host that <os> asks for, /usr/share/OVMF/OVMF_CODE_4M.fd, needs")
        assert file.read_bytes() == b"mine" * 1024
        machine.create(START_PAUSED | RESET_NVRAM)
        machine.destroy()
        assert file.read_bytes() == pathlib.Path("/usr/share/OVMF/OVMF_VARS_4M.fd").read_bytes()

    def test_they_are_found_after_a_rename(self, client, root_dir):
        machine = define(client, efi(features=feature("secure-boot", "no")))
        machine.create(START_PAUSED)
        machine.destroy()
        [file] = variables(root_dir)
        file.write_bytes(file.read_bytes()[:-4] + b"mine")
        machine.call("Rename", "su", "other", 0)
        machine.create(START_PAUSED)
        machine.destroy()
        [file] = variables(root_dir)
        assert file.name == "other_VARS.fd" and file.read_bytes().endswith(b"mine")

    def test_undefine_says_what_becomes_of_them(self, client, root_dir):
        xml = efi(features=feature("secure-boot", "no"))
        machine = define(client, xml)
        machine.create(START_PAUSED)
        machine.destroy()
        refused(machine.undefine, words="has firmware variables")
        for options, fate in (({}, "removed"), ({"nvram": GLib.Variant("b", False)}, "kept")):
            planned = machine.call("PlanUndefine", "a{sv}", options, interface=NATIVE)
            assert [t for t in planned if t[0] == "nvram"] == [("nvram", str(variables(root_dir)[0].parent), fate)]
        refused(machine.undefine, NVRAM | KEEP_NVRAM, words="both")
        machine.undefine(KEEP_NVRAM)
        assert len(variables(root_dir)) == 1
        number = variables(root_dir)[0].parent.parent.name
        machine = define(client, xml.replace("<memory", f"<uuid>{number}</uuid><memory", 1))
        machine.undefine(NVRAM)
        assert variables(root_dir) == []
        assert not list(pathlib.Path(root_dir).rglob(number))

    def test_a_file_of_ones_own(self, client, root_dir):
        file = root_dir / "own.fd"
        machine = define(client, efi(nvram=f"<nvram>{file}</nvram>"))
        machine.create(START_PAUSED)
        assert file.stat().st_size > 100000 and not list(root_dir.glob("*.new"))
        machine.destroy()
        refused(machine.undefine, words="has firmware variables")
        assert ("nvram", str(file), "removed") in machine.call("PlanUndefine", "a{sv}", {}, interface=NATIVE)
        machine.undefine(NVRAM)
        assert not file.exists()

    def test_a_template_that_is_not_there(self, client, root_dir):
        machine = define(client, efi(nvram=f"<nvram template='{root_dir}/none'>{root_dir}/own.fd</nvram>"))
        refused(machine.create, words=f"{root_dir}/none")
        assert not (root_dir / "own.fd").exists()

    def test_a_link_in_the_place_of_the_file_is_not_written_to(self, client, root_dir):
        file, template, other = root_dir / "own.fd", root_dir / "template", root_dir / "other"
        template.write_bytes(b"x" * 1024)
        other.write_bytes(b"mine")
        file.symlink_to(other)
        machine = define(client, efi(nvram=f"<nvram template='{template}'>{file}</nvram>"))
        refused(machine.create, START_PAUSED | RESET_NVRAM, words="no regular file")
        assert other.read_bytes() == b"mine" and file.is_symlink()


@pytest.mark.qemu
@pytest.mark.system
class TestRights:
    def test_of_shared_machines_they_are_roots(self, system_daemon, root_dir):
        machine = define(system_daemon.client(), efi(features=feature("secure-boot", "no")))
        machine.create(START_PAUSED)
        [file] = variables(root_dir)
        assert file.stat().st_uid == 0
        machine.destroy()

    def test_a_users_template_is_read_with_the_users_rights(self, system_daemon, root_dir):
        alice = system_daemon.client("alice")
        secret = root_dir / "secret"
        secret.write_bytes(b"x" * 540672)
        secret.chmod(0o600)
        refused(create_transient, alice, efi(nvram=f"<nvram template='{secret}'/>"), words="Permission denied")
        assert variables(root_dir) == []
        machine = define(alice, efi())
        machine.create(START_PAUSED)
        [file] = variables(root_dir)
        assert file.stat().st_uid == pwd.getpwnam("alice").pw_uid
        machine.destroy()
        machine.undefine(NVRAM)
        assert variables(root_dir) == []

    def test_a_users_file_is_made_with_the_users_rights(self, system_daemon, root_dir):
        folder = root_dir / "roots"
        folder.mkdir(mode=0o755)
        machine = define(system_daemon.client("alice"), efi(nvram=f"<nvram>{folder}/a.fd</nvram>"))
        refused(machine.create, words="ermission denied")
        assert os.listdir(folder) == []

    def test_of_shared_machines_they_go_over_no_planted_link(self, system_daemon, root_dir):
        """Root's rights would reach behind it."""
        behind, link = root_dir / "roots", root_dir / "link"
        behind.mkdir(mode=0o700)
        (behind / "template").write_bytes(b"x" * 1024)
        link.symlink_to(behind)
        os.lchown(link, pwd.getpwnam("mallory").pw_uid, -1)
        root = system_daemon.client()
        for name, nvram in (("a", f"<nvram template='{link}/template'>{root_dir}/a.fd</nvram>"),
                            ("b", f"<nvram template='{behind}/template'>{link}/b.fd</nvram>")):
            machine = define(root, efi(name, nvram=nvram))
            refused(machine.create, words="it is not followed")
            machine.undefine(NVRAM)
        assert os.listdir(behind) == ["template"] and not (root_dir / "a.fd").exists()

    def test_what_a_user_keeps_is_not_anothers_by_its_uuid(self, system_daemon, root_dir):
        alice, bob = system_daemon.client("alice"), system_daemon.client("bob")
        machine = define(alice, efi())
        machine.create(START_PAUSED)
        machine.destroy()
        number = machine.uuid
        machine.undefine(KEEP_NVRAM)
        [file] = variables(root_dir)
        xml = efi().replace("<memory", f"<uuid>{number}</uuid><memory", 1)
        refused(define, bob, xml, words="another user's machine")
        refused(create_transient, bob, xml, words="another user's machine")
        assert file.parent.stat().st_uid == pwd.getpwnam("alice").pw_uid
        define(alice, xml).undefine(NVRAM)
        assert variables(root_dir) == []
        define(bob, xml)
