#!/bin/bash
# block.sh FILTER PROTOCOL PORT
# Has a filter of that name drop what comes for a port of its guests (PROTOCOL: tcp, udp, tcp-ipv6 ...), at once for
# machines that run with it, and prints its object path.  An interface has it by `<filterref filter='FILTER'/>`.
. "$(dirname "$0")/common.sh"
[ $# -eq 3 ] || usage FILTER PROTOCOL PORT
path=$(bus call "$service" "$qemu" org.libvirt.Connect NWFilterLookupByName s "$1" 2>/dev/null | value) || path=
identity=(name s "$1")
[ -z "$path" ] || identity+=(uuid s "$(bus get-property "$service" "$path" org.virtbus1.Filter UUID | value)")
bus call "$service" "$qemu" org.virtbus1.Connect DefineFilter 'a{sv}' $((${#identity[@]} / 3 + 1)) "${identity[@]}" entries 'aa{sv}' 1 4 action s drop direction s in protocol s "$2" match 'a{sv}' 1 dstportstart s "$3" | value
