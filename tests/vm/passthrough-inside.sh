#!/bin/bash
# Runs as root in the machine of systemd.sh: devices of the host in the hands of machines. What is the host here has a
# network card behind an IOMMU, a tablet and a SCSI disk that only remembers.
. /share/checks.sh
. /share/tests/vm/machines.sh
card=pci_0000_01_00_0
address=0000:01:00.0
sys=/sys/bus/pci/devices/$address
note=/run/virtbus/qemu/given-$address
place="<address domain='0' bus='1' slot='0' function='0'/>"

# How many devices of the host it has.
hostdevs() {
        machine "$1" GetXMLDesc u 0 | grep -o '<hostdev ' | wc -l
}

pci() {
        echo "<hostdev mode='subsystem' type='pci' managed='$1'><source>$place</source></hostdev>"
}

driver() {
        basename "$(readlink $sys/driver)"
}

with_host() {
        [ "$(driver)" = e1000e ] && [ ! -e $note ]
}

# Of the device's group: who may open it
group() {
        stat -c '%U %a' "/dev/vfio/$(basename "$(readlink $sys/iommu_group)")"
}

modprobe -a vfio-pci e1000e
until_true 60 answers
one=$(define one "$(pci yes)")
two=$(define two "$(pci yes)")

# A card from the host's driver and back.
with_host || echo "not ok pci: the host has the card at first" >> $share/result
is "pci: a machine starts with the host's card" machine "$one" Create u 0
same "pci: vfio has it" vfio-pci "$(driver)"
is "pci: so has QEMU" bash -c "ls -l /proc/$(process one)/fd | grep -q 'vfio-device'"
same "pci: its group is the machine user's alone" "virtbus-qemu 600" "$(group)"
same "pci: QEMU may lock the guest's memory and 1 GiB" $(((64 + 1024) * 1024 * 1024)) \
        "$(awk '/Max locked memory/ { print $4 }' "/proc/$(process one)/limits")"
refused "pci: no other machine gets it" "in use by machine 'one'" machine "$two" Create u 0
same "pci: which changed nothing" "vfio-pci 1 5" "$(driver) $(state "$one") $(state "$two")"
refused "pci: the host does not get it by hand" "in use by machine 'one'" device $card ReAttach
is "pci: the daemon is killed" kill_daemon
same "pci: the machine has the card still" "1 vfio-pci" "$(state "$one") $(driver)"
refused "pci: and no other gets it" "in use by machine 'one'" machine "$two" Create u 0
is "pci: the machine ends" machine "$one" Destroy u 0
is "pci: the host has its card again" until_true 20 with_host
is "pci: another machine takes it" machine "$two" Create u 0
kill -KILL "$(process two)"
is "pci: a machine whose QEMU is killed gives it back" until_true 20 with_host
machine "$two" Create u 0 > /dev/null
systemctl stop virtbusd
kill -KILL "$(process two)"
systemctl start virtbusd
is "pci: so does one that ended without a daemon" until_true 20 with_host
same "pci: nothing is left to choose its driver" "(null)" "$(cat $sys/driver_override)"

# A user is no administrator.
useradd -m eve
of_eve() {
        runuser -u eve -- busctl --system --timeout=120 call org.virtbus1 "$@"
}
hers=$(of_eve $qemu org.libvirt.Connect DomainDefineXML s "$(definition hers "$(pci yes)")" | cut -d'"' -f2)
refused "rights: no card for a user's machine" "Only machines of root" of_eve "$hers" org.libvirt.Domain Create u 0
is "rights: which changed nothing" with_host

# Not managed: the host's administrator takes it from its driver.
three=$(define three "$(pci no)")
refused "unmanaged: it must be detached first" "vfio-pci must have it first" machine "$three" Create u 0
is "unmanaged: detached" device $card Detach su "" 0
refused "rights: nor one that is detached" "Only machines of root" of_eve $qemu org.libvirt.Connect DomainCreateXML su "$(definition his "$(pci no)")" 0
same "unmanaged: root's" "root 600" "$(group)"
is "unmanaged: a machine starts" machine "$three" Create u 0
same "unmanaged: the group is the machine user's" "virtbus-qemu 600" "$(group)"
machine "$three" Destroy u 0 > /dev/null
is "unmanaged: root's again" until_true 20 bash -c "[ \"\$(stat -c %U /dev/vfio/[0-9]*)\" = root ] && [ ! -e $note ]"
same "unmanaged: still with vfio" vfio-pci "$(driver)"
is "unmanaged: given back by hand" device $card ReAttach
is "unmanaged: the host has it" with_host

# While the machine runs.
four=$(define four "")
machine "$four" Create u 0 > /dev/null
is "hotplug: a card for a machine that runs" machine "$four" AttachDevice su "$(pci yes)" 1
same "hotplug: it has it" 1 "$(hostdevs "$four")"
same "hotplug: vfio has it" "vfio-pci virtbus-qemu 600" "$(driver) $(group)"
refused "hotplug: once" "passed twice" machine "$four" AttachDevice su "$(pci yes)" 1
same "hotplug: which left it the card" "vfio-pci virtbus-qemu 600 managed" "$(driver) $(group) $(cat $note)"
refused "hotplug: and no other machine" "in use by machine 'four'" machine "$one" Create u 0
is "hotplug: the daemon is killed" kill_daemon
is "hotplug: and taken from it" machine "$four" DetachDevice su "$(pci yes)" 1
same "hotplug: it has it no more" 0 "$(hostdevs "$four")"
is "hotplug: the host has its card" until_true 40 with_host
machine "$four" Destroy u 0 > /dev/null

# The daemon dies when the card is taken and QEMU has not answered yet.
five=$(define_slow "$(pci yes)")
machine "$five" Create u 0 > /tmp/said 2>&1 &
is "killed: a start hangs, with the card" until_true 40 pgrep -f 'sleep 1000'
same "killed: which is noted" "vfio-pci managed" "$(driver) $(cat $note)"
is "killed: the daemon" kill_daemon
is "killed: the host has its card" until_true 40 with_host
same "killed: no start" 5 "$(state "$five")"
same "killed: nothing runs" "" "$(pgrep -f 'sleep 1000')"

# USB: what it is and where it is.
modprobe usbhid
usb=/sys/bus/usb/devices/1-1
what="<vendor id='0x0627'/><product id='0x0001'/>"
usb() {
        echo "<hostdev mode='subsystem' type='usb'><source>$1</source></hostdev>"
}
where() {
        echo "<address bus='$(($(cat $usb/busnum)))' device='$(($(cat $usb/devnum)))'/>"
}
# Whether QEMU has the device open.
has_open() {
        ls -l "/proc/$(process "$1")/fd" | grep -q "$2"
}
hid() {
        basename "$(readlink "$usb/1-1:1.0/driver")"
}
is "usb: the host uses the tablet" until_true 20 test "$(hid)" = usbhid
six=$(define six "$(usb "$what")")
is "usb: a machine starts with it, by what it is" machine "$six" Create u 0
is "usb: QEMU has it" has_open six /dev/bus/usb/001/
is "usb: its place is shown" grep -q "<address bus=" <(machine "$six" GetXMLDesc u 0)
machine "$four" Create u 0 > /dev/null
refused "usb: no other machine gets it" "in use by machine 'six'" machine "$four" AttachDevice su "$(usb "$(where)")" 1
machine "$six" Destroy u 0 > /dev/null
is "usb: the host uses it again" until_true 20 test "$(hid)" = usbhid
is "usb: for a machine that runs, by its place" machine "$four" AttachDevice su "$(usb "$(where)")" 1
same "usb: it has it" 1 "$(hostdevs "$four")"
is "usb: QEMU has it, too" has_open four /dev/bus/usb/001/
is "usb: the daemon is killed" kill_daemon
is "usb: and taken from it" machine "$four" DetachDevice su "$(usb "$(where)")" 1
same "usb: it has it no more" 0 "$(hostdevs "$four")"
is "usb: nor has QEMU" bash -c "! ls -l /proc/$(process four)/fd | grep -q /dev/bus/usb"
is "usb: the host uses it once more" until_true 20 test "$(hid)" = usbhid
refused "usb: a place without a device" "no USB device at address 99 of bus 1" machine "$four" AttachDevice su "$(usb "<address bus='1' device='99'/>")" 1
refused "usb: something else at its place" "no USB device 1234:0001 at address" machine "$four" AttachDevice su \
        "$(usb "<vendor id='0x1234'/><product id='0x0001'/>$(where)")" 1

# SCSI.
modprobe -a scsi_debug sg
until_true 20 test -e /dev/sg0
host=$(basename "$(dirname "$(dirname "$(readlink -f /sys/class/scsi_generic/sg0/device)")")")
scsi="<hostdev mode='subsystem' type='scsi'><source><adapter name='scsi_host${host#host}'/><address bus='0' target='0' unit='0'/></source></hostdev>"
seven=$(define seven "$scsi")
is "scsi: a machine starts with the host's disk" machine "$seven" Create u 0
is "scsi: QEMU has it" has_open seven /dev/sg0
same "scsi: which is the machine user's" virtbus-qemu "$(stat -c %U /dev/sg0)"
refused "scsi: no other machine gets it" "in use by machine 'seven'" machine "$four" AttachDevice su "$scsi" 1
machine "$seven" Destroy u 0 > /dev/null
is "scsi: root's again" until_true 20 bash -c '[ "$(stat -c %U /dev/sg0)" = root ]'
is "scsi: for a machine that runs" machine "$four" AttachDevice su "$scsi" 1
is "scsi: QEMU has it, too" has_open four /dev/sg0
is "scsi: and taken from it" machine "$four" DetachDevice su "$scsi" 1
same "scsi: it has it no more" 0 "$(hostdevs "$four")"
is "scsi: nor has QEMU" bash -c "! ls -l /proc/$(process four)/fd | grep -q /dev/sg0"
is "scsi: once more" machine "$four" AttachDevice su "$scsi" 1

# Sockets between host and guest.
modprobe vhost_vsock
vsock="<vsock model='virtio'><cid auto='yes'/></vsock>"
# The number that the kernel has for a machine: nobody else can have it.
number_is_taken() {
        python3 -c "import fcntl, struct
try: fcntl.ioctl(open('/dev/vhost-vsock', 'r+b', 0), 0x4008AF60, struct.pack('Q', $1))
except OSError: pass
else: raise SystemExit('$1 is free')"
}
number() {
        machine "$1" GetXMLDesc u 0 | grep -o "<cid [^>]*>" | tr -d '\\'
}
eight=$(define eight "$vsock")
is "vsock: a machine starts" machine "$eight" Create u 0
same "vsock: with the first number" "<cid auto='yes' address='3'/>" "$(number "$eight")"
is "vsock: the kernel has it" number_is_taken 3
is "vsock: for a machine that runs" machine "$four" AttachDevice su "$vsock" 1
same "vsock: with the next number" "<cid auto='yes' address='4'/>" "$(number "$four")"
is "vsock: and taken from it" machine "$four" DetachDevice su "$vsock" 1
same "vsock: it has it no more" "" "$(number "$four")"
refused "vsock: whose number is free" "4 is free" number_is_taken 4

echo "all done" >> $share/result
