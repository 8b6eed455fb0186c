"""That the fake QEMU plays what it says, so that a test that uses it tests the daemon."""

import json
import os
import pathlib
import signal
import socket
import subprocess

import pytest

FAKE = pathlib.Path(__file__).resolve().parent / "fake-qemu"


class Monitor:
    def __init__(self, path, connect=True):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(path)
        self.stream = self.socket.makefile("rwb")

    def read(self):
        return json.loads(self.stream.readline())

    def ask(self, command, **arguments):
        self.stream.write(json.dumps({"execute": command, "arguments": arguments, "id": command}).encode())
        self.stream.flush()
        events = []
        while True:
            answer = self.read()
            if "event" not in answer:
                return answer, events
            events.append(answer["event"])


@pytest.fixture
def fake(tmp_path):
    """fake(tricks, options): a started fake with its monitor on a listening descriptor."""
    started = []

    def start(tricks="", *options, notation="fd"):
        link = tmp_path / "qemu"
        link.symlink_to(FAKE)
        (tmp_path / "qemu.mode").write_text(tricks)
        (tmp_path / "qemu.log").touch()
        path = str(tmp_path / "monitor")
        listener = socket.socket(socket.AF_UNIX)
        if notation != "path":
            listener.bind(path)
            listener.listen(1)
        address = {"fd": f"socket,id=monitor,fd={listener.fileno()},server=on,wait=off",
                   "path": f"socket,id=monitor,path={path},server=on,wait=off",
                   "json": json.dumps({"id": "monitor", "backend": {"type": "socket", "data": {
                       "addr": {"type": "fd", "data": {"str": str(listener.fileno())}}, "server": True,
                       "wait": False}}})}[notation]
        process = subprocess.Popen([link, "-name", "guest=web", "-S", "-chardev", address, "-mon",
                                    "chardev=monitor,mode=control", *options],
                                   pass_fds=[listener.fileno()], stderr=subprocess.PIPE, text=True)
        started.append(process)
        listener.close()
        while notation == "path" and not os.path.exists(path):
            assert process.poll() is None, process.stderr.read()
        process.monitor_path = path
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stderr.close()


@pytest.mark.parametrize("notation", ["fd", "path", "json"])
def test_life(fake, notation):
    process = fake("", notation=notation)
    monitor = Monitor(process.monitor_path)
    assert monitor.read()["QMP"]["version"]["qemu"]["major"] == 7
    assert monitor.ask("qmp_capabilities")[0] == {"return": {}, "id": "qmp_capabilities"}
    assert monitor.ask("query-status")[0]["return"]["status"] == "prelaunch"
    assert monitor.ask("query-name")[0]["return"] == {"name": "web"}
    assert len(monitor.ask("query-machines")[0]["return"]) > 50
    assert monitor.ask("no-such-command")[0]["error"]["class"] == "CommandNotFound"
    assert monitor.ask("cont") == ({"return": {}, "id": "cont"}, ["RESUME"])
    assert monitor.ask("query-status")[0]["return"]["running"]
    monitor.ask("quit")
    assert monitor.read()["event"] == "SHUTDOWN"
    assert process.wait(10) == 0


def test_takes_another_connection(fake):
    process = fake()
    for _ in range(2):
        monitor = Monitor(process.monitor_path)
        assert "QMP" in monitor.read()
        monitor.stream.close()
        monitor.socket.close()


def test_exit_with_words(fake):
    process = fake("exit 1 qemu: no such disk")
    assert process.wait(10) == 1
    assert process.stderr.read() == "qemu: no such disk\n"


def test_hang(fake):
    monitor = Monitor(fake("hang").monitor_path)
    monitor.socket.settimeout(0.3)
    with pytest.raises(TimeoutError):
        monitor.socket.recv(1)


def test_bad_bytes(fake):
    assert b"\xff\xfe" in Monitor(fake("bad-utf8").monitor_path).stream.readline()


def test_long_line(fake):
    monitor = Monitor(fake("long-line 100000").monitor_path)
    assert "QMP" in monitor.read()
    assert len(monitor.stream.read(100000)) == 100000


def test_ids_deafness_death_and_errors(fake):
    process = fake("wrong-ids\nerror stop no\ndeaf query-block\ndie query-uuid")
    monitor = Monitor(process.monitor_path)
    monitor.read()
    assert monitor.ask("qmp_capabilities")[0]["id"] == "not-qmp_capabilities"
    assert monitor.ask("stop")[0]["error"]["desc"] == "no"
    monitor.socket.settimeout(0.3)
    with pytest.raises(TimeoutError):
        monitor.ask("query-block")
    monitor.socket.send(b'{"execute": "query-uuid"}')
    assert process.wait(10) == -signal.SIGKILL


def test_storm(fake):
    monitor = Monitor(fake("events 100000").monitor_path)
    monitor.read()
    monitor.ask("qmp_capabilities")
    monitor.ask("cont")
    assert all(monitor.read()["event"] == "RTC_CHANGE" for _ in range(5000))


def test_guest_ends(fake):
    process = fake("poweroff 0.05")
    monitor = Monitor(process.monitor_path)
    monitor.read()
    monitor.ask("qmp_capabilities")
    monitor.ask("cont")
    assert monitor.read()["data"] == {"guest": True, "reason": "guest-shutdown"}
    assert process.wait(10) == 0


def test_probing_is_kept_apart(fake):
    process = fake("hang\nprobe exit 2 cannot be probed", "-machine", "none")
    assert process.wait(10) == 2
    log = json.loads((pathlib.Path(process.monitor_path).parent / "qemu.log").read_text().splitlines()[0])
    assert log["is_probe"] and log["argv"][-1] == "none" and log["uid"] == os.getuid()


def test_moves(fake, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.touch()
    monitor = Monitor(fake(f"move blockdev-add {one} {two}").monitor_path)
    monitor.read()
    monitor.ask("blockdev-add")
    assert two.exists() and not one.exists()
