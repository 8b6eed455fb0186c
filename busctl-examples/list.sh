#!/bin/bash
# list.sh [FLAGS]
# Names and states of all machines that you may see.  With an argument the flags of the old interface: 1 those that run,
# 2 those that do not ...
. "$(dirname "$0")/common.sh"
for path in $(bus call "$service" "$qemu" org.libvirt.Connect ListDomains u "${1:-0}" | tr " " "\n" | grep / | tr -d '"'); do
        bus get-property "$service" "$path" org.virtbus1.Domain Name State | value | paste -s
done
