#!/bin/bash
# copy-disk.sh MACHINE DISK FILE
# Copies a disk of a machine that runs (DISK is its target, as vda) to a new file, and lets the guest go over to it when both are
# the same.  The old image stays as it was at that moment.
. "$(dirname "$0")/common.sh"
[ $# -eq 3 ] || usage MACHINE DISK FILE
path=$(domain "$1")
bus call "$service" "$path" org.libvirt.Domain BlockCopy 'ssa{sv}u' "$2" "<disk type='file'><source file='$3'/></disk>" 0 0
# Programs wait for the signal BlockJob with status 3; here it is tried until it may be done.
until error=$(bus call "$service" "$path" org.libvirt.Domain BlockJobAbort su "$2" 2 2>&1); do
        [[ $error == *"not ready"* ]] || { echo "$error" >&2; exit 1; }
        sleep 0.2
done
echo "copied: the machine runs on $3"
