#!/bin/bash
# stop.sh NAME [SECONDS]
# Ends the machine NAME: asks the guest, and pulls the plug if it still runs after SECONDS (30).
. "$(dirname "$0")/common.sh"
[ $# -ge 1 ] || usage NAME [SECONDS]
bus --timeout="$((${2:-30} + 30))" call "$service" "$(domain "$1")" org.virtbus1.Domain Stop su shutdown "$((${2:-30} * 1000))"
