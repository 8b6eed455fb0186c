#!/bin/bash
# plan-undefine.sh NAME
# What would go and what would stay if `undefine.sh NAME` was called: a line for each thing, with its kind, which one it is,
# and its fate (removed, kept).
. "$(dirname "$0")/common.sh"
[ $# -eq 1 ] || usage NAME
bus --json=short call "$service" "$(domain "$1")" org.virtbus1.Domain PlanUndefine 'a{sv}' 0 |
        python3 -c 'import json, sys; [print(*thing, sep="\t") for thing in json.load(sys.stdin)["data"][0]]'
