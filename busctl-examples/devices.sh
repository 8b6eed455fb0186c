#!/bin/bash
# devices.sh [FLAGS]
# Names the host's devices: all, or those that ListNodeDevices gives for FLAGS, for instance 2 for PCI and 16 for network.
. "$(dirname "$0")/common.sh"
[ $# -le 1 ] || usage "[FLAGS]"
for path in $(bus call "$service" "$qemu" org.libvirt.Connect ListNodeDevices u "${1:-0}" | grep -o '/org[^"]*'); do
        bus get-property "$service" "$path" org.virtbus1.NodeDevice Name | value
done
