#!/bin/bash
# show.sh NAME
# Everything that virtbus knows of the machine NAME, a property a line.
. "$(dirname "$0")/common.sh"
[ $# -eq 1 ] || usage NAME
bus --json=pretty call "$service" "$(domain "$1")" org.freedesktop.DBus.Properties GetAll s org.virtbus1.Domain
