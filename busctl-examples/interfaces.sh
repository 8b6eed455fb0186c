#!/bin/bash
# interfaces.sh
# Shows the host's network interfaces: name, type, up or down, hardware address.
. "$(dirname "$0")/common.sh"
[ $# -eq 0 ] || usage
for path in $(bus call "$service" "$qemu" org.libvirt.Connect ListInterfaces u 0 | grep -o '/org[^"]*'); do
        get() { bus get-property "$service" "$path" org.virtbus1.Interface "$1" | value; }
        active=down
        [ "$(get Active)" = false ] || active=up
        printf '%s\t%s\t%s\t%s\n' "$(get Name)" "$(get Type)" "$active" "$(get MAC)"
done
