#!/bin/bash
# rights.sh NAME
# What you may do with the machine NAME, an operation a line.
. "$(dirname "$0")/common.sh"
[ $# -eq 1 ] || usage NAME
path=$(domain "$1")
for operation in Start Stop Pause Resume Reset OpenConsole OpenGraphics; do
        printf "%-14s %s\n" "$operation" "$(bus call "$service" "$path" org.virtbus1.Domain Can s "$operation" | value)"
done
