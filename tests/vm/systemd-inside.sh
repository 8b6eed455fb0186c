#!/bin/bash
# Runs as root in the machine of systemd.sh, as its last unit. Every line of the result is "ok WHAT" or "not ok WHAT";
# "all done" at the end says that none is missing.
. /share/checks.sh
uuid=6695eb01-f6a4-8304-79aa-97f2502e193f
scope=virtbus-$uuid.scope

state() {
        call "$domain" org.libvirt.Domain GetState u 0 2>&1
}

manage() {
        systemctl "$@"
}

property() {
        manage show --value -p "$2" "$1"
}

# The process in the machine's own unit; a test by anything else would also find one that is in another unit.
machine_pid() {
        cat "/sys/fs/cgroup$(property $scope ControlGroup)/cgroup.procs" 2>&1
}

define() {
        call $qemu org.libvirt.Connect DomainDefineXML s "<domain type='qemu'>
                <name>tiny</name><uuid>$uuid</uuid><memory unit='MiB'>16</memory><vcpu>1</vcpu>
                <os><type arch='x86_64' machine='pc'>hvm</type></os>
                <devices><emulator>/usr/bin/qemu-system-x86_64</emulator><controller type='usb' model='none'/>
                <memballoon model='none'/></devices></domain>"
}

is "the units are as systemd wants them" systemd-analyze verify --man=no virtbusd.service
is "the session's unit too" env XDG_RUNTIME_DIR=/run systemd-analyze verify --user --man=no /usr/lib/systemd/user/virtbusd.service
is "sysusers has made the machine user" getent passwd virtbus-qemu
is "its group kvm" bash -c 'id -nG virtbus-qemu | grep -qw kvm'
is "the group of those who manage" getent group libvirt
same "folder of the definitions" "700 root" "$(stat -c '%a %U' /etc/virtbus)"
same "folder of the state" "711 root" "$(stat -c '%a %U' /var/lib/virtbus)"
is "the bus reads its configuration anew" systemctl reload dbus.service

is "systemctl start" systemctl start virtbusd.service
same "the service is ready" active "$(property virtbusd.service ActiveState)"
is "both names are owned" bash -c 'busctl --system list --acquired | grep -c -e "^org.virtbus1 " -e "^org.libvirt " | grep -qx 2'

is "define" until_true 60 define
domain=$(call $qemu org.libvirt.Connect DomainLookupByName s tiny | cut -d'"' -f2)
is "start" call "$domain" org.libvirt.Domain Create u 0
same "it runs, as it was booted" "(ii) 1 1" "$(state)"
is "a scope of its own" until_true 10 systemctl is-active $scope
same "in the slice of the machines" machine.slice "$(property $scope Slice)"
same "named for people" tiny "$(property $scope Description)"
pid=$(machine_pid)
same "the process in it is QEMU" qemu-system-x86_64 "$(readlink "/proc/$pid/exe" | xargs basename)"
same "as the machine user" virtbus-qemu "$(stat -c %U "/proc/$pid")"
same "nothing but the daemon is in the service's" "$(property virtbusd.service MainPID)" \
        "$(cat "/sys/fs/cgroup$(property virtbusd.service ControlGroup)/cgroup.procs")"
running=$(state)

daemon=$(property virtbusd.service MainPID)
is "systemctl restart" systemctl restart virtbusd.service
is "another daemon" test "$(property virtbusd.service MainPID)" != "$daemon"
same "the same process in the scope after the restart" "$pid" "$(machine_pid)"
same "the machine runs after the restart" "$running" "$(state)"

is "the daemon is killed" kill -KILL "$(property virtbusd.service MainPID)"
is "systemd starts it again" until_true 30 bash -c '[ "$(systemctl show --value -p NRestarts virtbusd)" = 1 ] &&
        systemctl is-active virtbusd'
same "the machine runs after the crash" "$running" "$(state)"

# An image that a client opened and that has no path any more, given to the machine before the daemon was killed.
files_of() {
        python3 -B - "$owner" "$1" <<'END'
import sys, dbus
machine = dbus.SystemBus().get_object("org.virtbus1", sys.argv[1], introspect=False)
files = [dbus.types.UnixFd(open(sys.argv[2], "r+b"))] if sys.argv[2] else []
machine.AssociateFiles("system", dbus.Array(files, signature="h"), dbus_interface="org.virtbus1.Domain", signature="sah")
END
}
owner=$(call $qemu org.libvirt.Connect DomainDefineXML s "<domain type='qemu'><name>given</name><memory unit='MiB'>16</memory>
        <os><type arch='x86_64' machine='pc'>hvm</type></os><devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
        <disk type='file'><driver name='qemu' type='raw'/><source file='/nowhere' fdgroup='system'/><target dev='vda' bus='virtio'/></disk>
        </devices></domain>" | cut -d'"' -f2)
truncate -s 1M /tmp/given
is "an open image is given to a machine" files_of /tmp/given
rm /tmp/given
same "systemd keeps it" 1 "$(property virtbusd.service NFileDescriptorStore)"
is "the daemon is killed again" kill -KILL "$(property virtbusd.service MainPID)"
is "systemd starts it once more" until_true 30 bash -c '[ "$(systemctl show --value -p NRestarts virtbusd)" = 2 ] &&
        systemctl is-active virtbusd'
is "the next daemon has the image" call "$owner" org.libvirt.Domain Create u 0
is "and uses it" bash -c 'ls -l /proc/[0-9]*/fd 2> /dev/null | grep -q "/tmp/given (deleted)"'
call "$owner" org.libvirt.Domain Destroy u 0 > /dev/null
is "it is taken back" files_of ""
same "systemd keeps nothing" 0 "$(property virtbusd.service NFileDescriptorStore)"
is "without it there is no start" bash -c "! busctl --system call org.virtbus1 $owner org.libvirt.Domain Create u 0"
is "the machine is undefined" call "$owner" org.libvirt.Domain Undefine u 0

is "systemctl stop" systemctl stop virtbusd.service
same "the service is gone" inactive "$(property virtbusd.service ActiveState)"
same "the same process in the scope after the stop" "$pid" "$(machine_pid)"

same "a call starts the service and finds the machine" "$running" "$(state)"
same "the service is there again" active "$(property virtbusd.service ActiveState)"
systemctl stop virtbusd.service
is "a call to the other name starts it too" busctl --system --timeout=120 get-property org.libvirt $qemu \
        org.libvirt.Connect Version

is "destroy" call "$domain" org.libvirt.Domain Destroy u 0
is "start again at once" call "$domain" org.libvirt.Domain Create u 0
is "a scope again" until_true 10 systemctl is-active $scope
is "with another process" test "$(machine_pid)" != "$pid"
is "systemctl stop of the scope" systemctl stop $scope
is "ends the machine" until_true 20 bash -c "busctl --system call org.virtbus1 $domain org.libvirt.Domain GetState u 0 |
        grep -q ' 5 '"
is "and the scope goes" bash -c "! systemctl is-active $scope"
same "no machine was without a scope" "" "$(journalctl -u virtbusd.service -o cat | grep 'without a scope')"

# The same for a user, under the user's own manager.
useradd -m -s /bin/sh tester
uid=$(id -u tester)
user() {
        (cd / && setpriv --reuid "$uid" --regid "$uid" --clear-groups env HOME=/home/tester \
                XDG_RUNTIME_DIR="/run/user/$uid" DBUS_SESSION_BUS_ADDRESS="unix:path=/run/user/$uid/bus" "$@")
}
bus() {
        user busctl --user --timeout=120 "$@"
}
manage() {
        user systemctl --user "$@"
}
is "a user's manager" systemctl start "user@$uid.service"
is "a call starts the user's service, which defines" until_true 60 define
domain=$(call $qemu org.libvirt.Connect DomainLookupByName s tiny | cut -d'"' -f2)
is "start for the user" call "$domain" org.libvirt.Domain Create u 0
is "a scope of the user's" until_true 10 manage is-active $scope
pid=$(machine_pid)
same "the process in it is the user's" tester "$(stat -c %U "/proc/$pid")"
running=$(state)
same "it runs, as it was booted, for the user" "(ii) 1 1" "$running"
daemon=$(property virtbusd.service MainPID)
is "restart of the user's service" manage restart virtbusd.service
is "another daemon of the user's" test "$(property virtbusd.service MainPID)" != "$daemon"
same "the same process in the user's scope" "$pid" "$(machine_pid)"
same "the user's machine runs after the restart" "$running" "$(state)"
is "stop of the user's service" manage stop virtbusd.service
same "leaves the user's machine" "$pid" "$(machine_pid)"
same "the user sees no machine of the system's" "ao 0" "$(user busctl --system call org.virtbus1 $qemu \
        org.libvirt.Connect ListDomains u 0 2>&1)"

echo "all done" >> $share/result
