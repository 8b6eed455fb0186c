#!/bin/bash
# pool-show.sh NAME
# What a storage pool is, how much is free in it, and its volumes, without any XML.
. "$(dirname "$0")/common.sh"
[ $# -eq 1 ] || usage NAME
pool=$(bus call "$service" "$qemu" org.libvirt.Connect StoragePoolLookupByName s "$1" | value)
for property in Type Path State Capacity Available; do
        echo "$property: $(bus get-property "$service" "$pool" org.virtbus1.StoragePool $property | value)"
done
bus call "$service" "$pool" org.virtbus1.StoragePool ListVolumes | grep -o '"[^"]*"' | tr -d '"' | while read -r volume; do
        bus get-property "$service" "$volume" org.virtbus1.StorageVolume Name Format Capacity Allocation | value | xargs
done
