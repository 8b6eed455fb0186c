#!/bin/bash
# update.sh NAME FILE
# Changes a device to what an XML file describes: the disc in a drive, the link of an interface, the password of a
# display. The device is found by its target, MAC address or type.
. "$(dirname "$0")/common.sh"
[ $# -eq 2 ] || usage NAME FILE
bus call "$service" "$(domain "$1")" org.libvirt.Domain UpdateDevice su "$(cat "$2")" 0
