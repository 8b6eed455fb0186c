#!/bin/bash
# shutdown.sh NAME
# Presses the power button of the machine NAME: the guest ends when it likes.
. "$(dirname "$0")/common.sh"
[ $# -eq 1 ] || usage NAME
bus call "$service" "$(domain "$1")" org.libvirt.Domain Shutdown u 0
