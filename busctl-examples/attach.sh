#!/bin/bash
# attach.sh NAME FILE
# Plugs the device that an XML file describes, as <disk> or <interface>, into the machine: into the one that runs, or
# else into the definition.
. "$(dirname "$0")/common.sh"
[ $# -eq 2 ] || usage NAME FILE
bus call "$service" "$(domain "$1")" org.libvirt.Domain AttachDevice su "$(cat "$2")" 0
