#!/bin/bash
# plan.sh NAME FILE
# What `define.sh FILE` would change of the machine NAME: a field, when (live, next-start, refused), and why, for each.
. "$(dirname "$0")/common.sh"
[ $# -eq 2 ] || usage NAME FILE
bus --json=short call "$service" "$(domain "$1")" org.virtbus1.Domain Plan s "$(cat "$2")" |
        python3 -c 'import json, sys; [print(*change, sep="\t") for change in json.load(sys.stdin)["data"][0]]'
