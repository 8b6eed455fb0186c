#!/bin/bash
# pause.sh NAME
# Holds the processors of the machine NAME.
. "$(dirname "$0")/common.sh"
[ $# -eq 1 ] || usage NAME
bus call "$service" "$(domain "$1")" org.virtbus1.Domain Pause
