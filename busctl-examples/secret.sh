#!/bin/bash
# secret.sh NAME
# Keeps what comes by stdin as the secret of a Ceph user; prints its object path. busctl has no other way to say the
# value than its command line, where other users could see it, so that is done by a library.
. "$(dirname "$0")/common.sh"
[ $# -eq 1 ] || usage NAME
xml="<secret private='yes'><usage type='ceph'><name>$1</name></usage></secret>"
path=$(bus call "$service" "$qemu" org.libvirt.Connect SecretDefineXML su "$xml" 0 | value)
"$(dirname "$0")/secret.py" --bus="${VIRTBUS_BUS:-system}" "$path"
echo "$path"
