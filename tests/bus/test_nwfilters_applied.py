"""Network filters at work: real bridges and nftables in the network namespace of the tests. What guests
are is in filtered.py."""

import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import uuid

import pytest
from gi.repository import GLib

from filtered import (ADDRESS, BROADCAST, FILTER, GUARD, Guest, MAC, NATIVE_FILTER, OTHER_ADDRESS, OTHER_MAC, PEER, Peer, arp,
                      chains, define, dhcp_answer, frame, ip_bytes, link, mac_bytes, mark, passes_in, passes_out, reference,
                      rules, run, udp, what_the_kernel_says)
from networks import instead_of
from harness import BusError, wait_for
from machines import CONNECT, QEMU, definition
from machines import define as define_machine

pytestmark = pytest.mark.skipif(not os.environ.get("VIRTBUS_NAMESPACE"), reason="only inside tests/bus/run, started as root")


@pytest.fixture(autouse=True)
def bridge():
    run("ip", "link", "add", "vfbr", "type", "bridge", "mcast_snooping", "0")
    pathlib.Path("/proc/sys/net/ipv6/conf/vfbr/disable_ipv6").write_text("1")
    run("ip", "link", "set", "vfbr", "up")
    yield
    run("ip", "link", "del", "vfbr")
    run("nft", "delete", "table", "bridge", "virtbus", check=False)


@pytest.fixture
def peer():
    peer = Peer()
    yield peer
    peer.close()


@pytest.fixture
def guest(client, tmp_path):
    """Makes a guest with a filter of these rules and starts it."""
    made = []

    def make(content, **options):
        made.append(Guest(client, tmp_path / "qemu", content, **options))
        return made[-1].start()
    yield make
    for each in made:
        each.socket.close()


NO_SPOOFING = (GUARD + "<rule action='drop' direction='out' priority='-500'><mac match='no' srcmacaddr='$MAC'/></rule>"
               "<rule action='drop' direction='out' priority='-400'><arp match='no' arpsrcipaddr='$IP'/></rule>"
               "<rule action='drop' direction='out' priority='-400'><ip match='no' srcipaddr='$IP'/></rule>")


class TestTraffic:
    def test_what_is_spoofed_is_lost(self, client, guest, peer):
        define(client, "own", NO_SPOOFING)
        web = guest(reference("own", IP=ADDRESS))
        assert passes_out(web, peer, arp()) and passes_out(web, peer, udp())
        assert not passes_out(web, peer, arp(mac=OTHER_MAC))
        assert not passes_out(web, peer, arp(address=OTHER_ADDRESS))
        assert not passes_out(web, peer, udp(source=OTHER_ADDRESS))
        assert not passes_out(web, peer, udp(mac=OTHER_MAC))
        assert passes_in(web, peer, udp(PEER, ADDRESS, OTHER_MAC, MAC))
        index = web.index
        assert chains() == {index}
        web.machine.destroy()
        wait_for(lambda: chains() == set())

    def test_both_layers_and_both_directions(self, client, guest, peer):
        define(client, "mine", GUARD + "<rule action='accept' direction='inout'><mac protocolid='ipv4'/></rule>"
               "<rule action='drop' direction='inout' priority='1000'/>"
               "<rule action='accept' direction='in' statematch='false' priority='100'><udp dstportstart='$PORTS'/></rule>"
               "<rule action='reject' direction='inout' priority='200'><udp dstportstart='1' dstportend='5000'/></rule>")
        web = guest(reference("mine", PORTS=["53", "2000"]))
        into = {"source": PEER, "target": ADDRESS, "mac": OTHER_MAC, "to": MAC}
        assert not passes_in(web, peer, arp(mac=OTHER_MAC)) and not passes_out(web, peer, arp())
        assert passes_in(web, peer, udp(ports=(999, 53), **into)) and passes_in(web, peer, udp(ports=(999, 2000), **into))
        assert not passes_in(web, peer, udp(ports=(999, 54), **into))
        assert passes_in(web, peer, udp(ports=(999, 5001), **into))
        assert passes_out(web, peer, udp(ports=(53, 9999))) and passes_out(web, peer, udp(ports=(2000, 1)))
        # both directions are written as what comes in
        assert not passes_out(web, peer, udp(ports=(54, 9999))) and passes_out(web, peer, udp(ports=(9999, 54)))

    def test_connections_and_their_answers(self, client, guest, peer, daemon):
        define(client, "server", GUARD + "<rule action='accept' direction='in' priority='100'><udp dstportstart='53'/></rule>"
               "<rule action='accept' direction='out' priority='100'><all dstipaddr='10.88.0.77'/></rule>"
               "<rule action='drop' direction='inout' priority='1000'><all/></rule>")
        web = guest(reference("server"))
        into = {"source": PEER, "target": ADDRESS, "mac": OTHER_MAC, "to": MAC}
        assert not passes_out(web, peer, udp(ports=(53, 999)))  # an answer to nobody
        assert passes_in(web, peer, udp(ports=(999, 53), **into)) and not passes_in(web, peer, udp(ports=(999, 54), **into))
        assert passes_out(web, peer, udp(ports=(53, 999))) and not passes_out(web, peer, udp(ports=(53, 998)))
        daemon.kill()
        daemon.start()
        assert passes_out(web, peer, udp(ports=(53, 999)))  # the connection is kept
        into["source"] = "10.88.0.77"
        assert not passes_in(web, peer, udp(ports=(5, 6), **into))
        assert passes_out(web, peer, udp(target="10.88.0.77", ports=(6, 5))) and passes_in(web, peer, udp(ports=(5, 6), **into))

    def test_chains_and_frames(self, client, guest, peer):
        define(client, "vlans", GUARD + "<rule action='drop' direction='out'><vlan vlanid='7'/></rule>")
        define(client, "stp", "<rule action='drop' direction='out'><stp type='0x80' root-priority='1' root-priority-hi='9'/></rule>",
               chain="stp-mine")
        define(client, "both", reference("vlans") + reference("stp"))
        web = guest(reference("both"))
        for number, passes in ((7, False), (8, True)):
            tagged = frame(MAC, OTHER_MAC, 0x8100, struct.pack("!HH", number, 0x88b5) + b"tagged")
            guard = mark()
            web.send(tagged)
            web.send(guard)
            found = []
            while guard not in found:
                found.append(peer.read())
            assert (len(found) == 2) == passes  # the kernel shows the tag beside the frame
        assert re.search(r"ether daddr 01:80:c2:00:00:00 jump from/\d+/stp-mine", rules())

    @pytest.mark.parametrize("negated", [False, True])
    def test_who_asks_for_itself(self, client, guest, peer, negated):
        match = "match='no'" if negated else ""
        define(client, "own", f"<rule action='drop' direction='out'><arp {match} gratuitous='true'/></rule>")
        web = guest(reference("own"))
        for address in (ADDRESS, OTHER_ADDRESS):
            assert passes_out(web, peer, arp(address=address, asked=address)) == negated
            assert passes_out(web, peer, arp(address=address)) != negated
        assert passes_out(web, peer, udp())
        web.machine.destroy()
        wait_for(lambda: "same/" not in rules())


def tcp(ports, source=PEER, target=ADDRESS, mac=OTHER_MAC, to=MAC, flags=2):
    """One that begins a connection."""
    body = struct.pack("!HHIIBBHHH", *ports, 1, 0, 0x50, flags, 1024, 0, 0)
    pseudo = ip_bytes(source) + ip_bytes(target) + struct.pack("!BBH", 0, 6, len(body))
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 0, 0, 64, 6, 0, ip_bytes(source), ip_bytes(target))
    return frame(mac, to, 0x800, header[:10] + checksum(header) + header[12:] + body[:16] + checksum(pseudo + body) + body[18:])


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return struct.pack("!H", ~(total + (total >> 16)) & 0xffff)


class TestKernel:
    """What needs nf_conntrack_bridge and nft_reject_bridge, which tests/vm/host-inside.sh has if nobody else does."""

    @pytest.fixture(autouse=True)
    def needs(self):
        said = what_the_kernel_says("ct state new accept") + what_the_kernel_says("reject")
        if said:
            pytest.skip("this kernel does not track connections on bridges, tests/vm/systemd.sh host shows it: " + said)

    def test_states(self, client, guest, peer):
        define(client, "answers", GUARD + "<rule action='accept' direction='in' priority='100'><udp state='ESTABLISHED,RELATED'/></rule>"
               "<rule action='accept' direction='out' priority='100'><udp state='NEW,ESTABLISHED'/></rule>"
               "<rule action='drop' direction='inout' priority='200'><udp/></rule>")
        web = guest(reference("answers"))
        answer = udp(PEER, ADDRESS, OTHER_MAC, MAC, ports=(2000, 1000))
        assert not passes_in(web, peer, answer)
        assert passes_out(web, peer, udp())
        assert passes_in(web, peer, answer)
        assert not passes_in(web, peer, udp(PEER, ADDRESS, OTHER_MAC, MAC, ports=(2001, 1000)))

    def test_no_more_connections_than_allowed(self, client, guest, peer):
        define(client, "few", GUARD + "<rule action='drop' direction='in' priority='100'><tcp connlimit-above='2'/></rule>")
        web = guest(reference("few"))
        assert [passes_in(web, peer, tcp((1000 + i, 80))) for i in range(4)] == [True, True, False, False]
        assert passes_in(web, peer, tcp((1000, 80), source="10.88.0.10"))  # each source has its own

    def test_a_refusal_is_answered(self, client, guest, peer):
        define(client, "refusing", GUARD + "<rule action='reject' direction='out' priority='100'><udp dstportstart='2000'/></rule>")
        web = guest(reference("refusing"))
        web.send(udp(to=OTHER_MAC))
        while True:
            answer = web.read()
            if answer[:6] == mac_bytes(MAC) and answer[12:14] == b"\x08\0" and answer[23] == 1:  # ICMP
                break
        assert answer[34:36] == b"\x03\x03" and answer[26:30] == ip_bytes(PEER)  # port unreachable
        assert passes_out(web, peer, udp(ports=(1000, 2001)))
        assert not passes_out(web, peer, udp())


class TestLearning:
    def test_the_first_address_is_the_guests(self, client, guest, peer):
        define(client, "own", NO_SPOOFING)
        web = guest(reference("own"))
        assert not passes_out(web, peer, udp(mac=OTHER_MAC))  # not learnt from
        web.send(arp(address="0.0.0.0"))  # a probe says nothing
        web.send(arp())  # lost, but understood
        wait_for(lambda: ADDRESS in rules())
        assert passes_out(web, peer, arp()) and passes_out(web, peer, udp())
        assert not passes_out(web, peer, udp(source=OTHER_ADDRESS))

    def test_of_dhcp_alone(self, client, guest, peer):
        define(client, "own", NO_SPOOFING)
        web = guest(reference("own", CTRL_IP_LEARNING="dhcp", DHCPSERVER=PEER))
        assert not passes_out(web, peer, arp())
        for bad in (dhcp_answer(OTHER_ADDRESS, mac=OTHER_MAC), dhcp_answer(OTHER_ADDRESS, server="10.88.0.66"),
                    dhcp_answer(OTHER_ADDRESS, message=2)):
            assert passes_in(web, peer, bad)
        assert passes_in(web, peer, dhcp_answer(ADDRESS))
        wait_for(lambda: re.search(ADDRESS + " timeout", rules()))
        assert OTHER_ADDRESS not in rules()
        assert passes_out(web, peer, arp()) and not passes_out(web, peer, arp(address=OTHER_ADDRESS))

    def test_none_is_an_error_that_names_it(self, client, tmp_path):
        define(client, "own", NO_SPOOFING)
        for parameters, word in (({"CTRL_IP_LEARNING": "none"}, "variable IP"), ({"CTRL_IP_LEARNING": "guess"}, "'guess'"),
                                 ({"IP": "1.2.3.4\" accept"}, "variable")):
            web = Guest(client, tmp_path / "qemu", reference("own", **{k: v.replace('"', "&quot;") for k, v in parameters.items()}),
                        name=f"web{len(word)}")
            with pytest.raises(BusError) as e:
                web.machine.create()
            assert word in e.value.message
            web.socket.close()
        assert chains() == set()


class TestChange:
    def test_takes_effect_on_running_guests_or_is_refused_whole(self, client, guest, peer):
        identity = str(uuid.uuid4())
        inner = define(client, "inner", GUARD, filter_uuid=identity)
        outer = define(client, "outer", reference("inner"))
        changes = client.listen(path=inner, interface="org.freedesktop.DBus.Properties", member="PropertiesChanged")
        web = guest(reference("outer"))
        assert passes_out(web, peer, arp())
        for path in (inner, outer):
            assert client.get(path, NATIVE_FILTER, "UsedBy") == [web.machine.path]
        wait_for(lambda: any("UsedBy" in s.values[1] for s in changes.signals))
        drop = GUARD + "<rule action='drop' direction='out'><arp/></rule>"
        define(client, "inner", drop, filter_uuid=identity)
        assert not passes_out(web, peer, arp())
        before = client.call(inner, FILTER, "GetXMLDesc", "u", 0), rules()
        for content, word in ((GUARD + "<rule action='drop' direction='in'><tcp dstportstart='$WHAT'/></rule>", "WHAT"),
                              (reference("absent"), "'absent'"),
                              ("<rule action='drop' direction='in'><all ipset='x' ipsetflags='src'/></rule>", "ipset")):
            with pytest.raises(BusError) as e:
                define(client, "inner", content, filter_uuid=identity)
            assert word in e.value.message and "web" in e.value.message
        assert (client.call(inner, FILTER, "GetXMLDesc", "u", 0), rules()) == before
        with pytest.raises(BusError) as e:
            client.call(outer, FILTER, "Undefine")
        assert "in use by" in e.value.message and "web" in e.value.message
        web.machine.destroy()
        assert client.get(inner, NATIVE_FILTER, "UsedBy") == []
        client.call(outer, FILTER, "Undefine")
        client.call(inner, NATIVE_FILTER, "Undefine")

    @pytest.mark.qemu
    def test_an_interface_that_is_not_plugged_in_has_none(self, client):
        path = define(client, "late", "<rule action='drop' direction='in'><tcp/></rule>")
        web = define_machine(client, definition("web"))
        web.create()
        with pytest.raises(BusError) as e:
            web.call("AttachDevice", "su", f"<interface type='bridge'><mac address='{OTHER_MAC}'/>"
                             f"<source bridge='vfnone'/><model type='e1000'/>{reference('late')}</interface>", 1)
        assert "vfnone" in e.value.message
        client.call(path, FILTER, "Undefine")
        wait_for(lambda: chains() == set())
        web.destroy()

    def test_after_somebody_has_flushed_all_rules(self, daemon, client, guest, peer):
        define(client, "closed", GUARD + "<rule action='drop' direction='out'><arp/></rule>")
        web = guest(reference("closed"))
        assert not passes_out(web, peer, arp())
        for _ in range(2):
            run("nft", "flush", "ruleset")
            wait_for(lambda: chains() == {web.index})
            assert not passes_out(web, peer, arp())
        assert "the kernel has lost filters of machines" in daemon.read_log()

    REMOVED = ("delete rule bridge virtbus from/{index} handle {rule}", "flush chain bridge virtbus from/{index}",
               "delete element bridge virtbus from {{ {index} }}", "insert rule bridge virtbus from/{index} accept",
               "flush chain bridge virtbus prerouting")
    REPLACED = ("replace rule bridge virtbus from/{index} handle {rule} accept",
                "replace rule bridge virtbus prerouting handle {jump} accept",
                "delete element bridge virtbus from {{ {index} }}; add element bridge virtbus from {{ {index} : accept }}",
                "add chain bridge virtbus prerouting {{ policy drop; }}", "add table bridge virtbus {{ flags dormant; }}",
                "delete chain bridge virtbus prerouting; "
                "add chain bridge virtbus prerouting {{ type filter hook prerouting priority 7; }}")

    # What is no device's; the third drops all.
    ADDED = ("add chain bridge virtbus theirs", "add set bridge virtbus from/0 {{ type ipv4_addr; }}",
             "add chain bridge virtbus theirs {{ type filter hook prerouting priority -400; policy drop; }}",
             "add map bridge virtbus ours {{ type ifname : verdict; }}; add chain bridge virtbus a/b; "
             "add element bridge virtbus ours {{ x : jump a/b }}")

    @pytest.mark.parametrize("changes", [REMOVED, REPLACED, ADDED], ids=["removed", "replaced", "added"])
    def test_after_somebody_has_changed_a_part(self, daemon, client, guest, peer, changes):
        """A rule, a chain's content, what leads to it, or something too much: what is lost comes back, and the rest stays."""
        define(client, "own", NO_SPOOFING)
        web, other = guest(reference("own", IP=ADDRESS)), guest(reference("own", IP=OTHER_ADDRESS), name="other")
        run("nft", "add table bridge theirs; add chain bridge theirs c; add rule bridge theirs c accept")
        theirs = run("nft", "-a", "list", "table", "bridge", "theirs").stdout

        def listed():
            return sorted(run("nft", "-s", "list", "table", "bridge", "virtbus").stdout.split())

        def chain(name):
            return run("nft", "-a", "list", "chain", "bridge", "virtbus", name).stdout
        before, kept = listed(), chain(f"from/{other.index}")
        for count, words in enumerate(changes, start=1):
            rule = re.search(r"drop # handle (\d+)", chain(f"from/{web.index}")).group(1)
            jump = re.search(r"vmap @from # handle (\d+)", chain("prerouting")).group(1)
            run("nft", words.format(index=web.index, rule=rule, jump=jump))
            wait_for(lambda: daemon.read_log().count("the kernel has lost") == count, 10, words)
            wait_for(lambda: listed() == before, 10, words)
            assert passes_out(web, peer, udp()) and not passes_out(web, peer, udp(source=OTHER_ADDRESS))
        assert chain(f"from/{other.index}") == kept
        assert run("nft", "-a", "list", "table", "bridge", "theirs").stdout == theirs
        run("nft", "delete", "table", "bridge", "theirs")

    def test_what_cannot_be_set_again(self, daemon, client, guest, tmp_path):
        """After ten times in a row nothing is set; once all is as it should be, the next change is undone again."""
        define(client, "own", NO_SPOOFING)
        web = guest(reference("own", IP=ADDRESS))
        with instead_of("nft", "[ \"$*\" = '-f -' ] || exec $real \"$@\"; sed '/ theirs$/d' | $real -f -", tmp_path):
            run("nft", "add", "chain", "bridge", "virtbus", "theirs")
            wait_for(lambda: "filters of machines in the kernel again and again" in daemon.read_log(), 60)
        assert daemon.read_log().count("the kernel has lost filters of machines") == 9
        run("nft", "delete", "chain", "bridge", "virtbus", "theirs")
        wait_for(lambda: "filters of machines are what they should be again" in daemon.read_log(), 60)
        run("nft", "flush", "ruleset")
        wait_for(lambda: chains() == {web.index})

    def test_what_is_not_known(self, daemon, client, guest, tmp_path):
        """What nft does not tell is not taken for a loss; without a rehearsal it is enough that something is there, and the log
        says so once."""
        define(client, "own", NO_SPOOFING)
        with instead_of("unshare", "exit 1", tmp_path):
            web = guest(reference("own", IP=ADDRESS))
            for count in range(1, 4):
                run("nft", "flush", "ruleset")
                wait_for(lambda: daemon.read_log().count("the kernel has lost filters of machines") == count)  # noqa: B023
                wait_for(lambda: chains() == {web.index})
        assert daemon.read_log().count("what somebody changes in filters of machines is not noticed") == 1
        with instead_of("nft", 'case "$*" in *"list table bridge"*) exit 1; esac; exec "$real" "$@"', tmp_path):
            run("nft", "add", "table", "ip", "theirs")
            wait_for(lambda: "Cannot see whether the kernel has all filters of machines" in daemon.read_log())
        assert daemon.read_log().count("the kernel has lost filters of machines") == 3
        run("nft", "flush", "ruleset")
        wait_for(lambda: chains() == {web.index})

    def test_what_was_replaced_while_no_daemon_ran(self, daemon, client, guest, peer):
        define(client, "own", NO_SPOOFING)
        web = guest(reference("own", IP=ADDRESS))
        before, index = sorted(run("nft", "-s", "list", "table", "bridge", "virtbus").stdout.split()), web.index
        daemon.kill()
        listed = run("nft", "-a", "list", "chain", "bridge", "virtbus", f"from/{index}").stdout
        for handle in re.findall(r"drop # handle (\d+)", listed):
            run("nft", f"replace rule bridge virtbus from/{index} handle {handle} accept")
        assert passes_out(web, peer, udp(source=OTHER_ADDRESS))
        daemon.start()
        wait_for(lambda: sorted(run("nft", "-s", "list", "table", "bridge", "virtbus").stdout.split()) == before)
        assert passes_out(web, peer, udp()) and not passes_out(web, peer, udp(source=OTHER_ADDRESS))

    def test_a_filter_that_is_not_there(self, client, tmp_path):
        web = Guest(client, tmp_path / "qemu", reference("absent"))
        with pytest.raises(BusError) as e:
            web.machine.create()
        assert e.value.name == "org.libvirt.Error.Nwfilter" or "no network filter 'absent'" in e.value.message
        assert run("ip", "-json", "link", "show", "master", "vfbr").stdout.strip() in ("[]", "")
        web.socket.close()


@pytest.mark.system
class TestShipped:
    @pytest.fixture
    def root(self, system_daemon):
        return system_daemon.client()

    def find(self, client, name):
        return client.call(QEMU, CONNECT, "NWFilterLookupByName", "s", name)

    def test_clean_traffic(self, root, root_dir, peer):
        define(root, "guarded", GUARD + reference("clean-traffic"))
        web = Guest(root, root_dir, reference("guarded", IP=ADDRESS)).start()
        assert passes_out(web, peer, arp()) and passes_out(web, peer, udp())
        assert passes_in(web, peer, udp(PEER, ADDRESS, OTHER_MAC, MAC)) and passes_in(web, peer, arp(OTHER_MAC, PEER, ADDRESS))
        for bad in (arp(OTHER_MAC, sender=MAC), arp(address=OTHER_ADDRESS), udp(source=OTHER_ADDRESS), udp(mac=OTHER_MAC),
                    frame(MAC, BROADCAST, 0x86dd, bytes(40)), frame(MAC, BROADCAST, 0x8035, bytes(28))):
            assert not passes_out(web, peer, bad)
        assert passes_out(web, peer, udp("0.0.0.0", "255.255.255.255", ports=(68, 67)))
        assert root.get(self.find(root, "no-arp-ip-spoofing"), NATIVE_FILTER, "UsedBy") == [web.machine.path]
        web.machine.destroy()
        web.socket.close()

    def test_each_is_taken_by_the_kernel(self, root, root_dir):
        identity = str(uuid.uuid4())
        names = [root.get(path, FILTER, "Name") for path in root.call(QEMU, CONNECT, "ListNWFilters", "u", 0)]
        define(root, "each", GUARD, filter_uuid=identity)
        web = Guest(root, root_dir, reference("each")).start()
        for name in names:
            server = "fe80::1" if name.startswith("allow-dhcpv6") else PEER
            define(root, "each", reference(name, DHCPSERVER=server, GATEWAY_MAC=OTHER_MAC, IPV6="fd00::5"),
                   filter_uuid=identity)
            assert chains() == {web.index} and re.search(r"\b(drop|accept)\n", rules()), name
        web.machine.destroy()
        web.socket.close()

    def test_changed_and_as_it_came_again(self, system_daemon, root):
        paths = root.call(QEMU, CONNECT, "ListNWFilters", "u", 0)
        assert len(paths) == 24
        path = self.find(root, "allow-arp")
        known = root.get_all(path, NATIVE_FILTER)
        assert (known["Chain"], known["Priority"], known["Origin"], known["Owner"]) == ("arp", -500, "shipped", 0)
        with pytest.raises(BusError) as e:
            root.call(path, FILTER, "Undefine")
        assert "comes with virtbus" in e.value.message
        before = root.call(path, NATIVE_FILTER, "GetXML", "a{sv}", {})
        changed = before.replace("accept", "drop")
        assert root.call(QEMU, CONNECT, "NWFilterDefineXML", "s", changed) == path
        system_daemon.kill()
        system_daemon.start()
        root = system_daemon.client()
        assert root.call(path, NATIVE_FILTER, "GetXML", "a{sv}", {}) == changed
        assert root.get(path, NATIVE_FILTER, "Origin") == "modified"
        assert sorted(root.call(QEMU, CONNECT, "ListNWFilters", "u", 0)) == sorted(paths)
        root.call(path, FILTER, "Undefine")
        assert root.call(path, NATIVE_FILTER, "GetXML", "a{sv}", {}) == before
        assert root.get(path, NATIVE_FILTER, "Origin") == "shipped"
        with pytest.raises(BusError):
            root.call(path, NATIVE_FILTER, "GetXML", "a{sv}", {"inactive": GLib.Variant("b", True)})


class TestTakenBack:
    def test_kept_with_what_was_learnt(self, daemon, client, guest, peer):
        define(client, "own", NO_SPOOFING)
        web = guest(reference("own"))
        web.send(arp())
        wait_for(lambda: ADDRESS in rules())
        handles = run("nft", "-a", "list", "table", "bridge", "virtbus").stdout
        daemon.kill()
        assert passes_out(web, peer, udp()) and not passes_out(web, peer, udp(source=OTHER_ADDRESS))
        daemon.start()
        assert run("nft", "-a", "list", "table", "bridge", "virtbus").stdout == handles  # untouched
        assert passes_out(web, peer, udp()) and not passes_out(web, peer, udp(source=OTHER_ADDRESS))
        with pytest.raises(BusError):
            client.call(client.call(QEMU, CONNECT, "NWFilterLookupByName", "s", "own"), FILTER, "Undefine")

    def test_what_cannot_be_made_anew_stays(self, daemon, client, guest, peer):
        identity = str(uuid.uuid4())
        define(client, "own", NO_SPOOFING, filter_uuid=identity)
        web = guest(reference("own", IP=ADDRESS))
        daemon.kill()
        (stored,) = daemon.root.glob(f"**/nwfilter/{identity}.xml")
        stored.unlink()
        daemon.start()
        assert chains() == {web.index} and not passes_out(web, peer, udp(source=OTHER_ADDRESS))
        define(client, "own", GUARD, filter_uuid=identity)
        assert passes_out(web, peer, udp(source=OTHER_ADDRESS))
        web.machine.destroy()
        wait_for(lambda: chains() == set())

    def test_what_is_missing_is_made_again_and_what_is_left_is_removed(self, daemon, client, guest, peer):
        define(client, "own", NO_SPOOFING)
        web = guest(reference("own", IP=ADDRESS))
        index = web.index
        other = guest(reference("own", IP=OTHER_ADDRESS), name="other")
        gone = other.index
        assert chains() == {index, gone}
        pid = other.fake.runs()[-1]["pid"]
        daemon.kill()
        os.kill(pid, signal.SIGKILL)
        run("nft", "flush", "chain", "bridge", "virtbus", f"version/{index}/{version_of(index)}")
        run("nft", "delete", "chain", "bridge", "virtbus", f"version/{index}/{version_of(index)}")
        daemon.start()
        wait_for(lambda: chains() == {index})
        assert passes_out(web, peer, udp()) and not passes_out(web, peer, udp(source=OTHER_ADDRESS))
        daemon.kill()
        run("nft", "delete", "table", "bridge", "virtbus")
        daemon.start()
        assert chains() == {index} and not passes_out(web, peer, udp(source=OTHER_ADDRESS))

    @pytest.mark.parametrize("action, step", [("Create", step) for step in ("begun", "device", "filter", "plugged", "process")]
                             + [("Destroy", step) for step in ("begun", "unplugged", "ended")])
    def test_killed_in_the_middle(self, daemon, client, tmp_path, action, step):
        """Whatever a start or an end got to: no filter without a machine, no machine without its filter."""
        define(client, "own", NO_SPOOFING)
        web = Guest(client, tmp_path / "qemu", reference("own", IP=ADDRESS) + "<target dev='vfguest'/>")
        if action == "Destroy":
            web.start()
        steps = {"begun": lambda: True, "device": lambda: link("vfguest"), "filter": chains,
                 "plugged": lambda: link("vfguest") and link("vfguest").get("master"), "process": web.fake.runs,
                 "unplugged": lambda: not link("vfguest"), "ended": lambda: not chains()}
        web.machine.begin(action, "u", 0)
        wait_for(steps[step])
        daemon.kill()
        daemon.start()
        web.machine.client = daemon.client()

        def is_settled():
            device = link("vfguest")
            return chains() == ({device["ifindex"]} if device else set()) and bool(device) == (web.machine.state[0] == 1)
        wait_for(is_settled)
        web.socket.close()


def version_of(index):
    return re.search(rf"chain version/{index}/(\w+)", rules()).group(1)
