#!/bin/bash
# detach.sh NAME FILE
# Takes the device that an XML file describes from the machine; of a disk its target is enough:
# <disk><target dev='vdb'/></disk>. A guest that runs has to let go of it first.
. "$(dirname "$0")/common.sh"
[ $# -eq 2 ] || usage NAME FILE
bus call "$service" "$(domain "$1")" org.libvirt.Domain DetachDevice su "$(cat "$2")" 0
