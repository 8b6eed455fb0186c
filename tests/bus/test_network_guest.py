"""Whole ways through networks with a real guest: one on a network of the host's, one of an ordinary user's own session."""

import os
import pwd
import subprocess
import uuid

import pytest

import harness
from console import Console
from harness import Bus, wait_for
from machines import CONNECT, NATIVE, QEMU, guest_definition
from machines import define as define_machine
from networks import clean, guests, interface, run, up  # noqa: F401
from test_interfaces import ask, serve

pytestmark = [pytest.mark.skipif(not os.environ.get("VIRTBUS_NAMESPACE"), reason="only inside tests/bus/run, started as root"),
              pytest.mark.qemu, pytest.mark.guest]
MAC = "52:54:00:00:00:77"
FILTER = ("<filter name='own' chain='root'>"
          "<rule action='drop' direction='out' priority='-500'><mac match='no' srcmacaddr='$MAC'/></rule>"
          "<rule action='accept' direction='out' priority='-450'><ip srcipaddr='0.0.0.0' protocol='udp' dstportstart='67'/></rule>"
          "<rule action='drop' direction='out' priority='-400'><ip match='no' srcipaddr='$IP'/></rule></filter>")
NETWORK = ("<domain name='lab.test' localOnly='yes'/><dns><host ip='10.77.1.5'><hostname>printer</hostname></host></dns>"
           "<ip address='10.77.1.1' prefix='24'><dhcp><range start='10.77.1.10' end='10.77.1.20'/>"
           f"<host mac='{MAC}' name='web' ip='10.77.1.99'/></dhcp></ip>"
           "<ip family='ipv6' address='fd00:77::1' prefix='64'/>")
# Counts the lines of one connection.
COUNTER = """
import socket
s = socket.create_server(("192.0.2.2", 7000))
print("ready", flush=True)
c, _ = s.accept()
for n, line in enumerate(c.makefile("rb"), 1):
    c.sendall(b"%d %s" % (n, line))
"""


def open_console(machine):
    console = Console(machine.client.send(machine.path, NATIVE, "OpenConsole", "su", "", 0).fds[0])
    console.wait_ready()
    return console


def pings(console, address, *options):
    return "yes" in console.run(" ".join(("p", *options, address))).split("\n")  # the shell may have its own to say


def world(guests):  # noqa: F811
    run("ip", "link", "add", "vbworld", "type", "bridge")
    run("ip", "addr", "add", "192.0.2.1/24", "dev", "vbworld")
    run("ip", "link", "set", "vbworld", "up")
    made = guests("world", "vbworld", mac="52:54:00:00:00:09")
    made.run("ip", "addr", "add", "192.0.2.2/24", "dev", "eth0")
    return made


def test_on_a_network(daemon, client, guest_files, guests):  # noqa: F811
    world(guests)
    up(client, "lab", forward="<forward mode='nat'/>", content=NETWORK)
    up(client, "alone", 2)
    alone = guests("alone", "vbalone", mac="52:54:00:00:00:08")
    alone.set_address("10.77.2.2/24", "10.77.2.1")
    client.call(QEMU, CONNECT, "NWFilterDefineXML", "s", FILTER)
    card = (f"<mac address='{MAC}'/><source network='lab'/>"
            "<filterref filter='own'><parameter name='IP' value='10.77.1.99'/></filterref>")
    machine = define_machine(client, guest_definition("web", guest_files, devices=interface(card)))
    machine.create()
    console = open_console(machine)

    # Its addresses, a name, the world, and nothing of an isolated network
    for line in ('p() { ping -c 1 -W 1 "$@" > /dev/null 2>&1 && echo yes; }', "echo '#!/bin/sh' > /d; chmod +x /d", "echo '[ \"$1\" = bound ] || exit 0' >> /d",
                 "echo 'ip addr add $ip/$mask dev eth0' >> /d", "echo 'ip route add default via $router' >> /d",
                 "echo \"nameserver 10.77.1.1\" > /etc/resolv.conf"):
        console.run(line)
    assert console.run("udhcpc -i eth0 -n -q -f -s /d 2> /dev/null; echo $?").endswith("0")
    assert "10.77.1.99/24" in console.run("ip addr show eth0")
    wait_for(lambda: "fd00:77::5054:ff:fe00:77/64" in console.run("ip addr show eth0"), timeout=20)
    wait_for(lambda: pings(console, "fd00:77::1", "-I fd00:77::5054:ff:fe00:77"), timeout=20)
    assert "10.77.1.5" in console.run("nslookup printer.lab.test")
    assert pings(console, "192.0.2.2")
    assert not pings(console, "10.77.2.2")

    def known():
        return {(a["source"], a["address"]) for a in machine.get("Addresses", NATIVE) if a["mac"] == MAC and a["alias"] == "net0"}
    everything = {("lease", "10.77.1.99"), ("arp", "fd00:77::5054:ff:fe00:77")}
    wait_for(lambda: everything <= known())

    # A connection through the daemon's death
    with subprocess.Popen(["ip", "netns", "exec", "world", "python3", "-c", COUNTER], stdout=subprocess.PIPE) as counter:
        try:
            assert counter.stdout.readline() == b"ready\n"
            for line in ("mkfifo f", "nc 192.0.2.2 7000 < f > o &", "exec 3> f", "echo one >&3"):
                console.run(line)
            wait_for(lambda: console.run("cat o") == "1 one")
            console.close()
            daemon.kill()
            daemon.start()
            console = Console(machine.client.send(machine.path, NATIVE, "OpenConsole", "su", "", 0).fds[0])
            console.write("\n")
            console.expect(rb"root@guest:[^ ]*# ")
            console.run("echo two >&3")
            wait_for(lambda: console.run("cat o").split("\n") == ["1 one", "2 two"])
        finally:
            counter.kill()
    wait_for(lambda: everything <= known())

    # Somebody else's address
    assert pings(console, "10.77.1.1")
    console.run("ip addr add 10.77.1.50/24 dev eth0")
    assert not pings(console, "10.77.1.1", "-I 10.77.1.50")
    console.run("ip link set eth0 address 52:54:00:00:00:66")
    assert not pings(console, "10.77.1.1")
    console.run(f"ip link set eth0 address {MAC}")
    wait_for(lambda: pings(console, "10.77.1.1"), timeout=20)
    console.close()
    machine.destroy()


@pytest.fixture
def alices_bus(scratch, monkeypatch):
    monkeypatch.setattr(harness, "SESSION_CONFIGURATION", harness.SESSION_CONFIGURATION.replace(
        '<allow own="*"/>', '<allow own="*"/><allow user="*"/>'))
    bus = Bus("session", str(scratch / f"alice-{uuid.uuid4().hex[:8]}"))
    yield bus
    bus.stop()


@pytest.fixture(params=["passt", "QEMU's own"])
def alices_session(request, alices_bus, root_dir, tmp_path, make_daemon, monkeypatch):
    """(virtbusd as a user starts it, with nothing of root's left to it; whether there is passt)."""
    alice = pwd.getpwnam("alice").pw_uid
    path = tmp_path / "bin"
    path.mkdir()
    for folder in ("/usr/sbin", "/usr/bin"):
        for name in os.listdir(folder):
            if (request.param == "passt" or not name.startswith("passt")) and not (path / name).exists():
                (path / name).symlink_to(os.path.join(folder, name))
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    os.chown(root_dir, alice, alice)
    monkeypatch.setenv("VIRTBUS_DAEMON_PREFIX", "setpriv --reuid=alice --regid=alice --init-groups --no-new-privs --")
    environment = {"HOME": "/run/home/alice", "XDG_RUNTIME_DIR": f"/run/user/{alice}", "PATH": str(path)}
    return make_daemon(alices_bus, environment=environment), request.param == "passt"


def test_in_a_users_session(alices_session, guest_files):
    """Somebody outside reaches the guest's service by a forwarded port."""
    daemon, has_passt = alices_session
    for line in ("link add vbup0 type veth peer name vbup1", "link set vbup1 up", "link set vbup0 up",
                 "addr add 192.0.2.2/24 dev vbup0", "route add default via 192.0.2.1"):
        run("ip", *line.split())
    try:
        machine = define_machine(daemon.client("alice"), guest_definition("web", guest_files, devices=interface(
            "<backend type='passt'/><portForward proto='tcp' address='127.0.0.1'><range start='18090' to='80'/></portForward>",
            "user")))
        machine.create()
        processes = {words.split()[0].split("/")[-1]: pid for pid, words in ((p, " ".join(w)) for p, w in daemon.machines().items())}
        assert {os.stat(f"/proc/{pid}").st_uid for pid in processes.values()} == {pwd.getpwnam("alice").pw_uid}
        assert any(name.startswith("passt") for name in processes) == has_passt
        console = serve(machine, *(("192.0.2.2/24", "192.0.2.1") if has_passt else ("10.0.2.15/24", "10.0.2.2")))
        wait_for(lambda: ask(18090, b"hi\n") == b"hello\n", timeout=20)
        console.close()
        machine.destroy()
    finally:
        run("ip", "link", "del", "vbup0")
