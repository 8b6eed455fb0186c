#!/bin/bash
# watch-leases.sh NETWORK [SECONDS]
# Shows who is on a network, and then every change of its leases as it happens, for as long as is said (else for ever).
. "$(dirname "$0")/common.sh"
[ $# -ge 1 ] && [ $# -le 2 ] || usage NETWORK [SECONDS]
path=$(bus call "$service" "$qemu" org.libvirt.Connect NetworkLookupByName s "$1" | value)
bus get-property "$service" "$path" org.virtbus1.Network Leases Ports Health
match="type='signal',interface='org.freedesktop.DBus.Properties',path='$path'"
timeout "${2:-infinity}" busctl "${which_bus[@]}" --match="$match" monitor || [ $? -eq 124 ]
