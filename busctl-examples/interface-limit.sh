#!/bin/bash
# interface-limit.sh NAME INTERFACE RECEIVES SENDS
# Limits how many KiB/s the machine receives and sends by an interface, named by its device on the host or its hardware
# address; 0 takes a limit away.
. "$(dirname "$0")/common.sh"
[ $# -eq 4 ] || usage NAME INTERFACE RECEIVES SENDS
bus call "$service" "$(domain "$1")" org.libvirt.Domain SetInterfaceParameters 'sa{sv}u' "$2" \
        2 inbound.average u "$3" outbound.average u "$4" 0
