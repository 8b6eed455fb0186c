"""The same small program by every binding of D-Bus: it lists the machines, starts one, hears that, reads its console."""

import os
import pathlib
import shutil
import subprocess

import pytest

from harness import SCALE
from machines import SHUTOFF, define, guest_definition

BINDINGS = pathlib.Path(__file__).resolve().parents[2] / "busctl-examples/bindings"
NODE = pathlib.Path(os.environ.get("VIRTBUS_CACHE", "/nonexistent")) / "node"


@pytest.fixture
def web(client, guest_files):
    machine = define(client, guest_definition("web", guest_files))
    yield machine
    if machine.state[0] != SHUTOFF:
        machine.destroy()


def program(name):
    """The file to run; programs of Node.js lie beside the packages that they import."""
    if name != "node.mjs":
        return BINDINGS / name
    if not (NODE / "node_modules/dbus-next").exists():
        pytest.skip("npm could not be asked for dbus-next")
    return shutil.copy(BINDINGS / name, NODE / name)


@pytest.mark.guest
@pytest.mark.parametrize("name", sorted(path.name for path in BINDINGS.iterdir()))
def test_program(daemon, web, name):
    result = subprocess.run([program(name), "web"], capture_output=True, text=True, timeout=30 * SCALE, check=False,
                            env=dict(os.environ, VIRTBUS_BUS=daemon.bus.address))
    assert result.returncode == 0, result.stderr
    listed, heard, console = result.stdout.split("\n", 2)
    assert web.path in listed
    assert heard == "started"
    assert console.strip(), "nothing came from the console"


def test_without_a_machine(daemon):
    """What a program does not catch ends it, with what the daemon says."""
    result = subprocess.run([BINDINGS / "dbus-python.py", "nobody"], capture_output=True, text=True,
                            timeout=30 * SCALE, check=False, env=dict(os.environ, VIRTBUS_BUS=daemon.bus.address))
    assert result.returncode != 0
    assert "Domain not found" in result.stderr
