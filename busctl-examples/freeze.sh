#!/bin/bash
# freeze.sh NAME freeze|thaw
# Has the guest's agent hold its file systems still, for a copy of the disks, or let them go on; says how many.
. "$(dirname "$0")/common.sh"
[ $# -eq 2 ] || usage NAME "freeze|thaw"
path=$(domain "$1")
case $2 in
freeze) bus call "$service" "$path" org.libvirt.Domain FSFreeze asu 0 0 | value ;;
thaw) bus call "$service" "$path" org.libvirt.Domain FSThaw asu 0 0 | value ;;
*) usage NAME "freeze|thaw" ;;
esac
