#!/bin/bash
# stats.sh [NAME]
# Shows numbers about a machine, a line each, or about all machines in one answer.
. "$(dirname "$0")/common.sh"
[ $# -le 1 ] || usage "[NAME]"
if [ $# -eq 0 ]; then
        bus call "$service" "$qemu" org.libvirt.Connect GetAllDomainStats uu 0 0
else
        bus --json=pretty call "$service" "$(domain "$1")" org.libvirt.Domain GetStats uu 0 0
fi
