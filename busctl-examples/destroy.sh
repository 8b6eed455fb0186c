#!/bin/bash
# destroy.sh NAME
# Pulls the plug of the machine NAME.
. "$(dirname "$0")/common.sh"
[ $# -eq 1 ] || usage NAME
bus call "$service" "$(domain "$1")" org.libvirt.Domain Destroy u 0
