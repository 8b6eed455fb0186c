#!/bin/bash
# line.sh FILE
# The QEMU command line that a machine from FILE (libvirt's domain XML) would have; nothing is started.
. "$(dirname "$0")/common.sh"
[ $# -eq 1 ] || usage FILE
bus --json=short call "$service" "$qemu" org.virtbus1.Connect DomainXMLToNative ssu qemu-argv "$(cat "$1")" 0 |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["data"][0])'
