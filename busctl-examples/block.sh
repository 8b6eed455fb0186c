#!/bin/bash
# block.sh FILTER PROTOCOL PORT
# Has a filter of that name drop what comes for a port of its guests (PROTOCOL: tcp, udp, tcp-ipv6 ...), at once for
# machines that run with it, and prints its object path.  An interface has it by `<filterref filter='FILTER'/>`.
. "$(dirname "$0")/common.sh"
[ $# -eq 3 ] || usage FILTER PROTOCOL PORT
bus call "$service" "$qemu" org.virtbus1.Connect DefineFilter 'a{sv}a{sv}' 2 name s "$1" entries 'aa{sv}' 1 4 action s drop direction s in protocol s "$2" match 'a{sv}' 1 dstportstart s "$3" 1 replace b true | value
