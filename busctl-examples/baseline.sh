#!/bin/bash
# baseline.sh FILE...
# The CPU that all hosts have in common, for machines that move between them.  Each FILE is what `capabilities.sh` said
# on one of them, or a <cpu>.
. "$(dirname "$0")/common.sh"
[ $# -ge 1 ] || usage FILE...
cpus=()
for file in "$@"; do
        cpus+=("$(cat "$file")")
done
bus --json=short call "$service" "$qemu" org.libvirt.Connect BaselineCPU asu "${#cpus[@]}" "${cpus[@]}" 2 |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["data"][0], end="")'
