#!/bin/bash
# Runs as root in the machine of systemd.sh: VLANs of bridges' ports, for which the host's kernel may be too small.
. /share/checks.sh

modprobe -a tun veth bridge nf_tables nft_chain_nat nft_masq nft_ct nf_conntrack
until_true 60 call / org.freedesktop.DBus.Peer Ping
systemctl stop virtbusd
cd $share/tests/bus || exit 1
mkdir /tmp/bus
export BUILD=/nonexistent VIRTBUS_DAEMON=/usr/sbin/virtbusd VIRTBUS_TIMEOUT_SCALE=4 VIRTBUS_CACHE=/tmp/cache
timeout -k 5 540 unshare --mount --net --pid --uts --ipc --fork --kill-child --mount-proc ./run --inside /tmp/bus -q -rs --tb=short \
        test_vlans.py > /tmp/vlans 2>&1
is "vlans: which frames go where" grep -qE '^[0-9]+ passed, 1 skipped' /tmp/vlans
grep -qE '^[0-9]+ passed, 1 skipped' /tmp/vlans || cp /tmp/vlans $share/journal

echo "all done" >> $share/result
