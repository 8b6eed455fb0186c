#!/bin/bash
# give-image.sh MACHINE GROUP FILE
# Gives the machine an image that you open yourself, for its disk with <source file='...' fdgroup='GROUP'/>: neither the
# daemon nor QEMU needs a right to the path. busctl cannot pass a file on, so that is done by a library.
. "$(dirname "$0")/common.sh"
[ $# -eq 3 ] || usage MACHINE GROUP FILE
machine=$(domain "$1")
"$(dirname "$0")/give-image.py" --bus="${VIRTBUS_BUS:-system}" "$machine" "$2" "$3"
