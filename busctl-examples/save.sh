#!/bin/bash
# save.sh MACHINE [FILE]
# Writes the memory of a machine that runs to FILE and ends the run; without a FILE the daemon keeps it, and the next start
# goes on from there.
. "$(dirname "$0")/common.sh"
[ $# -ge 1 ] && [ $# -le 2 ] || usage MACHINE [FILE]
machine=$(domain "$1")
if [ $# -eq 2 ]; then
        bus --timeout=600 call "$service" "$machine" org.libvirt.Domain Save ssu "$(realpath "$2")" '' 0
else
        bus --timeout=600 call "$service" "$machine" org.libvirt.Domain ManagedSave u 0
fi
