"""Memory and processors: of a machine that runs and of its definition."""

import pytest

from harness import BusError
from machines import AFFECT_CONFIG, AFFECT_LIVE, NATIVE, XML_INACTIVE, define, definition

MAXIMUM = 4


@pytest.fixture
def web(client):
    xml = definition("web", "<memballoon model='virtio'/>", memory_kib=65536, vcpus=2)
    return define(client, xml.replace("<memballoon model='none'/>", ""))


def test_of_the_definition(web):
    web.call("SetMemory", "tu", 32768, AFFECT_CONFIG)
    assert web.get("MemoryKiB", NATIVE) == 32768
    web.call("SetMemory", "tu", 131072, AFFECT_CONFIG | MAXIMUM)
    assert web.get("MaxMemoryKiB", NATIVE) == 131072
    with pytest.raises(BusError) as e:
        web.call("SetMemory", "tu", 262144, AFFECT_CONFIG)
    assert "131072" in e.value.message
    web.call("SetVcpus", "uu", 1, 0)
    assert web.call("GetVcpus", "u", 0) == 1
    assert web.call("GetVcpus", "u", MAXIMUM) == 2
    with pytest.raises(BusError):
        web.call("SetVcpus", "uu", 3, 0)
    web.call("SetVcpus", "uu", 3, AFFECT_CONFIG | MAXIMUM)
    assert web.call("GetVcpus", "u", AFFECT_CONFIG | MAXIMUM) == 3


def test_what_is_wrong(web):
    for member, signature, arguments in (("SetMemory", "tu", (0, 0)), ("SetMemory", "tu", (1024, 64)),
                                         ("SetMemory", "tu", (1024, AFFECT_LIVE)), ("SetVcpus", "uu", (0, 0)),
                                         ("GetVcpus", "u", (64,)), ("MemoryStats", "u", (0,)),
                                         ("SetMemoryStatsPeriod", "iu", (-1, 0))):
        with pytest.raises(BusError):
            web.call(member, signature, *arguments)
    assert web.get("MemoryKiB", NATIVE) == 65536


@pytest.mark.qemu
def test_of_a_running_machine(web):
    web.create()
    web.call("SetMemory", "tu", 32768, AFFECT_LIVE)  # its firmware has no driver: the wish is taken, nothing follows
    stats = web.call("MemoryStats", "u", 0)
    assert stats[6] == 65536
    web.call("SetMemoryStatsPeriod", "iu", 1, AFFECT_LIVE | AFFECT_CONFIG)
    assert web.tree().find("devices/memballoon/stats").get("period") == "1"
    assert web.tree(XML_INACTIVE).find("devices/memballoon/stats").get("period") == "1"
    with pytest.raises(BusError):
        web.call("SetMemory", "tu", 1 << 40, AFFECT_LIVE)
    with pytest.raises(BusError):
        web.call("SetVcpus", "uu", 1, AFFECT_LIVE)
    web.destroy()
