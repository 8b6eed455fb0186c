"""Calls to the Test driver that go wrong because the client asked for it."""

import time

import pytest

from gi.repository import GLib
from harness import BusError
from machines import CONNECT, DOMAIN, path_of

TEST = "/org/libvirt/Test"
NATIVE = "org.virtbus1.Connect"
FIRST = path_of("6695eb01-f6a4-8304-79aa-97f2502e193f", TEST)


def inject(client, member, interface=DOMAIN, driver=TEST, **faults):
    types = {"error": "s", "delay_usec": "t", "crash": "b", "count": "u"}
    values = {key.replace("_", "-"): GLib.Variant(types.get(key, "s"), value) for key, value in faults.items()}
    client.call(driver, NATIVE, "InjectFault", "ssa{sv}", interface, member, values)


def refused(call, *arguments, **options):
    with pytest.raises(BusError) as e:
        call(*arguments, **options)
    return e.value


def test_an_error(client):
    inject(client, "Suspend", error="internal error: the disk is on fire")
    error = refused(client.call, FIRST, DOMAIN, "Suspend")
    assert (error.name, error.message) == ("org.libvirt.Error", "internal error: the disk is on fire")
    assert client.call(FIRST, DOMAIN, "GetState", "u", 0)[0] == 1
    client.call(FIRST, DOMAIN, "Suspend")


def test_several_and_none(client):
    inject(client, "ListDomains", CONNECT, error="no", count=2)
    for _ in range(2):
        refused(client.call, TEST, CONNECT, "ListDomains", "u", 0)
    assert client.call(TEST, CONNECT, "ListDomains", "u", 0) == [FIRST]
    inject(client, "ListDomains", CONNECT, error="no")
    inject(client, "ListDomains", CONNECT)
    assert client.call(TEST, CONNECT, "ListDomains", "u", 0) == [FIRST]


def test_slow(client):
    inject(client, "Suspend", delay_usec=300_000)
    start = time.monotonic()
    client.call(FIRST, DOMAIN, "Suspend")
    assert time.monotonic() - start >= 0.3
    assert client.call(FIRST, DOMAIN, "GetState", "u", 0)[0] == 3


def test_crash(client, daemon):
    inject(client, "Suspend", crash=True)
    error = refused(client.call, FIRST, DOMAIN, "Suspend")
    assert error.name == "org.freedesktop.DBus.Error.NoReply"
    daemon.process.wait(10)


@pytest.mark.parametrize("interface, member, faults", [
    (DOMAIN, "Nothing", {"error": "x"}), ("org.example", "Create", {"error": "x"}), (DOMAIN, "Create", {"error": ""}),
    (DOMAIN, "Create", {"delay_usec": 1 << 62}), (DOMAIN, "Create", {"other": "x"})])
def test_what_is_refused(client, interface, member, faults):
    assert refused(inject, client, member, interface, **faults).message


def test_other_drivers_have_none(client):
    assert "does not support" in refused(inject, client, "Create", driver="/org/libvirt/QEMU", error="x").message
