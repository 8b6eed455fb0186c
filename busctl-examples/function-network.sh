#!/bin/bash
# function-network.sh NAME CARD
# Makes a network that gives each machine on it a virtual function of the network card CARD (SR-IOV) as its own, and
# brings it up, now and with the host.  How many the card has stands in /sys/class/net/CARD/device/sriov_numvfs;
# `attach-network.sh MACHINE NAME` gives a machine one.
. "$(dirname "$0")/common.sh"
[ $# -eq 2 ] || usage NAME CARD
xml="<network><name>$1</name><forward mode='hostdev' managed='yes'><pf dev='$2'/></forward></network>"
path=$(bus call "$service" "$qemu" org.libvirt.Connect NetworkDefineXML s "$xml" | value)
bus call "$service" "$path" org.libvirt.Network Create
bus set-property "$service" "$path" org.libvirt.Network Autostart b true
echo "$path"
