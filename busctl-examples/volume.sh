#!/bin/bash
# volume.sh POOL NAME [SIZE]
# Makes a qcow2 volume of SIZE bytes in a pool, or grows the one of that name to SIZE; prints its path on the host and
# what it has: type, capacity, allocation.
. "$(dirname "$0")/common.sh"
[ $# -ge 2 ] && [ $# -le 3 ] || usage POOL NAME [SIZE]
pool=$(bus call "$service" "$qemu" org.libvirt.Connect StoragePoolLookupByName s "$1" | value)
volume=$(bus call "$service" "$pool" org.libvirt.StoragePool StorageVolLookupByName s "$2" 2>/dev/null | value) || volume=
if [ $# -eq 3 ] && [ -z "$volume" ]; then
        xml="<volume><name>$2</name><capacity>$3</capacity><target><format type='qcow2'/></target></volume>"
        volume=$(bus call "$service" "$pool" org.libvirt.StoragePool StorageVolCreateXML su "$xml" 0 | value)
elif [ $# -eq 3 ]; then
        bus call "$service" "$volume" org.libvirt.StorageVol Resize tu "$3" 0
fi
bus get-property "$service" "$volume" org.libvirt.StorageVol Path | value
bus call "$service" "$volume" org.libvirt.StorageVol GetInfo u 0 | value
