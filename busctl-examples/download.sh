#!/bin/bash
# download.sh POOL NAME FILE
# Copies the volume of that name in a pool into a file, with its holes. Prints how many bytes it was.
. "$(dirname "$0")/common.sh"
[ $# -eq 3 ] || usage POOL NAME FILE
pool=$(bus call "$service" "$qemu" org.libvirt.Connect StoragePoolLookupByName s "$1" | value)
volume=$(bus call "$service" "$pool" org.libvirt.StoragePool StorageVolLookupByName s "$2" | value)
"$(dirname "$0")/transfer.py" --bus="${VIRTBUS_BUS:-system}" Download "$volume" "$3"
