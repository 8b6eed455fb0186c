#!/bin/bash
# port-forward.sh NAME KERNEL INITRD HOST-PORT GUEST-PORT
# Defines a machine that boots a kernel and has user networking, which needs no privilege: it reaches out through the
# host, and what connects to HOST-PORT on the host's loopback gets to GUEST-PORT of the guest.
. "$(dirname "$0")/common.sh"
[ $# -eq 5 ] || usage NAME KERNEL INITRD HOST-PORT GUEST-PORT
xml="<domain type='qemu'><name>$1</name><memory unit='MiB'>256</memory><os><type arch='x86_64' machine='q35'>hvm</type>"
xml+="<kernel>$2</kernel><initrd>$3</initrd><cmdline>console=ttyS0</cmdline></os><features><acpi/></features><devices>"
xml+="<serial type='pty'/><interface type='user'><backend type='passt'/><model type='virtio'/>"
xml+="<portForward proto='tcp' address='127.0.0.1'><range start='$4' to='$5'/></portForward></interface>"
xml+="<memballoon model='none'/></devices></domain>"
bus call "$service" "$qemu" org.virtbus1.Connect DefineXML 'sa{sv}' "$xml" 0 | value
