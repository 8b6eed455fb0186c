"""Fixtures: buses, polkit, daemons, guests.

Two families: `daemon` and `client` are virtbusd on a session bus, quick and without polkit's questions;
`system_daemon` is virtbusd on a bus of the system type with the real polkitd, for tests about rights.  The buses are
shared by all tests of a run, each daemon has its own folder (--root) and its own short life.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from daemon import Daemon  # noqa: E402
from harness import Bus, Polkit  # noqa: E402

SOURCE = pathlib.Path(__file__).resolve().parents[2]


def pytest_configure(config):
    config.addinivalue_line("markers", "system: needs a bus of the system type with polkitd (tests/bus/run as root)")
    config.addinivalue_line("markers", "guest: boots a real Linux guest (seconds, under TCG)")
    config.addinivalue_line("markers", "slow: takes many seconds or much memory")
    config.addinivalue_line("markers", "qemu: starts a real QEMU")


def pytest_collection_modifyitems(items):
    for item in items:
        if "system" in item.keywords and not os.environ.get("VIRTBUS_NAMESPACE"):
            item.add_marker(pytest.mark.skip(reason="only inside tests/bus/run, started as root"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Lets fixtures know whether their test failed, and shows the daemon's log if so."""
    report = (yield).get_result()
    if report.when == "call":
        item.test_failed = report.failed
    if report.failed:
        for value in getattr(item, "funcargs", {}).values():
            if isinstance(value, Daemon):
                report.sections.append(("virtbusd", value.read_log()))


@pytest.fixture(scope="session")
def scratch():
    """A folder for the run that other users can look into, with a short path (sockets live below it)."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="vb", dir=os.environ.get("TMPDIR", "/tmp")))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def session_bus(scratch):
    bus = Bus("session", str(scratch / "session-bus"))
    yield bus
    bus.stop()


@pytest.fixture(scope="session")
def system_bus(scratch):
    bus = Bus("system", str(scratch / "system-bus"))
    yield bus
    bus.stop()


@pytest.fixture(scope="session")
def polkit_service(system_bus, scratch):
    service = Polkit(system_bus, str(scratch))
    yield service
    service.stop()


@pytest.fixture
def polkit(polkit_service):
    """polkitd with no rules but the installed ones; what the test adds goes with it."""
    yield polkit_service
    if os.path.exists(os.path.join(Polkit.RULES, "10-test.rules")):
        polkit_service.rules()


@pytest.fixture
def root_dir(scratch, request):
    """What the daemon gets as --root."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="r", dir=scratch))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def make_daemon(root_dir):
    """make_daemon(bus, *options): a started Daemon, ended and checked after the test."""
    daemons = []

    def make(bus, *options, root=None, **keywords):
        daemon = Daemon(bus, root or root_dir, *options, **keywords)
        daemons.append(daemon)
        daemon.start()
        return daemon

    yield make
    for daemon in daemons:
        daemon.finish()


@pytest.fixture
def daemon(session_bus, make_daemon):
    return make_daemon(session_bus)


@pytest.fixture
def client(daemon):
    """A connection to the session bus with virtbusd on it."""
    return daemon.client()


@pytest.fixture
def system_daemon(system_bus, polkit, make_daemon):
    return make_daemon(system_bus)


@pytest.fixture(scope="session")
def guest_files(scratch):
    """The folder with vmlinuz and initramfs of the test guest."""
    path = scratch / "guest"
    subprocess.run([SOURCE / "tests/vm/guest.sh", path], check=True)
    path.chmod(0o755)
    return path
