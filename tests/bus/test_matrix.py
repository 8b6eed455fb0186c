"""Every method of every interface with what nobody should send it, from the introspection files alone: objects that are
not there, unknown flags, extreme numbers, empty and huge texts, wrong descriptors; by root, by an owner and by a stranger,
with every driver's objects.

A method that is added is here by itself.  What a valid call does is tested elsewhere: here each must be answered, with
an error where there has to be one, and the daemon must be afterwards what it was before.
"""

import contextlib
import os
import re
import socket
import stat
import statistics
import time

import pytest
from gi.repository import GLib

from every_kind import ABSENT, METHODS, TEST, WRITABLE, HeldJob, make_objects
from harness import PROPERTIES, BusError, wait_for
from machines import CONNECT, DOMAIN, QEMU, define, definition

DRIVERS = [QEMU, TEST]
UNKNOWN_FLAG = 1 << 27
HUGE = "x" * (10 << 20)
UNKNOWN_METHOD = "org.freedesktop.DBus.Error.UnknownMethod"
INVALID_ARGS = "org.freedesktop.DBus.Error.InvalidArgs"
NOT_SUPPORTED = "org.freedesktop.DBus.Error.NotSupported"
# By which the native family tells what is missing.
MISSING = {
    "domain": "NoDomain", "domainsnapshot": "NoSnapshot", "network": "NoNetwork", "interface": "NoInterface",
    "nodedev": "NoNodeDevice", "nwfilter": "NoNWFilter", "secret": "NoSecret", "storagepool": "NoStoragePool",
    "storagevol": "NoStorageVolume", "job": "NoJob"}
# What people write about a machine may be long; of what is validated the problems are the answer.
ANY_LENGTH = ("SetMetadata", "SetTitle", "SetDescription", "Validate")
# The lists in which the objects must still be afterwards.
LISTS = (("domain", "ListDomains"), ("network", "ListNetworks"), ("nwfilter", "ListNWFilters"), ("secret", "ListSecrets"),
         ("storagepool", "ListStoragePools"), ("interface", "ListInterfaces"), ("nodedev", "ListNodeDevices"))
EXTREMES = {
    "u": 2**32 - 1, "i": -2**31, "t": 2**64 - 1, "x": -2**63, "d": 1e308, "s": "\x01\x7f%n%s../../" * 10, "b": True,
    "as": ["", "a" * 1000] * 100, "ay": b"\xff" * (1 << 15), "ab": [True] * 20000, "au": [2**32 - 1] * 1000,
    "o": "/a/b/c", "a{sv}": {"": GLib.Variant("as", ["x"] * 100)}}
OF_OBJECTS = [m for m in METHODS if m.kind in ABSENT]
WITH_FLAGS = [m for m in METHODS if ("flags", "u") in m.arguments]
WITH_FDS = [m for m in METHODS if "h" in m.signature]


def refused(client, path, method, values, fds=None):
    """The error of a call that must not succeed."""
    try:
        value = client.call(path, method.interface, method.name, method.signature, *values, fds=fds)
    except BusError as e:
        assert e.message, f"{method.id}: an error without a text"
        assert "\n" not in e.message.strip()
        return e
    pytest.fail(f"{method.id} was not refused: {str(value)[:1000]}")


def answered(client, path, method, values, fds=None):
    """A call that may succeed or fail, but has to be answered."""
    with contextlib.suppress(BusError):
        client.call(path, method.interface, method.name, method.signature, *values, timeout=20, fds=fds)


def is_compatible(method):
    return method.interface.startswith("org.libvirt.")


@pytest.fixture(params=DRIVERS)
def driver(request):
    return request.param


@pytest.fixture
def objects(client, driver, root_dir):
    (root_dir / "pool").mkdir()
    return make_objects(client, driver, root_dir / "pool")


class Whole:
    """What the daemon is made of."""

    def __init__(self, daemon, client, objects):
        self.daemon, self.client, self.objects = daemon, client, objects
        self.resident = daemon.resident_kib()
        self.descriptors = daemon.fd_count()
        self.counted = self.count()

    def count(self):
        return self.client.call("/org/libvirt", "org.virtbus1.Manager", "GetStatistics")["objects"]

    def check(self):
        """The objects are all there and no others, no descriptor is held, and hardly more memory."""
        assert self.daemon.is_running
        for kind, member in LISTS:
            if kind in self.objects:
                there = self.client.call(self.objects["connect"], CONNECT, member, "u", 0)
                assert self.objects[kind] in there, f"the {kind} is gone"
        wait_for(lambda: self.daemon.fd_count() <= self.descriptors, 10, "descriptors to be closed")
        wait_for(lambda: self.count() <= self.counted, 10, "objects to be let go")
        assert self.count() == self.counted
        assert self.daemon.resident_kib() - self.resident < 48 * 1024


@pytest.fixture
def whole(daemon, client, objects):
    found = Whole(daemon, client, objects)
    yield
    found.check()


def test_every_kind_is_there():
    """What this file believes of the kinds is what the files say."""
    assert {m.kind for m in METHODS} == set(ABSENT) | {"connect", "manager"}
    assert len(METHODS) > 220
    assert {kind.translate({ord("h"): None}) for m in METHODS for _name, kind in m.arguments} - {"", "a"} <= \
        set(EXTREMES) | {"a{sv}", "aab"}


def test_absent_objects(client, daemon, driver):
    """Each method of an object that is not there: the error says what is missing, in the interface's family."""
    for method in OF_OBJECTS:
        error = refused(client, f"{driver}/{ABSENT[method.kind]}", method, method.values(), method.fds)
        expected = "org.libvirt.Error" if is_compatible(method) else "org.virtbus1.Error." + MISSING[method.kind]
        assert error.name == expected, f"{method.id}: {error}"
        assert "not found: no " in error.message, f"{method.id}: {error}"


def test_absent_objects_with_extremes(client, daemon, driver):
    """Whether it is there comes before what the call says."""
    for method in OF_OBJECTS:
        path = f"{driver}/{ABSENT[method.kind]}"
        values = method.values(**{name: EXTREMES[kind] for name, kind in method.arguments if kind in EXTREMES})
        assert "not found: no " in refused(client, path, method, values, method.fds).message, method.id


def test_paths_that_are_none(client):
    for method in METHODS:
        for path in (f"{QEMU}/nonsense", f"{QEMU}/domain/a/b", "/org/libvirt/Nonsense", "/"):
            error = refused(client, path, method, method.values(), method.fds)
            assert error.name == UNKNOWN_METHOD, f"{method.id}: {error}"


def test_objects_of_another_kind(client, objects, whole):
    """A method on an object that has not got its interface."""
    for method in METHODS:
        other = objects["network" if method.kind != "network" else "secret"]
        error = refused(client, other, method, method.values(), method.fds)
        assert error.name == UNKNOWN_METHOD, f"{method.id}: {error}"


def test_unknown_flags(client, objects, whole):
    """A flag that nobody knows is an error wherever there are flags, in words, and nothing is done."""
    for method in WITH_FLAGS:
        error = refused(client, objects[method.kind], method, method.values(flags=UNKNOWN_FLAG), method.fds)
        assert error.name.startswith(("org.libvirt.Error", "org.virtbus1.Error.", NOT_SUPPORTED)), method.id
        assert "flag" not in error.message or not error.name.startswith("org.virtbus1.Error.") or \
            error.name == "org.virtbus1.Error.InvalidArgument", f"{method.id}: {error}"
        if "flag" not in error.message:  # something else was wrong as well, and was seen first
            again = refused(client, objects[method.kind], method, method.values(flags=0), method.fds)
            assert again.message == error.message, f"{method.id}: {error}; without the flag: {again}"


@pytest.mark.parametrize("kind", sorted(EXTREMES))
def test_extremes(client, objects, whole, kind):
    """The least and the most that a type can hold."""
    for method in METHODS:
        if kind not in [k for _name, k in method.arguments]:
            continue
        given = {name: EXTREMES[kind] for name, k in method.arguments if k == kind}
        if ("flags", "u") in method.arguments:
            given["flags"] = UNKNOWN_FLAG if kind != "u" else EXTREMES["u"]
        if method.kind in objects:
            answered(client, objects[method.kind], method, method.values(**given), method.fds)


def test_empty_texts(client, objects, whole):
    for method in METHODS:
        if "s" in [k for _name, k in method.arguments] and method.kind in objects:
            answered(client, objects[method.kind], method, method.values(), method.fds)


@pytest.mark.parametrize("kind, name, argument, values", [
    ("connect", "org.virtbus1.Connect.DefineDomain", "definition", {str(i): GLib.Variant("b", True) for i in range(70000)}),
    ("domain", "org.libvirt.Domain.FSFreeze", "mountpoints", [""] * 70000),
    ("domain", "org.libvirt.Domain.PinEmulator", "cpumap", [True] * 70000)])
def test_more_values_than_an_argument_has(client, objects, whole, kind, name, argument, values):
    """Each costs memory many times what it takes of a message."""
    method = next(m for m in METHODS if m.id == name)
    error = refused(client, objects[kind], method, method.values(**{argument: values}))
    assert error.name == "org.freedesktop.DBus.Error.LimitsExceeded", error


def test_many_bytes(client, objects, whole):
    """Bytes are one value, and cost what they are."""
    method = next(m for m in METHODS if m.id == "org.libvirt.Secret.SetValue")
    assert "65536" in refused(client, objects["secret"], method, method.values(value=bytes(1 << 20))).message


@pytest.mark.slow
def test_huge_texts(client, objects, whole):
    """10 MiB where a text is expected, which is never one that makes sense."""
    for method in METHODS:
        names = [name for name, kind in method.arguments if kind == "s"]
        if not names or method.kind not in objects or method.name in ANY_LENGTH:
            continue
        error = refused(client, objects[method.kind], method, method.values(**{name: HUGE for name in names}),
                        method.fds)
        assert len(error.message) < 100000, f"{method.id} sends it back"


@contextlib.contextmanager
def wrong_descriptors(root_dir):
    """A folder, the host's memory, a socket without a peer, a device, an end of a pipe that cannot do what is wanted."""
    memory_path = "/dev/mem"
    if not os.path.exists(memory_path):
        memory_path = root_dir / "mem"
        os.mknod(memory_path, 0o600 | stat.S_IFCHR, os.makedev(1, 1))
    with contextlib.ExitStack() as stack:
        fds = {}
        for name, path in (("folder", root_dir), ("memory", memory_path), ("device", "/dev/null")):
            with contextlib.suppress(OSError):  # not every kernel lets root open its memory
                fds[name] = os.open(path, os.O_RDONLY)
                stack.callback(os.close, fds[name])
        listener = stack.enter_context(socket.socket(socket.AF_UNIX))
        reader, writer = os.pipe()
        stack.callback(os.close, reader)
        stack.callback(os.close, writer)
        yield fds | {"socket": listener.fileno(), "pipe": writer}


def check_descriptors(client, objects, root_dir):
    with wrong_descriptors(root_dir) as fds:
        for method in WITH_FDS:
            if method.kind not in objects:
                continue
            for fd in fds.values():
                answered(client, objects[method.kind], method, method.values(h=0, ah=[0]), [fd])
            for handle in (-1, 1, 2**31 - 1):  # of descriptors that the message does not have
                error = refused(client, objects[method.kind], method, method.values(h=handle, ah=[handle]), [0])
                assert error.name in (INVALID_ARGS, "org.libvirt.Error", NOT_SUPPORTED) or \
                    error.name.startswith("org.virtbus1.Error."), f"{method.id}: {error}"


def test_wrong_descriptors(client, objects, whole, root_dir):
    check_descriptors(client, objects, root_dir)


def test_properties(client, objects, whole):
    """Setting: of what is not there, and to another type."""
    for interface, kind, name, value_type in WRITABLE:
        for path in (f"{objects['connect']}/{ABSENT[kind]}", objects[kind]):
            for value in (GLib.Variant("t", 2**64 - 1), GLib.Variant("s", ""), GLib.Variant("v", GLib.Variant("b", True))):
                with pytest.raises(BusError) as e:
                    client.call(path, PROPERTIES, "Set", "ssv", interface, name, value)
                assert e.value.name == INVALID_ARGS, f"{interface}.{name}: {e.value}"
        with pytest.raises(BusError) as e:
            client.call(f"{objects['connect']}/{ABSENT[kind]}", PROPERTIES, "Set", "ssv", interface, name,
                        GLib.Variant(value_type, True))
        assert "not found: no " in e.value.message


@pytest.mark.system
class TestOwner:
    """A user with objects of their own, who is answered as root is."""

    @pytest.fixture
    def alice(self, system_daemon):
        return system_daemon.client("alice")

    @pytest.fixture
    def owned(self, alice):
        return {"connect": QEMU, "manager": "/org/libvirt", "domain": define(alice, definition("hers")).path,
                "secret": alice.call(QEMU, CONNECT, "SecretDefineXML", "su", "<secret/>", 0)}

    @pytest.fixture
    def whole(self, system_daemon, alice, owned):
        root = system_daemon.client()
        found = Whole(system_daemon, alice, owned)
        found.client = root
        found.counted = found.count()
        yield
        found.check()

    def test_unknown_flags(self, system_daemon, alice, owned, whole):
        root = system_daemon.client()
        for method in WITH_FLAGS:
            if method.kind not in owned or method.kind == "connect":  # what is new needs rights of its own
                continue
            values = method.values(flags=UNKNOWN_FLAG)
            hers = refused(alice, owned[method.kind], method, values, method.fds)
            roots = refused(root, owned[method.kind], method, values, method.fds)
            assert hers.name == roots.name or hers.name.endswith(".AccessDenied"), f"{method.id}: {hers}, {roots}"
            assert hers.message == roots.message or hers.name.endswith(".AccessDenied"), f"{method.id}: {hers}, {roots}"

    def test_extremes(self, alice, owned, whole):
        for method in METHODS:
            given = {name: EXTREMES[kind] for name, kind in method.arguments if kind in EXTREMES}
            if given and method.kind in owned:
                if ("flags", "u") in method.arguments:
                    given["flags"] = UNKNOWN_FLAG
                answered(alice, owned[method.kind], method, method.values(**given), method.fds)

    def test_descriptors(self, alice, owned, whole, root_dir):
        check_descriptors(alice, owned, root_dir)


@pytest.mark.system
class TestStranger:
    """Who may not see an object cannot tell whether it is there: the same error, word for word, for every method."""

    @pytest.fixture
    def root(self, system_daemon):
        return system_daemon.client()

    @pytest.fixture
    def mallory(self, system_daemon):
        return system_daemon.client("mallory")

    @pytest.fixture
    def there(self, root, root_dir, driver):
        (root_dir / "pool").mkdir()
        return make_objects(root, driver, root_dir / "pool")

    def check_same(self, mallory, method, present_path, absent_path):
        present = refused(mallory, present_path, method, method.values(), method.fds)
        absent = refused(mallory, absent_path, method, method.values(), method.fds)
        assert present.name == absent.name, method.id
        texts = [anonymous(error.message, path) for error, path in ((present, present_path), (absent, absent_path))]
        assert texts[0] == texts[1], method.id

    def test_present_and_absent(self, mallory, there, driver, root):
        for method in OF_OBJECTS:
            if method.kind in there:
                self.check_same(mallory, method, there[method.kind], f"{driver}/{ABSENT[method.kind]}")
        if driver == TEST:
            with HeldJob(root, there["domain"]) as job:
                for method in METHODS:
                    if method.kind == "job":
                        self.check_same(mallory, method, job.path, f"{driver}/{ABSENT['job']}")

    def test_properties(self, mallory, there, driver):
        for interface, kind, name, value_type in WRITABLE:
            errors = []
            for path in (there[kind], f"{driver}/{ABSENT[kind]}"):
                with pytest.raises(BusError) as e:
                    mallory.set(path, interface, name, value_type, True)
                errors.append((e.value.name, anonymous(e.value.message, path)))
                with pytest.raises(BusError) as e:
                    mallory.get(path, interface, name)
                errors.append((e.value.name, anonymous(e.value.message, path)))
                if interface.startswith("org.libvirt."):
                    assert mallory.get_all_raw(path, interface).n_children() == 0
            assert errors[:2] == errors[2:], f"{interface}.{name}"

    def test_lookups_and_lists(self, mallory, there, driver, root):
        uuid = there["domain"].rsplit("/_", 1)[1].replace("_", "-")
        for member, name in (("DomainLookupByName", "web"), ("DomainLookupByUUID", uuid), ("NetworkLookupByName", "lab"),
                             ("NWFilterLookupByName", "f"), ("StoragePoolLookupByName", "p")):
            errors = []
            for key in (name, "00000000-1111-4222-8333-444444444444" if "UUID" in member else "nothing"):
                with pytest.raises(BusError) as e:
                    mallory.call(driver, CONNECT, member, "s", key)
                errors.append((e.value.name, e.value.message.replace(f"'{key}'", "X")))
            assert errors[0] == errors[1], member
        for kind, member in LISTS:
            if kind not in ("interface", "nodedev"):  # the host's own, which everybody may see
                assert there[kind] not in mallory.call(driver, CONNECT, member, "u", 0), member
            if kind in ABSENT and kind not in ("interface", "nodedev"):
                assert there[kind] not in mallory.introspect(f"{driver}/{kind}")
        hidden = {there[k] for k in ("domain", "domainsnapshot", "network", "nwfilter", "secret", "storagepool",
                                     "storagevol")}
        assert not hidden & set(mallory.managed_objects())

    def test_time(self, mallory, there, driver):
        """What is there is not told by the time that the refusal takes, either."""
        if driver == TEST:
            pytest.skip("the way is the same")
        taken = {path: [] for path in (there["domain"], f"{driver}/{ABSENT['domain']}")}
        for i in range(60):
            for path in list(taken)[::1 if i % 2 else -1]:
                started = time.monotonic()
                with pytest.raises(BusError):
                    mallory.call(path, DOMAIN, "GetXMLDesc", "u", 0)
                taken[path].append(time.monotonic() - started)
        present, absent = (statistics.median(times) for times in taken.values())
        assert 0.5 < present / absent < 2, f"{present * 1e6:.0f} µs for what is there, {absent * 1e6:.0f} µs for nothing"

    def test_huge_text(self, system_daemon, mallory, root):
        """What is not allowed is not read: the answer is quick, and no memory is spent on it."""
        root.call(QEMU, CONNECT, "ListDomains", "u", 0)
        for method in METHODS:
            if method.kind == "connect" and "s" in method.signature:
                names = [name for name, kind in method.arguments if kind == "s"]
                answered(mallory, QEMU, method, method.values(**{name: "x" * (1 << 20) for name in names}), method.fds)
        assert system_daemon.is_running


def anonymous(message, path):
    """The text without what names the object that was asked for."""
    identity = path.rsplit("/", 1)[1]
    decoded = re.sub("_([0-9a-f]{2})", lambda m: chr(int(m[1], 16)), identity)
    words = {identity, decoded, identity.strip("_").replace("_", "-"), identity[1:37].replace("_", "-"), identity[38:]}
    words = sorted((re.escape(word) for word in words if word), key=len, reverse=True)
    return re.sub(rf"'({'|'.join(words)})'", "'X'", message)
