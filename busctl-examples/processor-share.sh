#!/bin/bash
# processor-share.sh NAME SHARES
# Weighs the machine's claim to processor time against that of others, at once if it runs: 2048 is twice the usual, 0
# takes it back.
. "$(dirname "$0")/common.sh"
[ $# -eq 2 ] || usage NAME SHARES
bus call "$service" "$(domain "$1")" org.libvirt.Domain SetSchedulerParameters 'a{sv}u' 1 cpu_shares t "$2" 0
