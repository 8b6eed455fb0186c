"""Every script in busctl-examples/ is run, by a bus and by the private socket, and does what it says."""

import os
import pathlib
import subprocess

import pytest

from guest_agent import CHANNEL, GuestAgent
from harness import BusError, SCALE
from machines import (
    NATIVE, RUNNING, SHUTOFF, Machine, boot_sector, define, definition, disk, guest_definition, list_machines)
from test_pools import loop_device, mounted

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "busctl-examples"
tried = set()


class Examples:
    def __init__(self, address):
        self.address = address

    def __call__(self, name, *arguments, status=0, timeout=30, **options):
        tried.add(name)
        result = subprocess.run([EXAMPLES / (name + ".sh"), *map(str, arguments)], capture_output=True, text=True,
                                timeout=timeout * SCALE, check=False, env=dict(os.environ, VIRTBUS_BUS=self.address),
                                **options)
        assert result.returncode == status, f"{name}: {result.stdout}{result.stderr}"
        return (result.stdout if status == 0 else result.stderr).strip()


@pytest.fixture
def example(daemon):
    return Examples(daemon.bus.address)


@pytest.fixture
def web(client):
    return define(client, definition("web", "<graphics type='vnc' autoport='yes'/><video><model type='vga'/></video>"
                                            "<serial type='pty'/>"))


@pytest.fixture
def file(root_dir):
    path = root_dir / "web.xml"
    path.write_text(definition("web"), encoding="utf-8")
    return path


def test_filters(client, example):
    path = example("block", "closed", "tcp", 22)
    assert example("block", "closed", "udp", 53) == path
    assert "<udp dstportstart='53'/>" in client.call(path, "org.libvirt.NWFilter", "GetXMLDesc", "u", 0)
    assert example("filters").split() == ["closed", "user", "0"]
    example("block", "closed", "quic", 53, status=1)


def test_devices_come_and_go(example, web, root_dir):
    image, xml = root_dir / "data.img", root_dir / "disk.xml"
    image.write_bytes(bytes(1 << 20))
    xml.write_text(disk(image, target="vdb"), encoding="utf-8")
    example("attach", "web", xml)
    assert "vdb" in web.xml()
    xml.write_text(disk(image, target="vdb", read_only=True), encoding="utf-8")
    example("update", "web", xml)
    assert "<readonly/>" in web.xml()
    xml.write_text("<disk><target dev='vdb'/></disk>", encoding="utf-8")
    example("detach", "web", xml)
    assert "vdb" not in web.xml()


def test_define_and_undefine(client, example, file):
    path = example("define", file)
    assert list_machines(client) == [path]
    assert "definition\tweb\tremoved" in example("plan-undefine", "web")
    example("undefine", "web")
    assert list_machines(client) == []
    assert "Domain not found" in example("undefine", "web", status=1)


@pytest.mark.qemu
def test_create(client, example, file):
    path = example("create", file)
    assert list_machines(client, 1) == [path]
    example("destroy", "web")
    assert list_machines(client) == []


@pytest.mark.qemu
def test_life(example, web):
    example("start", "web", "--paused")
    assert example("state", "web").split()[0] == "paused"
    example("resume", "web")
    assert example("state", "web").split()[0] == "running"
    example("pause", "web")
    example("resume", "web")
    example("reset", "web")
    example("nmi", "web")
    example("reboot", "web")
    example("shutdown", "web")
    assert web.state[0] == RUNNING  # there is no guest that could hear it
    example("stop", "web", 1)
    assert example("state", "web").split()[0] == "shutoff"
    example("start", "web")
    example("destroy", "web")
    assert web.state[0] == SHUTOFF


def test_list(client, example, web):
    assert example("list").split("\t") == ["web", "shutoff"]
    assert example("list", 1) == ""


def test_show_and_xml(example, web):
    assert '"Name"' in example("show", "web") and '"web"' in example("show", "web")
    assert "<name>web</name>" in example("xml", "web")
    assert "<name>web</name>" in example("xml", "web", "--inactive")


def test_rename_autostart_and_titles(example, web):
    example("rename", "web", "www")
    assert web.name == "www"
    assert example("autostart", "www") == "false"
    example("autostart", "www", "on")
    assert example("autostart", "www") == "true"
    example("autostart", "www", "off")
    example("title", "www", "The web")
    assert example("title", "www") == "The web"
    example("metadata", "www", "urn:x", "<note>milk</note>")
    assert "milk" in example("metadata", "www", "urn:x")


def test_rights(example, web):
    assert example("owner", "web").split()[0].isdigit()
    assert example("can", "web", "Start").split()[0].strip('"') == "yes"
    assert len(example("rights", "web").splitlines()) == 7


def test_objects_and_introspection(example, web):
    assert web.path in example("objects")
    assert "org.virtbus1.Domain" in example("introspect", "web")
    assert "DomainDefineXML" in example("introspect")
    assert '"Version"' in example("manager")
    example("jobs")


def test_storage(client, example, root_dir):
    pool = example("pool", "disks", root_dir / "a & b")
    assert client.get(pool, "org.libvirt.StoragePool", "Active") is True
    path, info = example("volume", "disks", "web.qcow2", 2**20).splitlines()
    assert path == str(root_dir / "a & b/web.qcow2") and info.split()[:2] == ["0", str(2**20)]
    assert example("volume", "disks", "web.qcow2", 2**21).split()[-2] == str(2**21)
    assert example("volume", "disks", "web.qcow2").split()[-2] == str(2**21)
    shown = example("pool-show", "disks").splitlines()
    assert shown[:3] == ["Type: dir", f"Path: {root_dir / 'a & b'}", "State: running"]
    assert shown[-1].split()[:3] == ["web.qcow2", "qcow2", str(2**21)]


@pytest.mark.skipif(os.geteuid() != 0, reason="loop devices are root's")
def test_storage_on_a_device(client, example, root_dir):
    with loop_device(root_dir, 64 * 2**20) as device:
        pool = example("pool-device", "files", device, root_dir / "mnt", "ext4")
        assert mounted(root_dir / "mnt")[:2] == (device, "ext4")
        example("volume", "files", "web.qcow2", 2**20)
        assert "web.qcow2" in example("pool-show", "files")
        client.call(pool, "org.virtbus1.StoragePool", "Stop")
        client.call(pool, "org.virtbus1.StoragePool", "Undefine")
        assert "OVERWRITE" in example("pool-device", "files", device, root_dir / "mnt", "ext4", status=1)
        (pool,) = client.call("/org/libvirt/QEMU", "org.virtbus1.Connect", "ListStoragePools", "a{sv}", {})
        client.call(pool, "org.virtbus1.StoragePool", "Undefine")
        pool = example("pool-device", "files", device, root_dir / "mnt")
        assert "web.qcow2" in example("pool-show", "files")
        client.call(pool, "org.virtbus1.StoragePool", "Stop")


@pytest.mark.qemu
def test_image_in_a_pool(client, example, root_dir):
    image = root_dir / "image"
    image.write_bytes(boot_sector() + bytes(511 * 512))
    example("pool", "disks", root_dir / "pool")
    path = example("boot-image", "disks", image, "web", 2**20)
    assert (root_dir / "pool/web.img").stat().st_size == 2**20
    assert client.get(path, NATIVE, "State") == "running"
    example("stop", "web", 1)
    assert example("download", "disks", "web.img", root_dir / "copy") == str(2**20)
    assert (root_dir / "copy").read_bytes()[:512] == boot_sector()
    assert example("upload", "disks", "other.img", image) == str(2**18)


@pytest.mark.qemu
def test_give_image(client, example, root_dir):
    image = root_dir / "image"
    image.write_bytes(boot_sector())
    machine = define(client, definition("web", "<disk type='file'><source file='/somewhere' fdgroup='system'/>"
                                               "<target dev='vda' bus='virtio'/></disk>"))
    example("give-image", "web", "system", image)
    machine.create()
    assert client.get(machine.path, NATIVE, "State") == "running"
    example("give-image", "web", "system", root_dir / "none", status=1)


@pytest.mark.skipif(not os.environ.get("VIRTBUS_NAMESPACE"), reason="only inside tests/bus/run, started as root")
def test_network(client, example):
    path = example("network", "lab", "vbexample", "10.78.1.1")
    assert client.get(path, "org.libvirt.Network", "Active") is True
    assert example("leases", "lab") == "a(sxisssuss) 0"
    define(client, definition("web"))
    machine = example("attach-network", "web", "lab")
    assert "<source network='lab'" in client.call(machine, "org.libvirt.Domain", "GetXMLDesc", "u", 0)
    assert example("watch-leases", "lab", 1).startswith('aa{sv} 0\naa{sv} 0\ns "ok"')
    client.call(path, "org.libvirt.Network", "Destroy")
    pool = example("function-network", "pool", "eth7")
    example("attach-network", "web", "pool")
    with pytest.raises(BusError, match="no network card 'eth7'"):
        client.call(machine, "org.libvirt.Domain", "Create", "u", 0)
    assert client.get(pool, "org.libvirt.Network", "Active") is True


@pytest.mark.skipif(not os.environ.get("VIRTBUS_NAMESPACE"), reason="only inside tests/bus/run, started as root")
def test_host(example):
    assert any(line.split("\t")[:3] == ["lo", "ethernet", "up"] for line in example("interfaces").splitlines())
    assert "<interface type='ethernet' name='lo'>" in example("interface", "lo")
    example("interface", "lo", "down")
    example("interface", "lo", "up")
    assert "computer" in example("devices").split()
    assert example("devices", 1) == "computer"
    assert "system" in example("device", "computer")


@pytest.mark.qemu
def test_link(client, example):
    define(client, definition("web", "<interface type='user'><model type='virtio'/></interface>")).create()
    example("link", "web", "net0", "down")
    assert "no network interface" in example("link", "web", "net1", "up", status=1)


def test_port_forward(client, example):
    path = example("port-forward", "web", "/boot/vmlinuz", "/boot/initrd", 12222, 22)
    assert "<range start='12222' to='22'/>" in client.call(path, "org.libvirt.Domain", "GetXMLDesc", "u", 0)


def test_tuning(client, example):
    machine = define(client, definition("web", disk("/d.raw")))
    example("pin", "web", 0, 0)
    assert machine.call("GetVcpuPinInfo", "u", 0) == [[True] + [False] * (os.cpu_count() - 1)]
    example("disk-limit", "web", "vda", 4096)
    example("processor-share", "web", 2048)
    assert machine.call("GetSchedulerParameters", "u", 0)["cpu_shares"] == 2048
    mac = "52:54:00:00:00:01"
    net = define(client, definition("net", f"<interface type='user'><mac address='{mac}'/></interface>"))
    example("interface-limit", "net", mac, 1000, 500)
    found = net.call("GetInterfaceParameters", "su", mac, 0)
    assert (found["inbound.average"], found["outbound.average"]) == (1000, 500)
    example("count-events", "net", "page_faults", "true")
    assert net.call("GetPerfEvents", "u", 0)["page_faults"] is True
    assert machine.call("GetBlockIOTune", "su", "vda", 0)["total_bytes_sec"] == 4096


@pytest.mark.qemu
def test_what_a_guest_shows_and_does(daemon, client, example):
    machine = define(client, definition("web", CHANNEL))
    assert "state.state" in example("stats")
    example("start", "web")
    assert "vcpu.0.time" in example("stats", "web")
    example("keys", "web", 29, 56, 111)
    agent = GuestAgent(daemon.root, {"guest-fsfreeze-freeze": 2, "guest-fsfreeze-thaw": 1})
    assert (example("freeze", "web", "freeze"), example("freeze", "web", "thaw")) == ("2", "1")
    agent.close()
    machine.destroy()


def test_secret(client, example):
    path = example("secret", "client.admin", input="key\n")
    assert client.get(path, "org.libvirt.Secret", "UsageID") == "client.admin"


@pytest.mark.qemu
def test_copy_of_a_disk(client, example, root_dir):
    image, copy = root_dir / "old.img", root_dir / "new.img"
    image.write_bytes(bytes(1 << 20))
    machine = define(client, definition("copied", disk(image)))
    machine.create()
    assert example("copy-disk", "copied", "vda", copy) == f"copied: the machine runs on {copy}"
    assert [s.get("file") for s in machine.tree().findall("devices/disk/source")] == [str(copy)]
    assert str(copy) in example("copy-disk", "copied", "vda", copy, status=1)
    machine.destroy()


@pytest.mark.qemu
def test_snapshots_and_saves(client, example, root_dir):
    image = root_dir / "web.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", image, "1M"], check=True)
    machine = define(client, definition("web", disk(image, driver="qcow2")))
    example("start", "web")
    assert example("snapshot", "web", "one") == client.get(machine.path, NATIVE, "Snapshots")[0]
    assert example("snapshot", "web") == "one"
    example("revert", "web", "one")
    assert machine.state[0] == RUNNING
    example("revert", "web", "one", "--delete")
    assert example("snapshot", "web") == ""
    example("save", "web", root_dir / "saved")
    assert machine.state[0] == SHUTOFF
    example("restore", root_dir / "saved")
    assert machine.state[0] == RUNNING
    example("save", "web")
    assert machine.state[0] == SHUTOFF


def test_log_level(example):
    assert example("log-level") == "debug"
    example("log-level", "info")
    assert example("log-level") == "info"


def test_fault(client, example):
    example("fault", "org.libvirt.Connect", "ListDomains", "no such luck")
    with pytest.raises(BusError, match="no such luck"):
        client.call("/org/libvirt/Test", "org.libvirt.Connect", "ListDomains", "u", 0)
    assert len(client.call("/org/libvirt/Test", "org.libvirt.Connect", "ListDomains", "u", 0)) == 1


@pytest.mark.qemu
def test_graphics(example, web):
    example("start", "web")
    assert "RFB" in example("graphics", "web")


@pytest.mark.guest
@pytest.mark.qemu
def test_console(client, example, guest_files):
    machine = define(client, guest_definition("web", guest_files))
    example("start", "web")
    text = example("console", "--until=root@guest:/# ", "--say=", "web", timeout=60, stdin=subprocess.DEVNULL)
    assert "root@guest" in text
    text = example("console", "--until=42", "--say=echo $((6*7))", "web", stdin=subprocess.DEVNULL)
    assert "42" in text
    machine.destroy()


def test_without_xml(client, example, tmp_path):
    path = example("define-native", "blog", "/nonexistent/blog.qcow2")
    assert list_machines(client) == [path]
    assert "blog.qcow2" in example("definition", "blog")
    (tmp_path / "blog.xml").write_text(example("xml", "blog").replace("vda", "vdb"), encoding="utf-8")
    assert example("validate", tmp_path / "blog.xml") == ""
    assert "next-start" in example("plan", "blog", tmp_path / "blog.xml")
    assert example("device-native", "blog", "/nonexistent/more.img") == "virtio-disk25"
    assert "more.img" not in example("definition", "blog")


@pytest.mark.qemu
def test_cpus(example, tmp_path):
    (tmp_path / "this").write_text(example("capabilities"), encoding="utf-8")
    (tmp_path / "other").write_text("<cpu><arch>x86_64</arch><model>486</model></cpu>", encoding="utf-8")
    assert "<model fallback='allow'>486</model>" in example("baseline", tmp_path / "this", tmp_path / "other")
    assert "<domain>qemu</domain>" in example("capabilities", "qemu", "q35")


@pytest.mark.qemu
def test_line(example, file):
    line = example("line", file)
    assert line.startswith("/usr/bin/qemu-system-x86_64 -name guest=web") and "masterKey0" in line


@pytest.mark.qemu
def test_uefi(client, example):
    machine = Machine(client, example("uefi", "windows"))
    example("start", "windows")
    assert "OVMF_CODE" in example("xml", "windows")
    example("destroy", "windows")
    machine.undefine(4)


def test_watch(client, example):
    tried.add("watch")
    process = subprocess.Popen([EXAMPLES / "watch.sh"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               env=dict(os.environ, VIRTBUS_BUS=example.address), start_new_session=True)
    try:
        assert "Monitoring" in process.stdout.readline()
        machine = define(client, definition("seen"))
        seen = ""
        while "Member=DomainEvent" not in seen:
            line = process.stdout.readline()
            assert line, seen
            seen += line
        machine.undefine()
    finally:
        os.killpg(process.pid, 15)
        process.wait()
        process.stdout.close()


def test_by_the_private_socket(daemon, client, web):
    direct = Examples(f"unix:path={daemon.socket_path()}")
    assert direct("list").split("\t") == ["web", "shutoff"]
    assert client.get(web.path, NATIVE, "Name") == "web"


def test_usage(example):
    assert "usage: define.sh FILE" in example("define", status=2)


def test_every_example_was_run(request):
    """Last in its file: no script is forgotten."""
    if len(request.session.items) < 10 or request.config.getoption("-k") or request.config.getoption("-m"):
        pytest.skip("only part of the tests runs")
    assert {path.stem for path in EXAMPLES.glob("*.sh")} - {"common"} == tried
