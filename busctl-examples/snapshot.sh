#!/bin/bash
# snapshot.sh MACHINE [NAME]
# Takes a snapshot of a machine, inside of its images and with its memory if it runs, and prints its path; without a NAME
# lists the names of those that there are.
. "$(dirname "$0")/common.sh"
[ $# -ge 1 ] && [ $# -le 2 ] || usage MACHINE [NAME]
machine=$(domain "$1")
if [ $# -eq 2 ]; then
        bus --timeout=600 call "$service" "$machine" org.virtbus1.Domain CreateSnapshot 'a{sv}' 1 name s "$2" | value
        exit
fi
for snapshot in $(bus get-property "$service" "$machine" org.virtbus1.Domain Snapshots | tr -d '"' | cut -d' ' -f3-); do
        bus get-property "$service" "$snapshot" org.virtbus1.Snapshot Name | value
done
