"""Devices change where they are, while the machine runs; both the machine and its definition change, or neither; and a
daemon that is killed in the middle leaves the truth to the next one."""

import contextlib
import json
import os
import pathlib
import random
import signal
import subprocess
import time
from xml.etree import ElementTree

import pytest
from gi.repository import GLib

from daemon import preloaded
from filtered import rules
from harness import BusError, wait_for
from machines import (
    AFFECT_CONFIG, AFFECT_LIVE, CONNECT, DOMAIN, QEMU, SECOND_MONITOR, SHUTOFF, XML_INACTIVE, Monitor, define, definition, disk,
    pid_of, with_second_monitor)
from networks import held_between
from test_hotplug import BOTH, USER, aliases, attach, detach, image, refused, targets, web  # noqa: F401: fixtures

pytestmark = pytest.mark.qemu
in_namespace = pytest.mark.skipif(not os.environ.get("VIRTBUS_NAMESPACE"), reason="only inside tests/bus/run, started as root")
CDROM = ("<disk type='file' device='cdrom'><driver name='qemu' type='raw'/>{}<target dev='sdb' bus='sata'/>"
         "<readonly/></disk>")


def update(machine, xml, flags=0):
    machine.call("UpdateDevice", "su", xml, flags)


def run(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


@in_namespace
class TestInterfaces:
    @pytest.fixture(autouse=True)
    def bridges(self):
        for name in ("upone", "uptwo"):
            run("ip", "link", "add", name, "type", "bridge")
        yield
        for name in ("upone", "uptwo"):
            run("ip", "link", "del", name)
        subprocess.run(["nft", "delete", "table", "bridge", "virtbus"], check=False, capture_output=True)

    def card(self, content="", bridge="upone"):
        return USER.format(1).replace("'user'>", f"'bridge'><source bridge='{bridge}'/>").replace(
            "</interface>", content + "</interface>")

    def ports(self, bridge):
        return [port.name for port in pathlib.Path(f"/sys/class/net/{bridge}/brif").iterdir()]

    def isolated(self, tap):
        return pathlib.Path(f"/sys/class/net/{tap}/brport/isolated").read_text().strip() == "1"

    @pytest.fixture
    def guest(self, client):
        machine = define(client, definition("web", self.card()))
        machine.create()
        return machine

    def test_goes_to_another_bridge(self, daemon, client, guest):
        tap = guest.tree().find("devices/interface/target").get("dev")
        update(guest, self.card("<port isolated='yes'/>", "uptwo"), AFFECT_LIVE)
        assert (self.ports("upone"), self.ports("uptwo"), self.isolated(tap)) == ([], [tap], True)
        assert guest.tree().find("devices/interface/source").get("bridge") == "uptwo"
        assert guest.tree(XML_INACTIVE).find("devices/interface/source").get("bridge") == "upone"
        daemon.restart()
        assert guest.tree().find("devices/interface/source").get("bridge") == "uptwo"
        update(guest, self.card(bridge="uptwo"), AFFECT_LIVE)
        assert self.ports("uptwo") == [tap] and not self.isolated(tap)
        refused(guest, "UpdateDevice", self.card(bridge="nowhere"), BOTH, "nowhere")
        assert self.ports("uptwo") == [tap]

    def test_goes_to_a_network(self, client, guest):
        for name, number in (("upnet", 91), ("upnet2", 92)):
            client.call(QEMU, CONNECT, "NetworkDefineXML", "s",
                        f"<network><name>{name}</name><bridge name='{name}'/><ip address='10.78.{number}.1' "
                        "netmask='255.255.255.0'/></network>")
        for name in ("upnet", "upnet2"):
            net = self.card().replace("'bridge'><source bridge='upone'/>", f"'network'><source network='{name}'/>")
            update(guest, net, BOTH)
            tap = guest.tree().find("devices/interface/target").get("dev")
            assert (self.ports("upone"), self.ports(name)) == ([], [tap])
            assert guest.tree(XML_INACTIVE).find("devices/interface/source").get("network") == name
        ports = {n: client.get(client.call(QEMU, CONNECT, "NetworkLookupByName", "s", n), "org.virtbus1.Network", "Ports")
                 for n in ("upnet", "upnet2")}
        assert not ports["upnet"] and len(ports["upnet2"]) == 1
        for name in ("upnet", "upnet2"):
            path = client.call(QEMU, CONNECT, "NetworkLookupByName", "s", name)
            client.call(path, "org.libvirt.Network", "Destroy")

    def test_another_with_the_same_device_is_refused(self, client):
        """And takes nothing from the one that has it: neither its port nor its filter."""
        network = client.call(QEMU, CONNECT, "NetworkDefineXML", "s", "<network><name>upnet</name><bridge name='upnet'/></network>")
        client.call(QEMU, CONNECT, "NWFilterDefineXML", "s", "<filter name='filter-in' chain='root'>"
                    "<rule action='drop' direction='in'><ip protocol='tcp'/></rule></filter>")
        guest = define(client, definition("web", self.card("<target dev='up0'/><filterref filter='filter-in'/>").replace(
            "'bridge'><source bridge='upone'/>", "'network'><source network='upnet'/>")))
        guest.create()
        index = pathlib.Path("/sys/class/net/up0/ifindex").read_text().strip()
        before = rules()
        ports = client.get(network, "org.virtbus1.Network", "Ports")
        assert f"/{index}" in before and len(ports) == 1
        for kind in ("'bridge'><source bridge='upone'/>", "'network'><source network='upnet'/>", "'direct'><source dev='upone'/>"):
            other = USER.format(2).replace("'user'>", kind).replace("</interface>", "<target dev='up0'/></interface>")
            refused(guest, "AttachDevice", other, AFFECT_LIVE, "has the device 'up0' already")
        assert rules() == before
        assert client.get(network, "org.virtbus1.Network", "Ports") == ports
        assert self.ports("upnet") == ["up0"]
        guest.destroy()
        client.call(network, "org.libvirt.Network", "Destroy")

    def test_two_with_one_device_do_not_start(self, client):
        first = self.card("<target dev='up0'/>")
        machine = define(client, definition("two", first + first.replace(":01'", ":02'")))
        with pytest.raises(BusError, match="'up0'"):
            machine.create()
        assert not pathlib.Path("/sys/class/net/up0").exists() and self.ports("upone") == []

    def test_filter_and_limits(self, daemon, client, guest):
        tap = guest.tree().find("devices/interface/target").get("dev")
        for name, direction in (("filter-in", "in"), ("filter-out", "out")):
            client.call(QEMU, CONNECT, "NWFilterDefineXML", "s", f"<filter name='{name}' chain='root'>"
                        f"<rule action='drop' direction='{direction}'><ip protocol='tcp'/></rule></filter>")
        rate = "<bandwidth><inbound average='1000'/></bandwidth>"
        wanted = "<filterref filter='filter-in'/>"

        def is_filtered():
            index = pathlib.Path(f"/sys/class/net/{tap}/ifindex").read_text().strip()
            return f"/{index}" in rules()

        def is_limited():
            return any(q["kind"] in ("htb", "tbf") for q in json.loads(run("tc", "-json", "qdisc", "show", "dev", tap)))

        update(guest, self.card(rate + wanted), BOTH)
        assert is_limited() and is_filtered()
        update(guest, self.card(wanted.replace("filter-in", "filter-out")), AFFECT_LIVE)
        assert not is_limited() and is_filtered()
        daemon.restart()
        assert is_filtered()
        refused(guest, "UpdateDevice", self.card(rate + wanted.replace("filter-in", "none-such")), BOTH, "none-such")
        assert is_filtered()
        update(guest, self.card(), AFFECT_LIVE)
        wait_for(lambda: not is_filtered(), 10)
        for flags, filters, limits in ((0, 0, 0), (XML_INACTIVE, 1, 1)):
            found = guest.tree(flags).find("devices/interface")
            assert (len(found.findall("filterref")), len(found.findall("bandwidth"))) == (filters, limits)

    def test_what_cannot_change(self, guest):
        for xml, word in ((self.card().replace("'bridge'><source bridge", "'direct'><source dev"), "direct"),
                          (self.card("<mtu size='1400'/>"), "mtu"), (USER.format(1), "type"),
                          (self.card().replace("virtio", "e1000"), "model"), (self.card("<target dev='other0'/>"), "target"),
                          (self.card("<alias name='ua-other'/>"), "alias")):
            refused(guest, "UpdateDevice", xml, AFFECT_LIVE, word)

    def test_none_is_left_of_a_machine_that_ended_before_it_got_it(self, daemon, client, guest, tmp_path):
        network = client.call(QEMU, CONNECT, "NetworkDefineXML", "s", "<network><name>upnet</name><bridge name='upnet'/></network>")
        client.call(network, "org.libvirt.Network", "Create")
        client.call(QEMU, CONNECT, "NWFilterDefineXML", "s", "<filter name='open'/>")
        xml = USER.format(2).replace("'user'>", "'network'><source network='upnet'/><target dev='up1'/><filterref filter='open'/>")
        with pytest.raises(BusError), held_between(guest, "up1", tmp_path, "AttachDevice", "su", xml, AFFECT_LIVE):
            os.kill(pid_of(daemon, guest), signal.SIGKILL)
            wait_for(lambda: guest.state[0] == SHUTOFF, 20)
        assert not client.get(network, "org.virtbus1.Network", "Ports")
        wait_for(lambda: not pathlib.Path("/sys/class/net/up1").exists(), 10)
        client.call(network, "org.libvirt.Network", "Destroy")

    def test_none_is_left_of_a_machine_that_ended_before_it_went(self, daemon, client, tmp_path):
        paths = []
        for name in ("upnet", "upnet2"):
            paths.append(client.call(QEMU, CONNECT, "NetworkDefineXML", "s", f"<network><name>{name}</name><bridge name='{name}'/></network>"))
            client.call(paths[-1], "org.libvirt.Network", "Create")
        client.call(QEMU, CONNECT, "NWFilterDefineXML", "s", "<filter name='open'><rule action='accept' direction='in'><ip/></rule></filter>")
        card = self.card("<target dev='up0'/><filterref filter='open'/>").replace(
            "'bridge'><source bridge='upone'/>", "'network'><source network='upnet'/>")
        guest = define(client, definition("web", card))
        guest.create()
        index = pathlib.Path("/sys/class/net/up0/ifindex").read_text().strip()
        assert f"/{index}" in rules()
        other = card.replace("'upnet'", "'upnet2'")
        with pytest.raises(BusError), held_between(guest, "up0", tmp_path, "UpdateDevice", "su", other, BOTH):
            os.kill(pid_of(daemon, guest), signal.SIGKILL)
            wait_for(lambda: guest.state[0] == SHUTOFF, 20)
        for path in paths:
            assert not client.get(path, "org.virtbus1.Network", "Ports")
            client.call(path, "org.libvirt.Network", "Destroy")
        assert guest.tree(XML_INACTIVE).find("devices/interface/source").get("network") == "upnet"
        wait_for(lambda: f"/{index}" not in rules(), 10)

    @pytest.mark.parametrize("gone", [1, 2])
    def test_the_guest_lets_go_of_one_meanwhile(self, client, root_dir, tmp_path, gone):
        """Of another, which was before it, and of the one that is to change."""
        client.call(QEMU, CONNECT, "NWFilterDefineXML", "s", "<filter name='open'/>")
        second = self.card("<target dev='up2'/>").replace(":01'", ":02'")
        guest = define(client, with_second_monitor(definition("web", self.card("<target dev='up1'/>") + second), root_dir))
        guest.create()
        monitor = Monitor(root_dir, SECOND_MONITOR)
        detach(guest, self.card().replace(":01'", f":{gone:02x}'"), AFFECT_LIVE)  # no guest is there to do so
        assert len(guest.tree().findall("devices/interface")) == 2
        other = second.replace("<target", "<filterref filter='open'/><target")
        with contextlib.nullcontext() if gone == 1 else pytest.raises(BusError):
            with held_between(guest, "up2", tmp_path, "UpdateDevice", "su", other, AFFECT_LIVE):
                monitor.ask("system_reset")
                wait_for(lambda: len(guest.tree().findall("devices/interface")) == 1, 20)
        left = guest.tree().find("devices/interface")
        assert left.find("target").get("dev") == f"up{3 - gone}"
        assert (left.find("filterref") is not None) == (gone == 1)
        monitor.close()

    def test_a_pool_leaves_out_what_the_definition_names(self, client):
        """This host has none of them: the first one that is looked for is told."""
        address = "<address type='pci' domain='0xabcd' bus='0' slot='1' function='{}'/>"
        client.call(QEMU, CONNECT, "NetworkDefineXML", "s", "<network><name>pool</name><forward mode='hostdev'>"
                    f"{address.format(0)}{address.format(1)}</forward></network>")
        of_pool = USER.format(1).replace("'user'>", "'network'><source network='pool'/>")
        named = USER.format(2).replace("'user'>", f"'hostdev'><source>{address.format(0)}</source>")
        with pytest.raises(BusError, match="no PCI device abcd:00:01.1"):
            define(client, definition("web", of_pool + named)).create()
        with pytest.raises(BusError, match="no PCI device abcd:00:01.0"):  # it was given back
            define(client, definition("other", of_pool)).create()

    def test_not_to_a_pool_of_devices(self, client, guest):
        path = client.call(QEMU, CONNECT, "NetworkDefineXML", "s", "<network><name>pool</name><forward mode='hostdev'>"
                           "<address type='pci' domain='0xabcd' bus='0' slot='1' function='0'/></forward></network>")
        refused(guest, "UpdateDevice", self.card().replace("'bridge'><source bridge='upone'/>", "'network'><source network='pool'/>"),
                AFFECT_LIVE, "network 'pool' has no bridge")
        assert guest.tree().find("devices/interface/source").get("bridge") == "upone" and len(self.ports("upone")) == 1
        client.call(path, "org.libvirt.Network", "Destroy")

    @pytest.mark.parametrize("kind", [
        "'bridge'><source bridge='upone'/><port isolated='yes'/>", "'network'><source network='upnet' portgroup='slow'/>",
        "'network'><source network='updevice'/>", "'direct'><source dev='upone' mode='vepa'/>", "'ethernet'>", "'user'>"])
    def test_what_is_shown_or_stored_changes_nothing(self, daemon, client, kind):
        networks = [client.call(QEMU, CONNECT, "NetworkDefineXML", "s", f"<network><name>{name}</name>{content}</network>")
                    for name, content in (
                        ("upnet", "<bridge name='upnet'/><portgroup name='slow'><bandwidth><inbound average='9'/></bandwidth></portgroup>"),
                        ("updevice", "<forward mode='bridge'><interface dev='upone'/></forward>"))]
        guest = define(client, definition("web", USER.format(1).replace("'user'>", kind)))
        guest.create()
        before = guest.xml()
        for flags in (0, XML_INACTIVE):
            update(guest, ElementTree.tostring(guest.tree(flags).find("devices/interface"), "unicode"), AFFECT_LIVE)
            assert guest.xml() == before
            daemon.restart()
        guest.destroy()
        for path in networks:
            with contextlib.suppress(BusError):  # only one is up
                client.call(path, "org.libvirt.Network", "Destroy")

    @pytest.mark.parametrize("moment", range(4))
    def test_killed_meanwhile(self, daemon, client, guest, moment):
        """What the host has is what the definition says, whichever of the two it is."""
        pending = guest.begin("UpdateDevice", "su", self.card(bridge="uptwo"), AFFECT_LIVE)
        time.sleep(random.random() * 0.004 * moment)  # any moment is as good as another
        daemon.kill()
        with contextlib.suppress(BusError):
            pending.result()
        daemon.start()
        tap = guest.tree().find("devices/interface/target").get("dev")
        wait_for(lambda: self.ports(guest.tree().find("devices/interface/source").get("bridge")) == [tap], 10)
        update(guest, self.card(), AFFECT_LIVE)
        assert (self.ports("upone"), self.ports("uptwo")) == ([tap], [])


class TestDisks:
    TUNE = "<iotune><total_iops_sec>{}</total_iops_sec></iotune>"

    @pytest.mark.parametrize("first", ["", TUNE.format(500)])
    def test_limits(self, daemon, client, root_dir, image, first):
        machine = define(client, definition("web", disk(image).replace("</disk>", first + "</disk>")))
        machine.create()
        xml = disk(image).replace("</disk>", self.TUNE.format(77) + "</disk>")
        update(machine, xml, BOTH)
        assert machine.call("GetBlockIOTune", "su", "vda", AFFECT_LIVE)["total_iops_sec"] == 77
        for flags in (0, XML_INACTIVE):
            assert machine.tree(flags).find("devices/disk/iotune/total_iops_sec").text == "77"
        daemon.kill()
        monitor = Monitor(root_dir)
        if first:
            assert monitor.ask("qom-get", path="/objects/throttle-vda", property="limits")["iops-total"] == 77
        else:
            assert monitor.ask("query-block")[0]["inserted"]["iops"] == 77
        monitor.close()
        daemon.start()
        update(machine, disk(image), AFFECT_LIVE)
        assert machine.call("GetBlockIOTune", "su", "vda", AFFECT_LIVE)["total_iops_sec"] == 0
        assert machine.tree(XML_INACTIVE).find("devices/disk/iotune") is not None

    def test_what_may_and_what_may_not(self, client, root_dir, image):
        card = USER.format(1).replace("</interface>", "<boot order='{}'/></interface>")
        ordered = disk(image).replace("</disk>", "<boot order='{}'/></disk>")
        machine = define(client, definition("web", ordered.format(1) + card.format(2)))
        machine.create()
        refused(machine, "UpdateDevice", card.format(1), AFFECT_LIVE, "1")
        update(machine, ordered.format(3), AFFECT_LIVE)
        assert machine.tree().find("devices/disk/boot").get("order") == "3"
        update(machine, card.format(1), AFFECT_LIVE)
        update(machine, disk(image), AFFECT_LIVE)
        assert machine.tree().find("devices/disk/boot") is None
        (root_dir / "other.img").write_bytes(bytes(1 << 20))
        for xml, word in ((disk(root_dir / "other.img"), "source"), (disk(image, driver="qcow2"), "source"),
                          (disk(image).replace("<driver ", "<driver cache='none' "), "cache"),
                          (disk(image).replace("</disk>", "<serial>x</serial></disk>"), "serial"),
                          (disk(image, read_only=True), "readonly"), (disk(image, bus="scsi"), "bus"),
                          ("<watchdog model='i6300esb'/>", "watchdog"), ("<sound model='ac97'/>", "sound")):
            refused(machine, "UpdateDevice", xml, AFFECT_LIVE, word)

    def test_display(self, client):
        vnc = "<graphics type='vnc' autoport='yes' passwd='old'{}/>"
        machine = define(client, definition("web", vnc.format("")))
        machine.create()
        refused(machine, "UpdateDevice", vnc.format(" listen='127.0.0.2'"), BOTH, "listen")


@in_namespace
def test_both_or_none(session_bus, make_daemon, scratch):
    """The definition cannot be stored: the machine does not change either."""
    root = scratch / "both"
    root.mkdir(mode=0o755)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=0755", "tmpfs", root], check=True)
    try:
        for name in ("config", "iso"):
            (root / name).mkdir()
        data, other = root / "iso/data.img", root / "iso/other.img"
        disc = root / "iso/disc.iso"
        for path in (data, other, disc):
            path.write_bytes(bytes(4096))
            path.chmod(0o666)
        daemon = make_daemon(session_bus, root=root)
        machine = define(daemon.client(), definition(
            "web", disk(data, target="sda", bus="scsi") + CDROM.format(f"<source file='{disc}'/>") + USER.format(1)
            + "<controller type='scsi' model='virtio-scsi'/>", machine="q35"))
        machine.create()
        with open(root / "filler", "wb", buffering=0) as f, contextlib.suppress(OSError):
            while True:
                f.write(b"x" * 4096)
        xml = disk(other, target="sdc", bus="scsi")
        down = USER.format(1).replace("</interface>", "<link state='down'/></interface>")
        for member, device in (("AttachDevice", xml), ("DetachDevice", disk(data, target="sda", bus="scsi")),
                               ("UpdateDevice", CDROM.format(f"<source file='{other}'/>")), ("UpdateDevice", down)):
            for flags in (BOTH, AFFECT_CONFIG):
                refused(machine, member, device, flags, "space")
        (root / "filler").unlink()
        before = machine.xml(), machine.xml(XML_INACTIVE)
        daemon.restart()
        assert (machine.xml(), machine.xml(XML_INACTIVE)) == before
        attach(machine, xml, BOTH)
        assert targets(machine) == targets(machine, XML_INACTIVE)
        daemon.finish()
    finally:
        subprocess.run(["umount", "--lazy", root], check=True)


def test_the_definition_does_not_follow_what_fails(daemon, client, web, image, root_dir):
    web.create()
    refused(web, "AttachDevice", disk(root_dir / "none.img"), BOTH, "none.img")
    daemon.restart()
    assert targets(web) == targets(web, XML_INACTIVE) == []


class TestKilled:
    """The monitor's other end stands still while the daemon has told it something, and the daemon is killed."""

    def interrupt(self, daemon, client, machine, member, xml, flags=AFFECT_LIVE):
        pid = pid_of(daemon, machine)
        os.kill(pid, signal.SIGSTOP)
        pending = machine.begin(member, "su", xml, flags)
        wait_for(lambda: any("<was>" in p.read_text() for p in daemon.root.rglob("status.xml")), 10, "the plan")
        daemon.kill()
        os.kill(pid, signal.SIGCONT)
        with contextlib.suppress(BusError):
            pending.result()
        daemon.start()

    @pytest.mark.parametrize("flags", [AFFECT_LIVE, BOTH])
    def test_while_it_is_plugged_in(self, daemon, client, web, image, flags):
        web.create()
        xml = disk(image)
        removed = client.listen(interface=DOMAIN, member="DeviceRemoved")
        self.interrupt(daemon, client, web, "AttachDevice", xml, flags)
        removed.wait()
        assert targets(web) == []
        attach(web, xml, AFFECT_LIVE)
        assert targets(web) == ["vda"]

    def test_while_the_medium_changes(self, daemon, client, image, root_dir):
        other = root_dir / "other.iso"
        other.write_bytes(bytes(1 << 20))
        first, second = (CDROM.format(f"<source file='{p}'/>") for p in (image, other))
        machine = define(client, definition("web", first, machine="q35"))
        machine.create()

        def said():
            found = machine.tree().find("devices/disk/source")
            return found.get("file") if found is not None else None

        def ask_qemu():
            """What is in the drive, and all that was opened for it."""
            daemon.kill()
            monitor = Monitor(root_dir)
            drive = next(d for d in monitor.ask("query-block") if d.get("qdev", "").endswith("sata0-0-1"))
            nodes = [n["node-name"] for n in monitor.ask("query-named-block-nodes", flat=True)]
            monitor.close()
            daemon.start()
            return drive["inserted"]["node-name"], [n for n in nodes if n.startswith("sdb-")]

        self.interrupt(daemon, client, machine, "UpdateDevice", second)
        wait_for(lambda: said() == str(image), 10)
        for i in range(6):
            wanted = (second, first)[i % 2]
            pending = machine.begin("UpdateDevice", "su", wanted, AFFECT_LIVE)
            time.sleep(random.random() * 0.02)  # any moment is as good as another
            daemon.kill()
            with contextlib.suppress(BusError):
                pending.result()
            daemon.start()
            wait_for(lambda: machine.call("GetState", "u", 0)[0] == 1, 10)
            machine.call("Suspend")  # waits until it is taken back
            machine.call("Resume")
            node, nodes = ask_qemu()
            index = int(machine.tree().find("devices/disk/source").get("index") or 0)
            assert node == (f"sdb-{index}-image" if index else "sdb-image"), said()
            assert len(nodes) == 2, nodes
            assert said() in (str(image), str(other))
        update(machine, second, BOTH)
        assert said() == str(other)

    def test_it_goes_while_nobody_listens(self, daemon, client, web, root_dir, image):
        web.create()
        attach(web, disk(image), BOTH)
        attach(web, USER.format(1), AFFECT_LIVE)
        removed = client.listen(interface=DOMAIN, member="DeviceRemoved")
        detach(web, disk(image), BOTH)  # the firmware does not let go of it
        detach(web, USER.format(1), AFFECT_LIVE)
        assert targets(web) == ["vda"] and targets(web, XML_INACTIVE) == []
        daemon.kill()
        monitor = Monitor(root_dir)
        monitor.ask("system_reset")
        wait_for(lambda: not {"virtio-disk0", "net0"} & {o["name"] for o in monitor.ask(
            "qom-list", path="/machine/peripheral")}, 10, "QEMU to let go")
        monitor.close()
        daemon.start()
        removed.wait(lambda s: s.values == ("virtio-disk0",), 10)
        wait_for(lambda: targets(web) == aliases(web, "interface") == [], 10)
        attach(web, disk(image))
        attach(web, USER.format(1))
        assert targets(web) == ["vda"]


class TestEndsMeanwhile:
    """The machine, or a device of it, while something of it is written."""

    @pytest.fixture
    def daemon(self, session_bus, make_daemon, tmp_path):
        return make_daemon(session_bus, environment=preloaded("hold.c", tmp_path, HOLD_FILE=str(tmp_path / "hold")))

    @contextlib.contextmanager
    def held(self, guest, tmp_path, member, *args):
        hold = tmp_path / "hold"
        hold.touch()
        try:
            call = guest.begin(member, *args)
            wait_for((tmp_path / "hold-waits").exists, 20)
            yield call
        finally:
            hold.unlink()

    def refuse(self, daemon, guest, tmp_path, member, *args):
        """It ends while what is to change is written."""
        before = guest.xml(XML_INACTIVE)
        with self.held(guest, tmp_path, member, *args) as call:
            os.kill(pid_of(daemon, guest), signal.SIGKILL)
            wait_for(lambda: guest.state[0] == SHUTOFF, 20)
        with pytest.raises(BusError, match="not running"):
            call.result(60)
        assert guest.xml(XML_INACTIVE) == before
        daemon.restart()
        assert guest.xml(XML_INACTIVE) == before

    @pytest.mark.parametrize(("member", "signature", "args"), [
        ("AttachDevice", "su", (USER.format(2), BOTH)), ("DetachDevice", "su", (USER.format(1), BOTH)),
        ("UpdateDevice", "su", (USER.format(1).replace("</interface>", "<link state='down'/></interface>"), BOTH)),
        ("UpdateDevice", "su", ("<graphics type='vnc' autoport='yes' passwd='new'/>", AFFECT_LIVE)),
        ("SetBlockIOTune", "sa{sv}u", ("vda", {"read_iops_sec": GLib.Variant("t", 100)}, BOTH)),
        ("PinVcpu", "uabu", (0, [True], BOTH)), ("AddIOThread", "uu", (1, BOTH))])
    def test_nothing_changes(self, daemon, client, image, tmp_path, member, signature, args):
        guest = define(client, definition("web", disk(image) + USER.format(1) + "<graphics type='vnc' autoport='yes' passwd='old'/>"))
        guest.create()
        self.refuse(daemon, guest, tmp_path, member, signature, *args)

    @in_namespace
    def test_nor_do_the_limits_of_an_interface(self, daemon, client, tmp_path):
        run("ip", "link", "add", "uphold", "type", "bridge")
        try:
            guest = define(client, definition("web", USER.format(1).replace("'user'>", "'bridge'><source bridge='uphold'/>")))
            guest.create()
            self.refuse(daemon, guest, tmp_path, "SetInterfaceParameters", "sa{sv}u", "52:54:00:00:00:01",
                        {"inbound.average": GLib.Variant("u", 100)}, BOTH)
        finally:
            run("ip", "link", "del", "uphold")

    def test_other_memory_goes(self, client, root_dir, tmp_path):
        """The guest's firmware would eject it by the same ports."""
        cells = ("<maxMemory slots='4' unit='MiB'>512</maxMemory>"
                 "<cpu><numa><cell id='0' cpus='0' memory='64' unit='MiB'/></numa></cpu>")
        guest = define(client, with_second_monitor(definition("web", memory_kib=65536, extra=cells), root_dir))
        guest.create()
        monitor = Monitor(root_dir, SECOND_MONITOR)
        dimm = "<memory model='dimm'><target><size unit='MiB'>{}</size><node>0</node></target></memory>"
        attach(guest, dimm.format(128))
        with self.held(guest, tmp_path, "AttachDevice", "su", dimm.format(64), AFFECT_LIVE) as call:
            for command in ("o/l 0xa00 0", "o/b 0xa14 8"):
                monitor.ask("human-monitor-command", **{"command-line": command})
            wait_for(lambda: guest.tree().find("memory").text == "65536", 20)
        call.result(60)
        for name in ("memory", "currentMemory"):
            assert guest.tree().find(name).text == "131072"
        assert aliases(guest, "memory") == ["dimm1"]
        monitor.close()
        guest.destroy()
