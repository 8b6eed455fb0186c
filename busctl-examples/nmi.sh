#!/bin/bash
# nmi.sh NAME
# Sends a non-maskable interrupt to the guest of the machine NAME.
. "$(dirname "$0")/common.sh"
[ $# -eq 1 ] || usage NAME
bus call "$service" "$(domain "$1")" org.libvirt.Domain InjectNMI u 0
