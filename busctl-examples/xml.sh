#!/bin/bash
# xml.sh NAME [--inactive]
# The definition of the machine NAME: of the one that runs, or with --inactive (flag 2) of its next start.
. "$(dirname "$0")/common.sh"
[ $# -ge 1 ] || usage NAME [--inactive]
flags=0
[ "${2:-}" != --inactive ] || flags=2
bus --json=short call "$service" "$(domain "$1")" org.libvirt.Domain GetXMLDesc u "$flags" |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["data"][0])'
