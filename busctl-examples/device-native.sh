#!/bin/bash
# device-native.sh NAME DISK
# Plugs a disk (a raw image) into the machine and its definition, if it runs, or else into the definition, without XML;
# limits it to 1000 operations a second; and takes it out again. Prints its alias.
. "$(dirname "$0")/common.sh"
[ $# -eq 2 ] || usage NAME DISK
path=$(domain "$1")
call() { bus call "$service" "$path" org.virtbus1.Domain "$@"; }
flags=$([ "$(bus get-property "$service" "$path" org.libvirt.Domain Active)" = "b true" ] && echo 3 || echo 2)
alias=$(call AttachDevice 'sa{sv}u' disk 4 format s raw target s vdz bus s virtio source 'a{sv}' 1 file s "$2" "$flags" | value)
alias=${alias:-virtio-disk25}
call UpdateDevice 'sa{sv}u' "$alias" 1 tune 'a{sv}' 1 total_iops_sec u 1000 "$flags"
call DetachDevice su "$alias" "$flags"
echo "$alias"
