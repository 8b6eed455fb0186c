#!/bin/bash
# fault.sh INTERFACE METHOD TEXT [COUNT]
# Lets your next COUNT calls (1) of a method of the Test driver's objects fail with TEXT, to test a client:
# fault.sh org.libvirt.Domain Create "internal error: no space"
. "$(dirname "$0")/common.sh"
[ $# -ge 3 ] && [ $# -le 4 ] || usage "INTERFACE METHOD TEXT [COUNT]"
bus call "$service" /org/libvirt/Test org.virtbus1.Connect InjectFault 'ssa{sv}' "$1" "$2" 2 error s "$3" \
        count u "${4:-1}"
