#!/bin/bash
# define.sh FILE
# Defines the machine that FILE describes (libvirt's domain XML); prints its object path.  A machine of the same name
# and UUID is redefined.
. "$(dirname "$0")/common.sh"
[ $# -eq 1 ] || usage FILE
bus call "$service" "$qemu" org.libvirt.Connect DomainDefineXML s "$(cat "$1")" | value
