# What the scripts that run in the machine of systemd.sh have in common. Every line of the result is "ok WHAT" or
# "not ok WHAT"; "all done" at the end says that none is missing.
share=/share
qemu=/org/libvirt/QEMU

# However the script ends, so does the machine: nobody waits for one that says nothing more.
ends() {
        [ -s $share/journal ] || journalctl -b --no-pager -o short-monotonic > $share/journal 2>&1
        sync
        systemctl poweroff -ff
}
trap ends EXIT

# is WHAT COMMAND...: the command succeeds
is() {
        local what=$1 said
        shift
        if said=$("$@" 2>&1); then
                echo "ok $what"
        else
                echo "not ok $what: ${said:-"$* failed"}"
        fi >> $share/result
}

# same WHAT EXPECTED ACTUAL
same() {
        is "$1" test "$2" = "$3"
        [ "$2" = "$3" ] || echo "# expected '$2', got '$3'" >> $share/result
}

# refused WHAT WORDS COMMAND...: fails, and says so by these words
refused() {
        local what=$1 words=$2 said
        shift 2
        if said=$("$@" 2>&1) || ! grep -qF -- "$words" <<< "$said"; then
                echo "not ok $what: $said"
        else
                echo "ok $what"
        fi >> $share/result
}

# The system's bus, or in the second part the session's of a user.
bus() {
        busctl --system --timeout=120 "$@"
}

call() {
        bus call org.virtbus1 "$@"
}

connect() {
        call $qemu org.libvirt.Connect "$@"
}

# tested WHAT SUMMARY PYTEST-ARGUMENT...: tests by the bus, with the installed daemon in namespaces of their own. None fails,
# and the line that sums them up is like SUMMARY: so many must not be skipped.
tested() {
        local what=$1 summary=$2 status=0 scratch
        shift 2
        scratch=$(mktemp -d)
        chmod 0755 "$scratch"
        (
                cd $share/tests/bus || exit 1
                export BUILD=/nonexistent VIRTBUS_DAEMON=/usr/sbin/virtbusd VIRTBUS_TIMEOUT_SCALE=4 VIRTBUS_CACHE=/tmp/cache
                timeout -k 5 800 unshare --mount --net --pid --uts --ipc --fork --kill-child --mount-proc \
                        ./run --inside "$scratch" -q -rs --tb=short "$@"
        ) > /tmp/tested 2>&1 || status=$?
        same "$what" 0 $status
        is "$what: as many as there are" grep -qE "^$summary in " /tmp/tested
        [ $status -eq 0 ] || cat /tmp/tested >> $share/journal
}

# device NAME METHOD...: of the host
device() {
        local path
        path=$(connect NodeDeviceLookupByName s "$1" | cut -d'"' -f2)
        shift
        call "$path" org.libvirt.NodeDevice "$@"
}

# until_true SECONDS COMMAND...: the command succeeds within them, or three times as many: the machine has half of a busy host
until_true() {
        local end=$((SECONDS + 3 * $1))
        shift
        while ! "$@" > /dev/null 2>&1; do
                [ $SECONDS -lt $end ] || return 1
                sleep 0.3
        done
}
