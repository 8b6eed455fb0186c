#!/bin/bash
# keys.sh NAME CODE...
# Presses keys together, by Linux's numbers: 29 56 111 are Control, Alt and Delete.
. "$(dirname "$0")/common.sh"
[ $# -ge 2 ] || usage NAME CODE...
path=$(domain "$1")
shift
bus call "$service" "$path" org.libvirt.Domain SendKey uuauu 0 50 $# "$@" 0
