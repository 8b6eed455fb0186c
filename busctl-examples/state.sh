#!/bin/bash
# state.sh NAME
# The state of the machine NAME and the reason for it, in words.
. "$(dirname "$0")/common.sh"
[ $# -eq 1 ] || usage NAME
path=$(domain "$1")
bus get-property "$service" "$path" org.virtbus1.Domain State StateReason | value
