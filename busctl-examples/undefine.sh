#!/bin/bash
# undefine.sh NAME
# Forgets the machine NAME with its saved state and snapshots, but not its disks; one that runs goes on until it ends.
. "$(dirname "$0")/common.sh"
[ $# -eq 1 ] || usage NAME
bus call "$service" "$(domain "$1")" org.virtbus1.Domain Undefine 'a{sv}' 0
