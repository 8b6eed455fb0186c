#!/bin/bash
# graphics.sh NAME
# Where the displays of the machine NAME are, and the first words of the server on the first one, read through a file
# descriptor: no port need be open for that.
. "$(dirname "$0")/common.sh"
[ $# -eq 1 ] || usage NAME
bus --json=short get-property "$service" "$(domain "$1")" org.virtbus1.Domain Graphics
"$(dirname "$0")/graphics.py" --bus="${VIRTBUS_BUS:-system}" "$1"
