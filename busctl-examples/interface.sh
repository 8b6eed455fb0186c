#!/bin/bash
# interface.sh NAME [up|down]
# Shows one of the host's network interfaces as XML, or brings it up or takes it down.
. "$(dirname "$0")/common.sh"
path=
[ $# -lt 1 ] || [ $# -gt 2 ] || path=$(bus call "$service" "$qemu" org.libvirt.Connect InterfaceLookupByName s "$1" | value)
case ${2:-} in
up) bus call "$service" "$path" org.virtbus1.Interface Up u 0 ;;
down) bus call "$service" "$path" org.virtbus1.Interface Down u 0 ;;
*)
        [ $# -eq 1 ] || usage NAME "[up|down]"
        bus --json=short call "$service" "$path" org.libvirt.Interface GetXMLDesc u 0
        ;;
esac
