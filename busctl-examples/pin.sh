#!/bin/bash
# pin.sh NAME VCPU HOST-PROCESSOR...
# Lets a processor of the machine run on these of the host's processors only.
. "$(dirname "$0")/common.sh"
[ $# -ge 3 ] || usage NAME VCPU HOST-PROCESSOR...
path=$(domain "$1")
vcpu=$2
shift 2
map=()
for ((i = 0; i < $(nproc --all); i++)); do
        [[ " $* " == *" $i "* ]] && map+=(true) || map+=(false)
done
bus call "$service" "$path" org.libvirt.Domain PinVcpu uabu "$vcpu" ${#map[@]} "${map[@]}" 0
