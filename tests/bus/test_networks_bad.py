"""Networks that cannot be: one precise error, and nothing of them is made."""

import os
import socket
import time

import pytest

from machines import CONNECT, QEMU
from networks import (ADDRESS, NATIVE_NETWORK, NETWORK, binds, clean, define, dnsmasqs, link, network, refused, rules, run,  # noqa: F401
                      up)

pytestmark = pytest.mark.skipif(not os.environ.get("VIRTBUS_NAMESPACE"), reason="only inside tests/bus/run, started as root")


def nothing_is_made(bridge="vblab"):
    assert (link(bridge), rules(), dnsmasqs()) == (None, "", {})


def ip(content, address="10.77.1.1", prefix=24):
    return f"<ip address='{address}' prefix='{prefix}'>{content}</ip>"


def dhcp(content):
    return ip(f"<dhcp>{content}</dhcp>")


HOST = "<host mac='52:54:00:00:00:01' name='web' ip='10.77.1.99'/>"


@pytest.mark.parametrize("content, word", [
    (ip("") + ip("", "10.77.1.129", 25), "overlap"),
    (ip("") + ip(""), "10.77.1.1"),
    (dhcp("<range start='10.77.2.10' end='10.77.2.20'/>"), "10.77.2"),
    (dhcp("<range start='10.77.1.20' end='10.77.1.10'/>"), "10.77.1.20"),
    (dhcp("<range start='10.77.1.10' end='10.77.2.10'/>"), "10.77.2.10"),
    (dhcp("<host mac='52:54:00:00:00:01' ip='10.78.1.9'/>"), "10.78.1.9"),
    (dhcp(HOST + HOST), "52:54:00:00:00:01"),
    (dhcp(HOST + "<host mac='52:54:00:00:00:02' ip='10.77.1.99'/>"), "10.77.1.99"),
    (ip("", "10.77.1.999"), "10.77.1.999"),
    (ip("", "10.77.1.1", 33), "33"),
])
def test_addresses(client, content, word):
    refused(client.call, QEMU, CONNECT, "NetworkCreateXML", "s", network("lab", content=content), word=word)
    nothing_is_made()
    assert client.call(QEMU, CONNECT, "ListNetworks", "u", 0) == []


@pytest.mark.parametrize("content, word", [
    ("<domain name='a&#10;server=6.6.6.6'/>" + ADDRESS.format(1), "domain"),
    ("<dns><host ip='10.77.1.5'><hostname>a&#10;6.6.6.6 bank.example</hostname></host></dns>" + ADDRESS.format(1), "hostname"),
    (dhcp("<host mac='52:54:00:00:00:01' name='a,set:x' ip='10.77.1.9'/>"), "host"),
    ("<dns><srv service='a&quot;' protocol='tcp'/></dns>" + ADDRESS.format(1), "srv"),
    ("<dns><forwarder domain='a/b' addr='10.0.0.1'/></dns>" + ADDRESS.format(1), "forwarder"),
])
def test_names_that_would_be_more_than_names(client, content, word):
    xml = network("lab", content=content)
    refused(client.call, QEMU, CONNECT, "NetworkCreateXML", "s", xml, word=word)
    nothing_is_made()


@pytest.mark.parametrize("name", ["a/b", "..", "a&#10;b", ""])
def test_names_that_break_a_file_name(client, name):
    refused(client.call, QEMU, CONNECT, "NetworkCreateXML", "s", network(name, bridge="vblab"))
    nothing_is_made()


@pytest.mark.parametrize("tool", ["dnsmasq", "nft"])
def test_a_tool_that_is_missing(client, tool):
    path = define(client, "lab", forward="<forward mode='nat'/>")
    heard = client.listen(path=path)
    run("mount", "--bind", "/dev/null", f"/usr/sbin/{tool}")
    try:
        refused(client.call, path, NETWORK, "Create", word=f"no {tool}")
    finally:
        run("umount", f"/usr/sbin/{tool}")
    nothing_is_made()
    client.ping_bus()
    assert heard.signals == []
    client.call(path, NETWORK, "Create")
    assert client.get(path, NATIVE_NETWORK, "Health") == "ok"


def test_a_port_that_is_taken(client):
    """Somebody listens for names on every address."""
    path = define(client, "lab", forward="<forward mode='nat'/>")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as other:
        assert binds(other, "0.0.0.0", 53)
        other.listen()
        refused(client.call, path, NETWORK, "Create", word="in use")
    nothing_is_made()
    assert client.get(path, NETWORK, "Active") is False


def test_a_bridge_of_the_host_and_of_another_network(client):
    refused(client.call, QEMU, CONNECT, "NetworkCreateXML", "s", network("lab", bridge="lo"), word="'lo'")
    define(client, "other", 2, bridge="vblab")
    refused(define, client, "lab", word="vblab")
    nothing_is_made()


def test_ten_thousand_static_hosts(client):
    hosts = "".join(f"<host mac='52:54:00:00:{i >> 8:02x}:{i & 255:02x}' name='h{i}' ip='10.{80 + (i >> 16)}.{i >> 8 & 255}.{i & 255}'/>"
                    for i in range(256, 10256))
    before = time.monotonic()
    path = define(client, "lab", content=f"<ip address='10.80.0.1' prefix='16'><dhcp>{hosts}</dhcp></ip>")
    client.call(path, NETWORK, "Create")
    seconds = time.monotonic() - before
    print(f"10,000 static hosts: defined and started in {seconds:.2f} s")
    assert seconds < 5 * float(os.environ.get("VIRTBUS_TIMEOUT_SCALE", "1")) and len(dnsmasqs()) == 1
    client.call(path, NETWORK, "Update", "uuisu", 2, 4, -1, "<host mac='52:54:00:00:01:00'/>", 3)
    assert client.call(path, NETWORK, "GetXMLDesc", "u", 0).count("<host ") == 9999
