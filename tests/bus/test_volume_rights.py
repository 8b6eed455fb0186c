"""Who may do what with volumes, natively, and with the jobs that are about them."""

import contextlib
import os

import pytest

from harness import BusError
from test_storage import MIB, POOL, VOLUME, make, names, refused, started, volume_xml
from test_volumes import JOB, NATIVE, encryption, opened, secret_for, upload

POOL_NATIVE = "org.virtbus1.StoragePool"


def allow(*actions):
    return (f"if (subject.user == 'alice' && (action.id.indexOf('getattr') > 0 || {list(actions)}.some(function(name) {{"
            " return action.id == 'org.libvirt.api.' + name; }))) return polkit.Result.YES;")


def client_state(client, pool, volume):
    return client.get_all(pool, POOL_NATIVE), client.get_all(volume, NATIVE)


@pytest.mark.system
def test_data_has_rights_of_its_own(system_daemon, polkit, tmp_path):
    root, alice = system_daemon.client(), system_daemon.client("alice")
    pool = started(root, tmp_path)
    volume = make(root, pool, "a", MIB)
    for member, arguments in (("OpenRead", ()), ("OpenWrite", ()), ("Wipe", ("s", "zero")),
                              ("Clone", ("ssa{sv}", "b", "", {})), ("GetXML", ("a{sv}", {}))):
        refused(alice.call, volume, NATIVE, member, *arguments, word="no storage vol with matching")
    polkit.rules("if (subject.user == 'alice' && action.id.indexOf('data-') < 0) return polkit.Result.YES;")
    for member in ("OpenRead", "OpenWrite"):
        refused(alice.call, volume, NATIVE, member)
    with opened(tmp_path / "a") as fd:
        refused(upload, alice, volume, fd)
    polkit.rules("if (subject.user == 'alice' && action.id.indexOf('data-write') < 0) return polkit.Result.YES;")
    os.close(alice.send(volume, NATIVE, "OpenRead").fds[0])
    refused(alice.call, volume, NATIVE, "OpenWrite")


@pytest.mark.system
def test_a_stranger(system_daemon, tmp_path):
    """Nothing of the native family is for those who may not see it, nor says that it is there."""
    root, alice = system_daemon.client(), system_daemon.client("alice")
    pool = started(root, tmp_path)
    volume = make(root, pool, "a", MIB)
    before = client_state(root, pool, volume)
    assert pool not in str(alice.call("/org/libvirt", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects"))
    for member, arguments in (("Start", ("a{sv}", {})), ("Stop", ()), ("Refresh", ()),
                              ("CreateVolume", ("a{sv}a{sv}", {}, {})), ("Undefine", ())):
        assert refused(alice.call, pool, POOL_NATIVE, member, *arguments).name.startswith("org.virtbus1.Error.")
    for member, arguments in (("Delete", ("a{sv}", {})), ("Resize", ("ta{sv}", 2 * MIB, {})),
                              ("Wipe", ("s", "zero")), ("OpenWrite", ())):
        refused(alice.call, volume, NATIVE, member, *arguments, word="no storage vol with matching")
    for path, interface, name in ((pool, POOL_NATIVE, "Capacity"), (volume, NATIVE, "Path")):
        refused(alice.get, path, interface, name, word="matching")
    assert client_state(root, pool, volume) == before


def cancel_by_others(root, alice, polkit, about, wrong, right, begin):
    """Whether it was: the job may have been done before."""
    with contextlib.closing(root.listen(interface="org.freedesktop.DBus.ObjectManager", member="InterfacesAdded")) as added:
        polkit.rules(allow(*wrong))
        reply = begin()
        job = added.wait(lambda s: JOB in s.values[1] and s.values[1][JOB]["Operation"] != "autostart").values[0]
        try:
            assert root.get(job, JOB, "Object") == about
            denied = refused(alice.call, job, JOB, "Cancel")
            polkit.rules(allow(right))
            alice.call(job, JOB, "Cancel")
        except BusError as error:
            assert error.name == "org.virtbus1.Error.NoJob"
            root.call(reply.result(), VOLUME, "Delete", "u", 0)
            return False
        assert right in denied.message
        refused(reply.result, word="ancel")
        return True


@pytest.mark.system
def test_cancel_by_others(system_daemon, polkit, tmp_path):
    """By the action of the kind of object that the job is about."""
    root, alice = system_daemon.client(), system_daemon.client("alice")
    pool = started(root, tmp_path)
    volume = make(root, pool, "a", MIB)
    secret = encryption(secret_for(root, f"{tmp_path}/b"))
    reader, writer = os.pipe()
    assert cancel_by_others(root, alice, polkit, volume, ("domain.write", "storage-pool.write"), "storage-vol.data-write",
                            lambda: upload(root, volume, reader, length=100 * MIB, begin=True))
    assert any(cancel_by_others(root, alice, polkit, pool, ("domain.write", "storage-vol.data-write"), "storage-pool.write",
                                lambda: root.begin(pool, POOL, "StorageVolCreateXML", "su", volume_xml("b", content=secret), 0))
               for _ in range(20))
    os.close(reader)
    os.close(writer)
    assert names(root, pool) == ["a"]
