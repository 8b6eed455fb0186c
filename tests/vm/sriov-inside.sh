#!/bin/bash
# Runs as root in the machine of systemd.sh: virtual functions of a network card in the hands of machines. What is the
# host here has a card (igb) that the newer QEMU emulates, with two of them behind an IOMMU.
. /share/checks.sh
. /share/tests/vm/machines.sh
modprobe -a igb vfio-pci
card=$(basename /sys/bus/pci/devices/0000:01:00.0/net/*)
echo 2 > "/sys/class/net/$card/device/sriov_numvfs"
first=$(basename "$(readlink "/sys/class/net/$card/device/virtfn0")")
second=$(basename "$(readlink "/sys/class/net/$card/device/virtfn1")")

# place ADDRESS: of "0000:01:10.0"
place() {
        local domain bus slot function
        IFS=:. read -r domain bus slot function <<< "$1"
        echo "<address type='pci' domain='0x$domain' bus='0x$bus' slot='0x$slot' function='0x$function'/>"
}

# own ADDRESS MAC MORE: an interface that is the device
own() {
        echo "<interface type='hostdev' managed='yes'><mac address='$2'/><source>$(place "$1")</source>$3</interface>"
}

# on MAC MORE: an interface on the network
on() {
        echo "<interface type='network'><mac address='$1'/><source network='pool'/><model type='virtio'/>$2</interface>"
}

# What the card does for its function of that number: "MAC VLAN"
card_has() {
        ip link show "$card" | sed -n "s/^ *vf $1 *link\/ether \([0-9a-f:]*\) [^,]*\(, vlan \([0-9]*\)\)\?.*/\1 \3/p" | sed 's/ *$//'
}

driver() {
        basename "$(readlink "/sys/bus/pci/devices/$1/driver")"
}

# with_host ADDRESS NUMBER: with the address that its driver chooses there, none of those given here, and in no VLAN
with_host() {
        [ "$(driver "$1")" = igbvf ] && [ ! -e "/run/virtbus/qemu/given-$1" ] &&
                [[ "$(card_has "$2")" =~ ^[0-9a-f:]{17}$ && ! "$(card_has "$2")" =~ ^52:54:00:00 ]]
}

# What the tests gave it
as_before() {
        [ "$(driver "$first") $(card_has 0)" = "igbvf 52:54:00:00:aa:01 7" ] && [ ! -e "/run/virtbus/qemu/given-$first" ]
}

all_with_host() {
        with_host "$first" 0 && with_host "$second" 1
}

# define NAME DEVICES: its path, in place of what there was of that name
define() {
        local path
        if path=$(connect DomainLookupByName s "$1" 2> /tmp/said); then
                machine "$(cut -d'"' -f2 <<< "$path")" Undefine u 0 > /tmp/said
        fi
        connect DomainDefineXML s "$(definition "$@")" | cut -d'"' -f2
}

# xml MACHINE FLAGS: without the quotes of the bus
xml() {
        machine "$1" GetXMLDesc u "$2" | sed -e 's/\\n/\n/g' | tr -d '\\'
}

# shown_interface MACHINE FLAGS: all of it
shown_interface() {
        xml "$1" "$2" | sed -n '/<interface/,/<.interface>/p'
}

# shown MACHINE FLAGS: kinds of interfaces, and what they are
shown() {
        xml "$1" "$2" | grep -oE "<interface type='[a-z]*'|<driver name='vfio'/>|<source network='[a-z]*'|<alias name='hostdev[0-9]'/>" | tr '\n' ' '
}

network() {
        local path
        path=$(connect NetworkLookupByName s pool | cut -d'"' -f2)
        call "$path" org.libvirt.Network "$@"
}

connections() {
        network GetXMLDesc u 0 | tr -d '\\' | grep -oE "connections='[0-9]*'"
}

until_true 60 answers
is "card: its functions have drivers" until_true 30 all_with_host
one=$(define one "$(own "$first" 52:54:00:00:00:01 "<vlan><tag id='42'/></vlan>")")
refused "card: not while it is down" "'$card' is down" machine "$one" Create u 0
is "card: which changed nothing" all_with_host
ip link set "$card" up

# By its address.
is "own: a machine starts" machine "$one" Create u 0
same "own: vfio has the function" vfio-pci "$(driver "$first")"
same "own: the card gives it address and VLAN" "52:54:00:00:00:01 42" "$(card_has 0)"
is "own: QEMU has it" bash -c "ls -l /proc/$(process one)/fd | grep -q vfio-device"
same "own: it is shown as it is" "<interface type='hostdev' <driver name='vfio'/> <alias name='hostdev0'/> " "$(shown "$one" 0)"
is "own: which changes nothing when it is written back" machine "$one" UpdateDevice su "$(shown_interface "$one" 0)" 1
refused "own: it does not go to another device" "is the virtual function $first of a card: its <source> cannot change" machine "$one" UpdateDevice su \
        "$(shown_interface "$one" 0 | sed "s,$(place "$first"),$(place "$second"),")" 1
two=$(define two "<hostdev mode='subsystem' type='pci' managed='yes'><source>$(place "$first")</source></hostdev>")
refused "own: no other machine gets it" "in use by machine 'one'" machine "$two" Create u 0
same "own: which changed nothing" "vfio-pci 52:54:00:00:00:01 42" "$(driver "$first") $(card_has 0)"
is "own: the daemon is killed" kill_daemon
same "own: the machine has it still" "1 vfio-pci 52:54:00:00:00:01 42" "$(state "$one") $(driver "$first") $(card_has 0)"
status=$(ls /run/virtbus/qemu/domain-*/status.xml)
systemctl stop virtbusd
cp "$status" /tmp/status
echo "<status" > "$status"
systemctl start virtbusd
refused "own: nobody gets what a run may have of which nothing is known" "$first may be in use by an earlier run" machine "$two" Create u 0
same "own: which has it still" "vfio-pci 52:54:00:00:00:01 42" "$(driver "$first") $(card_has 0)"
systemctl stop virtbusd
cp /tmp/status "$status"
systemctl start virtbusd
is "own: the machine ends" machine "$one" Destroy u 0
is "own: the host has it as it was" until_true 20 with_host "$first" 0
ip link set "$card" vf 0 mac 52:54:00:00:aa:01 vlan 7
two=$(define two "$(own "$first" 52:54:00:00:00:02)")
machine "$two" Create u 0 > /dev/null
same "own: what it had before" "52:54:00:00:00:02" "$(card_has 0)"
kill -KILL "$(process two)"
is "own: it has again" until_true 20 as_before
ip link set "$card" vf 0 mac 00:00:00:00:00:00 vlan 0
two=$(define two "$(own 0000:01:00.0 52:54:00:00:00:02)")
refused "own: no card that is whole" "0000:01:00.0 is no virtual function" machine "$two" Create u 0
two=$(define two "$(own 0000:01:1f.0 52:54:00:00:00:02)")
refused "own: nor one that is not there" "no PCI device 0000:01:1f.0" machine "$two" Create u 0
for what in "trunk:<vlan trunk='yes'><tag id='4'/><tag id='5'/></vlan>:in one VLAN" "port:<virtualport type='802.1Qbh'><parameters profileid='a'/></virtualport>:<virtualport>" \
        "speed:<bandwidth><inbound average='100'/></bandwidth>:<bandwidth>" "link:<link state='down'/>:<link state='down'>"; do
        IFS=: read -r name more words <<< "$what"
        two=$(define two "$(own "$first" 52:54:00:00:00:02 "$more")")
        refused "own: refused by name: $name" "$words" machine "$two" Create u 0
done
is "own: which changed nothing" all_with_host

# From the pool of a network.
connect NetworkDefineXML s "<network><name>pool</name><forward mode='hostdev' managed='yes'><pf dev='$card'/></forward>
        <portgroup name='seven'><vlan><tag id='7'/></vlan></portgroup></network>" > /tmp/said
three=$(define three "$(on 52:54:00:00:00:03)")
four=$(define four "$(on 52:54:00:00:00:04 | sed "s/'pool'/'pool' portgroup='seven'/")")
five=$(define five "$(on 52:54:00:00:00:05)")
is "pool: a machine starts, and the network with it" machine "$three" Create u 0
is "pool: so does another" machine "$four" Create u 0
same "pool: each has one" "52:54:00:00:00:03, 52:54:00:00:00:04 7" "$(card_has 0), $(card_has 1)"
same "pool: shown as it is" "<interface type='hostdev' <driver name='vfio'/> <alias name='hostdev0'/> " "$(shown "$three" 0)"
same "pool: stored as it was written" "<interface type='network' <source network='pool' " "$(shown "$three" 2)"
same "pool: two are on the network" "connections='2'" "$(connections)"
refused "pool: there is none for a third" "All devices of the network 'pool' are in use: $first by machine 'three', $second by machine 'four'" \
        machine "$five" Create u 0
is "pool: the daemon is killed" kill_daemon
same "pool: two are on the network still" "connections='2'" "$(connections)"
refused "pool: and there is none for a third" "All devices of the network 'pool'" machine "$five" Create u 0
is "pool: what is shown of one changes nothing" machine "$three" UpdateDevice su "$(shown_interface "$three" 0)" 1
same "pool: and it is the same" "52:54:00:00:00:03" "$(card_has 0)"
is "pool: so does what is stored of one, whose VLAN is its portgroup's" machine "$four" UpdateDevice su \
        "$(shown_interface "$four" 2)" 1
same "pool: which is the same, too" "52:54:00:00:00:04 7" "$(card_has 1)"
refused "pool: none goes to another device" "is the virtual function $first of a card: its <source> cannot change" machine "$three" UpdateDevice su \
        "$(shown_interface "$three" 0 | sed "s,$(place "$first"),$(place "$second"),")" 1
refused "pool: nor into another VLAN" "its <vlan> cannot change" machine "$four" UpdateDevice su \
        "$(shown_interface "$four" 2 | sed "s,<source,<vlan><tag id='8'/></vlan><source,")" 1
refused "pool: nor does its portgroup" "stays in its VLAN" network Update uuisu 1 9 -- -1 \
        "<portgroup name='seven'><vlan><tag id='8'/></vlan></portgroup>" 1
refused "pool: no cable is pulled" "its <link> cannot change" machine "$three" UpdateDevice su \
        "$(shown_interface "$three" 0 | sed "s,<alias,<link state='down'/><alias,")" 1
is "pool: one ends" machine "$three" Destroy u 0
is "pool: the third gets its device" machine "$five" Create u 0
same "pool: as its own" "52:54:00:00:00:05" "$(card_has 0)"
machine "$four" Destroy u 0 > /dev/null
machine "$five" Destroy u 0 > /dev/null
machine "$three" Create u 0 > /tmp/said-three 2>&1 &
other=$!
is "pool: two start while both are on their way to the host" machine "$five" Create u 0
status=0
wait "$other" || status=$? # a child of this shell only
same "pool: each gets one" "0 " "$status $(cat /tmp/said-three)"
same "pool: of its own" "vfio-pci vfio-pci connections='2'" "$(driver "$first") $(driver "$second") $(connections)"
systemctl stop virtbusd
kill -KILL "$(process three)" "$(process five)"
systemctl start virtbusd
is "pool: all come back that ended without a daemon" until_true 30 all_with_host
same "pool: nobody is on the network" "" "$(connections)"

# While the machine runs.
six=$(define six "")
machine "$six" Create u 0 > /dev/null
is "hotplug: for a machine that runs" machine "$six" AttachDevice su "$(on 52:54:00:00:00:06)" 1
same "hotplug: it has one" "52:54:00:00:00:06 vfio-pci connections='1'" "$(card_has 0) $(driver "$first") $(connections)"
is "hotplug: the daemon is killed" kill_daemon
is "hotplug: and it is taken from it, as it is shown" machine "$six" DetachDevice su "$(shown_interface "$six" 0)" 1
is "hotplug: the host has it" until_true 40 all_with_host
same "hotplug: nobody is on the network" "" "$(connections)"
is "hotplug: by its address" machine "$six" AttachDevice su "$(own "$second" 52:54:00:00:00:07)" 1
same "hotplug: it has that one" "52:54:00:00:00:07 vfio-pci" "$(card_has 1) $(driver "$second")"
machine "$six" Destroy u 0 > /dev/null
is "hotplug: the host has it again" until_true 40 all_with_host

# The daemon dies when the function is taken and QEMU has not answered yet.
ip link set "$card" vf 0 mac 52:54:00:00:aa:01 vlan 7
slow=$(define_slow "$(on 52:54:00:00:00:08)")
machine "$slow" Create u 0 > /tmp/said 2>&1 &
is "killed: a start hangs, with the function" until_true 40 pgrep -f 'sleep 1000'
same "killed: which is noted" "vfio-pci managed 52:54:00:00:aa:01 7 0" "$(driver "$first") $(cat "/run/virtbus/qemu/given-$first")"
is "killed: the daemon" kill_daemon
is "killed: the host has it as it was" until_true 40 as_before
ip link set "$card" vf 0 mac 00:00:00:00:00:00 vlan 0

# A list of them, and who may.
network Destroy > /dev/null
network Undefine > /dev/null
connect NetworkDefineXML s "<network><name>pool</name><forward mode='hostdev' managed='yes'>$(place "$second")</forward></network>" > /tmp/said
is "list: a machine starts" machine "$three" Create u 0
same "list: with what is in it" "52:54:00:00:00:03 vfio-pci igbvf" "$(card_has 1) $(driver "$second") $(driver "$first")"
refused "list: there is one" "All devices of the network 'pool' are in use: $second by machine 'three'" machine "$five" Create u 0
machine "$three" Destroy u 0 > /dev/null
is "list: the host has it again" until_true 40 all_with_host
useradd -m eve
hers=$(runuser -u eve -- busctl --system call org.virtbus1 $qemu org.libvirt.Connect DomainDefineXML s \
        "$(definition hers "$(own "$first" 52:54:00:00:00:09)")" | cut -d'"' -f2)
refused "rights: none for a user's machine" "Only machines of root" runuser -u eve -- busctl --system call org.virtbus1 "$hers" org.libvirt.Domain Create u 0
is "rights: which changed nothing" all_with_host

echo "all done" >> $share/result
