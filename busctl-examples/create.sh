#!/bin/bash
# create.sh FILE
# Starts a machine from FILE that is gone when it ends; prints its object path.
. "$(dirname "$0")/common.sh"
[ $# -eq 1 ] || usage FILE
bus call "$service" "$qemu" org.libvirt.Connect DomainCreateXML su "$(cat "$1")" 0 | value
