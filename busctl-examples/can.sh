#!/bin/bash
# can.sh NAME OPERATION
# Says whether you may do OPERATION (Start, Stop, Pause ...) with the machine NAME now: yes, no, or challenge (a
# password would be asked), and why not.
. "$(dirname "$0")/common.sh"
[ $# -eq 2 ] || usage NAME OPERATION
bus call "$service" "$(domain "$1")" org.virtbus1.Domain Can s "$2" | value
