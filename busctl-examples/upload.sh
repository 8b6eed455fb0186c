#!/bin/bash
# upload.sh POOL NAME FILE
# Writes an image file into the volume of that name in a pool; the volume is made if it is not there. Holes of the file
# stay holes. Prints how many bytes it was. busctl cannot pass a file on, so that is done by a library.
. "$(dirname "$0")/common.sh"
[ $# -eq 3 ] || usage POOL NAME FILE
pool=$(bus call "$service" "$qemu" org.libvirt.Connect StoragePoolLookupByName s "$1" | value)
volume=$(bus call "$service" "$pool" org.libvirt.StoragePool StorageVolLookupByName s "$2" 2>/dev/null | value) || volume=
if [ -z "$volume" ]; then
        xml="<volume><name>$2</name><capacity>$(stat -Lc %s -- "$3")</capacity></volume>"
        volume=$(bus call "$service" "$pool" org.libvirt.StoragePool StorageVolCreateXML su "$xml" 0 | value)
fi
"$(dirname "$0")/transfer.py" --bus="${VIRTBUS_BUS:-system}" Upload "$volume" "$3"
