#!/bin/bash
# pool.sh NAME FOLDER
# Makes a storage pool of a folder (which is made if it is not there), starts it, and has it start with the host.
. "$(dirname "$0")/common.sh"
[ $# -eq 2 ] || usage NAME FOLDER
escaped() { sed "s/&/\&amp;/g; s/</\&lt;/g" <<<"$1"; }
xml="<pool type='dir'><name>$(escaped "$1")</name><target><path>$(escaped "$2")</path></target></pool>"
path=$(bus call "$service" "$qemu" org.libvirt.Connect StoragePoolDefineXML su "$xml" 0 | value)
bus call "$service" "$path" org.libvirt.StoragePool Create u 1
bus set-property "$service" "$path" org.libvirt.StoragePool Autostart b true
echo "$path"
