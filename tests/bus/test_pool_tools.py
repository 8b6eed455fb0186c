"""Pools whose tools this machine cannot run for real (ZFS, Ceph, multipath), against stand-ins that answer in the tools' own form.

What LVM, NFS and iSCSI do is tested for real in a machine of its own: tests/vm/storage-inside.sh."""

import base64
import contextlib
import json
import os
import pathlib
import shlex
import shutil
import subprocess

import pytest

from harness import BusError, wait_for
from machines import CONNECT, QEMU, define as define_machine, definition, disk
from test_pools import OVERWRITE, WITH_BUILD_OVERWRITE, bad_volumes, fs_xml, loop_device, mounted
from test_storage import MIB, POOL, VOLUME, make, names, refused

GIB = 1024 * MIB
SHRINK = 4
ZEROED = 1
JOB = "org.virtbus1.Job"
ZFS = """
case "$*" in
"list -H tank/vms") echo "tank/vms	96K	9.5G	24K	/tank/vms" ;;
"get -Hp -o value used,available tank/vms") printf '1073741824\\n9663676416\\n' ;;
"list -Hp -t volume -r -o name,volsize,refreservation tank/vms")
        printf 'tank/vms/web\\t1073741824\\t1083076608\\ntank/vms/thin\\t2147483648\\tnone\\ntank/vms/deep/er\\t1024\\t0\\n' ;;
"create "* | "set "*) ;;
"destroy "*web) echo "cannot destroy 'tank/vms/web': dataset is busy" >&2; exit 1 ;;
"destroy "*) ;;
*) echo "cannot open '${*: -1}': dataset does not exist" >&2; exit 1 ;;
esac"""
ZPOOL = """
case "$*" in
"list -H -o name") printf 'tank\\nother\\n' ;;
*) exit 1 ;;
esac"""
RBD = """
case "$1" in
ls) echo '[{"image":"a","id":"10ab","size":1073741824,"format":2},
{"image":"a","id":"10ab","snapshot":"s1","snapshot_id":4,"size":1073741824,"format":2,"protected":"false"},
{"image":"b c","id":"10ac","size":4194304,"format":2}]' ;;
create | rm | resize) ;;
*) exit 2 ;;
esac"""
DMSETUP = """
[ "$*" = "ls --target multipath" ] || exit 1
printf 'mpatha\\t(253:0)\\nwwn-b\\t(253, 1)\\n'"""


class Tools:
    def __init__(self, folder):
        self.folder = folder

    def add(self, name, script):
        file = self.folder / name
        file.write_text(f"#!/bin/bash\n{{ printf '%q ' {name} \"$@\"; echo; }} >> {self.folder}/calls\n{script}\n")
        file.chmod(0o755)

    def calls(self):
        return [shlex.split(line) for line in (self.folder / "calls").read_text().splitlines()]


@pytest.fixture
def tools(tmp_path, monkeypatch):
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return Tools(folder)


@pytest.fixture
def client(tools, daemon):
    return daemon.bus.connect()


def started(client, xml):
    pool = client.call(QEMU, CONNECT, "StoragePoolDefineXML", "su", xml, 0)
    client.call(pool, POOL, "Create", "u", 0)
    return pool


def test_zfs(client, tools):
    tools.add("zfs", ZFS)
    tools.add("zpool", ZPOOL)
    pool = started(client, "<pool type='zfs'><name>z</name><source><name>tank/vms</name></source></pool>")
    assert client.call(pool, POOL, "GetInfo") == (2, 10 * GIB, GIB, 9 * GIB)
    assert names(client, pool) == ["thin", "web"]
    web = client.call(pool, POOL, "StorageVolLookupByName", "s", "web")
    assert client.get(web, VOLUME, "Path") == "/dev/zvol/tank/vms/web"
    make(client, pool, "new", GIB, GIB)
    make(client, pool, "sparse", GIB, 0)
    assert ["zfs", "create", "-V", str(GIB), "tank/vms/new"] in tools.calls()
    assert ["zfs", "create", "-s", "-V", str(GIB), "tank/vms/sparse"] in tools.calls()
    before = tools.calls()
    bad_volumes(client, pool)
    assert tools.calls() == before
    for name in ("-o", "a@b", "a,b"):
        refused(make, client, pool, name, word="letters")
    refused(client.call, web, VOLUME, "Delete", "u", 0, word="dataset is busy")
    client.call(client.call(pool, POOL, "StorageVolLookupByName", "s", "thin"), VOLUME, "Delete", "u", 0)
    assert ["zfs", "destroy", "tank/vms/thin"] in tools.calls()
    sources = client.call(QEMU, CONNECT, "FindStoragePoolSources", "ssu", "zfs", "", 0)
    assert "<name>tank</name>" in sources and "<name>other</name>" in sources
    gone = client.call(QEMU, CONNECT, "StoragePoolDefineXML", "su",
                       "<pool type='zfs'><name>gone</name><source><name>gone</name></source></pool>", 0)
    refused(client.call, gone, POOL, "Create", "u", 0, word="does not exist")


LVM = """
case "$*" in
vgs*) echo '{"report":[{"vg":[{"vg_size":"134217728","vg_free":"0"}]}]}' ;;
"lvs "*" lv_attr -- vg/data") echo '{"report":[{"lv":[{"lv_attr":"owi-a-s---"}]}]}' ;;
"lvs "*" lv_attr -- vg/before") echo '{"report":[{"lv":[{"lv_attr":"swi-a-s---"}]}]}' ;;
lvs*) echo '{"report":[{"lv":[{"lv_name":"data","lv_uuid":"1","lv_path":"DEVICE","lv_size":"67108864","lv_attr":"owi-a-s---"},
{"lv_name":"before","lv_uuid":"2","lv_path":"DEVICE","lv_size":"67108864","lv_attr":"swi-a-s---"}]}]}' ;;
vgchange* | lvremove* | lvresize*) ;;
*) exit 1 ;;
esac"""


@pytest.mark.skipif(os.geteuid() != 0, reason="loop devices are root's")
def test_logical_volumes_in_use(client, tools, tmp_path):
    """LVM itself would delete the snapshots with their origin, and shrink what a machine uses."""
    gate, reached, content = tools.folder / "gate", tools.folder / "reached", os.urandom(MIB)
    os.mkfifo(gate)
    with loop_device(tmp_path, 64 * MIB) as device:
        lvm = LVM.replace("DEVICE", device)
        tools.add("lvm", lvm)
        pathlib.Path(device).write_bytes(content)
        pool = started(client, "<pool type='logical'><name>vg</name><source><name>vg</name></source></pool>")
        data, before = (client.call(pool, POOL, "StorageVolLookupByName", "s", name) for name in ("data", "before"))
        machine = define_machine(client, definition("one", disk(device, kind="block")))
        machine.call("Create", "u", 0)
        refused(client.call, data, VOLUME, "Resize", "tu", 32 * MIB, SHRINK, word="running machine")
        refused(client.call, data, VOLUME, "Delete", "u", 0, word="snapshots")
        machine.destroy()
        refused(client.call, data, VOLUME, "Delete", "u", ZEROED, word="snapshots")
        tools.add("lvm", lvm.replace('{"lv_attr":"swi-a-s---"}', "{}"))
        for flags in (0, ZEROED):
            refused(client.call, before, VOLUME, "Delete", "u", flags, word="does not tell what 'vg/before' is")
        assert pathlib.Path(device).read_bytes().startswith(content)
        assert not [call for call in tools.calls() if call[1] in ("lvresize", "lvremove")]
        tools.add("lvm", f'[ "$1" != lvresize ] || {{ touch {reached}; cat {gate}; }}' + lvm)
        reply = client.begin(data, VOLUME, "Resize", "tu", 32 * MIB, SHRINK)
        wait_for(reached.exists, 20)
        refused(machine.call, "Create", "u", 0, word="lock")
        gate.write_text("")
        reply.result()
        client.call(before, VOLUME, "Delete", "u", 0)
        assert ["lvm", "lvremove", "--yes", "--", "vg/before"] in tools.calls()
        assert [call for call in tools.calls() if call[1] == "lvresize"]


def test_rbd(client, tools):
    tools.add("rbd", RBD)
    pool = started(client, "<pool type='rbd'><name>ceph</name><source><host name='10.0.0.1' port='6789'/>"
                           "<host name='mon'/><name>images</name></source></pool>")
    place = ["--pool", "images", "--mon-host", "10.0.0.1:6789,mon"]
    assert tools.calls() == [["rbd", "ls", "--long", "--format", "json", *place]]
    assert names(client, pool) == ["a", "b c"]
    volume = client.call(pool, POOL, "StorageVolLookupByName", "s", "a")
    assert client.get(volume, VOLUME, "Path") == "images/a"
    assert client.call(volume, VOLUME, "GetInfo", "u", 0) == (3, GIB, GIB)
    make(client, pool, "new", 5)
    client.call(volume, VOLUME, "Resize", "tu", 2 * GIB, 0)
    client.call(volume, VOLUME, "Resize", "tu", MIB, SHRINK)
    client.call(volume, VOLUME, "Delete", "u", 0)
    assert [c for c in tools.calls() if c[1] != "ls"] == [
        ["rbd", "create", "--size", "5B", "--image", "new", *place],
        ["rbd", "resize", "--no-progress", "--size", str(2 * GIB) + "B", "--image", "a", *place],
        ["rbd", "resize", "--no-progress", "--size", str(MIB) + "B", "--image", "a", "--allow-shrink", *place],
        ["rbd", "rm", "--no-progress", "--image", "a", *place]]
    before = tools.calls()
    bad_volumes(client, pool)
    assert tools.calls() == before
    other = client.call(pool, POOL, "StorageVolLookupByName", "s", "b c")
    refused(client.call, other, VOLUME, "Wipe", "uu", 0, 0)
    refused(make, client, pool, "-x", word="-x")


def auth_xml(kind, username="admin"):
    return f"<auth type='{kind}' username='{username}'><secret usage='key'/></auth>"


def set_secret(client, kind, value):
    element = {"ceph": "name", "iscsi": "target"}[kind]
    secret = client.call(QEMU, CONNECT, "SecretDefineXML", "su",
                         f"<secret private='yes'><usage type='{kind}'><{element}>key</{element}></usage></secret>", 0)
    client.call(secret, "org.libvirt.Secret", "SetValue", "ayu", value, 0)


def test_rbd_by_a_key(client, daemon, tools):
    """The tool gets it in a file that nobody else has; the line names the client only."""
    key = bytes(range(28))
    tools.add("rbd", f'[ "${{*: -3}}" = "admin --keyfile /proc/self/fd/3" ] || exit 1\ncat /proc/self/fd/3 > {tools.folder}/key\n' + RBD)
    xml = "<pool type='rbd'><name>ceph</name><source><host name='mon'/><name>images</name>{}</source></pool>"
    pool = client.call(QEMU, CONNECT, "StoragePoolDefineXML", "su", xml.format(auth_xml("ceph")), 0)
    refused(client.call, pool, POOL, "Create", "u", 0, word="no secret for ceph 'key'")
    set_secret(client, "ceph", key)
    client.call(pool, POOL, "Create", "u", 0)
    assert names(client, pool) == ["a", "b c"] and (tools.folder / "key").read_text() == base64.b64encode(key).decode()
    make(client, pool, "new", 5)
    assert not any(base64.b64encode(key).decode() in word for call in tools.calls() for word in call)
    assert base64.b64encode(key).decode() not in daemon.read_log()
    line = line_of(client, "<source pool='ceph' volume='a'/>")
    assert '"user":"admin"' in line and '"key-secret"' in line
    client.call(pool, POOL, "Destroy")
    client.call(pool, POOL, "Undefine")
    for auth, word in ((auth_xml("chap"), "type='ceph'"), (auth_xml("ceph", "-x"), "'-x'")):
        pool = client.call(QEMU, CONNECT, "StoragePoolDefineXML", "su", xml.format(auth), 0)
        refused(client.call, pool, POOL, "Create", "u", 0, word=word)
        client.call(pool, POOL, "Undefine")


def test_auth_where_it_means_nothing(client, tmp_path):
    pool = client.call(QEMU, CONNECT, "StoragePoolDefineXML", "su",
                       f"<pool type='dir'><name>d</name><source>{auth_xml('ceph')}</source><target><path>{tmp_path}</path>"
                       "</target></pool>", 0)
    refused(client.call, pool, POOL, "Create", "u", 0, word="no <auth>")


ISCSI_LS = """
case "$*" in
"-s -i iqn.2026-01.example:me iscsi://[::1]:3260/" | "iscsi://[::1]:3260/")
        [ "$1" != -s ] || [ "$LIBISCSI_CHAP_USERNAME $LIBISCSI_CHAP_PASSWORD" = "admin two words" ] || { echo "list_luns: iscsi_connect failed." >&2; exit 10; }
        printf 'Target:iqn.2026-01.example:other Portal:[::1]:3260,1\nLun:1    Type:DIRECT_ACCESS (Size:1G)\n'
        printf 'Target:iqn.2026-01.example:there Portal:[::1]:3260,1\nLun:0    Type:STORAGE_ARRAY_CONTROLLER\n'
        printf 'Lun:1    Type:DIRECT_ACCESS (Size:31M)\nLun:12    Type:DIRECT_ACCESS (Size:1M)\n'
        printf 'Target:iqn.2026-01.example:there Portal:10.0.0.9:3260,1\nLun:1    Type:DIRECT_ACCESS (Size:31M)\n' ;;
*) exit 10 ;;
esac"""
ISCSI_SIZE = """
case "$*" in
"-s -i iqn.2026-01.example:me iscsi://[::1]:3260/iqn.2026-01.example:there/1") echo 33554432 ;;
"-s -i iqn.2026-01.example:me iscsi://[::1]:3260/iqn.2026-01.example:there/12") echo 1572864 ;;
*) exit 10 ;;
esac"""


def test_iscsi_direct(client, tools):
    """As tests/vm/storage-inside.sh has it from tgt, with IPv6 and a target of two portals besides."""
    tools.add("iscsi-ls", ISCSI_LS)
    tools.add("iscsi-readcapacity16", ISCSI_SIZE)
    xml = ("<pool type='iscsi-direct'><name>{}</name><source><host name='{}'/><device path='iqn.2026-01.example:{}'/>"
           "<initiator><iqn name='{}'/></initiator>{}</source></pool>")
    set_secret(client, "iscsi", b"two words")
    good = ("san", "::1", "there", "iqn.2026-01.example:me", auth_xml("chap"))
    pool = started(client, xml.format(*good))
    assert names(client, pool) == ["unit:0:0:1", "unit:0:0:12"]
    volume = client.call(pool, POOL, "StorageVolLookupByName", "s", "unit:0:0:12")
    assert client.get(volume, VOLUME, "Path") == "ip-[::1]:3260-iscsi-iqn.2026-01.example:there-lun-12"
    assert client.call(volume, VOLUME, "GetInfo", "u", 0) == (3, 1572864, 1572864)
    line = line_of(client, "<source pool='san' volume='unit:0:0:12'/>")
    for word in ('"driver":"iscsi"', '"target":"iqn.2026-01.example:there"', '"lun":12', '"user":"admin"', '"password-secret"',
                 '"initiator-name":"iqn.2026-01.example:me"'):
        assert word in line
    assert "two words" not in line and not any("two" in word for call in tools.calls() for word in call)
    for member, arguments in (("Delete", ("u", 0)), ("Resize", ("tu", 2 * MIB, 0))):
        refused(client.call, volume, VOLUME, member, *arguments, word="no way to")
    refused(make, client, pool, "new", word="no way to")
    client.call(pool, POOL, "Destroy")
    client.call(pool, POOL, "Undefine")
    for i, (bad, word) in enumerate((("a b", "name or address"), ("-x", "name or address"), ("x/../y", "name or address"), ("h%41", "name or address"))):
        pool = client.call(QEMU, CONNECT, "StoragePoolDefineXML", "su", xml.format(f"h{i}", bad, *good[2:]), 0)
        refused(client.call, pool, POOL, "Create", "u", 0, word=word)
    for i, (change, word) in enumerate((({2: "gone"}, "no target"), ({3: "me"}, "'me'"), ({4: ""}, "iscsi_connect"), ({4: auth_xml("ceph")}, "type='chap'"))):
        values = [change.get(n, value) for n, value in enumerate(good)]
        values[0] = f"bad{i}"
        for other in client.call(QEMU, CONNECT, "ListStoragePools", "u", 0):
            client.call(other, POOL, "Undefine")
        pool = client.call(QEMU, CONNECT, "StoragePoolDefineXML", "su", xml.format(*values), 0)
        refused(client.call, pool, POOL, "Create", "u", 0, word=word)
    sources = client.call(QEMU, CONNECT, "FindStoragePoolSources", "ssu", "iscsi-direct", "<source><host name='::1'/></source>", 0)
    assert sources.count("<source>") == 3 and "iqn.2026-01.example:other" in sources


@pytest.mark.parametrize("kind", ["gluster", "sheepdog", "vstorage"])
def test_what_nothing_serves(client, kind):
    """Kept as it was defined; the error has the reason that docs/status.md has."""
    pool = client.call(QEMU, CONNECT, "StoragePoolDefineXML", "su",
                       f"<pool type='{kind}'><name>p</name><source><host name='h'/><name>v</name></source>"
                       "<target><path>/srv/p</path></target></pool>", 0)
    for member in ("Create", "Build"):
        error = refused(client.call, pool, POOL, member, "u", 0, word=kind)
        assert error.name.endswith("NotSupported") or "support" in error.name.lower() or "no " in error.message
        assert ": " in error.message.split("here")[1]


def line_of(client, source):
    text = client.call(QEMU, "org.virtbus1.Connect", "DomainXMLToNative", "ssu", "qemu-argv", definition(
        "one", f"<disk type='volume'>{source}<target dev='vda' bus='virtio'/></disk>"), 0)
    return text.replace("\\", "")


def test_rbd_volume_as_a_disk(client, tools):
    """Debian's QEMU has no rbd: the line says what it would open."""
    tools.add("rbd", RBD)
    started(client, "<pool type='rbd'><name>ceph</name><source><host name='10.0.0.1' port='6789'/><host name='mon'/>"
                    "<name>images</name></source></pool>")
    line = line_of(client, "<source pool='ceph' volume='a'/>")
    for word in ('"driver":"rbd"', '"pool":"images"', '"image":"a"', '"host":"10.0.0.1"', '"port":"6789"', '"host":"mon"'):
        assert word in line
    refused(line_of, client, "<source pool='ceph' volume='a' mode='direct'/>", word="mode='direct'")
    refused(line_of, client, "<source pool='ceph' volume='none'/>", word="no volume 'none'")


def test_refreshed_while_a_tool_works(client, tools):
    """The volume has another entry when the tool answers."""
    tools.add("rbd", RBD)
    pool = started(client, "<pool type='rbd'><name>ceph</name><source><host name='mon'/><name>images</name></source></pool>")
    for name, call in (("a", ("Resize", "tu", 2 * GIB, 0)), ("b c", ("Delete", "u", 0))):
        gate, reached = tools.folder / "gate", tools.folder / "reached"
        os.mkfifo(gate)
        tools.add("rbd", f'case "$1" in rm | resize) touch {reached}; cat {gate} ;; esac\n' + RBD)
        volume = client.call(pool, POOL, "StorageVolLookupByName", "s", name)
        reply = client.begin(volume, VOLUME, *call)
        wait_for(reached.exists)
        for _ in range(3):
            client.call(pool, POOL, "Refresh", "u", 0)
        gate.write_text("")
        reply.result()
        gate.unlink()
        reached.unlink()
    place = ["--pool", "images", "--mon-host", "mon"]
    assert [c for c in tools.calls() if c[1] != "ls"] == [
        ["rbd", "resize", "--no-progress", "--size", f"{2 * GIB}B", "--image", "a", *place],
        ["rbd", "rm", "--no-progress", "--image", "b c", *place]]
    assert names(client, pool) == ["a"]


def cancel(client, tools, added, *call):
    """The call is cancelled while a tool waits at the gate."""
    reply = client.begin(*call)
    wait_for((tools.folder / "reached").exists)
    client.call(added.wait(lambda s: JOB in s.values[1]).values[0], JOB, "Cancel")
    refused(reply.result)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts are root's")
def test_cancelled_start_leaves_nothing_up(client, tools, tmp_path):
    target, gate = tmp_path / "mnt", tools.folder / "gate"
    os.mkfifo(gate)
    wait = f"touch {tools.folder}/reached; exec cat {gate}"
    added = client.listen(interface="org.freedesktop.DBus.ObjectManager", member="InterfacesAdded")
    with loop_device(tmp_path, 64 * MIB) as device:
        pool = client.call(QEMU, CONNECT, "StoragePoolDefineXML", "su", fs_xml(device, target), 0)
        client.call(pool, POOL, "Build", "u", OVERWRITE)
        added.wait(lambda s: JOB in s.values[1])
        tools.add("mount", f'{shutil.which("mount")} "$@"; {wait}')
        cancel(client, tools, added, pool, POOL, "Create", "u", 0)
        assert mounted(target) is None and client.get(pool, POOL, "Active") is False
        (tools.folder / "mount").unlink()
        client.call(pool, POOL, "Create", "u", 0)
        client.call(pool, POOL, "Destroy")


def test_cancelled_list_takes_the_group_down(client, tools):
    gate = tools.folder / "gate"
    os.mkfifo(gate)
    added = client.listen(interface="org.freedesktop.DBus.ObjectManager", member="InterfacesAdded")
    pool = client.call(QEMU, CONNECT, "StoragePoolDefineXML", "su",
                       "<pool type='logical'><name>vg</name><source><name>vg</name></source></pool>", 0)
    tools.add("lvm", f'[ "$1" = vgs ] && {{ touch {tools.folder}/reached; exec cat {gate}; }}\nexit 0')
    cancel(client, tools, added, pool, POOL, "Create", "u", 0)
    assert tools.calls()[-1] == ["lvm", "vgchange", "--activate", "n", "--", "vg"]


def test_servers_are_asked_side_by_side(client, daemon, tools):
    """At the start of the daemon no pool waits for another one's server."""
    tools.add("rbd", RBD)
    pools = [started(client, f"<pool type='rbd'><name>p{i}</name><source><host name='h{i}'/><name>i</name></source></pool>")
             for i in range(3)]
    daemon.kill()
    tools.add("rbd", f"""
touch {tools.folder}/asked-$$
for ((i = 0; i < 200; i++)); do
        [ $(ls {tools.folder} | grep -c asked) -lt 3 ] || break
        sleep 0.1
done
[ $i -lt 200 ] || exit 1
""" + RBD)
    daemon.start()
    for pool in pools:
        wait_for(lambda: client.get(pool, POOL, "Active"), 15)


def test_mpath(client, tools):
    tools.add("dmsetup", DMSETUP)
    pool = started(client, "<pool type='mpath'><name>m</name><target><path>/dev/mapper</path></target></pool>")
    assert names(client, pool) == ["dm-0", "dm-1"]
    volume = client.call(pool, POOL, "StorageVolLookupByName", "s", "dm-0")
    refused(client.call, volume, VOLUME, "Delete", "u", ZEROED, word="no way to delete")  # before it is wiped
    tools.add("dmsetup", "echo 'No devices found'")
    client.call(pool, POOL, "Refresh", "u", 0)
    assert names(client, pool) == []


def test_answers_that_are_none(client, tools):
    """Tools are not trusted to say what is expected of them."""
    tools.add("rbd", "echo '{'")
    pool = client.call(QEMU, CONNECT, "StoragePoolDefineXML", "su",
                       "<pool type='rbd'><name>ceph</name><source><host name='h'/></source></pool>", 0)
    refused(client.call, pool, POOL, "Create", "u", 0, word="JSON")
    tools.add("rbd", json.dumps([{"image": "../a", "size": 1}, {"image": 7}, {"size": -1, "image": "b"}, 5]).join(
        ("echo '", "'")))
    client.call(pool, POOL, "Create", "u", 0)
    assert names(client, pool) == ["b"]
    tools.add("rbd", "head -c 100000000 /dev/zero")
    with pytest.raises(BusError):
        client.call(pool, POOL, "Refresh", "u", 0)
    assert names(client, pool) == ["b"]
    tools.add("showmount", "printf '/srv/a *\\n/srv/b c 10.0.0.0/8\\nnonsense\\n'")
    sources = client.call(QEMU, CONNECT, "FindStoragePoolSources", "ssu", "netfs", "<source><host name='h'/></source>", 0)
    assert sources.count("<source>") == 2 and "path='/srv/a'" in sources and "path='/srv/b c'" in sources


def test_scsi_hosts_that_are_none(client):
    for name in ("host987", "../host0", "host0x"):
        pool = client.call(QEMU, CONNECT, "StoragePoolDefineXML", "su",
                           f"<pool type='scsi'><name>s</name><source><adapter name='{name}'/></source>"
                           "<target><path>/dev/disk/by-path</path></target></pool>", 0)
        refused(client.call, pool, POOL, "Create", "u", 0, word=name)
        client.call(pool, POOL, "Undefine")


class TestKilled:
    """The daemon is killed while a tool works for it, before and after the tool did its work."""

    @pytest.fixture(autouse=True)
    def only_root(self):
        if os.geteuid() != 0:
            pytest.skip("loop devices are root's")

    def kill_in(self, daemon, tools, tool, when, begin):
        """Kills the daemon when the stand-in of `tool` says that it is there, and lets that end."""
        real = shutil.which(tool)
        reached, gate = tools.folder / "reached", tools.folder / "gate"
        os.mkfifo(gate)
        wait = f"touch {reached}; cat {gate}"
        tools.add(tool, f"{wait}\nexit 1" if when == "before" else f"{real} \"$@\"\n{wait}")
        begin()
        wait_for(reached.exists, 20)
        daemon.kill()
        with contextlib.suppress(OSError):  # the stand-in may have ended with the daemon
            os.close(os.open(gate, os.O_WRONLY | os.O_NONBLOCK))
        for file in (reached, gate, tools.folder / tool):
            file.unlink()
        daemon.start()

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_in_create(self, tools, daemon, client, tmp_path, when):
        with loop_device(tmp_path, 32 * MIB) as device:
            subprocess.run(["mkfs.ext4", "-q", device], check=True)
            (tmp_path / "mnt").mkdir()
            pool = client.call(QEMU, CONNECT, "StoragePoolDefineXML", "su", fs_xml(device, tmp_path / "mnt"), 0)
            self.kill_in(daemon, tools, "mount", when, lambda: client.begin(pool, POOL, "Create", "u", 0))
            wait_for(lambda: client.get(pool, POOL, "Active"))
            assert mounted(tmp_path / "mnt")[0] == device
            client.call(pool, POOL, "Destroy")
            assert mounted(tmp_path / "mnt") is None

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_in_destroy(self, tools, daemon, client, tmp_path, when):
        with loop_device(tmp_path, 32 * MIB) as device:
            pool = client.call(QEMU, CONNECT, "StoragePoolDefineXML", "su", fs_xml(device, tmp_path / "mnt"), 0)
            client.call(pool, POOL, "Create", "u", WITH_BUILD_OVERWRITE)
            make(client, pool, "a.img")
            self.kill_in(daemon, tools, "umount", when, lambda: client.begin(pool, POOL, "Destroy"))
            wait_for(lambda: client.get(pool, POOL, "Active"))
            assert mounted(tmp_path / "mnt")[0] == device and "a.img" in names(client, pool)
            client.call(pool, POOL, "Destroy")
            assert mounted(tmp_path / "mnt") is None

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_in_build(self, tools, daemon, client, tmp_path, when):
        with loop_device(tmp_path, 32 * MIB) as device:
            pool = client.call(QEMU, CONNECT, "StoragePoolDefineXML", "su", fs_xml(device, tmp_path / "mnt"), 0)
            self.kill_in(daemon, tools, "mkfs.ext4", when, lambda: client.begin(pool, POOL, "Build", "u", OVERWRITE))
            assert client.get(pool, POOL, "Active") is False and mounted(tmp_path / "mnt") is None
            client.call(pool, POOL, "Create", "u", WITH_BUILD_OVERWRITE)
            client.call(pool, POOL, "Destroy")

    def test_a_transient_one_in_create(self, tools, daemon, client, tmp_path):
        """Nothing stays mounted that no pool answers for."""
        with loop_device(tmp_path, 32 * MIB) as device:
            subprocess.run(["mkfs.ext4", "-q", device], check=True)
            (tmp_path / "mnt").mkdir()
            self.kill_in(daemon, tools, "mount", "after", lambda: client.begin(
                QEMU, CONNECT, "StoragePoolCreateXML", "su", fs_xml(device, tmp_path / "mnt"), 0))
            (pool,) = client.call(QEMU, CONNECT, "ListStoragePools", "u", 0)
            wait_for(lambda: client.get(pool, POOL, "Active"))
            assert mounted(tmp_path / "mnt")[0] == device
            client.call(pool, POOL, "Destroy")
            assert mounted(tmp_path / "mnt") is None and client.call(QEMU, CONNECT, "ListStoragePools", "u", 0) == []
