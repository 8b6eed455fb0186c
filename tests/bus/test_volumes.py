"""Volumes natively: properties, descriptors, uploads and downloads, wiping, clones; what is left after a Cancel, a
kill and a full disk."""

import contextlib
import fcntl
import os
import pathlib
import select
import socket
import subprocess
import threading

import pytest

from gi.repository import GLib
from harness import PROPERTIES, BusError, wait_for
from machines import CONNECT, DOMAIN, QEMU, boot_sector, define as define_machine, definition, disk
from networks import instead_of
from test_storage import MIB, POOL, image_info, make, names, read, refused, started, volume_xml

NATIVE = "org.virtbus1.StorageVolume"
VOLUME = "org.libvirt.StorageVol"
JOB = "org.virtbus1.Job"
BLOCK = 64 * 1024


def upload(client, volume, fd, offset=0, length=0, begin=False, **options):
    options = {key: GLib.Variant("b", value) for key, value in options.items()}
    call = client.begin if begin else client.call
    return call(volume, NATIVE, "Upload", "htta{sv}", 0, offset, length, options, fds=[fd])


def download(client, volume, fd, offset=0, length=0, begin=False):
    call = client.begin if begin else client.call
    return call(volume, NATIVE, "Download", "htta{sv}", 0, offset, length, {}, fds=[fd])


def parts(folder):
    return [p.name for p in folder.iterdir() if p.name.startswith(".")]


def sparse_file(path, size=8 * MIB):
    """Data, a hole, data, and a hole at the end."""
    with open(path, "wb") as file:
        file.write(os.urandom(BLOCK))
        file.seek(4 * MIB)
        file.write(os.urandom(BLOCK))
        file.truncate(size)
    return path.read_bytes()


def allocated(path):
    return path.stat().st_blocks * 512


@contextlib.contextmanager
def opened(path, flags=os.O_RDONLY):
    fd = os.open(path, flags, 0o600)
    try:
        yield fd
    finally:
        os.close(fd)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "pool").mkdir()
    return tmp_path / "pool"


@pytest.fixture
def pool(client, folder):
    return started(client, folder)


CONTENT = volume_xml("new")
NOT_SUPPORTED = {
    "REPAIR (1)": (POOL, "Build", "u", 1), "RESIZE (2)": (POOL, "Build", "u", 2), "ZEROED (1)": (POOL, "Delete", "u", 1),
    "REFLINK (2)": (POOL, "StorageVolCreateXML", "su", CONTENT, 2), "VALIDATE (4)": (POOL, "StorageVolCreateXML", "su", CONTENT, 4),
    "BYPASS_CACHE (4)": (DOMAIN, "CoreDump", "suu", "/x", 0, 4), "AUTODESTROY (2)": (DOMAIN, "Create", "u", 2),
    "VALIDATE (16)": (DOMAIN, "Create", "u", 16)}


@pytest.mark.parametrize("flag", NOT_SUPPORTED)
def test_flags_that_are_not_supported(client, pool, flag):
    interface, *call = NOT_SUPPORTED[flag]
    path = pool if interface == POOL else define_machine(client, definition("one")).path
    refused(client.call, path, interface, *call, word=f"the flag {flag} is not supported")
    assert names(client, pool) == []


def test_options_that_are_not_supported(client):
    machine = define_machine(client, definition("one"))
    error = refused(client.call, machine.path, "org.virtbus1.Domain", "Start", "a{sv}", {"validate": GLib.Variant("b", True)})
    assert error.name == "org.freedesktop.DBus.Error.NotSupported"


class TestProperties:
    def test_what_is_said(self, client, folder, pool):
        make(client, pool, "base", 2 * MIB)
        volume = make(client, pool, "top", 4 * MIB, kind="qcow2",
                      backing=f"<backingStore><path>{folder}/base</path><format type='raw'/></backingStore>")
        known = client.get_all(volume, NATIVE)
        assert known == {"Name": "top", "Key": f"{folder}/top", "Path": f"{folder}/top", "Pool": pool, "Format": "qcow2",
                         "Capacity": 4 * MIB, "Allocation": allocated(folder / "top"), "BackingPath": f"{folder}/base",
                         "Encrypted": False, "InUseBy": []}
        assert volume in client.managed_objects()

    def test_changes_are_announced(self, client, pool):
        added = client.listen(interface="org.freedesktop.DBus.ObjectManager", member="InterfacesAdded")
        volume = make(client, pool, "a", MIB)
        added.wait(lambda s: s.values[0] == volume)
        changes = client.listen(path=volume, interface=PROPERTIES, member="PropertiesChanged")
        client.call(volume, NATIVE, "Resize", "ta{sv}", 2 * MIB, {})
        changes.wait(lambda s: s.values[1].get("Capacity") == 2 * MIB)
        with pytest.raises(BusError):
            client.call(volume, NATIVE, "Resize", "ta{sv}", MIB, {})
        client.call(volume, NATIVE, "Resize", "ta{sv}", MIB, {"shrink": GLib.Variant("b", True),
                                                            "delta": GLib.Variant("b", True)})
        assert client.get(volume, NATIVE, "Capacity") == MIB

    def test_machines_that_name_it(self, client, folder, pool):
        volume = make(client, pool, "a", MIB)
        changes = client.listen(path=volume, interface=PROPERTIES, member="PropertiesChanged")
        by_path = define_machine(client, definition("one", disk(folder / "a")))
        changes.wait(lambda s: s.values[1].get("InUseBy") == [by_path.path])
        source = "<disk type='volume'><source pool='disks' volume='a'/><target dev='vda' bus='virtio'/></disk>"
        by_name = define_machine(client, definition("two", source))
        both = sorted([by_path.path, by_name.path])
        changes.wait(lambda s: s.values[1].get("InUseBy") == both)
        by_path.call("Undefine", "u", 0)
        changes.wait(lambda s: s.values[1].get("InUseBy") == [by_name.path])

    def test_known_again_after_the_daemon(self, client, daemon, folder, pool):
        machine = define_machine(client, definition("one", disk(folder / "a")))
        volume = make(client, pool, "a", MIB)
        daemon.kill()
        daemon.start()
        wait_for(lambda: client.get(pool, POOL, "Active"))
        assert client.get(volume, NATIVE, "InUseBy") == [machine.path]


class TestDescriptors:
    def test_read_and_write(self, client, folder, pool):
        volume = make(client, pool, "a", MIB)
        reply = client.send(volume, NATIVE, "OpenWrite")
        (fd,) = reply.fds
        os.pwrite(fd, b"hello", 1000)
        for member, arguments in (("OpenRead", ()), ("OpenWrite", ()), ("Wipe", ("s", "zero")), ("Delete", ("a{sv}", {})),
                                  ("Resize", ("ta{sv}", 2 * MIB, {}))):
            refused(client.call, volume, NATIVE, member, *arguments, word="uses it")
        os.close(fd)
        wait_for(lambda: (folder / "a").read_bytes()[1000:1005] == b"hello")
        readers = [client.send(volume, NATIVE, "OpenRead").fds[0] for _ in range(2)]
        assert os.pread(readers[0], 5, 1000) == b"hello"
        with pytest.raises(OSError):
            os.write(readers[0], b"x")
        refused(client.call, volume, NATIVE, "OpenWrite", word="uses it")
        assert subprocess.run(["qemu-io", "-f", "raw", "-c", "write 0 4k", folder / "a"], check=False,
                              capture_output=True).returncode != 0
        for reader in readers:
            os.close(reader)
        os.close(client.send(volume, NATIVE, "OpenWrite").fds[0])

    def test_not_while_qemu_writes(self, client, folder, pool):
        volume = make(client, pool, "a", MIB)
        machine = define_machine(client, definition("one", disk(folder / "a")))
        machine.call("Create", "u", 0)
        with open(os.devnull, "rb") as null:
            refused(upload, client, volume, null.fileno(), word="neither a pipe")
        for member in ("OpenRead", "OpenWrite"):
            refused(client.call, volume, NATIVE, member, word="running machine")
        with opened(folder / "../source", os.O_RDWR | os.O_CREAT) as fd:
            refused(upload, client, volume, fd, word="running machine")
            refused(download, client, volume, fd, word="running machine")
        machine.destroy()
        reader = client.send(volume, NATIVE, "OpenRead").fds[0]
        with pytest.raises(BusError) as e:
            machine.call("Create", "u", 0)
        assert "lock" in e.value.message or "use" in e.value.message
        os.close(reader)
        machine.call("Create", "u", 0)
        machine.destroy()


class TestUpload:
    def test_sparse_file(self, client, tmp_path, folder, pool):
        content = sparse_file(tmp_path / "source")
        volume = make(client, pool, "a", MIB)
        (folder / "a").chmod(0o640)
        with opened(tmp_path / "source") as fd:
            assert upload(client, volume, fd) == 8 * MIB
            assert os.lseek(fd, 0, os.SEEK_CUR) == 8 * MIB
        assert (folder / "a").read_bytes() == content
        assert allocated(folder / "a") <= 4 * BLOCK and (folder / "a").stat().st_mode & 0o777 == 0o640
        assert client.get(volume, NATIVE, "Capacity") == 8 * MIB and parts(folder) == []
        with opened(tmp_path / "target", os.O_RDWR | os.O_CREAT) as fd:
            assert download(client, volume, fd) == 8 * MIB
        assert (tmp_path / "target").read_bytes() == content and allocated(tmp_path / "target") <= 4 * BLOCK

    @pytest.mark.parametrize("kind", ["pipe", "socket"])
    def test_streams(self, client, tmp_path, folder, pool, kind):
        content = sparse_file(tmp_path / "source")
        volume = make(client, pool, "a", MIB)

        def ends():
            return os.pipe() if kind == "pipe" else [end.detach() for end in socket.socketpair()]

        def feed(fd):
            with open(fd, "wb") as file:
                file.write(content)

        reader, writer = ends()
        thread = threading.Thread(target=feed, args=(writer,))
        thread.start()
        assert upload(client, volume, reader, sparse=True) == len(content)
        thread.join()
        os.close(reader)
        assert (folder / "a").read_bytes() == content and allocated(folder / "a") <= 4 * BLOCK
        reader, writer = ends()
        got = []
        thread = threading.Thread(target=lambda: got.append(open(reader, "rb").read()))
        thread.start()
        assert download(client, volume, writer, offset=BLOCK - 1) == len(content) - BLOCK + 1
        os.close(writer)
        thread.join()
        assert got == [content[BLOCK - 1:]]

    def test_a_part(self, client, tmp_path, folder, pool):
        volume = make(client, pool, "a", MIB)
        old = bytearray(os.urandom(MIB))
        (folder / "a").write_bytes(old)
        (tmp_path / "source").write_bytes(b"0123456789")
        with opened(tmp_path / "source") as fd:
            os.lseek(fd, 2, os.SEEK_SET)
            assert upload(client, volume, fd, offset=1000, length=3) == 3
        old[1000:1003] = b"234"
        assert (folder / "a").read_bytes() == old
        with opened(tmp_path / "source") as fd:
            assert upload(client, volume, fd, offset=2 * MIB) == 10
        assert (folder / "a").read_bytes() == old + bytes(MIB) + b"0123456789"
        (tmp_path / "target").write_bytes(b"x" * 20)
        with opened(tmp_path / "target", os.O_RDWR) as fd:
            os.lseek(fd, 5, os.SEEK_SET)
            assert download(client, volume, fd, offset=2 * MIB - 2, length=4) == 4
        assert (tmp_path / "target").read_bytes() == b"x" * 5 + b"\0\x0001" + b"x" * 11

    def test_bad_input_changes_nothing(self, client, tmp_path, folder, pool):
        volume = make(client, pool, "a", MIB)
        before = (folder / "a").stat()
        (tmp_path / "source").write_bytes(b"0123456789")
        with opened(tmp_path / "source") as fd:
            refused(lambda: upload(client, volume, fd, length=11), word="only 10 of 11")
            refused(lambda: upload(client, volume, fd, offset=2**63), word="2^63")
            refused(lambda: upload(client, volume, fd, fast=True), word="fast")
            refused(download, client, volume, fd, word="not open for writing")
        with opened(tmp_path / "source", os.O_WRONLY | os.O_APPEND) as fd:
            refused(upload, client, volume, fd, word="not open for reading")
            refused(download, client, volume, fd, word="appending")
        with opened(tmp_path / "source", os.O_RDWR) as fd:
            refused(download, client, volume, fd, MIB + 1, word="ends at")
        refused(client.call, volume, NATIVE, "Wipe", "s", "quick", word="gutmann")
        assert (folder / "a").stat().st_ino == before.st_ino and parts(folder) == []
        assert (tmp_path / "source").read_bytes() == b"0123456789"

    def test_cancel_leaves_what_was(self, client, folder, pool):
        volume = make(client, pool, "a", MIB)
        (folder / "a").write_bytes(b"o" * MIB)
        added = client.listen(interface="org.freedesktop.DBus.ObjectManager", member="InterfacesAdded")
        reader, writer = os.pipe()
        reply = upload(client, volume, reader, length=100 * MIB, begin=True)
        job = added.wait(lambda s: JOB in s.values[1]).values[0]
        os.write(writer, b"n" * 60000)
        wait_for(lambda: client.get(job, JOB, "Done") == 60000)
        assert client.get(job, JOB, "Total") == 100 * MIB and len(parts(folder)) == 1
        client.call(pool, POOL, "Refresh", "u", 0)
        assert len(parts(folder)) == 1
        client.call(job, JOB, "Cancel")
        refused(reply.result, word="cancelled")
        assert (folder / "a").read_bytes() == b"o" * MIB and parts(folder) == []
        os.close(reader)
        os.close(writer)

    def test_killed(self, daemon, client, folder, pool):
        volume = make(client, pool, "a", MIB)
        (folder / "a").write_bytes(b"o" * MIB)
        reader, writer = os.pipe()
        upload(client, volume, reader, begin=True)
        os.write(writer, b"n" * 60000)
        wait_for(lambda: [p for p in parts(folder) if (folder / p).stat().st_size == 60000])
        daemon.kill()
        daemon.start()
        wait_for(lambda: client.get(pool, POOL, "Active"))
        assert (folder / "a").read_bytes() == b"o" * MIB and parts(folder) == []
        os.close(reader)
        os.close(writer)

    def test_pool_stopped_meanwhile(self, client, folder, pool):
        """All of it came: that the pool does not show it any longer is no failure."""
        volume = make(client, pool, "a", MIB)
        reader, writer = os.pipe()
        reply = upload(client, volume, reader, begin=True)
        os.write(writer, b"n" * 60000)
        wait_for(lambda: [p for p in parts(folder) if (folder / p).stat().st_size == 60000])
        client.call(pool, POOL, "Destroy")
        os.close(reader)
        os.close(writer)
        assert reply.result().value == 60000
        assert (folder / "a").read_bytes() == b"n" * 60000 + bytes(MIB - 60000)

    def test_16_at_once(self, client, tmp_path, folder, pool):
        volumes = [make(client, pool, f"v{i:02}", MIB) for i in range(16)]
        replies = []
        for i, volume in enumerate(volumes):
            (tmp_path / f"s{i}").write_bytes(bytes([i]) * (MIB + i))
            with opened(tmp_path / f"s{i}") as fd:
                replies.append(upload(client, volume, fd, begin=True))
        assert [reply.result().value for reply in replies] == [MIB + i for i in range(16)]
        for i in range(16):
            assert (folder / f"v{i:02}").read_bytes() == bytes([i]) * (MIB + i)
        for reply in [client.begin(volume, NATIVE, "Delete", "a{sv}", {}) for volume in volumes]:
            reply.result()
        assert names(client, pool) == [] == list(folder.iterdir())


class TestWipe:
    @pytest.mark.parametrize("algorithm", ["zero", "nnsa", "dod", "bsi", "gutmann", "schneier", "pfitzner7", "pfitzner33",
                                           "random", "trim"])
    def test_algorithms(self, client, folder, pool, algorithm):
        last = {"zero": b"\0", "nnsa": b"\0", "trim": b"\0", "dod": b"\xff", "bsi": b"\x7f"}.get(algorithm)
        volume = make(client, pool, "a", MIB)
        old = b"secret! " * (MIB // 8)
        (folder / "a").write_bytes(old)
        client.call(volume, NATIVE, "Wipe", "s", algorithm)
        new = (folder / "a").read_bytes()
        assert new == last * MIB if last else len(new) == MIB and len(set(new)) == 256 and b"secret!" not in new
        assert (allocated(folder / "a") == 0) is (algorithm == "trim")


class TestClone:
    def test_as_it_is(self, client, tmp_path, folder, pool):
        content = sparse_file(folder / "a")
        volume = client.call(pool, POOL, "StorageVolLookupByName", "s", "a")
        clone = client.call(volume, NATIVE, "Clone", "ssa{sv}", "b", "", {})
        assert (folder / "b").read_bytes() == content and allocated(folder / "b") <= 4 * BLOCK
        assert client.get(clone, NATIVE, "Format") == "raw"
        refused(client.call, volume, NATIVE, "Clone", "ssa{sv}", "b", "", {}, word="already")
        for name, kind, word in (("../c", "", "/"), ("c", "quick", "qcow2"), ("", "", "name")):
            refused(client.call, volume, NATIVE, "Clone", "ssa{sv}", name, kind, {}, word=word)
        refused(client.call, volume, NATIVE, "Clone", "ssa{sv}", "c", "qcow2", {"reflink": GLib.Variant("b", True)},
                word="reflink")
        converted = client.call(volume, NATIVE, "Clone", "ssa{sv}", "c", "qcow2", {})
        assert client.get(converted, NATIVE, "Format") == "qcow2"
        subprocess.run(["qemu-img", "compare", "-q", "-f", "qcow2", "-F", "raw", folder / "c", folder / "a"], check=True)
        assert parts(folder) == [] and names(client, pool) == ["a", "b", "c"]

    @pytest.mark.parametrize("kind", ["btrfs", "xfs"])
    def test_reflink(self, client, tmp_path, kind):
        """All four together are more than the file system has."""
        with loop_file_system(tmp_path, kind) as folder:
            pool = started(client, folder)
            content = os.urandom(MIB) * 90
            (folder / "a").write_bytes(content)
            volume = client.call(pool, POOL, "StorageVolLookupByName", "s", "a")
            client.call(volume, NATIVE, "Clone", "ssa{sv}", "b", "", {"reflink": GLib.Variant("b", True)})
            client.call(volume, NATIVE, "Clone", "ssa{sv}", "c", "", {})
            client.call(pool, POOL, "StorageVolCreateXMLFrom", "ssu", volume_xml("d", 90 * MIB), f"{folder}/a", 2)
            assert all((folder / name).read_bytes() == content for name in "bcd")
            client.call(pool, POOL, "Destroy")

    def test_no_reflink(self, client, tmp_path):
        with loop_file_system(tmp_path, "ext4") as folder:
            pool = started(client, folder)
            volume = make(client, pool, "a", MIB)
            refused(client.call, volume, NATIVE, "Clone", "ssa{sv}", "b", "", {"reflink": GLib.Variant("b", True)},
                    word="cannot be shared")
            assert parts(folder) == [] and not (folder / "b").exists()
            client.call(pool, POOL, "Destroy")


@contextlib.contextmanager
def loop_file_system(tmp_path, kind):
    """A folder on a file system of its own; the loop device is given back at once when it is unmounted."""
    if os.getuid() != 0 or not pathlib.Path("/dev/loop-control").exists() or not shutil_which(f"mkfs.{kind}"):
        pytest.skip(f"needs root, loop devices and mkfs.{kind}")
    image, folder = tmp_path / "image", tmp_path / "mounted"
    folder.mkdir()
    with open(image, "wb") as file:
        file.truncate(320 * MIB)  # xfs takes no less
    subprocess.run([f"mkfs.{kind}", "-q", image], check=True, capture_output=True)
    if subprocess.run(["mount", "-o", "loop", image, folder], check=False, capture_output=True).returncode != 0:
        pytest.skip(f"this kernel mounts no {kind}")
    try:
        inner = folder / "pool"
        inner.mkdir()
        yield inner
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def shutil_which(name):
    return subprocess.run(["sh", "-c", f"PATH=$PATH:/sbin:/usr/sbin command -v {name}"], check=False,
                          capture_output=True).returncode == 0


PASSPHRASE = b"correct horse battery staple"


def secret_for(client, path, value=PASSPHRASE):
    text = f"<secret><usage type='volume'><volume>{path}</volume></usage></secret>"
    secret = client.call(QEMU, CONNECT, "SecretDefineXML", "su", text, 0)
    client.call(secret, "org.libvirt.Secret", "SetValue", "ayu", value, 0)
    return client.get(secret, "org.libvirt.Secret", "UUID")


def encryption(identity=None, content=""):
    secret = f"<secret type='passphrase' uuid='{identity}'/>" if identity else ""
    return f"<encryption format='luks'>{secret}{content}</encryption>"


def qemu_io(path, driver, command, passphrase=PASSPHRASE):
    prefix = "" if driver == "luks" else "encrypt.format=luks,encrypt."
    return subprocess.run(["qemu-io", "--object", "secret,id=k,file=/dev/stdin", "--image-opts", "-c", command,
                           f"driver={driver},{prefix}key-secret=k,file.filename={path}"], input=passphrase, check=False,
                          capture_output=True).returncode == 0


def tools_of(daemon):
    """The qemu-img children of the daemon: pid and command line."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            if int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1]) == daemon.process.pid:
                line = (entry / "cmdline").read_bytes()
                if b"qemu-img" in line:
                    found[int(entry.name)] = line
    return found


def kill_tools(daemon):
    """Whichever runs: one that cannot measure how fast the host makes keys fails by itself and is tried again."""
    for pid in tools_of(daemon):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, 9)


class TestEncryption:
    def test_luks(self, client, daemon, folder, pool):
        identity = secret_for(client, f"{folder}/a")
        content = encryption(identity, "<cipher name='serpent' size='256' mode='cbc' hash='sha256'/>"
                                       "<ivgen name='plain64' hash='sha256'/>")
        reply = client.begin(pool, POOL, "StorageVolCreateXML", "su", volume_xml("a", 4 * MIB, content=content), 0)
        line = wait_for(lambda: [line for line in tools_of(daemon).values() if b"create" in line])[0]
        assert PASSPHRASE not in line and b"key-secret=" in line
        volume = reply.result().value
        info = image_info(folder / "a")
        assert info["format"] == "luks" and info["format-specific"]["data"]["cipher-alg"] == "serpent-256"
        assert client.get_all(volume, NATIVE)["Capacity"] == 4 * MIB and client.get(volume, NATIVE, "Encrypted") is True
        tree = read(client, volume)
        assert tree.find("target/encryption").get("format") == "luks"
        assert tree.find("target/encryption/secret").get("uuid") == identity
        assert qemu_io(folder / "a", "luks", "write -P 7 0 64k")
        client.call(volume, NATIVE, "Resize", "ta{sv}", 6 * MIB, {})
        assert client.get(volume, NATIVE, "Capacity") == 6 * MIB
        plain = client.call(volume, NATIVE, "Clone", "ssa{sv}", "plain", "raw", {})
        assert client.get(plain, NATIVE, "Encrypted") is False
        content = (folder / "plain").read_bytes()  # behind what was written is noise
        assert content[:65536] == b"\7" * 65536 and len(content) == 6 * MIB

    def test_name_is_no_option(self, client, folder, pool):
        """What stands behind a comma is of the name."""
        secret_for(client, f"{folder}/b")
        volume = client.call(pool, POOL, "StorageVolCreateXML", "su",
                             volume_xml("a,file.filename=b", 4 * MIB, kind="qcow2", content=encryption()), 0)
        client.call(volume, NATIVE, "Resize", "ta{sv}", 6 * MIB, {})
        assert image_info(folder / "a,file.filename=b")["virtual-size"] == 6 * MIB

    def test_qcow2_with_a_generated_secret(self, client, daemon, folder, pool):
        (folder / "plain").write_bytes(b"\5" * MIB)
        volume = client.call(pool, POOL, "StorageVolCreateXMLFrom", "ssu",
                             volume_xml("a", 4 * MIB, kind="qcow2", content=encryption()), f"{folder}/plain", 0)
        identity = read(client, volume).find("target/encryption/secret").get("uuid")
        secret = client.call(QEMU, CONNECT, "SecretLookupByUUID", "s", identity)
        refused(client.call, secret, "org.libvirt.Secret", "GetValue", "u", 0, word="private")
        info = image_info(folder / "a")
        assert info["virtual-size"] == 4 * MIB and info["encrypted"] is True
        assert client.get(volume, NATIVE, "Encrypted") is True
        back = client.call(volume, NATIVE, "Clone", "ssa{sv}", "back", "raw", {})
        assert (folder / "back").read_bytes() == b"\5" * MIB + bytes(3 * MIB) and back

    def test_bad_input(self, client, folder, pool):
        identity = secret_for(client, "/nowhere")
        for xml, word in ((volume_xml("a", content=encryption("0" * 8 + "-0000-0000-0000-" + "0" * 12)), "no secret"),
                          (volume_xml("a", kind="vdi", content=encryption(identity)), "vdi"),
                          (volume_xml("a", kind="luks"), "encryption"),
                          (volume_xml("a", content=encryption(identity, "<cipher name='rot13' size='256'/>")), "rot13"),
                          (volume_xml("a", content=encryption(identity).replace("luks", "qcow")), "qcow")):
            refused(client.call, pool, POOL, "StorageVolCreateXML", "su", xml, 0, word=word)
        assert list(folder.iterdir()) == [] and len(client.call(QEMU, CONNECT, "ListSecrets", "u", 0)) == 1
        refused(client.call, pool, POOL, "StorageVolCreateXML", "su",
                volume_xml("a", content=encryption(None, "<cipher name='rot13' size='256'/>")), 0, word="rot13")
        assert len(client.call(QEMU, CONNECT, "ListSecrets", "u", 0)) == 1

    @pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
    def test_a_generated_secret_is_kept_with_its_volume(self, client, daemon, tmp_path, folder, pool):
        """The daemon is killed while the tool has not yet begun."""
        waits, lock = tmp_path / "waits", tmp_path / "lock"
        with instead_of("qemu-img", f'touch {waits}; flock --shared {lock} true; exec "$real" "$@"', tmp_path), \
                lock.open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            client.begin(pool, POOL, "StorageVolCreateXML", "su", volume_xml("a", content=encryption()), 0)
            wait_for(waits.exists)
            assert len(client.call(QEMU, CONNECT, "ListSecrets", "u", 0)) == 1
            daemon.kill()
        daemon.start()
        assert client.call(QEMU, CONNECT, "ListSecrets", "u", 0) == []
        client.call(pool, POOL, "StorageVolCreateXML", "su", volume_xml("a", content=encryption()), 0)
        [secret] = client.call(QEMU, CONNECT, "ListSecrets", "u", 0)
        assert client.get(secret, "org.virtbus1.Secret", "Ephemeral") is False
        daemon.restart()
        assert client.call(QEMU, CONNECT, "ListSecrets", "u", 0) == [secret]
        assert client.get(secret, "org.virtbus1.Secret", "HasValue") is True

    @pytest.mark.parametrize("how", ["cancel", "kill the tool", "kill the daemon"])
    def test_in_the_middle(self, client, daemon, folder, pool, how):
        """Making a key for LUKS takes two seconds."""
        identity = secret_for(client, f"{folder}/a")
        added = client.listen(interface="org.freedesktop.DBus.ObjectManager", member="InterfacesAdded")
        reply = client.begin(pool, POOL, "StorageVolCreateXML", "su",
                             volume_xml("a", content=encryption(identity)), 0)
        job = added.wait(lambda s: JOB in s.values[1]).values[0]
        (pid,) = wait_for(lambda: tools_of(daemon))
        tool = os.pidfd_open(pid)
        wait_for(lambda: parts(folder))
        if how == "cancel":
            client.call(job, JOB, "Cancel")
        elif how == "kill the tool":
            wait_for(lambda: reply.done or kill_tools(daemon), what="the call to fail")
        else:
            daemon.kill()
        wait_for(lambda: select.select([tool], [], [], 0)[0])
        os.close(tool)
        if how == "kill the daemon":
            daemon.start()
            wait_for(lambda: client.get(pool, POOL, "Active"))
        else:
            refused(reply.result)
        assert list(folder.iterdir()) == [] == names(client, pool)


class TestFullDisk:
    def test_nothing_is_left(self, client, tmp_path):
        folder = tmp_path / "small"
        folder.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4M", "tmpfs", folder], check=False,
                          capture_output=True).returncode != 0:
            pytest.skip("needs root")
        try:
            pool = started(client, folder)
            volume = make(client, pool, "a", MIB, MIB)
            (folder / "a").write_bytes(b"o" * MIB)
            (tmp_path / "source").write_bytes(os.urandom(5 * MIB))
            with opened(tmp_path / "source") as fd:
                refused(upload, client, volume, fd, word="no room")
            assert (folder / "a").read_bytes() == b"o" * MIB
            for call in ((pool, POOL, "StorageVolCreateXML", "su", volume_xml("b", 5 * MIB, 5 * MIB), 0),
                         (volume, NATIVE, "Resize", "ta{sv}", 5 * MIB, {"allocate": GLib.Variant("b", True)})):
                refused(client.call, *call)
            assert names(client, pool) == ["a"] and [p.name for p in folder.iterdir()] == ["a"]
            assert (folder / "a").read_bytes() == b"o" * MIB
            client.call(pool, POOL, "Destroy")
        finally:
            subprocess.run(["umount", "-l", folder], check=True)


def volume_disk(name, pool="disks", target="vda", kind="", extra=""):
    driver = f"<driver name='qemu' type='{kind}'/>" if kind else ""
    return (f"<disk type='volume'>{driver}<source pool='{pool}' volume='{name}'/><target dev='{target}' bus='virtio'/>"
            f"{extra}</disk>")


@pytest.mark.qemu
class TestDisks:
    def test_a_volume_as_a_disk(self, client, daemon, folder, pool):
        make(client, pool, "a", 4 * MIB, kind="qcow2")
        xml = definition("one", volume_disk("a"))
        line = client.call(QEMU, "org.virtbus1.Connect", "DomainXMLToNative", "ssu", "qemu-argv", xml, 0)
        assert f'"filename":"{folder}/a"' in line and '"driver":"qcow2"' in line
        machine = define_machine(client, xml)
        machine.create()
        assert machine.tree().find("devices/disk/source").attrib["volume"] == "a"
        volume = client.call(pool, POOL, "StorageVolLookupByName", "s", "a")
        assert client.get(volume, NATIVE, "InUseBy") == [machine.path]
        refused(client.call, volume, NATIVE, "Wipe", "s", "zero", word="uses it")
        machine.destroy()
        client.call(volume, NATIVE, "Wipe", "s", "zero")
        for disk_xml, word in ((volume_disk("b"), "no volume 'b'"), (volume_disk("a", "other"), "no storage pool 'other'")):
            refused(client.call, QEMU, "org.virtbus1.Connect", "DomainXMLToNative", "ssu", "qemu-argv", definition("two", disk_xml), 0,
                    word=word)
        client.call(pool, POOL, "Destroy")
        refused(machine.create, word="not started")

    def test_what_a_header_names_is_not_opened(self, client, folder, pool):
        make(client, pool, "base", MIB)
        make(client, pool, "top", MIB, kind="qcow2",
             backing=f"<backingStore><path>{folder}/base</path><format type='raw'/></backingStore>")
        refused(client.call, QEMU, "org.virtbus1.Connect", "DomainXMLToNative", "ssu", "qemu-argv", definition("one", volume_disk("top")),
                0, word="must name its format")
        machine = define_machine(client, definition("one", volume_disk("top", kind="qcow2")))
        machine.create()
        machine.destroy()

    def test_two_machines_never_write_one_image(self, client, daemon, folder, pool):
        make(client, pool, "a", MIB)
        os.link(folder / "a", folder / "../other-name")
        one = define_machine(client, definition("one", volume_disk("a")))
        others = [define_machine(client, definition(f"two{i}", xml)) for i, xml in enumerate(
            (volume_disk("a"), disk(folder / "a"), disk(folder / "../other-name"), disk(folder / "a", read_only=True)))]
        one.create()
        for other in others:
            refused(other.create, word="domain 'one'")
        daemon.kill()
        daemon.start()
        wait_for(lambda: client.get(pool, POOL, "Active"))
        refused(others[0].create, word="domain 'one'")
        one.destroy()
        replies = [machine.begin("Create", "u", 0) for machine in [one, *others[:3]]]
        outcomes = []
        for reply in replies:
            with contextlib.suppress(BusError):
                reply.result()
                outcomes.append(reply)
        assert len(outcomes) == 1
        for machine in [one, *others]:
            with contextlib.suppress(BusError):
                machine.destroy()
        readers = [define_machine(client, definition(f"reader{i}", disk(folder / "a", read_only=True))) for i in range(2)]
        for reader in readers:
            reader.create()
        refused(one.create, word="domain 'reader")
        for reader in readers:
            reader.destroy()

    def test_transient(self, client, daemon, tmp_path, folder, pool):
        """Written is READY's sector, which is gone with the run; nothing of it is in any folder."""
        (folder / "boot").write_bytes(boot_sector() + bytes(2047 * 512))
        before = (folder / "boot").read_bytes()
        output = [tmp_path / f"output{i}" for i in range(2)]
        machines = [define_machine(client, definition(f"m{i}", volume_disk("boot", kind="raw", extra="<transient/>") +
                                                      f"<serial type='file'><source path='{output[i]}'/></serial>"))
                    for i in range(2)]
        for _ in range(2):
            for machine in machines:  # both at once, over one image
                machine.create()
            for i, machine in enumerate(machines):
                wait_for(lambda: output[i].exists() and output[i].read_bytes().strip(b"\0") == b"READY", 30)
            daemon.kill()
            daemon.start()
            for i, machine in enumerate(machines):
                wait_for(lambda: machine.state[0] == 1)
                machine.destroy()
                output[i].unlink()
            wait_for(lambda: client.get(pool, POOL, "Active"))
        assert (folder / "boot").read_bytes() == before
        assert not list(pathlib.Path(daemon.root).rglob("overlay-*"))

    def test_shareable(self, client, folder, pool):
        make(client, pool, "a", MIB)
        machines = [define_machine(client, definition(f"m{i}", volume_disk("a", kind="raw", extra="<shareable/>")))
                    for i in range(2)]
        for machine in machines:
            machine.create()
        for machine in machines:
            machine.destroy()

    def test_a_guest_finds_its_data_again(self, client, daemon, tmp_path, folder, pool):
        """Boots from an uploaded image that was grown, writes, and reads it after restarts of guest and daemon."""
        (tmp_path / "raw").write_bytes(boot_sector() + bytes(2047 * 512))
        subprocess.run(["qemu-img", "convert", "-O", "qcow2", tmp_path / "raw", tmp_path / "image"], check=True)
        volume = make(client, pool, "boot", MIB, kind="qcow2")
        with opened(tmp_path / "image") as fd:
            upload(client, volume, fd)
        client.call(volume, NATIVE, "Resize", "ta{sv}", 8 * MIB, {})
        output = tmp_path / "output"
        machine = define_machine(client, definition("one", volume_disk("boot") +
                                                    f"<serial type='file'><source path='{output}'/></serial>"))
        for expected in (b"READY", b"WRITTENREADY", b"WRITTENREADY"):
            output.unlink(missing_ok=True)
            machine.create()
            wait_for(lambda: output.exists() and b"READY" in output.read_bytes(), 30)
            assert output.read_bytes().strip(b"\0") == expected
            daemon.kill()
            daemon.start()
            wait_for(lambda: machine.state[0] == 1)
            machine.destroy()
            wait_for(lambda: client.get(pool, POOL, "Active"))
        assert client.get(volume, NATIVE, "Capacity") == 8 * MIB
