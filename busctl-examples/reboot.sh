#!/bin/bash
# reboot.sh NAME
# Asks the guest of the machine NAME to reboot.
. "$(dirname "$0")/common.sh"
[ $# -eq 1 ] || usage NAME
bus call "$service" "$(domain "$1")" org.libvirt.Domain Reboot u 0
