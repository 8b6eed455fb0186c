#!/bin/bash
# rename.sh NAME NEW-NAME
# Gives the machine NAME, which must not run, another name.
. "$(dirname "$0")/common.sh"
[ $# -eq 2 ] || usage NAME NEW-NAME
bus call "$service" "$(domain "$1")" org.libvirt.Domain Rename su "$2" 0
