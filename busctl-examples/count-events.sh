#!/bin/bash
# count-events.sh NAME EVENT true|false
# Begins or ends to count what happens to the machine's process, as page_faults or cache_misses; GetStats has the count.
. "$(dirname "$0")/common.sh"
[ $# -eq 3 ] || usage NAME EVENT true\|false
bus call "$service" "$(domain "$1")" org.libvirt.Domain SetPerfEvents 'a{sv}u' 1 "$2" b "$3" 0
