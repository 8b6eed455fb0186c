#!/bin/bash
# restore.sh FILE
# Starts the machine that save.sh wrote to FILE, where it stopped.
. "$(dirname "$0")/common.sh"
[ $# -eq 1 ] || usage FILE
bus --timeout=600 call "$service" "$qemu" org.libvirt.Connect DomainRestore ssu "$(realpath "$1")" '' 0
