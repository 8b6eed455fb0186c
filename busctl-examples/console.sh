#!/bin/bash
# console.sh NAME [DEVICE]
# Connects the terminal to the console of the machine NAME, or to its console or channel DEVICE.  Ctrl-] ends it.  (The
# reply is a file descriptor, which busctl cannot use: a few lines of Python do.)
. "$(dirname "$0")/common.sh"
[ $# -ge 1 ] || usage NAME [DEVICE]
exec "$(dirname "$0")/console.py" --bus="${VIRTBUS_BUS:-system}" "$@"
