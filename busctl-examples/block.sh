#!/bin/bash
# block.sh FILTER PROTOCOL PORT
# Has a filter of that name drop what comes for a port of its guests (PROTOCOL: tcp, udp, tcp-ipv6 ...), at once for
# machines that run with it, and prints its object path.  An interface has it by `<filterref filter='FILTER'/>`.
. "$(dirname "$0")/common.sh"
[ $# -eq 3 ] || usage FILTER PROTOCOL PORT
path=$(bus call "$service" "$qemu" org.libvirt.Connect NWFilterLookupByName s "$1" 2>/dev/null | value) || path=
[ -z "$path" ] || uuid="<uuid>$(bus get-property "$service" "$path" org.virtbus1.Filter UUID | value)</uuid>"
xml="<filter name='$1'>${uuid-}<rule action='drop' direction='in'><$2 dstportstart='$3'/></rule></filter>"
bus call "$service" "$qemu" org.libvirt.Connect NWFilterDefineXML s "$xml" | value
