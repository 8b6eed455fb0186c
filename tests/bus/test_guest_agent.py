"""What a guest's agent is asked, and what is made of its answers, by one that the tests play."""

import base64

import pytest

from guest_agent import CHANNEL, GuestAgent
from harness import BusError
from machines import define, definition, disk

pytestmark = pytest.mark.qemu


@pytest.fixture
def guest(daemon, client, root_dir):
    image = root_dir / "disk.raw"
    with open(image, "wb") as f:
        f.truncate(1 << 20)
    machine = define(client, definition("talks", CHANNEL + disk(image)))
    machine.create()
    agent = GuestAgent(daemon.root, {})
    yield machine, agent
    agent.close()
    machine.destroy()


def refused(call, *arguments, word=""):
    with pytest.raises(BusError) as e:
        call(*arguments)
    assert word in e.value.message
    return e.value


def test_file_systems(guest):
    machine, agent = guest
    slot = {"domain": 0, "bus": 0, "slot": 4, "function": 0}
    xml = machine.xml() if hasattr(machine, "xml") else machine.call("GetXMLDesc", "u", 0)
    text = xml if isinstance(xml, str) else ""
    for line in text.split("<disk ")[1].split("</disk>")[0].split("<address "):
        if "type='pci'" in line:
            slot["slot"] = int(line.split("slot='")[1].split("'")[0], 16)
            slot["bus"] = int(line.split("bus='")[1].split("'")[0], 16)
    agent.answers = {
        "guest-fsfreeze-freeze": 3, "guest-fsfreeze-thaw": 2, "guest-fstrim": {"paths": []},
        "guest-fsfreeze-freeze-list": lambda arguments: len(arguments["mountpoints"]),
        "guest-get-fsinfo": [
            {"name": "vda1", "mountpoint": "/", "type": "ext4",
             "disk": [{"bus-type": "virtio", "bus": 0, "target": 0, "unit": 0, "pci-controller": slot}]},
            {"name": "sr0", "mountpoint": "/media", "type": "iso9660", "disk": []}]}
    assert machine.call("FSFreeze", "asu", [], 0) == 3
    assert machine.call("FSFreeze", "asu", ["/", "/home"], 0) == 2
    assert machine.call("FSThaw", "asu", [], 0) == 2
    machine.call("FSTrim", "stu", "", 4096, 0)
    assert agent.heard[-1] == ("guest-fstrim", {"minimum": 4096})
    assert machine.call("GetFSInfo", "u", 0) == [("/", "vda1", "ext4", ["vda"]), ("/media", "sr0", "iso9660", [])]
    refused(machine.call, "FSThaw", "asu", ["/"], 0, word="single")
    refused(machine.call, "FSTrim", "stu", "/home", 0, 0, word="/home")
    refused(machine.call, "FSFreeze", "asu", [], 1, word="flags")
    for nonsense in (None, "x", {}, [1], [{"name": 1}], [{}] * 1025, [{"name": "a", "mountpoint": "/", "type": "t", "disk": [{}] * 1025}]):
        agent.answers = {"guest-get-fsinfo": nonsense, "guest-fsfreeze-freeze": nonsense}
        refused(machine.call, "GetFSInfo", "u", 0, word="nonsense")
        refused(machine.call, "FSFreeze", "asu", [], 0, word="nonsense")


def test_clock_name_and_password(guest):
    machine, agent = guest
    agent.answers = {"guest-get-time": 1700000000123456789, "guest-set-time": {}, "guest-set-user-password": {},
                     "guest-get-host-name": {"host-name": "guest.example"}}
    assert machine.call("GetTime", "u", 0) == (1700000000, 123456789)
    machine.call("SetTime", "tuu", 1700000001, 5, 0)
    assert agent.heard[-1] == ("guest-set-time", {"time": 1700000001000000005})
    machine.call("SetTime", "tuu", 0, 0, 1)
    assert agent.heard[-1] == ("guest-set-time", {})
    refused(machine.call, "SetTime", "tuu", 1, 1000000000, 0, word="nanoseconds")
    refused(machine.call, "SetTime", "tuu", 2**63, 0, 0, word="2262")
    refused(machine.call, "SetTime", "tuu", 1, 1, 2, word="flags")
    machine.call("SetUserPassword", "ssu", "root", "geheim", 0)
    assert agent.heard[-1] == ("guest-set-user-password", {"username": "root", "crypted": False,
                                                           "password": base64.b64encode(b"geheim").decode()})
    refused(machine.call, "SetUserPassword", "ssu", "", "x", 0, word="no name")
    assert machine.call("GetHostname", "u", 2) == "guest.example"
    refused(machine.call, "GetHostname", "u", 1, word="lease")
    refused(machine.call, "GetHostname", "u", 3, word="Either")
    agent.answers = {"guest-get-time": -1, "guest-get-host-name": {"host-name": "x" * 300}}
    refused(machine.call, "GetTime", "u", 0, word="nonsense")
    refused(machine.call, "GetHostname", "u", 2, word="nonsense")
    agent.answers = {}
    refused(machine.call, "GetTime", "u", 0, word="has not been found")


def test_processors(guest):
    machine, agent = guest
    agent.answers = {"guest-get-vcpus": [{"logical-id": 0, "online": True, "can-offline": False}]
                     + [{"logical-id": i, "online": i != 2, "can-offline": True} for i in (1, 2, 3)],
                     "guest-set-vcpus": lambda arguments: len(arguments["vcpus"])}
    assert machine.call("GetGuestVcpus", "u", 0) == {"vcpus": "0-3", "online": "0-1,3", "offlinable": "1-3"}
    machine.call("SetGuestVcpus", "abiu", [False, True, True], 0, 0)
    assert agent.heard[-1] == ("guest-set-vcpus", {"vcpus": [{"logical-id": 1, "online": False}, {"logical-id": 2, "online": False}]})
    refused(machine.call, "SetGuestVcpus", "abiu", [True], 0, 0, word="spare")
    refused(machine.call, "SetGuestVcpus", "abiu", [False] * 4 + [True], 1, 0, word="processor 4")
    refused(machine.call, "SetGuestVcpus", "abiu", [True], 2, 0, word="2")
    refused(machine.call, "SetGuestVcpus", "abiu", [False], 1, 0, word="No processor")
    agent.answers["guest-set-vcpus"] = 0
    refused(machine.call, "SetGuestVcpus", "abiu", [False, True], 1, 0, word="0 of 1")
    agent.answers["guest-get-vcpus"] = [{"logical-id": 5000}]
    refused(machine.call, "GetGuestVcpus", "u", 0, word="nonsense")


def test_without_an_agent(client):
    machine = define(client, definition("mute"))
    refused(machine.call, "GetTime", "u", 0, word="not running")
    machine.create()
    refused(machine.call, "GetTime", "u", 0, word="no channel")
    machine.destroy()
