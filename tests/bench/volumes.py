#!/usr/bin/python3
"""volumes.py [MIB] [FOLDER]: uploads, downloads and clones of MIB (default 512) mebibytes, and new qcow2 volumes, beside
what cp and qemu-img take for the same on the same file system (a folder below FOLDER, default /var/tmp).

Each in turn, five times, the median; cp is followed by a sync of its file, as an upload is on the disk before its reply.
"""

import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
os.environ.setdefault("BUILD", str(ROOT / "build"))
sys.path.insert(0, str(ROOT / "tests/bus"))

from daemon import Daemon  # noqa: E402
from harness import Bus  # noqa: E402
from machines import CONNECT, QEMU  # noqa: E402

POOL, VOLUME, NATIVE = "org.libvirt.StoragePool", "org.libvirt.StorageVol", "org.virtbus1.StorageVolume"
TURNS = 5


def sync(path):
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)


def measure(pairs):
    """Takes turns; prints the medians of each."""
    times = {name: [] for name, _work in pairs}
    for _ in range(TURNS):
        for name, work in pairs:
            started = time.monotonic()
            work()
            times[name].append(1000 * (time.monotonic() - started))
    for name, values in times.items():
        print(f"{name:40} {statistics.median(values):9.1f} ms, {min(values):.1f} to {max(values):.1f}")


class Bench:
    def __init__(self, client, folder, mib):
        self.client, self.folder, self.mib = client, folder, mib
        self.numbers = iter(range(10**6))
        self.source = folder / "source"
        with open(self.source, "wb") as file:
            for _ in range(mib):
                file.write(os.urandom(2**20))
        sync(self.source)
        (folder / "pool").mkdir()
        xml = f"<pool type='dir'><name>bench</name><target><path>{folder}/pool</path></target></pool>"
        self.pool = client.call(QEMU, CONNECT, "StoragePoolDefineXML", "su", xml, 0)
        client.call(self.pool, POOL, "Create", "u", 0)
        self.volume = self.make("raw", 2**20)
        self.upload()

    def make(self, kind, capacity):
        xml = (f"<volume><name>v{next(self.numbers)}</name><capacity>{capacity}</capacity><allocation>0</allocation>"
               f"<target><format type='{kind}'/></target></volume>")
        return self.client.call(self.pool, POOL, "StorageVolCreateXML", "su", xml, 0)

    def move(self, member, path, flags):
        fd = os.open(path, flags, 0o600)
        self.client.call(self.volume, NATIVE, member, "htta{sv}", 0, 0, 0, {}, fds=[fd], timeout=600)
        os.close(fd)

    def upload(self):
        self.move("Upload", self.source, os.O_RDONLY)

    def copy(self):
        """cp, synced, to a new file that takes the place of the old one: both need memory for two at a time."""
        target = self.folder / "copied"
        new = self.folder / "copied.new"
        subprocess.run(["cp", "--reflink=never", self.source, new], check=True)
        sync(new)
        new.rename(target)

    def download(self):
        target = self.folder / "target"
        target.unlink(missing_ok=True)
        self.move("Download", target, os.O_RDWR | os.O_CREAT)

    def copy_plain(self):
        target = self.folder / "target"
        target.unlink(missing_ok=True)
        subprocess.run(["cp", "--reflink=never", self.client.get(self.volume, VOLUME, "Path"), target], check=True)

    def qemu_img(self):
        path = self.folder / "qcow2"
        path.unlink(missing_ok=True)
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", path, "1G"], check=True)

    def clone(self):
        new = self.client.call(self.volume, NATIVE, "Clone", "ssa{sv}", f"c{next(self.numbers)}", "", {}, timeout=600)
        self.client.call(new, VOLUME, "Delete", "u", 0)


def main():
    mib = int(sys.argv[1]) if len(sys.argv) > 1 else 512
    folder = pathlib.Path(tempfile.mkdtemp(prefix="virtbus-bench-", dir=sys.argv[2] if len(sys.argv) > 2 else "/var/tmp"))
    bus = Bus("session", str(folder / "bus"))
    (folder / "root").mkdir()
    daemon = Daemon(bus, folder / "root").start()
    try:
        bench = Bench(bus.connect(), folder, mib)
        measure([(f"upload of {mib} MiB", bench.upload), ("  cp and sync", bench.copy)])
        measure([(f"download of {mib} MiB", bench.download), ("  cp", bench.copy_plain)])
        measure([("new qcow2 volume", lambda: bench.make("qcow2", 2**30)), ("  qemu-img create", bench.qemu_img)])
        measure([(f"clone of {mib} MiB, and its removal", bench.clone)])
    finally:
        daemon.stop()
        bus.stop()
        shutil.rmtree(folder)


main()
