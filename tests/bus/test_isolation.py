"""One machine that hangs, one caller that floods, one reader that does not read: the others do not notice."""

import fcntl
import os
import pathlib
import signal
import socket
import time

import pytest

from harness import SCALE, BusError, wait_for
from machines import (
    CONNECT, NATIVE, QEMU, RUNNING, SHUTOFF, FakeQemu, Lifecycle, Machine, define, definition, list_machines, pid_of)


def median(values):
    return sorted(values)[len(values) // 2]


@pytest.fixture
def pair(client):
    machines = define(client, definition("stuck")), define(client, definition("other"))
    for machine in machines:
        machine.create()
    return machines


@pytest.mark.qemu
class TestStuckMachine:
    @pytest.fixture
    def stuck(self, daemon, pair):
        pid = pid_of(daemon, pair[0])
        os.kill(pid, signal.SIGSTOP)
        yield pair[0]
        os.kill(pid, signal.SIGCONT)

    def test_reads_of_it_do_not_wait(self, client, stuck):
        started = time.monotonic()
        assert stuck.state[0] == RUNNING
        assert stuck.get("Active") is True
        assert stuck.tree().findtext("name") == "stuck"
        assert stuck.path in client.managed_objects()
        assert client.get_all(stuck.path, NATIVE)["State"] == "running"
        assert time.monotonic() - started < 0.5 * SCALE

    def test_a_hundred_calls_of_it_hold_up_nobody(self, client, pair, stuck):
        other = pair[1]
        pending = [stuck.begin("InjectNMI", "u", 0, timeout=120) for _ in range(100)]
        took = []
        for _ in range(50):
            started = time.monotonic()
            assert other.state[0] == RUNNING
            took.append(time.monotonic() - started)
        assert median(took) < 0.01 * SCALE, took
        started = time.monotonic()
        other.suspend()
        other.resume()
        define(client, definition("third")).create()
        assert time.monotonic() - started < 5 * SCALE
        assert not any(p.done and p.error is None for p in pending)

    def test_it_goes_on_when_it_can(self, daemon, pair):
        stuck = pair[0]
        pid = pid_of(daemon, stuck)
        os.kill(pid, signal.SIGSTOP)
        pending = stuck.begin("Suspend")
        os.kill(pid, signal.SIGCONT)
        pending.result(20)
        assert stuck.state[0] == 3

    def test_destroy_ends_it_though_calls_wait(self, daemon, client, pair):
        """The way out works: a stuck machine can be destroyed at once, whatever waits for it."""
        stuck = pair[0]
        os.kill(pid_of(daemon, stuck), signal.SIGSTOP)
        pending = [stuck.begin("Suspend") for _ in range(5)]
        started = time.monotonic()
        stuck.destroy()
        assert time.monotonic() - started < 5 * SCALE
        assert stuck.state[0] == SHUTOFF
        for entry in pending:
            with pytest.raises(BusError):
                entry.result(10)


class TestStart:
    def test_a_start_that_hangs_holds_up_nobody(self, client, root_dir):
        fake = FakeQemu(root_dir / "fake", "hang")
        hanging = define(client, definition("hanging", emulator=fake.path))
        pending = hanging.begin("Create", "u", 0, timeout=120)
        wait_for(lambda: fake.runs(), 20)
        started = time.monotonic()
        assert hanging.get("Name") == "hanging"
        other = define(client, definition("other", emulator=FakeQemu(root_dir / "good").path))
        other.create()
        assert other.state[0] == RUNNING
        assert time.monotonic() - started < 5 * SCALE
        hanging.destroy()  # what starts can be ended
        with pytest.raises(BusError):
            pending.result(30)
        assert hanging.state[0] == SHUTOFF

    def test_an_emulator_that_cannot_be_opened_holds_up_nobody(self, client, root_dir):
        """Whoever has a lease of the program's file need not give it back before 45 s are over: execve() waits in the kernel."""
        program = root_dir / "program"
        program.write_text(f'#!/bin/sh\nexec {FakeQemu(root_dir / "fake").path} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        machine = define(client, definition("web", emulator=program))

        def is_asked_for():
            lines = pathlib.Path("/proc/locks").read_text(encoding="ascii").splitlines()
            return any("BREAKING" in line and f":{program.stat().st_ino} " in line for line in lines)

        handler = signal.signal(signal.SIGIO, signal.SIG_IGN)
        try:
            with program.open("rb") as leased:
                try:
                    fcntl.fcntl(leased, fcntl.F_SETLEASE, fcntl.F_WRLCK)
                except OSError:
                    pytest.skip("this file system has no leases")
                pending = machine.begin("Create", "u", 0, timeout=120)
                wait_for(is_asked_for, 20)
                assert machine.get("Name") == "web"
                assert is_asked_for(), "the answer came when the kernel had waited for long enough"
            pending.result(60)
        finally:
            signal.signal(signal.SIGIO, handler)
        assert machine.state[0] == RUNNING


class TestClients:
    def test_one_that_floods(self, daemon, client):
        machine = define(client, definition("web"))
        flooder = daemon.client()
        pending = [flooder.begin(QEMU, CONNECT, "ListDomains", "u", 0) for _ in range(3000)]
        took = []
        for _ in range(20):
            started = time.monotonic()
            assert machine.name == "web"
            took.append(time.monotonic() - started)
        assert max(took) < 2 * SCALE, took
        for entry in pending:
            entry.result(60)

    def test_one_that_does_not_read(self, daemon, client):
        """Subscribed to everything and never reading: the daemon's memory stays, and the others hear all."""
        reader = socket.socket(socket.AF_UNIX)
        reader.connect(str(daemon.socket_path()))
        reader.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n")
        assert reader.recv(200).startswith(b"OK")
        reader.sendall(b"NEGOTIATE_UNIX_FD\r\nBEGIN\r\n")
        events = Lifecycle(client)
        machine = define(client, definition("web", extra=f"<description>{'d' * 20000}</description>"))
        before = daemon.resident_kib()
        for i in range(500):
            machine.call("SetMetadata", "isssu", 1, f"{i} " + "t" * 2000, "", "", 0)
            define(client, definition("web", domain_uuid=machine.uuid, memory_kib=4096 * (i % 9 + 1)))
        wait_for(lambda: len(events.of(machine)) >= 501, 20)
        assert daemon.resident_kib() - before < 32768
        reader.close()

    def test_many_connections_to_the_private_socket(self, daemon, client):
        before = daemon.fd_count()
        connections = []
        for _ in range(300):
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(str(daemon.socket_path()))
            connections.append(connection)
        assert list_machines(client) == []
        for connection in connections:
            connection.close()
        wait_for(lambda: daemon.fd_count() <= before + 1, 20, "the descriptors to be closed")

    def test_garbage_on_the_private_socket(self, daemon, client):
        for data in (b"GET / HTTP/1.0\r\n\r\n", b"\0" * 100000, b"\0AUTH EXTERNAL zz\r\n", os.urandom(4096),
                     b"\0AUTH EXTERNAL " + b"30" * 5000 + b"\r\n"):
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(str(daemon.socket_path()))
            try:
                connection.sendall(data)
            except (BrokenPipeError, ConnectionResetError):
                pass  # refused before all of it was sent
            connection.close()
        assert list_machines(client) == []
        assert daemon.is_running

    def test_another_user_on_the_private_socket(self, daemon):
        """In a session the socket is its user's alone."""
        if os.getuid() != 0:
            pytest.skip("only root can become somebody else")
        from gi.repository import GLib

        with pytest.raises((GLib.Error, BusError)):
            list_machines(daemon.peer("nobody"))


class TestDescriptors:
    def test_none_is_lost(self, daemon, client, root_dir):
        fake = FakeQemu(root_dir / "fake")
        machine = define(client, definition("web", emulator=fake.path))
        bad = define(client, definition("bad", emulator=FakeQemu(root_dir / "bad", "exit 1 no").path))
        machine.create()
        machine.destroy()
        before = daemon.fd_count()
        for _ in range(20):
            machine.create()
            machine.destroy()
            with pytest.raises(BusError):
                bad.create()
            with pytest.raises(BusError):
                define(client, "<domain")
        wait_for(lambda: daemon.fd_count() <= before, 5, "descriptors to be as many as before")
        assert Machine(client, machine.path).state[0] == SHUTOFF
