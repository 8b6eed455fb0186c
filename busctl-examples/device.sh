#!/bin/bash
# device.sh NAME [detach|reattach|reset]
# Describes a device of the host, or takes it from the host's driver (a PCI device, for a machine), gives it back, resets it.
. "$(dirname "$0")/common.sh"
path=
[ $# -lt 1 ] || [ $# -gt 2 ] || path=$(bus call "$service" "$qemu" org.libvirt.Connect NodeDeviceLookupByName s "$1" | value)
case ${2:-} in
detach) bus call "$service" "$path" org.virtbus1.NodeDevice Detach su "" 0 ;;
reattach) bus call "$service" "$path" org.virtbus1.NodeDevice ReAttach ;;
reset) bus call "$service" "$path" org.virtbus1.NodeDevice Reset ;;
*)
        [ $# -eq 1 ] || usage NAME "[detach|reattach|reset]"
        bus call "$service" "$path" org.virtbus1.NodeDevice Describe u 0
        ;;
esac
