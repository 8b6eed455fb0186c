"""Calls to the Test driver that go wrong because the client asked for it."""

import time

import pytest

from every_kind import METHODS, TEST, WRITABLE, HeldJob, make_objects
from gi.repository import GLib
from harness import BusError, wait_for
from machines import CONNECT, DOMAIN, path_of

NATIVE = "org.virtbus1.Connect"
FIRST = path_of("6695eb01-f6a4-8304-79aa-97f2502e193f", TEST)


def inject(client, member, interface=DOMAIN, driver=TEST, **faults):
    types = {"error": "s", "delay_usec": "t", "crash": "b", "count": "u"}
    values = {key.replace("_", "-"): GLib.Variant(types.get(key, "s"), value) for key, value in faults.items()}
    client.call(driver, NATIVE, "InjectFault", "ssa{sv}", interface, member, values)


def refused(call, *arguments, **options):
    with pytest.raises(BusError) as e:
        call(*arguments, **options)
    return e.value


def test_an_error(client):
    inject(client, "Suspend", error="internal error: the disk is on fire")
    error = refused(client.call, FIRST, DOMAIN, "Suspend")
    assert (error.name, error.message) == ("org.libvirt.Error", "internal error: the disk is on fire")
    assert client.call(FIRST, DOMAIN, "GetState", "u", 0)[0] == 1
    client.call(FIRST, DOMAIN, "Suspend")


def test_several_and_none(client):
    inject(client, "ListDomains", CONNECT, error="no", count=2)
    for _ in range(2):
        refused(client.call, TEST, CONNECT, "ListDomains", "u", 0)
    assert client.call(TEST, CONNECT, "ListDomains", "u", 0) == [FIRST]
    inject(client, "ListDomains", CONNECT, error="no")
    inject(client, "ListDomains", CONNECT)
    assert client.call(TEST, CONNECT, "ListDomains", "u", 0) == [FIRST]


def test_slow(client):
    inject(client, "Suspend", delay_usec=300_000)
    start = time.monotonic()
    client.call(FIRST, DOMAIN, "Suspend")
    assert time.monotonic() - start >= 0.3
    assert client.call(FIRST, DOMAIN, "GetState", "u", 0)[0] == 3


def test_crash(client, daemon):
    inject(client, "Suspend", crash=True)
    error = refused(client.call, FIRST, DOMAIN, "Suspend")
    assert error.name == "org.freedesktop.DBus.Error.NoReply"
    daemon.process.wait(10)


FAULTY = [m for m in METHODS if m.kind not in ("manager", "job") and m.name != "InjectFault"]
# How long a slow call takes here: longer than any other takes by itself.
DELAY_USEC = 10_000


class Failing:
    """Every operation on an object of every kind, with arguments that would change nothing if it were done."""

    def __init__(self, client, root_dir):
        (root_dir / "pool").mkdir()
        self.client = client
        self.objects = make_objects(client, TEST, root_dir / "pool")
        self.calls = {m.id: m for m in FAULTY}
        self.sets = {f"{interface}.{name}": (interface, name, kind) for interface, kind, name, _ in WRITABLE}

    def name(self, member):
        interface, name = member.rsplit(".", 1)
        return {"interface": interface, "member": name}

    def begin(self, member):
        if member in self.sets:
            interface, name, kind = self.sets[member]
            return self.client.begin(self.objects[kind], "org.freedesktop.DBus.Properties", "Set", "ssv", interface, name,
                                     GLib.Variant("b", True))
        method = self.calls[member]
        return self.client.begin(self.objects[method.kind], method.interface, method.name, method.signature,
                                 *method.values(), fds=method.fds)

    def is_supported(self, member):
        """What the driver cannot do at all has no turn in which it could fail."""
        if member in self.sets:
            return True
        inject(self.client, **self.name(member), error="refused")
        try:
            self.begin(member).result()
        except BusError as e:
            if "refused" == e.message:
                return True
            assert "support" in e.message, f"{member}: {e}"
        inject(self.client, **self.name(member))
        return False


def objects_of_the_driver(client):
    return {path: values for path, values in client.managed_objects().items() if path.startswith(TEST)}


@pytest.fixture
def failing(client, root_dir):
    found = Failing(client, root_dir)
    found.members = [m for m in [*found.calls, *found.sets] if found.is_supported(m)]
    assert len(found.members) > 150
    return found


def test_every_operation_fails(failing, client):
    """Nothing is done but the answer; by the second call it is itself again."""
    before = objects_of_the_driver(client)
    for member in failing.members:
        inject(client, **failing.name(member), error=f"internal error: {member}")
        error = refused(failing.begin(member).result)
        family = "org.libvirt.Error" if member.startswith("org.libvirt.") else "org.virtbus1.Error.OperationFailed"
        assert (error.name, error.message) == (family, f"internal error: {member}")
    assert objects_of_the_driver(client) == before


def test_every_operation_is_slow(failing, client):
    """And is answered with the error after that; the daemon answers others meanwhile."""
    for member in failing.members:
        inject(client, **failing.name(member), delay_usec=DELAY_USEC, error="late")
        start = time.monotonic()
        call = failing.begin(member)
        client.ping()
        assert not call.done, member
        assert refused(call.result).message == "late", member
        assert time.monotonic() - start >= DELAY_USEC / 1e6, member


@pytest.mark.slow
def test_every_operation_crashes(failing, client, daemon):
    """The daemon is gone as if killed, and the next one is as new."""
    for member in failing.members:
        inject(client, **failing.name(member), crash=True)
        assert refused(failing.begin(member).result).name == "org.freedesktop.DBus.Error.NoReply", member
        daemon.process.wait(10)
        daemon.start()
        assert client.call(TEST, CONNECT, "ListDomains", "u", 0) == [FIRST]
        failing.objects = make_objects(client, TEST, daemon.root / "pool")


def test_a_slow_call_is_a_job(client, root_dir):
    """Which can be seen, waits for nobody but its object's next, and can be cancelled."""
    (root_dir / "pool").mkdir()
    objects = make_objects(client, TEST, root_dir / "pool")
    with HeldJob(client, objects["domain"]) as job:
        assert client.get(job.path, "org.virtbus1.Job", "Operation") == "SetMetadata"
        client.call(FIRST, DOMAIN, "Suspend")
        waiting = client.begin(objects["domain"], DOMAIN, "Create", "u", 0)
        client.ping()
        assert not waiting.done
        client.call(job.path, "org.virtbus1.Job", "Cancel")
        wait_for(lambda: job.call.done)
        assert "cancelled" in job.call.error.message
        waiting.result()
    assert client.call(objects["domain"], DOMAIN, "GetState", "u", 0)[0] == 1


def test_stop_of_a_run_that_began_meanwhile(client, root_dir):
    """What has its turn is what is stopped, and whose end is waited for."""
    (root_dir / "pool").mkdir()
    domain = make_objects(client, TEST, root_dir / "pool")["domain"]
    with HeldJob(client, domain) as job:
        start = client.begin(domain, DOMAIN, "Create", "u", 0)
        stop = client.begin(domain, "org.virtbus1.Domain", "Stop", "su", "shutdown", 1000)
        client.ping()
        client.call(job.path, "org.virtbus1.Job", "Cancel")
        start.result()
        stop.result()
    assert client.call(domain, DOMAIN, "GetState", "u", 0)[0] == 5


def test_no_copy_of_a_volume_that_is_gone(client, root_dir):
    (root_dir / "pool").mkdir()
    objects = make_objects(client, TEST, root_dir / "pool")
    volume, pool = objects["storagevol"], objects["storagepool"]
    key = client.get(volume, "org.libvirt.StorageVol", "Key")
    inject(client, "Delete", "org.libvirt.StorageVol", delay_usec=500_000)
    delete = client.begin(volume, "org.libvirt.StorageVol", "Delete", "u", 0)
    wait_for(lambda: [p for p in client.managed_objects() if p.startswith(f"{TEST}/job/")], what="the job")
    xml = "<volume><name>copy</name><capacity>4096</capacity></volume>"
    copy = client.begin(pool, "org.libvirt.StoragePool", "StorageVolCreateXMLFrom", "ssu", xml, key, 0)
    delete.result()
    assert "volume" in refused(copy.result).message
    refused(client.call, pool, "org.libvirt.StoragePool", "StorageVolLookupByName", "s", "copy")


@pytest.mark.parametrize("interface, member, faults", [
    (DOMAIN, "Nothing", {"error": "x"}), (DOMAIN, "Name", {"error": "x"}),
    ("org.virtbus1.Manager", "GetLimits", {"error": "x"}), ("org.example", "Create", {"error": "x"}), (DOMAIN, "Create", {"error": ""}),
    (DOMAIN, "Create", {"delay_usec": 1 << 62}), (DOMAIN, "Create", {"other": "x"})])
def test_what_is_refused(client, interface, member, faults):
    assert refused(inject, client, member, interface, **faults).message


def test_other_drivers_have_none(client):
    assert "does not support" in refused(inject, client, "Create", driver="/org/libvirt/QEMU", error="x").message
