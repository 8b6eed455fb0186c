#!/bin/bash
# boot-image.sh POOL FILE NAME SIZE
# A machine NAME that boots from a copy of the image FILE in a pool, grown to SIZE bytes: uploads it, grows it, defines
# the machine with the volume as its disk and starts it. Prints the machine's object path.
. "$(dirname "$0")/common.sh"
[ $# -eq 4 ] || usage POOL FILE NAME SIZE
here=$(dirname "$0")
"$here/upload.sh" "$1" "$3.img" "$2" >&2
pool=$(bus call "$service" "$qemu" org.libvirt.Connect StoragePoolLookupByName s "$1" | value)
volume=$(bus call "$service" "$pool" org.libvirt.StoragePool StorageVolLookupByName s "$3.img" | value)
bus call "$service" "$volume" org.virtbus1.StorageVolume Resize 'ta{sv}' "$4" 0
xml="<domain type='qemu'><name>$3</name><memory unit='MiB'>64</memory><os><type>hvm</type></os><devices>
<disk type='volume'><source pool='$1' volume='$3.img'/><target dev='vda' bus='virtio'/></disk>
<serial type='pty'/></devices></domain>"
machine=$(bus call "$service" "$qemu" org.libvirt.Connect DomainDefineXML s "$xml" | value)
bus call "$service" "$machine" org.virtbus1.Domain Start 'a{sv}' 0
echo "$machine"
