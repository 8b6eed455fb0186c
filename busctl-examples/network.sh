#!/bin/bash
# network.sh NAME BRIDGE ADDRESS
# Makes a NAT network on a bridge of that name, with the host at ADDRESS (a.b.c.1) of a.b.c.0/24 and guests at .2 to
# .254, brings it up, and has it come up with the host.  `leases.sh NAME` shows who is on it.
. "$(dirname "$0")/common.sh"
[ $# -eq 3 ] || usage NAME BRIDGE ADDRESS
base=${3%.*}
xml="<network><name>$1</name><forward mode='nat'/><bridge name='$2'/><ip address='$3' prefix='24'><dhcp>"
xml+="<range start='$base.2' end='$base.254'/></dhcp></ip></network>"
path=$(bus call "$service" "$qemu" org.libvirt.Connect NetworkDefineXML s "$xml" | value)
bus call "$service" "$path" org.libvirt.Network Create
bus set-property "$service" "$path" org.libvirt.Network Autostart b true
echo "$path"
