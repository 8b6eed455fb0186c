#!/bin/bash
# start.sh NAME [--paused]
# Starts the machine NAME, or one that is paused from the start with --paused (flag 1).
. "$(dirname "$0")/common.sh"
[ $# -ge 1 ] || usage NAME [--paused]
flags=0
[ "${2:-}" != --paused ] || flags=1
bus call "$service" "$(domain "$1")" org.libvirt.Domain Create u "$flags"
