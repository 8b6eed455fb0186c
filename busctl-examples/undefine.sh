#!/bin/bash
# undefine.sh NAME
# Forgets the machine NAME; one that runs goes on until it ends.
. "$(dirname "$0")/common.sh"
[ $# -eq 1 ] || usage NAME
bus call "$service" "$(domain "$1")" org.libvirt.Domain Undefine u 0
