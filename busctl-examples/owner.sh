#!/bin/bash
# owner.sh NAME
# The user whom the machine NAME belongs to: its process has this user's rights.  0 is everybody in group libvirt.
. "$(dirname "$0")/common.sh"
[ $# -eq 1 ] || usage NAME
uid=$(bus get-property "$service" "$(domain "$1")" org.virtbus1.Domain Owner | value)
echo "$uid ($(id -nu "$uid" 2> /dev/null || echo unknown))"
