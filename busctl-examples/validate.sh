#!/bin/bash
# validate.sh FILE
# What is wrong with the definition in FILE, if anything: a kind (invalid, unsupported, unknown) and a sentence for each.
. "$(dirname "$0")/common.sh"
[ $# -eq 1 ] || usage FILE
bus --json=short call "$service" "$qemu" org.virtbus1.Connect Validate s "$(cat "$1")" |
        python3 -c 'import json, sys; [print(*problem, sep="\t") for problem in json.load(sys.stdin)["data"][0]]'
