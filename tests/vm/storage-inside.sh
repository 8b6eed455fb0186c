#!/bin/bash
# Runs as root in the machine of systemd.sh: pools that need more of the kernel than the host of the tests may have.
# Volume groups, servers of files and iSCSI targets are real, and on this machine's own loopback.
. /share/checks.sh
target=iqn.2026-01.example.virtbus:disk

# define XML: the path of the pool
define() {
        connect StoragePoolDefineXML su "$1" 0 | cut -d'"' -f2
}

pool() {
        call "$pool" org.libvirt.StoragePool "$@"
}

volume() {
        local volume=$1
        shift
        call "$volume" org.libvirt.StorageVol "$@"
}

# make NAME BYTES: the path of the volume
make() {
        local said
        said=$(pool StorageVolCreateXML su "<volume><name>$1</name><capacity>$2</capacity></volume>" 0) || return
        cut -d'"' -f2 <<< "$said"
}

names() {
        local path
        for path in $(pool ListStorageVolumes u 0 | grep -o '"[^"]*"' | tr -d '"'); do
                bus get-property org.virtbus1 "$path" org.libvirt.StorageVol Name | cut -d'"' -f2
        done | sort | xargs
}

is_active() {
        [ "$(bus get-property org.virtbus1 "$pool" org.libvirt.StoragePool Active)" = "b true" ]
}

fails() {
        ! "$@"
}

killed_and_back() {
        systemctl kill --signal=KILL --kill-whom=main virtbusd
        until_true 30 is_active
}

# loop NAME MIB: a loop device
loop() {
        truncate -s "$2M" "/tmp/$1"
        losetup --find --show "/tmp/$1"
}

life_ends() {
        is "$1: stopped" pool Destroy
        [ -z "${2:-}" ] || is "$1: deleted" pool Delete u 0
        is "$1: undefined" pool Undefine
}

# What the servers' packages do when they are installed; here they are only unpacked.
for user in _rpc statd; do
        id $user > /dev/null 2>&1 || useradd --system --no-create-home --home-dir /nonexistent $user
done
mkdir -p /var/lib/nfs/{sm,sm.bak,rpc_pipefs,v4recovery}
touch /var/lib/nfs/{etab,rmtab,state}
[ -e /etc/iscsi/initiatorname.iscsi ] || echo InitiatorName=iqn.2026-01.example.virtbus:here > /etc/iscsi/initiatorname.iscsi
systemd-tmpfiles --create rpcbind.conf # before, its user was not there

modprobe -a loop dm_mod dm_snapshot dm_multipath iscsi_tcp nfsd nfs ext4
until_true 60 call / org.freedesktop.DBus.Peer Ping

# Volume groups.
disk=$(loop lvm 128)
same "logical: no sources yet" "" "$(connect FindStoragePoolSources ssu logical '' 0 | grep -o '<name>' )"
pool=$(define "<pool type='logical'><name>vg</name><source><device path='$disk'/></source></pool>")
is "logical: not started before it is built" fails pool Create u 0
is "logical: built" pool Build u 4
is "logical: not built over itself" fails pool Build u 4
is "logical: started" pool Create u 0
lv=$(make data $((16 * 1048576)))
same "logical: a volume" "data" "$(names)"
same "logical: LVM has it" "16777216" "$(lvs --noheadings --units b --nosuffix -o lv_size vg/data | xargs)"
same "logical: its path" 's "/dev/vg/data"' "$(bus get-property org.virtbus1 "$lv" org.libvirt.StorageVol Path)"
is "logical: bad names are refused" fails make -y 1048576
is "logical: no volume larger than the group" fails make big $((1024 * 1048576))
is "logical: larger" volume "$lv" Resize tu $((32 * 1048576)) 0
same "logical: LVM says so" "33554432" "$(lvs --noheadings --units b --nosuffix -o lv_size vg/data | xargs)"
is "logical: smaller" volume "$lv" Resize tu $((24 * 1048576)) 4
same "logical: LVM says so as well" "25165824" "$(lvs --noheadings --units b --nosuffix -o lv_size vg/data | xargs)"
is "logical: larger again" volume "$lv" Resize tu $((32 * 1048576)) 0
echo content > /dev/vg/data
is "logical: a snapshot" pool StorageVolCreateXML su "<volume><name>before</name><capacity>41943040</capacity>
<backingStore><path>/dev/vg/data</path></backingStore></volume>" 0
is "logical: wiped" volume "$lv" Wipe uu 0 0
same "logical: nothing is left of it" 33554432 "$(tr -d -c '\0' < /dev/vg/data | wc -c)"
same "logical: the snapshot has it" content "$(head -c 7 /dev/vg/before)"
lvcreate --yes --size 4m --name other vg > /dev/null 2>&1
pool Refresh u 0 > /dev/null
same "logical: what others made" "before data other" "$(names)"
is "logical: taken back by the next daemon" killed_and_back
same "logical: with its volumes" "before data other" "$(names)"
is "logical: found as a source" grep -q "<name>vg</name>" <(connect FindStoragePoolSources ssu logical '' 0)
echo content > /dev/vg/data
is "logical: no volume is deleted that has snapshots" fails volume "$lv" Delete u 0
is "logical: nor wiped for that" fails volume "$lv" Delete u 1
same "logical: its content is there" content "$(head -c 7 /dev/vg/data)"
is "logical: a snapshot is deleted" volume "$(pool StorageVolLookupByName s before | cut -d'"' -f2)" Delete u 0
life_ends logical deleted
same "logical: nothing is left" "" "$(vgs --noheadings)$(pvs --noheadings)"

# A server of files.
export=$(loop nfs 64)
mkfs.ext4 -q "$export"
mkdir -p /srv/export /srv/here
mount "$export" /srv/export
echo "/srv/export 127.0.0.1(rw,sync,no_root_squash,no_subtree_check,fsid=1)" > /etc/exports
is "netfs: there is a server" systemctl start rpcbind nfs-server
is "netfs: found as a source" grep -q "/srv/export" <(
        connect FindStoragePoolSources ssu netfs "<source><host name='127.0.0.1'/></source>" 0)
pool=$(define "<pool type='netfs'><name>nfs</name><source><host name='127.0.0.1'/><dir path='/srv/export'/>
<format type='nfs'/></source><target><path>/srv/here/mnt</path></target></pool>")
is "netfs: started" pool Create u 1
same "netfs: mounted" "127.0.0.1:/srv/export" "$(findmnt -n -o SOURCE /srv/here/mnt)"
is "netfs: nosuid and nodev" grep -q "nosuid.*nodev\|nodev.*nosuid" <(findmnt -n -o OPTIONS /srv/here/mnt)
is "netfs: a volume" make a.img 1048576
same "netfs: the file is on the server" 1048576 "$(stat -c %s /srv/export/a.img)"
touch /srv/export/b.img
pool Refresh u 0 > /dev/null
same "netfs: what is on the server" "a.img b.img" "$(names | sed 's/ lost+found//')"
is "netfs: taken back by the next daemon" killed_and_back
same "netfs: with its volumes" "a.img b.img" "$(names | sed 's/ lost+found//')"
life_ends netfs deleted
is "netfs: unmounted" fails findmnt /srv/here/mnt
systemctl stop nfs-server

# The disks of a SCSI adapter, and one disk that two of them lead to.
modprobe scsi_debug dev_size_mb=16 add_host=2 vpd_use_hostno=0 max_luns=1
until_true 30 bash -c '[ "$(ls /sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*/block | grep -c "^sd")" = 2 ]'
udevadm settle
adapter=$(basename "$(dirname "$(ls -d /sys/bus/pseudo/drivers/scsi_debug/adapter0/host*/target*)")")
refused_pool=$(define "<pool type='scsi'><name>none</name><source><adapter type='scsi_host' name='host99'/></source>
<target><path>/dev/disk/by-path</path></target></pool>")
is "scsi: not of an adapter that is not there" grep -q "no SCSI adapter 'host99'" <(
        call "$refused_pool" org.libvirt.StoragePool Create u 0 2>&1)
pool=$(define "<pool type='scsi'><name>scsi</name><source><adapter type='scsi_host' name='$adapter'/></source>
<target><path>/dev/disk/by-path</path></target></pool>")
is "scsi: started" pool Create u 0
same "scsi: its unit" "unit:0:0:0" "$(names)"
unit=$(pool StorageVolLookupByName s unit:0:0:0 | cut -d'"' -f2)
same "scsi: a block device of its size" "(itt) 1 16777216 16777216" "$(volume "$unit" GetInfo u 0)"
is "scsi: no volumes are made" fails make new 1048576
is "scsi: taken back by the next daemon" killed_and_back
same "scsi: with its unit" "unit:0:0:0" "$(names)"
life_ends scsi
printf 'defaults {\n\tfind_multipaths no\n\tuser_friendly_names yes\n}\ndevices {\n}\n' > /etc/multipath.conf
is "mpath: two ways are one device" bash -c 'multipathd && for i in $(seq 60); do multipath -r > /dev/null; dmsetup ls --target multipath | grep -q mpath && exit; sleep 0.5; done; exit 1'
udevadm settle
pool=$(define "<pool type='mpath'><name>mpath</name><target><path>/dev/mapper</path></target></pool>")
is "mpath: started" pool Create u 0
device=$(dmsetup ls --target multipath | cut -f1)
same "mpath: its device" "$(basename "$(readlink "/dev/mapper/$device")")" "$(names)"
volume=$(pool ListStorageVolumes u 0 | grep -o '/org[^"]*')
same "mpath: by the name that it was given" "s \"/dev/mapper/$device\"" "$(bus get-property org.virtbus1 "$volume" org.libvirt.StorageVol Path)"
is "mpath: of its size" grep -q "(itt) 1 16777216" <(volume "$volume" GetInfo u 0)
is "mpath: taken back by the next daemon" killed_and_back
life_ends mpath
multipathd shutdown > /dev/null
multipath -F
rmmod scsi_debug

# An iSCSI target.
truncate -s 32M /tmp/lun
is "iscsi: there is a target" systemctl start tgt iscsid
until_true 30 tgtadm --lld iscsi --mode sys --op show
tgtadm --lld iscsi --op new --mode target --tid 1 -T $target
tgtadm --lld iscsi --op new --mode logicalunit --tid 1 --lun 1 -b /tmp/lun
tgtadm --lld iscsi --op bind --mode target --tid 1 -I ALL
is "iscsi: found as a source" grep -q "$target" <(
        connect FindStoragePoolSources ssu iscsi "<source><host name='127.0.0.1'/></source>" 0)
pool=$(define "<pool type='iscsi'><name>san</name><source><host name='127.0.0.1'/><device path='$target'/></source>
<target><path>/dev/disk/by-path</path></target></pool>")
is "iscsi: started" pool Create u 0
until_true 30 test -n "$(ls /dev/disk/by-path/*lun-1)"
pool Refresh u 0 > /dev/null
same "iscsi: its unit" "unit:0:0:1" "$(names)"
unit=$(pool StorageVolLookupByName s unit:0:0:1 | cut -d'"' -f2)
same "iscsi: a block device of its size" "(itt) 1 33554432 33554432" "$(volume "$unit" GetInfo u 0)"
is "iscsi: by a path that stays" grep -q by-path <(bus get-property org.virtbus1 "$unit" org.libvirt.StorageVol Path)
line_of() {
        call $qemu org.virtbus1.Connect DomainXMLToNative ssu qemu-argv "<domain type='qemu'><name>one</name>
<memory>65536</memory><os><type arch='x86_64'>hvm</type></os><devices><disk type='volume'>
<source pool='san' volume='unit:0:0:1' $1/><target dev='sda'/></disk></devices></domain>" 0
}
is "iscsi: a disk by the host" grep -q "by-path" <(line_of "mode='host'")
is "iscsi: a disk that QEMU logs in for" grep -q "iscsi.*127.0.0.1:3260.*$target.*lun.*1" <(line_of "mode='direct'")
is "iscsi: no volumes are made" fails make new 1048576
is "iscsi: taken back by the next daemon" killed_and_back
same "iscsi: with its unit" "unit:0:0:1" "$(names)"
life_ends iscsi
same "iscsi: logged out" "" "$(ls /sys/class/iscsi_session)"

# A target that wants a password: by the host, and by QEMU alone.
password="two words%42"
tgtadm --lld iscsi --op new --mode account --user guest --password "$password"
tgtadm --lld iscsi --op bind --mode account --tid 1 --user guest
secret=$(connect SecretDefineXML su "<secret private='yes'><usage type='iscsi'><target>san</target></usage></secret>" 0 | cut -d'"' -f2)
auth="<auth type='chap' username='guest'><secret usage='san'/></auth>"
source_of="<source><host name='127.0.0.1'/><device path='$target'/>"
set_password() {
        is "chap: the secret has a value" call "$secret" org.libvirt.Secret SetValue ayu ${#1} $(printf %s "$1" | od -An -v -tu1) 0
}
# Each tool writes its command line down.
for tool in iscsiadm iscsi-ls iscsi-readcapacity16; do
        printf '#!/bin/sh\necho "%s $*" >> /tmp/lines\nexec "%s" "$@"\n' $tool "$(command -v $tool)" > /usr/local/sbin/$tool
        chmod 0755 /usr/local/sbin/$tool
done
# Whatever shows a password: a command line, a record of open-iscsi, the journal.
seen_by_others() {
        grep "$password" /tmp/lines || grep -r "$password" /etc/iscsi /var/lib/iscsi 2> /dev/null ||
                journalctl -b | grep "$password"
}
pool=$(define "<pool type='iscsi'><name>chap</name>$source_of</source><target><path>/dev/disk/by-path</path></target></pool>")
is "chap: not without" fails pool Create u 0
pool Undefine > /dev/null
pool=$(define "<pool type='iscsi'><name>chap</name>$source_of$auth</source><target><path>/dev/disk/by-path</path></target></pool>")
is "chap: not without a value" fails pool Create u 0
set_password wrong
is "chap: not by a wrong one" fails pool Create u 0
set_password "$password"
is "chap: logged in" pool Create u 0
until_true 30 test -n "$(ls /dev/disk/by-path/*lun-1)"
pool Refresh u 0 > /dev/null
same "chap: its unit" "unit:0:0:1" "$(names)"
is "chap: taken back by the next daemon" killed_and_back
life_ends chap
same "chap: logged out" "" "$(ls /sys/class/iscsi_session)"
is "chap: the tool's lines were seen" grep -q "iscsiadm.*--login" /tmp/lines
is "chap: nobody saw the password" fails seen_by_others

own="<initiator><iqn name='iqn.2026-01.example.virtbus:guest'/></initiator>"
is "iscsi-direct: found as a source" grep -q "$target" <(
        connect FindStoragePoolSources ssu iscsi-direct "<source><host name='127.0.0.1'/></source>" 0)
pool=$(define "<pool type='iscsi-direct'><name>san</name>$source_of$own</source></pool>")
is "iscsi-direct: not without a password" fails pool Create u 0
pool Undefine > /dev/null
pool=$(define "<pool type='iscsi-direct'><name>san</name>$source_of$own$auth</source></pool>")
is "iscsi-direct: started" pool Create u 0
same "iscsi-direct: its unit" "unit:0:0:1" "$(names)"
unit=$(pool StorageVolLookupByName s unit:0:0:1 | cut -d'"' -f2)
same "iscsi-direct: of its size, on the network" "(itt) 3 33554432 33554432" "$(volume "$unit" GetInfo u 0)"
same "iscsi-direct: the host has no session" "" "$(ls /sys/class/iscsi_session)"
is "iscsi-direct: a disk that QEMU logs in for" grep -q "initiator-name.*iqn.2026-01.example.virtbus:guest" <(line_of "")
is "iscsi-direct: by its password" grep -q "password-secret" <(line_of "")
is "iscsi-direct: no password in the line" fails grep -q "$password" <(line_of "")
is "iscsi-direct: no volumes are made" fails make new 1048576
is "iscsi-direct: the tool's lines were seen" grep -q "iscsi-ls.*iscsi://127.0.0.1:3260/" /tmp/lines
is "iscsi-direct: nobody saw the password" fails seen_by_others
is "iscsi-direct: taken back by the next daemon" killed_and_back
life_ends iscsi-direct

echo "all done" >> $share/result
