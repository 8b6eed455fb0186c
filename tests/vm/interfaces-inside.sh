#!/bin/bash
# Runs as root in the machine of systemd.sh: the host's interfaces, defined through what manages its network. The cards
# enp0s16, enp0s17 and enp0s18 are on no network, enp0s19 and enp0s20 on one.
. /share/checks.sh

define() {
        connect InterfaceDefineXML su "$1" 0
}

path() {
        connect InterfaceLookupByName s "$1" | cut -d'"' -f2
}

interface() {
        local path
        path=$(path "$1")
        shift
        call "$path" org.libvirt.Interface "$@"
}

property() {
        bus get-property org.virtbus1 "$(path "$1")" org.virtbus1.Interface "$2"
}

change() {
        connect "InterfaceChange$1" u 0
}

# link NAME WORDS: what ip says of it has these words
link() {
        ip -d addr show dev "$1" 2>&1 | grep -qF -- "$2"
}

there() {
        [ -e "/sys/class/net/$1" ]
}

gone() {
        ! there "$1"
}

# Names are known once udev has given them.
ready() {
        udevadm settle
        until_true 60 interface enp0s18 GetXMLDesc u 0
}

kill_daemon() {
        kill -KILL "$(systemctl show --value -p MainPID virtbusd.service)"
        until_true 60 call / org.freedesktop.DBus.Peer Ping
        until_true 60 interface enp0s18 GetXMLDesc u 0
}

br0="<interface type='bridge' name='br0'><start mode='onboot'/><mtu size='1450'/><protocol family='ipv4'>
        <ip address='10.77.0.1' prefix='24'/><route gateway='10.77.0.254'/></protocol><protocol family='ipv6'>
        <ip address='fd00:77::1' prefix='64'/></protocol><bridge stp='on' delay='4'>
        <interface type='ethernet' name='enp0s16'/></bridge></interface>"
vlan="<interface type='vlan' name='br0.7'><protocol family='ipv4'><ip address='10.77.7.1' prefix='24'/></protocol>
        <vlan tag='7'><interface name='br0'/></vlan></interface>"
bond="<interface type='bond' name='bond0'><bond mode='active-backup'><miimon freq='100' updelay='200'/>
        <interface type='ethernet' name='enp0s17'/></bond></interface>"

# bridge_comes WHO: a bridge, and all that can be said of it
bridge_comes() {
        local who=$1

        is "$who: a bridge is defined" define "$br0"
        same "$who: it is not there yet" "gone s \"notpresent\"" "$(gone br0 && echo gone) $(property br0 LinkState)"
        is "$who: it comes up" interface br0 Create u 0
        is "$who: its address" link br0 "inet 10.77.0.1/24"
        is "$who: its other address" link br0 "inet6 fd00:77::1/64"
        is "$who: its MTU" link br0 "mtu 1450"
        is "$who: its spanning tree" link br0 "forward_delay 400"
        is "$who: it is switched on" link br0 "stp_state 1"
        is "$who: its port" link enp0s16 "master br0"
        is "$who: its route" until_true 10 bash -c "ip route show default | grep -q 'via 10.77.0.254 dev br0'"
        same "$who: it is active" "b true" "$(property br0 Active)"
        same "$who: and defined" "b true" "$(property br0 Defined)"
        refused "$who: it cannot come up twice" "is up already" interface br0 Create u 0
}

# vlan_on_bridge WHO: comes and goes
vlan_on_bridge() {
        local who=$1

        is "$who: a VLAN on it" define "$vlan"
        is "$who: comes up" interface br0.7 Create u 0
        is "$who: with its tag" link br0.7 "vlan protocol 802.1Q id 7"
        is "$who: and its address" link br0.7 "inet 10.77.7.1/24"
        is "$who: which left the bridge as it was" link br0 "inet 10.77.0.1/24"
        is "$who: the VLAN goes down" interface br0.7 Destroy u 0
        is "$who: it is gone" gone br0.7
}

# bridge_goes WHO: down, but stays defined
bridge_goes() {
        local who=$1

        is "$who: the bridge is still up" link br0 "inet 10.77.0.1/24"
        is "$who: the bridge goes down" interface br0 Destroy u 0
        is "$who: it is gone, too" gone br0
        same "$who: and still defined" "b true" "$(property br0 Defined)"
}

# bond_comes WHO: a bond
bond_comes() {
        local who=$1

        is "$who: a bond" define "$bond"
        is "$who: it comes up, too" interface bond0 Create u 0
        is "$who: its mode" link bond0 "miimon 100 updelay 200"
        is "$who: its part" link enp0s17 "master bond0"
        is "$who: the bridge did not come back with it" gone br0
}

# crash WHO: of the daemon
crash() {
        local who=$1

        is "$who: the daemon is killed" kill_daemon
        is "$who: the bond outlives it" link bond0 "bond mode active-backup"
}

# bond_goes WHO: for good
bond_goes() {
        local who=$1

        is "$who: the bond goes down" interface bond0 Destroy u 0
        is "$who: without a trace" gone bond0
        is "$who: the bond is forgotten" interface bond0 Undefine
        refused "$who: so nobody knows it" "found" interface bond0 GetXMLDesc u 0
}

# change_back WHO: a change that is rolled back
change_back() {
        local who=$1

        is "$who: a change begins" change Begin
        is "$who: with another bridge" define "<interface type='bridge' name='br1'><bridge/></interface>"
        is "$who: which is up" interface br1 Create u 0
        is "$who: and the first as another" define "${br0/1450/1300}"
        is "$who: comes up with that" interface br0 Create u 0
        is "$who: for all to see" link br0 "mtu 1300"
        is "$who: it is taken back" change Rollback
        is "$who: the other bridge is gone" gone br1
        is "$who: the first is down" gone br0
        is "$who: and as it was" grep -q "mtu size=.*1450" <(interface br0 GetXMLDesc u 1)
}

# lease_comes WHO: addresses that somebody on the network gives
lease_comes() {
        local who=$1

        is "$who: a card that asks for its addresses" define "<interface type='ethernet' name='enp0s20'><protocol family='ipv4'>
                <dhcp/></protocol><protocol family='ipv6'><autoconf/></protocol></interface>"
        [ "$who" != NetworkManager ] || is "$who: what it made of itself for it goes down" interface enp0s20 Destroy u 0
        is "$who: it has none until now" bash -c "! ip addr show dev enp0s20 | grep -E 'inet 10|inet6 fd80'"
        is "$who: comes up, too" interface enp0s20 Create u 0
        is "$who: it has one by DHCP" until_true 60 link enp0s20 "inet 10.80.0."
        is "$who: and one by router advertisements" until_true 60 link enp0s20 "inet6 fd80:"
        is "$who: and the route" until_true 10 bash -c "ip route show default | grep -q 'via 10.80.0.1 dev enp0s20'"
        is "$who: the definition is as it was" grep -q "<dhcp/>" <(interface enp0s20 GetXMLDesc u 1)
        is "$who: it goes down" interface enp0s20 Destroy u 0
        is "$who: without any" bash -c "! ip addr show dev enp0s20 | grep -E 'inet 10|inet6 fd80'"
        is "$who: it is forgotten" interface enp0s20 Undefine
}

# names WHO: what is refused before anything is written
names() {
        local who=$1

        refused "$who: a name that would break a file" "letters, digits" define "<interface type='bridge' name='br&quot;0'><bridge/></interface>"
        refused "$who: a name that would leave a folder" "'..'" define "<interface type='bridge' name='..'><bridge/></interface>"
        refused "$who: a name of two lines" "control characters" define "<interface type='bridge' name='br&#10;0'><bridge/></interface>"
        refused "$who: such a name in a VLAN" "letters, digits" define "<interface type='vlan' name='v1'><vlan tag='1'>
                <interface name='br0&#10;[Match]'/></vlan></interface>"
        refused "$who: no device" "no device 'enp0s99'" define "<interface type='ethernet' name='enp0s99'/>"
}

# parts WHO PART...
parts() {
        local who=$1 part
        shift

        for part; do
                $part "$who"
        done
}

# systemd-networkd
configured() {
        ls /etc/systemd/network /run/systemd/network 2> /dev/null | grep virtbus
}

# The other end of enp0s20's network.
ip netns add server
ip link set enp0s19 netns server
ip -n server addr add 10.80.0.1/24 dev enp0s19
ip -n server addr add fd80::1/64 dev enp0s19
ip -n server link set enp0s19 up
ip netns exec server dnsmasq --conf-file=/dev/null --port=0 --interface=enp0s19 --dhcp-range=10.80.0.10,10.80.0.99 \
        --dhcp-range=fd80::,ra-only --enable-ra --dhcp-leasefile=/tmp/leases --pid-file=/tmp/dnsmasq.pid --user=root

mkdir -p /etc/systemd/network
cat > /etc/systemd/network/50-own.network << 'END'
[Match]
Name=enp0s18
[Network]
Address=10.99.0.1/24
ConfigureWithoutCarrier=yes
END
cp -a /etc/systemd/network /tmp/before
systemctl start systemd-networkd
ready
is "networkd: somebody's own interface is up" until_true 30 link enp0s18 "inet 10.99.0.1/24"
parts networkd bridge_comes vlan_on_bridge bridge_goes bond_comes crash bond_goes change_back lease_comes names
ip link add other type bridge
refused "networkd: a bridge of somebody else's" "virtbus has not defined" define "<interface type='bridge' name='other'><bridge/></interface>"
ip link del other
refused "networkd: what others have is not defined" "/etc/systemd/network/50-own.network" define "<interface type='ethernet' name='enp0s18'/>"
refused "networkd: nor plugged in" "50-own.network" define "<interface type='bridge' name='br2'><bridge>
        <interface type='ethernet' name='enp0s18'/></bridge></interface>"
refused "networkd: nor a VLAN put on it" "50-own.network" define "<interface type='vlan' name='v1'><vlan tag='1'><interface name='enp0s18'/></vlan></interface>"
refused "networkd: nor taken down" "50-own.network" interface enp0s18 Destroy u 0
refused "networkd: nor undefined" "no definition" interface enp0s18 Undefine
is "networkd: it is as it was" link enp0s18 "inet 10.99.0.1/24"
refused "networkd: hotplug" "systemd-networkd" define "<interface type='bridge' name='br3'><start mode='hotplug'/><bridge/></interface>"
is "networkd: a card with an address" define "<interface type='ethernet' name='enp0s17'><start mode='onboot'/><protocol family='ipv4'><ip address='10.78.0.1' prefix='24'/></protocol>
        <protocol family='ipv6'><autoconf/></protocol></interface>"
is "networkd: it comes up by a restart, as at boot" bash -c "rm -r /run/systemd/network/*; systemctl restart systemd-networkd"
is "networkd: with it the bridge" until_true 30 link br0 "inet 10.77.0.1/24"
is "networkd: and its port" until_true 30 link enp0s16 "master br0"
is "networkd: the card" until_true 30 link enp0s17 "inet 10.78.0.1/24"
is "networkd: the bridge goes down" interface br0 Destroy u 0
is "networkd: it is gone after that, too" gone br0
is "networkd: a reload does not bring it back" networkctl reload
is "networkd: the card goes down" interface enp0s17 Destroy u 0
same "networkd: it is down" "b false" "$(property enp0s17 Active)"
is "networkd: and comes up again" interface enp0s17 Create u 0
is "networkd: with its address" link enp0s17 "inet 10.78.0.1/24"
same "networkd: no bridge until now" "gone" "$(gone br0 && echo gone)"
# A crash between the files and the store, and one after the store.
systemctl stop virtbusd
cp /etc/systemd/network/10-virtbus-br0.netdev /etc/systemd/network/10-virtbus-left.netdev
sed -i -e 's/br0/left/' /etc/systemd/network/10-virtbus-left.netdev
rm /etc/systemd/network/10-virtbus-br0.network.d/br0.conf
printf '# Made by virtbus\n[Match]\nName=left\n' > /etc/systemd/network/10-virtbus-left.network
printf '[Match]\nName=left\n' > /etc/systemd/network/10-virtbus-own.network
echo "# an administrator's" > /etc/systemd/network/10-virtbus-br0.network.d/own.conf
ready
is "networkd: what a crash left is removed" until_true 20 bash -c '[ ! -e /etc/systemd/network/10-virtbus-left.netdev ]'
is "networkd: a file that has lost its parts, too" until_true 20 test ! -e /etc/systemd/network/10-virtbus-left.network
is "networkd: one of somebody else's is not touched" rm /etc/systemd/network/10-virtbus-own.network
is "networkd: what somebody put beside it is not touched" rm /etc/systemd/network/10-virtbus-br0.network.d/own.conf
is "networkd: what it lost is written" until_true 20 test -e /etc/systemd/network/10-virtbus-br0.network.d/br0.conf
is "networkd: a bridge that is down loses its port" define "$(sed "s,<interface type='ethernet' name='enp0s16'/>,," <<< "$br0")"
same "networkd: for which nothing is left" "" "$(ls -d /run/systemd/network/*enp0s16* /etc/systemd/network/*enp0s16* 2> /dev/null)"
is "networkd: the card is forgotten" interface enp0s17 Undefine
is "networkd: it stays up" link enp0s17 "inet 10.78.0.1/24"
is "networkd: it can be taken down all the same" interface enp0s17 Destroy u 0
is "networkd: the VLAN is forgotten" interface br0.7 Undefine
is "networkd: the bridge comes up once more" interface br0 Create u 0
is "networkd: and is forgotten" interface br0 Undefine
is "networkd: it stays up until it is taken down" link br0 "inet 10.77.0.1/24"
is "networkd: and then is gone" interface br0 Destroy u 0
same "networkd: nothing of ours is left" "" "$(configured)"
is "networkd: nothing of others was touched" diff -r /tmp/before /etc/systemd/network
systemctl stop systemd-networkd.socket systemd-networkd
rm /etc/systemd/network/50-own.network
ip addr flush dev enp0s18

# NetworkManager
profiles() {
        nmcli -t -f NAME connection show | grep virtbus
}

systemctl start NetworkManager
is "NetworkManager: it runs" until_true 30 nmcli general status
is "NetworkManager: a connection of somebody's" nmcli connection add type ethernet ifname enp0s18 con-name own ip4 10.99.0.1/24
is "NetworkManager: is up" until_true 30 nmcli connection up own
parts NetworkManager bridge_comes vlan_on_bridge bridge_goes bond_comes bond_goes change_back lease_comes
same "NetworkManager: the bridge, its port and the VLAN are connections" "virtbus-br0 virtbus-br0.7 virtbus-enp0s16" \
        "$(profiles | sort | xargs)"
refused "NetworkManager: what others have is not defined" "the connection 'own'" define "<interface type='ethernet' name='enp0s18'/>"
refused "NetworkManager: nor plugged in" "the connection 'own'" define "<interface type='bridge' name='br2'><bridge>
        <interface type='ethernet' name='enp0s18'/></bridge></interface>"
refused "NetworkManager: nor taken down" "the connection 'own'" interface enp0s18 Destroy u 0
refused "NetworkManager: nor undefined" "no definition" interface enp0s18 Undefine
refused "NetworkManager: a delay that it has not" "whole seconds" define "<interface type='bridge' name='br2'><bridge stp='on' delay='0.5'/></interface>"
is "NetworkManager: a card with an address" define "<interface type='ethernet' name='enp0s17'><start mode='onboot'/><protocol family='ipv4'>
        <ip address='10.78.0.1' prefix='24'/></protocol><protocol family='ipv4'><ip address='10.79.0.1' prefix='24'/></protocol></interface>"
is "NetworkManager: what it made of itself goes down" interface enp0s17 Destroy u 0
is "NetworkManager: it comes up" interface enp0s17 Create u 0
is "NetworkManager: with its address" link enp0s17 "inet 10.78.0.1/24"
is "NetworkManager: and that of its other <protocol>" link enp0s17 "inet 10.79.0.1/24"
refused "NetworkManager: what is up is not forgotten" "take it down first" interface enp0s17 Undefine
is "NetworkManager: it comes up by a restart, as at boot" systemctl restart NetworkManager
is "NetworkManager: with it the bridge" until_true 30 link br0 "inet 10.77.0.1/24"
is "NetworkManager: and its port" until_true 30 link enp0s16 "master br0"
# What a crash between the two leaves.
systemctl stop virtbusd
nmcli connection delete virtbus-br0.7
nmcli connection add type bridge ifname left con-name virtbus-left autoconnect no connection.autoconnect no user.data virtbus.interface=left
is "NetworkManager: the daemon starts after that" ready
is "NetworkManager: what a crash left is removed" until_true 20 bash -c '! nmcli -t -f NAME connection show | grep left'
is "NetworkManager: what was lost is there again" until_true 20 bash -c 'nmcli -t -f NAME connection show | grep "br0[.]7"'
is "NetworkManager: the card goes down" interface enp0s17 Destroy u 0
is "NetworkManager: without its address" bash -c "! ip addr show enp0s17 | grep -q 10.78"
is "NetworkManager: the bridge, too" interface br0 Destroy u 0
for name in enp0s17 br0.7 br0; do
        is "NetworkManager: $name is forgotten" interface $name Undefine
done
same "NetworkManager: nothing of ours is left" "" "$(profiles)"
is "NetworkManager: what others have is up" link enp0s18 "inet 10.99.0.1/24"
systemctl stop NetworkManager
for name in enp0s18 enp0s20; do
        ip addr flush dev $name
        ip link set $name down
        # As after a boot: NetworkManager listened to routers, and made the addresses.
        echo 0 > /proc/sys/net/ipv6/conf/$name/addr_gen_mode
        echo 1 > /proc/sys/net/ipv6/conf/$name/accept_ra
done

# ifupdown
configured() {
        ls /etc/network/interfaces.d | grep virtbus
}

mkdir -p /etc/network/interfaces.d /run/network
printf '%s\n' 'auto lo' 'iface lo inet loopback' 'iface enp0s18 inet static' '  address 10.99.0.1/24' > /etc/network/interfaces
cp -a /etc/network /tmp/network
systemctl restart virtbusd
is "ifupdown: the daemon starts" ready
is "ifupdown: somebody's own interface is up" ifup enp0s18
refused "ifupdown: a folder that nobody reads" "source /etc/network/interfaces.d/*" define "$br0"
echo 'source /etc/network/interfaces.d/*' >> /etc/network/interfaces
parts ifupdown bridge_comes vlan_on_bridge bridge_goes bond_comes bond_goes lease_comes
refused "ifupdown: what others have is not defined" "/etc/network/interfaces" define "<interface type='ethernet' name='enp0s18'/>"
refused "ifupdown: nor plugged in" "/etc/network/interfaces" define "<interface type='bridge' name='br2'><bridge>
        <interface type='ethernet' name='enp0s18'/></bridge></interface>"
refused "ifupdown: nor taken down" "/etc/network/interfaces" interface enp0s18 Destroy u 0
is "ifupdown: what is for the boot comes up as then" ifup -a
is "ifupdown: the bridge" link br0 "inet 10.77.0.1/24"
is "ifupdown: its port" link enp0s16 "master br0"
systemctl stop virtbusd
rm /etc/network/interfaces.d/virtbus-br0
echo "# Made by virtbus, which writes it anew" > /etc/network/interfaces.d/virtbus-left
echo "iface enp0s17 inet manual" > /etc/network/interfaces.d/virtbus-enp0s17
is "ifupdown: the daemon starts after a crash" ready
is "ifupdown: what it left is removed" until_true 20 test ! -e /etc/network/interfaces.d/virtbus-left
is "ifupdown: what was lost is there again" until_true 20 test -e /etc/network/interfaces.d/virtbus-br0
refused "ifupdown: a file of somebody else's, whatever its name" "virtbus-enp0s17, which is not of virtbus" define "<interface type='ethernet' name='enp0s17'/>"
is "ifupdown: it is not touched" rm /etc/network/interfaces.d/virtbus-enp0s17
sed -i -e '1i nonsense' /etc/network/interfaces
refused "ifupdown: a configuration that it cannot read" "couldn't read interfaces file" define "<interface type='ethernet' name='enp0s17'/>"
sed -i -e '/^nonsense/d' /etc/network/interfaces
refused "ifupdown: name servers that it would take" "peerdns" define "<interface type='ethernet' name='enp0s17'><protocol family='ipv4'><dhcp peerdns='no'/></protocol></interface>"
is "ifupdown: the bridge goes down" interface br0 Destroy u 0
is "ifupdown: the VLAN is forgotten" interface br0.7 Undefine
is "ifupdown: the bridge comes up" interface br0 Create u 0
is "ifupdown: it is forgotten" interface br0 Undefine
is "ifupdown: it stays up until it is taken down" link br0 "inet 10.77.0.1/24"
is "ifupdown: and then is gone" interface br0 Destroy u 0
is "ifupdown: really" gone br0
same "ifupdown: nothing of ours is left" "" "$(configured)"
sed -i -e '/^source/d' /etc/network/interfaces
is "ifupdown: nothing of others was touched" diff -r /tmp/network /etc/network

echo "all done" >> $share/result
