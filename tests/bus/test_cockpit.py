"""Cockpit's Machines page, unmodified, with virtbusd and without libvirt: driven as a person would, in a real browser.

The page is Debian's cockpit-machines, unpacked by tests/cockpit/install instead of installed, as its package depends on
libvirt.  What the person does stands in tests/cockpit/machines.mjs; the screenshots stay in BUILD/cockpit.
"""

import os
import pathlib
import shutil
import subprocess

import pytest

from console import Console
from daemon import BUILD, SOURCE
from harness import SCALE, wait_exit
from machines import NATIVE, QEMU, define, definition, disk, guest_definition

CACHE = pathlib.Path(os.environ.get("VIRTBUS_CACHE", "/nonexistent"))
PAGES = CACHE / "cockpit/root/usr/share"
PORT = 9099
NETWORK = ("<network><name>lab</name><forward mode='nat'/><ip address='192.168.77.1' prefix='24'>"
           "<dhcp><range start='192.168.77.10' end='192.168.77.99'/></dhcp></ip></network>")


@pytest.fixture
def script():
    """The person, beside the packages that it needs."""
    if not (CACHE / "node/node_modules/playwright-core").exists() or not (PAGES / "cockpit/machines").exists():
        pytest.skip("npm or Debian's archive could not be asked for what drives the page")
    return shutil.copy(SOURCE / "tests/cockpit/machines.mjs", CACHE / "node/machines.mjs")


@pytest.fixture
def cockpit(system_daemon, root_dir):
    """cockpit-ws for root, without a login; its address."""
    environment = dict(os.environ, XDG_DATA_DIRS=f"{PAGES}:/usr/share", HOME=str(root_dir), LC_ALL="C.UTF-8")
    with open(root_dir / "cockpit.log", "wb") as log:
        process = subprocess.Popen(
            ["/usr/lib/cockpit/cockpit-ws", "--no-tls", "--address=127.0.0.1", f"--port={PORT}",
             "--local-session=/usr/bin/cockpit-bridge"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env=environment)
    yield f"http://127.0.0.1:{PORT}"
    process.terminate()
    wait_exit(process)


@pytest.fixture
def screenshots():
    folder = BUILD / "cockpit"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


@pytest.fixture
def house(system_daemon, root_dir, guest_files):
    """What the person finds: two machines, one of which runs, a pool with a volume, a network that is up."""
    client = system_daemon.client()
    folder = root_dir / "pool"
    folder.mkdir()
    folder.chmod(0o711)
    pool = client.call(QEMU, "org.libvirt.Connect", "StoragePoolDefineXML", "su",
                       f"<pool type='dir'><name>images</name><target><path>{folder}</path></target></pool>", 0)
    client.call(pool, "org.libvirt.StoragePool", "Create", "u", 0)
    client.call(pool, "org.libvirt.StoragePool", "StorageVolCreateXML", "su",
                "<volume><name>web.qcow2</name><capacity>10485760</capacity><target><format type='qcow2'/></target>"
                "</volume>", 0)
    network = client.call(QEMU, "org.libvirt.Connect", "NetworkDefineXML", "s", NETWORK)
    client.call(network, "org.libvirt.Network", "Create")
    devices = (disk(folder / "web.qcow2", driver="qcow2") +
               "<interface type='network'><source network='lab'/><model type='virtio'/></interface>"
               "<graphics type='vnc' port='-1' autoport='yes' listen='127.0.0.1'/><video><model type='vga'/></video>")
    web = define(client, definition("web", devices, memory_kib=131072))
    guest = define(client, guest_definition("guest", guest_files))
    guest.create()
    console = Console(client.send(guest.path, NATIVE, "OpenConsole", "su", "", 0).fds[0])
    console.wait_ready()  # from now on it hears the power button
    console.close()
    yield web, guest
    client.call(network, "org.libvirt.Network", "Destroy")


@pytest.mark.system
@pytest.mark.guest
def test_machines_page(house, cockpit, script, screenshots):
    assert not pathlib.Path("/usr/sbin/libvirtd").exists(), "libvirt is here: this would not show who answers"
    process = subprocess.Popen(["node", script, cockpit, screenshots], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True)
    output, errors = process.communicate(timeout=180 * SCALE)
    assert process.returncode == 0, f"{output}{errors}"
    assert [line.split(": ")[1] for line in output.splitlines()] == [
        "list", "running", "paused", "machine", "snapshot-dialog", "snapshot", "disk-dialog", "disk", "ended", "no-disk",
        "pools", "networks"]
    web, _guest = house
    assert web.get("Autostart") and web.get("Snapshots", NATIVE) == [] and len(web.tree().findall("devices/disk")) == 1
