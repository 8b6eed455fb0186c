#!/bin/bash
# autostart.sh NAME [on|off]
# Says whether the machine NAME starts with the host, or sets it: on, off.
. "$(dirname "$0")/common.sh"
[ $# -ge 1 ] || usage "NAME [on|off]"
path=$(domain "$1")
case ${2:-} in
"") bus get-property "$service" "$path" org.libvirt.Domain Autostart | value ;;
on) bus set-property "$service" "$path" org.libvirt.Domain Autostart b true ;;
off) bus set-property "$service" "$path" org.libvirt.Domain Autostart b false ;;
*) usage "NAME [on|off]" ;;
esac
