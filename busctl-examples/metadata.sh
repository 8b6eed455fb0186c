#!/bin/bash
# metadata.sh NAME URI [ELEMENT]
# Reads the XML element that an application keeps with the machine NAME under the namespace URI, or sets it (ELEMENT
# such as "<note>buy milk</note>"; an empty one removes it).  Metadata of kind 2 is such an element.
. "$(dirname "$0")/common.sh"
[ $# -ge 2 ] || usage NAME URI [ELEMENT]
path=$(domain "$1")
if [ $# -eq 2 ]; then
        bus --json=short call "$service" "$path" org.libvirt.Domain GetMetadata isu 2 "$2" 0 |
                python3 -c 'import json, sys; print(json.load(sys.stdin)["data"][0])'
else
        bus call "$service" "$path" org.libvirt.Domain SetMetadata isssu 2 "$3" app "$2" 0
fi
