#!/bin/bash
# leases.sh NETWORK [MAC]
# Shows the addresses that a network has given out, of one hardware address or of all: device, end (seconds since 1970),
# type (0 IPv4, 1 IPv6), hardware address, IAID, address, prefix, host name, client id.
. "$(dirname "$0")/common.sh"
[ $# -ge 1 ] && [ $# -le 2 ] || usage NETWORK [MAC]
path=$(bus call "$service" "$qemu" org.libvirt.Connect NetworkLookupByName s "$1" | value)
bus call "$service" "$path" org.libvirt.Network GetDHCPLeases su "${2:-}" 0
