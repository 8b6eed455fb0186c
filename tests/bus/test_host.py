"""What the host is and has, by Connect, compared with what the host itself says."""

import os
from xml.etree import ElementTree

import pytest

from gi.repository import GLib
from harness import BusError, wait_for
from machines import CONNECT, QEMU


def call(client, member, signature="", *arguments):
    return client.call(QEMU, CONNECT, member, signature, *arguments)


def test_cpu_map(client):
    found = call(client, "NodeGetCPUMap", "u", 0)
    assert sum(found) == os.sysconf("SC_NPROCESSORS_ONLN")


def test_cpu_stats(client):
    every = call(client, "NodeGetCPUStats", "iu", -1, 0)
    first = call(client, "NodeGetCPUStats", "iu", 0, 0)
    assert set(every) == {"user", "kernel", "idle", "iowait"}
    assert every["idle"] >= first["idle"] > 0
    with pytest.raises(BusError) as e:
        call(client, "NodeGetCPUStats", "iu", 4096, 0)
    assert "4096" in e.value.message


def test_memory(client):
    stats = call(client, "NodeGetMemoryStats", "iu", -1, 0)
    total_kib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 1024
    assert abs(stats["total"] - total_kib) < total_kib / 20
    assert 0 < call(client, "NodeGetFreeMemory") <= stats["total"] * 1024
    with pytest.raises(BusError):
        call(client, "NodeGetMemoryStats", "iu", 999, 0)


def test_capabilities(client):
    def tree():
        return ElementTree.fromstring(call(client, "GetCapabilities"))

    wait_for(lambda: tree().findall("guest/arch[@name='x86_64']"), 20)
    arch = tree().find("guest/arch[@name='x86_64']")
    assert arch.findtext("emulator").endswith("qemu-system-x86_64")
    assert {m.text for m in arch.findall("machine")} >= {"pc", "q35"}
    assert tree().findtext("host/cpu/arch") == os.uname().machine


def test_cpu_models(client):
    assert {"qemu64", "max"} <= set(call(client, "GetCPUModelNames", "su", "x86_64", 0))
    with pytest.raises(BusError):
        call(client, "GetCPUModelNames", "su", "z80", 0)


def test_security_model(client):
    assert call(client, "NodeGetSecurityModel") == ("", "")


@pytest.mark.skipif(not os.path.exists("/sys/kernel/mm/ksm"), reason="the kernel does not merge pages")
def test_merging_of_pages(client):
    before = call(client, "NodeGetMemoryParameters", "u", 0)
    assert {"shm_pages_to_scan", "shm_sleep_millisecs", "shm_pages_sharing", "shm_full_scans"} <= set(before)
    with open("/sys/kernel/mm/ksm/sleep_millisecs", encoding="ascii") as f:
        value = int(f.read())
    assert before["shm_sleep_millisecs"] == value

    def set_to(entries, word):
        with pytest.raises(BusError) as e:
            call(client, "NodeSetMemoryParameters", "a{sv}u", entries, 0)
        assert word in e.value.message
    # Among the tests /sys can only be read: that the kernel is asked is seen by what it says.
    if not os.access("/sys/kernel/mm/ksm/sleep_millisecs", os.W_OK):
        set_to({"shm_sleep_millisecs": GLib.Variant("u", value + 1)}, "Read-only")
    set_to({"shm_sleep_millisecs": GLib.Variant("s", "1")}, "type u")
    set_to({"shm_full_scans": GLib.Variant("u", 1)}, "cannot be set")
    set_to({"shm_sleep_millisecs": GLib.Variant("u", value), "x": GLib.Variant("u", 1)}, "'x'")
    set_to({"shm_merge_across_nodes": GLib.Variant("u", 2)}, "0 or 1")


@pytest.mark.skipif(os.path.exists("/sys/firmware/dmi/tables/DMI"), reason="this host has SMBIOS")
def test_a_host_without_smbios_says_so(client):
    with pytest.raises(BusError) as e:
        call(client, "GetSysinfo", "u", 0)
    assert "SMBIOS" in e.value.message


@pytest.mark.skipif(not os.path.exists("/sys/firmware/dmi/tables/DMI"), reason="this host has no SMBIOS")
def test_smbios(client):
    assert ElementTree.fromstring(call(client, "GetSysinfo", "u", 0)).get("type") == "smbios"


@pytest.mark.parametrize("member, signature, arguments", [
    ("NodeGetCPUMap", "u", (8,)), ("NodeGetCPUStats", "iu", (-1, 8)), ("NodeGetMemoryStats", "iu", (-1, 8)),
    ("GetCPUModelNames", "su", ("x86_64", 8)), ("GetSysinfo", "u", (8,)), ("NodeGetMemoryParameters", "u", (8,)),
    ("NodeSetMemoryParameters", "a{sv}u", ({}, 8))])
def test_unknown_flags(client, member, signature, arguments):
    with pytest.raises(BusError) as e:
        call(client, member, signature, *arguments)
    assert "0x8" in e.value.message
