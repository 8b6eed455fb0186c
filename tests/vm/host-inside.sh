#!/bin/bash
# Runs as root in the machine of systemd.sh: what the host's kernel has to have. Devices as udev knows them, a PCI device
# that is given to a machine and comes back, network filters by what the kernel knows of connections on bridges, and VLANs.
. /share/checks.sh
card=pci_0000_01_00_0
sys=/sys/bus/pci/devices/0000:01:00.0

# How many devices there are for virConnectListAllNodeDevicesFlags.
count() {
        connect ListNodeDevices u "$1" | cut -d' ' -f2
}

driver() {
        basename "$(readlink $sys/driver)"
}

names() {
        local path
        for path in $(connect ListNodeDevices u "$1" | grep -o '/org[^"]*'); do
                bus get-property org.virtbus1 "$path" org.libvirt.NodeDevice Name | cut -d'"' -f2
        done
}

# known SUBSYSTEM [TYPE]: how many udev knows
known() {
        awk -v RS= -v what="\nE: SUBSYSTEM=$1\n" -v type="${2:+\nE: DEVTYPE=$2\n}" \
                '{ text = $0 "\n" } index(text, what) && (type == "" || index(text, type)) { n++ } END { print n + 0 }' /tmp/udev
}

modprobe -a vfio-pci e1000e nf_conntrack_bridge nft_reject_bridge nft_meta_bridge tun veth bridge br_netfilter nft_chain_nat nft_masq
until_true 60 call / org.freedesktop.DBus.Peer Ping
udevadm settle
udevadm info --export-db > /tmp/udev

# Devices.
same "devices: pci" "$(known pci)" "$(count 2)"
same "devices: usb" "$(known usb usb_device)" "$(count 4)"
same "devices: usb interfaces" "$(known usb usb_interface)" "$(count 8)"
is "devices: a screen" test "$(count 4096)" -gt 0
same "devices: screens" "$(find /sys/class/drm -name 'card?' -o -name 'renderD*' | wc -l)" "$(count 4096)"
is "devices: the tablet says who it is" grep -q "QEMU USB Tablet" <(for name in $(names 4); do device "$name" GetXMLDesc u 0; done)
hosts=$(count 32)
before=$(count 0)
python3 - > /tmp/heard << 'LISTENER' &
from gi.repository import Gio, GLib
bus = Gio.bus_get_sync(Gio.BusType.SYSTEM)
bus.signal_subscribe("org.virtbus1", "org.freedesktop.DBus.ObjectManager", None, "/org/libvirt", None, Gio.DBusSignalFlags.NONE,
                     lambda bus, sender, path, interface, member, values: print(member, values.unpack()[0], flush=True))
bus.call_sync("org.virtbus1", "/org/libvirt/QEMU", "org.libvirt.Connect", "ListNodeDevices", GLib.Variant("(u)", (0,)), None,
              Gio.DBusCallFlags.NONE, -1)
print("listens", flush=True)
GLib.MainLoop().run()
LISTENER
heard=$!
until_true 20 grep -q listens /tmp/heard
modprobe scsi_debug dev_size_mb=8 opt_blk=64
is "devices: a disk comes" until_true 20 test -e /dev/sda
udevadm settle
until_true 20 bash -c "[ \"\$(busctl --system call org.virtbus1 $qemu org.libvirt.Connect ListNodeDevices u 256 | cut -d' ' -f2)\" = 1 ]"
same "devices: scsi hosts, targets, devices, disks" "$((hosts + 1)) 1 1 1" "$(count 32) $(count 64) $(count 128) $(count 256)"
is "devices: its host, target, device and disk were announced" until_true 10 bash -c \
        'for name in scsi_5fhost scsi_5ftarget scsi_5f[0-9] block_5fsda; do grep -q "InterfacesAdded .*$name" /tmp/heard || exit 1; done'
rmmod scsi_debug
is "devices: they go again" until_true 20 bash -c \
        "[ \"\$(busctl --system call org.virtbus1 $qemu org.libvirt.Connect ListNodeDevices u 0 | cut -d' ' -f2)\" = $before ]"
is "devices: and that was announced" until_true 10 grep -q 'InterfacesRemoved .*block_5fsda' /tmp/heard
kill $heard
refused "devices: no mediated device of a card that makes none" "no mediated devices of type 'mtty-1'" connect NodeDeviceCreateXML su "<device><parent>$card</parent>
        <capability type='mdev'><type id='mtty-1'/></capability></device>" 0

# A card for a machine.
same "card: the host's driver has it" e1000e "$(driver)"
is "card: its network device is there" grep -q 'net_.*52_54_00_12_34_56' <(names 16)
is "card: it has a group" grep -q "<iommuGroup number=" <(device $card GetXMLDesc u 0)
refused "card: to a driver that is none" "nonesuch" device $card Detach su nonesuch 0
same "card: which changed nothing" e1000e "$(driver)"
is "card: taken from the host" device $card Detach su "" 0
same "card: vfio has it" vfio-pci "$(driver)"
is "card: its network device is gone" until_true 20 bash -c \
        "! busctl --system call org.virtbus1 $qemu org.libvirt.Connect NodeDeviceLookupByName s net_enp1s0_52_54_00_12_34_56"
is "card: reset" device $card Reset
is "card: given back" device $card ReAttach
same "card: the host's driver has it again" e1000e "$(driver)"
# udev gives it another name meanwhile: its folder is looked for each time.
is "card: with its network device" until_true 20 bash -c "grep -q '52:54:00:12:34:56' $sys/net/*/address"
same "card: nothing is left to choose its driver" "(null)" "$(cat $sys/driver_override)"

# Filters, and VLANs of bridges' ports.
systemctl stop virtbusd
tested "filters: what the kernel knows of connections, and refusals" '[0-9]+ passed, [0-9]+ deselected' \
        test_nwfilters_applied.py test_nwfilter_language.py -k "TestKernel or connections or action_and"
tested "vlans: which frames go where" '[0-9]+ passed, 1 skipped' test_vlans.py

echo "all done" >> $share/result
