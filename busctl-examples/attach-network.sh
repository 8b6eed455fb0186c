#!/bin/bash
# attach-network.sh MACHINE NETWORK
# Gives a machine that does not run an interface on a network; the network comes up with the machine.
. "$(dirname "$0")/common.sh"
[ $# -eq 2 ] || usage MACHINE NETWORK
path=$(domain "$1")
xml=$(bus --json=short call "$service" "$path" org.virtbus1.Domain GetXML 'a{sv}' 1 inactive b true |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["data"][0])')
interface="<interface type='network'><source network='$2'/><model type='virtio'/></interface>"
bus call "$service" "$qemu" org.virtbus1.Connect DefineXML 'sa{sv}' "${xml/<\/devices>/$interface<\/devices>}" 0 | value
