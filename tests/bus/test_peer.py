"""libvirt-dbus's own tests, as Debian's source package has them, with virtbusd in its place and nothing changed.

They are fetched by tests/peer/install and start what they take for libvirt-dbus, with --session, once for each test.
"""

import os
import pathlib
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from daemon import DAEMON
from harness import SCALE

TESTS = pathlib.Path(os.environ.get("VIRTBUS_CACHE", "/nonexistent")) / "peer/source/tests"
# What cannot pass, with the reason. There is nothing.
CANNOT = {}
# As many as version 1.4.1 has: a file that is not found must not go unnoticed.
AT_LEAST = 84


@pytest.fixture
def environment(root_dir):
    """What they look for: a build tree with the program in it. The user's folders are below the test's own."""
    if not (TESTS / "libvirttest.py").exists():
        pytest.skip("Debian's archive could not be asked for the source of libvirt-dbus")
    (root_dir / "src").mkdir()
    (root_dir / "src/libvirt-dbus").symlink_to(pathlib.Path(DAEMON).resolve())
    folders = {name: str(root_dir / name.lower()) for name in (
        "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")}
    for folder in folders.values():
        os.mkdir(folder, 0o700)
    return dict(os.environ, abs_top_builddir=str(root_dir), HOME=str(root_dir), **folders)


def outcomes(report):
    """Test → None, or what was wrong with it."""
    found = {}
    for case in ElementTree.parse(report).iter("testcase"):
        problem = next((child for child in case if child.tag in ("failure", "error", "skipped")), None)
        name = f"{case.get('classname')}.{case.get('name')}"
        found[name] = None if problem is None else f"{problem.tag}: {problem.get('message')}"
    return found


def test_all_of_them(environment, root_dir):
    report = root_dir / "report.xml"
    result = subprocess.run(
        [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junit-xml={report}", str(TESTS)],
        cwd=TESTS, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120 * SCALE,
        check=False)
    assert report.exists(), result.stdout
    found = outcomes(report)
    wrong = {name: problem for name, problem in found.items() if problem and name not in CANNOT}
    assert not wrong, result.stdout[-8000:]
    assert [name for name in CANNOT if not found.get(name)] == [], "what is said to be impossible passes"
    assert len(found) >= AT_LEAST, sorted(found)
