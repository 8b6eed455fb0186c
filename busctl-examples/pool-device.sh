#!/bin/bash
# pool-device.sh NAME DEVICE FOLDER [FORMAT]
# Makes a storage pool of a block device: with FORMAT (ext4, xfs, btrfs ...) a file system is made on it, if nothing is
# on it yet; without, the one that is there is used. It is mounted at FOLDER, now and when the host starts.
. "$(dirname "$0")/common.sh"
[ $# -ge 3 ] && [ $# -le 4 ] || usage NAME DEVICE FOLDER [FORMAT]
pool=$(bus call "$service" "$qemu" org.virtbus1.Connect DefineStoragePool 'a{sv}a{sv}' 4 type s fs name s "$1" path s "$3" \
        source 'a{sv}' 2 format s "${4:-auto}" devices 'aa{sv}' 1 1 path s "$2" 1 replace b true | value)
if [ $# -eq 4 ]; then
        bus call "$service" "$pool" org.virtbus1.StoragePool Build 'a{sv}' 1 no-overwrite b true
else
        bus call "$service" "$pool" org.virtbus1.StoragePool Build 'a{sv}' 0
fi
bus call "$service" "$pool" org.virtbus1.StoragePool Start 'a{sv}' 0
bus set-property "$service" "$pool" org.virtbus1.StoragePool Autostart b true
echo "$pool"
