#!/bin/bash
# revert.sh MACHINE NAME [--delete]
# Brings a machine back to the snapshot of that name, as it was; with --delete removes the snapshot instead.
. "$(dirname "$0")/common.sh"
{ [ $# -eq 2 ] || { [ $# -eq 3 ] && [ "$3" = --delete ]; }; } || usage MACHINE NAME [--delete]
machine=$(domain "$1")
snapshot=$(bus call "$service" "$machine" org.libvirt.Domain SnapshotLookupByName su "$2" 0 | value)
method=Revert
[ $# -eq 2 ] || method=Delete
bus --timeout=600 call "$service" "$snapshot" org.virtbus1.Snapshot "$method" 'a{sv}' 0
