#!/bin/bash
# capabilities.sh [kvm|qemu [MACHINE]]
# What the host is; or, with a virtualization type, what machines of it can have.
. "$(dirname "$0")/common.sh"
[ $# -le 2 ] || usage "[kvm|qemu [MACHINE]]"
case ${1:-} in
"") call=(GetCapabilities) ;;
*) call=(GetDomainCapabilities ssssu "" "" "${2:-}" "$1" 0) ;;
esac
bus --json=short call "$service" "$qemu" org.libvirt.Connect "${call[@]}" |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["data"][0], end="")'
