#!/bin/bash
# introspect.sh [NAME]
# The methods, properties and signals of the machine NAME, or without a name those of the driver.
. "$(dirname "$0")/common.sh"
bus introspect "$service" "$([ $# -eq 0 ] && echo "$qemu" || domain "$1")"
