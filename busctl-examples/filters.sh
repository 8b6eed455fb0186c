#!/bin/bash
# filters.sh
# Lists the network filters, one a line: name, where it comes from, and how many running machines have it.
. "$(dirname "$0")/common.sh"
[ $# -eq 0 ] || usage
for path in $(bus call "$service" "$qemu" org.libvirt.Connect ListNWFilters u 0 | grep -o '/[^"]*'); do
        { read -r name; read -r origin; read -r used; } < <(
                bus get-property "$service" "$path" org.virtbus1.Filter Name Origin UsedBy)
        printf '%-24s %-9s %s\n' "$(value <<< "$name")" "$(value <<< "$origin")" "$(cut -d' ' -f2 <<< "$used")"
done
