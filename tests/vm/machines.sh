# What the scripts have in common that give devices of the host to machines. These run without KVM, and no more in them
# than the firmware.

# definition NAME DEVICES: a machine into which four PCI devices can be plugged, and which lets go of those that it was
# not started with
definition() {
        echo "<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><name>$1</name>
                <memory unit='MiB'>64</memory><os><type arch='x86_64' machine='q35'>hvm</type></os>
                <devices><emulator>/usr/bin/qemu-system-x86_64</emulator><controller type='pci' index='1' model='pcie-root-port'/>
                <controller type='pci' index='2' model='pcie-root-port'/><controller type='pci' index='3' model='pcie-root-port'/>
                <controller type='pci' index='4' model='pcie-root-port'/><controller type='usb' model='qemu-xhci'/>
                <controller type='scsi' model='virtio-scsi'/><memballoon model='none'/>$2</devices>
                <qemu:commandline><qemu:arg value='-global'/><qemu:arg value='ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off'/>
                </qemu:commandline></domain>"
}

# define NAME DEVICES: its path
define() {
        connect DomainDefineXML s "$(definition "$@")" | cut -d'"' -f2
}

machine() {
        local path=$1
        shift
        call "$path" org.libvirt.Domain "$@"
}

state() {
        machine "$1" GetState u 0 | cut -d' ' -f2
}

process() {
        pgrep -f "guest=$1,"
}

main_pid() {
        systemctl show --value -p MainPID virtbusd
}

answers() {
        call / org.freedesktop.DBus.Peer Ping
}

kill_daemon() {
        kill -KILL "$(main_pid)"
        until_true 30 answers
}

# Every death of the daemon is meant.
mkdir -p /run/systemd/system/virtbusd.service.d
printf '[Unit]\nStartLimitIntervalSec=0\n' > /run/systemd/system/virtbusd.service.d/dies.conf
systemctl daemon-reload
# One with the machine 'slow' in its line hangs before it has answered anything.
cat > /tmp/slow << 'SLOW'
#!/bin/sh
case "$*" in *guest=slow*) exec sleep 1000 ;; esac
exec qemu-system-x86_64 "$@"
SLOW
chmod 755 /tmp/slow

# define_slow DEVICES: the path of that machine
define_slow() {
        connect DomainDefineXML s "$(definition slow "$1" | sed 's,/usr/bin/qemu-system-x86_64,/tmp/slow,')" | cut -d'"' -f2
}
