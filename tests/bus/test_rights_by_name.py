"""Rules of polkit's go by names: what it says of one name holds for no other, whatever is renamed, goes or comes meanwhile."""

import pytest
from gi.repository import GLib

from every_kind import TEST, HeldJob
from harness import wait_for
from machines import CONNECT, DOMAIN, NATIVE, QEMU, RUNNING, Machine, define, definition
from test_rights import UNUSED_UUID, denied, people  # noqa: F401

pytestmark = pytest.mark.system
GET_ALL = ("org.freedesktop.DBus.Properties", "GetAll", "s")


class TestNames:
    @staticmethod
    def meanwhile(polkit, folder, action, begin, change):
        """The call of alice's when its rights have been thought about as long as it took to change something."""
        for each in (folder, *folder.parents[:2]):
            each.chmod(0o777)
        wait = f"touch {folder}/asked; n=0; while [ ! -e {folder}/go ] && [ $n -lt 90 ]; do sleep 0.1; n=$((n+1)); done"
        polkit.rules("if (subject.user != 'alice' || action.lookup('domain_name') != 'web') return;"
                     f"if (action.id == 'org.libvirt.api.domain.{action}') polkit.spawn(['/bin/sh', '-c', '{wait}']);"
                     "return polkit.Result.YES;")
        call = begin()
        wait_for((folder / "asked").exists, 20)
        change()
        (folder / "go").touch()
        wait_for(lambda: call.done, 20)
        return call

    @pytest.mark.parametrize("action,call", [("start", (DOMAIN, "Create", "u", 0)), ("getattr", (*GET_ALL, DOMAIN))])
    def test_renamed_while_polkit_thinks(self, people, polkit, tmp_path, action, call):
        machine = define(people["root"], definition("web", kind="test"), driver=TEST)
        call = self.meanwhile(polkit, tmp_path, action, lambda: people["alice"].begin(machine.path, *call),
                              lambda: machine.call("Rename", "su", "db", 0))
        assert "renamed" in str(call.error)
        assert machine.state[0] == 5

    @pytest.mark.parametrize("interface", [NATIVE, DOMAIN])
    def test_gone_while_polkit_thinks(self, people, polkit, tmp_path, interface):
        machine = define(people["root"], definition("web", kind="test"), driver=TEST)
        call = self.meanwhile(polkit, tmp_path, "read", lambda: people["alice"].begin(machine.path, *GET_ALL, interface),
                              machine.undefine)
        if interface == NATIVE:
            assert call.error.name == "org.virtbus1.Error.NoDomain"
        else:
            assert call.result().values == ({},)

    def test_defined_while_polkit_thinks(self, people, polkit, tmp_path):
        xml = definition("web", kind="test", domain_uuid=UNUSED_UUID)
        made = []
        call = self.meanwhile(polkit, tmp_path, "write", lambda: people["alice"].begin(TEST, CONNECT, "DomainDefineXML", "s", xml),
                              lambda: made.append(define(people["root"], xml, driver=TEST)))
        assert "came while rights were asked for" in str(call.error)
        assert [machine.get("Owner", NATIVE) for machine in made] == [0]

    def test_renamed_while_turns_are_waited_for(self, people, polkit, root_dir):
        polkit.rules("if (subject.user == 'alice' && action.lookup('domain_name') == 'web') return polkit.Result.YES;")
        machine = define(people["root"], definition("web", kind="test"), driver=TEST)
        alice = people["alice"]
        xml = machine.xml().replace("<name>web<", "<name>db<")
        with HeldJob(people["root"], machine.path):
            rename = machine.begin("Rename", "su", "db", 0)
            machine.xml()  # the first that waits
            calls = [alice.begin(machine.path, DOMAIN, "Create", "u", 0),
                     alice.begin(machine.path, "org.freedesktop.DBus.Properties", "Set", "ssv", NATIVE, "Autostart", GLib.Variant("b", True)),
                     alice.begin(TEST, CONNECT, "DomainDefineXML", "s", xml)]
            for _ in range(8):  # polkit answers in turn, and the daemon asks on: each time the calls are one question further
                polkit.check(alice.name, "org.libvirt.api.domain.read")
                alice.ping()
            assert not any(c.done for c in (rename, *calls))
        wait_for(lambda: rename.done and all(c.done for c in calls), 20)
        assert rename.error is None and machine.name == "db"
        for call in calls:
            assert "name" in str(call.error), call.error
        assert machine.state[0] == 5 and people["root"].get(machine.path, NATIVE, "Autostart") is False

    @pytest.mark.parametrize("driver", [TEST, pytest.param(QEMU, marks=pytest.mark.qemu)])
    def test_restored_over_another(self, people, polkit, root_dir, driver):
        """A member of the group who may not start a machine does not start it by a file either."""
        kind = "test" if driver == TEST else "qemu"
        machine = define(people["root"], definition("web", kind=kind), driver=driver)
        other = define(people["root"], definition("other", kind=kind), driver=driver)
        for each in (machine, other):
            each.create()
            each.call("Save", "ssu", str(root_dir / each.name), "", 0)
        polkit.rules("if (subject.user == 'libby' && action.id == 'org.libvirt.api.domain.start' &&"
                     "    action.lookup('domain_name') == 'web') return polkit.Result.NO;")
        libby = people["libby"]
        denied(lambda: Machine(libby, machine.path).create())
        denied(lambda: libby.call(driver, CONNECT, "DomainRestore", "ssu", str(root_dir / "web"), "", 0))
        assert machine.state[0] == 5
        machine.undefine()
        denied(lambda: libby.call(driver, CONNECT, "DomainRestore", "ssu", str(root_dir / "web"), "", 0))
        libby.call(driver, CONNECT, "DomainRestore", "ssu", str(root_dir / "other"), "", 0)
        assert other.state[0] == RUNNING
        other.destroy()

    def test_an_interface_by_its_xml(self, people, polkit):
        polkit.rules("if (subject.user == 'libby' && action.id == 'org.libvirt.api.interface.write' &&"
                     "    action.lookup('interface_name') == 'eth1') return polkit.Result.NO;")
        xml = "<interface type='ethernet' name='{}'/>"
        denied(lambda: people["libby"].call(TEST, CONNECT, "InterfaceDefineXML", "su", xml.format("eth1"), 0))
        people["libby"].call(TEST, CONNECT, "InterfaceDefineXML", "su", xml.format("eth7"), 0)
        denied(lambda: people["libby"].call(TEST, CONNECT, "InterfaceDefineXML", "su", xml.format("eth1"), 0))
