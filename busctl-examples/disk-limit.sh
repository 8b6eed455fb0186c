#!/bin/bash
# disk-limit.sh NAME DISK BYTES
# Limits how many bytes a second the machine reads and writes on a disk, as vda; 0 takes the limit away.
. "$(dirname "$0")/common.sh"
[ $# -eq 3 ] || usage NAME DISK BYTES
bus call "$service" "$(domain "$1")" org.libvirt.Domain SetBlockIOTune 'sa{sv}u' "$2" 1 total_bytes_sec t "$3" 0
