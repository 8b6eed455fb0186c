#!/bin/bash
# title.sh NAME [TITLE]
# Says the title of the machine NAME, or sets it.  Metadata of kind 1 is the title, 0 the description.
. "$(dirname "$0")/common.sh"
[ $# -ge 1 ] || usage NAME [TITLE]
path=$(domain "$1")
if [ $# -eq 1 ]; then
        bus call "$service" "$path" org.libvirt.Domain GetMetadata isu 1 "" 0 | value
else
        bus call "$service" "$path" org.libvirt.Domain SetMetadata isssu 1 "$2" "" "" 0
fi
