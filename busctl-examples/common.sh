# What the examples share.  Each of them is used as `./NAME.sh ARGUMENT...`; VIRTBUS_BUS says which bus virtbusd is on:
# "system" (or nothing), "user" for the session's, or an address such as unix:path=/run/virtbus/socket, which may be
# virtbusd's private socket.  Paths, interfaces and types are those that `./introspect.sh` shows.

set -euo pipefail

service=org.virtbus1
qemu=/org/libvirt/QEMU

case ${VIRTBUS_BUS:-system} in
system) which_bus=(--system) ;;
user | session) which_bus=(--user) ;;
*) which_bus=("--address=$VIRTBUS_BUS") ;;
esac

bus() {
        busctl "${which_bus[@]}" "$@"
}

# The bare value of a reply like `s "web"` that needs no quoting.
value() {
        sed -E 's/^[^ ]+ //; s/^"(.*)"$/\1/'
}

# The object path of the machine named $1.
domain() {
        bus call "$service" "$qemu" org.libvirt.Connect DomainLookupByName s "$1" | value
}

usage() {
        echo "usage: ${0##*/} $*" >&2
        exit 2
}
