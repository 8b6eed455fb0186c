"""Every attribute that libvirt's documentation has for a protocol of a filter: taken, told again, and taken by the kernel as
a rule that says more than its verdict. The tables are written from that documentation, not from the daemon's."""

import os
import pathlib
import re
import uuid

import pytest

from filtered import FILTER, Guest, define, reference, rules, run, what_the_kernel_says
from harness import BusError

pytestmark = pytest.mark.skipif(not os.environ.get("VIRTBUS_NAMESPACE"), reason="only inside tests/bus/run, started as root")

# Attributes with values; those in one text need each other.
ETHERNET = ("srcmacaddr='1:2:3:4:5:6'", "srcmacaddr='1:2:3:4:5:6' srcmacmask='FF:FF:FF:FC:00:00'",
            "dstmacaddr='aa:bb:cc:dd:ee:ff'", "dstmacaddr='aa:bb:cc:dd:ee:ff' dstmacmask='ff:ff:ff:00:00:00'")
PORTS = ("srcportstart='20'", "srcportstart='20' srcportend='0x16'", "dstportstart='100'", "dstportstart='100' dstportend='1111'",
         "srcportend='7'")
DSCP = ("dscp='0'", "dscp='0x3f'")
SOURCE = ("srcmacaddr='1:2:3:4:5:6'",)
# What nft says of each.
KERNEL = {"state='NEW,ESTABLISHED'": "ct state established,new", "state='RELATED,INVALID'": "ct state invalid,related", "state='NONE'": "",
          "connlimit-above='3'": "ct count over 3"}
TYPES = ("type='8'", "type='0x0' code='255'", "code='3'")


def addresses(one, other, mask, odd):
    return (f"srcipaddr='{one}'", f"srcipaddr='{one}' srcipmask='{mask}'", f"srcipaddr='{one}' srcipmask='{odd}'",
            f"dstipaddr='{one}'", f"dstipaddr='{one}' dstipmask='{mask}'", f"dstipaddr='{one}' dstipmask='{odd}'")


def ranges(one, other):
    return (f"srcipfrom='{one}' srcipto='{other}'", f"dstipfrom='{one}' dstipto='{other}'", f"srcipfrom='{one}'", f"dstipfrom='{one}'")


IPV4 = addresses("10.1.2.3", "10.1.2.9", "255.255.248.0", "255.0.255.0") + DSCP
IPV6 = addresses("a:b:c::d:e:f", "a:b:c::d:e:ff", "FFFF:FFFF:FC00::", "ffff:0:ffff::") + DSCP
IP = SOURCE + IPV4 + ranges("10.1.2.3", "10.1.2.9")
IP6 = SOURCE + IPV6 + ranges("a:b:c::d:e:f", "a:b:c::d:e:ff")
ARP = ETHERNET + tuple(f"opcode='{word}'" for word in (
    "Request", "Reply", "Request_Reverse", "Reply_Reverse", "DRARP_Request", "DRARP_Reply", "DRARP_Error", "InARP_Request",
    "ARP_NAK", "1", "0xb")) + (
    "hwtype='12'", "protocoltype='0x800'", "arpsrcmacaddr='6:5:4:3:2:1'", "arpdstmacaddr='a:b:c:d:e:f'", "arpsrcipaddr='10.1.2.3'",
    "arpsrcipaddr='10.1.2.3' arpsrcipmask='24'", "arpdstipaddr='10.1.2.3'", "arpdstipaddr='10.1.2.3' arpdstipmask='255.255.0.0'",
    "gratuitous='true'", "gratuitous='yes'", "gratuitous='1'")
STP_RANGES = ("root-priority", "root-cost", "sender-priority", "port", "msg-age", "age", "max-age", "hello-time", "forward-delay")
STP = ETHERNET[:2] + ("type='0x12'", "flags='68'", "root-address='6:5:4:3:2:1'",
                      "root-address='6:5:4:3:2:1' root-address-mask='ff:ff:ff:ff:ff:0'", "sender-address='6:5:4:3:2:1'",
                      "sender-address='6:5:4:3:2:1' sender-address-mask='ff:ff:ff:ff:ff:0'", "port='7' port_hi='9'",
                      ) + tuple(f"{name}='0x1234'" for name in STP_RANGES) + tuple(f"{name}='6' {name}-hi='0xffff'" for name in STP_RANGES)
TCP = tuple(f"flags='{mask}/{flags}'" for mask, flags in (("SYN", "ALL"), ("SYN,ACK,URG,PSH,FIN,RST", "SYN,ACK"), ("ALL", "NONE"))
            ) + ("option='8'",)

PROTOCOLS = {
    "mac": ETHERNET + tuple(f"protocolid='{kind}'" for kind in ("arp", "rarp", "ipv4", "ipv6", "0x600", "65535")),
    "vlan": ETHERNET + ("vlanid='0'", "vlanid='0xfff'") + tuple(
        f"encap-protocol='{kind}'" for kind in ("arp", "ipv4", "ipv6", "0x03c", "0xfff", "0x806")),
    "stp": STP, "arp": ARP, "rarp": ARP,
    "ip": ETHERNET + IPV4 + tuple(f"protocol='{kind}'" for kind in ("tcp", "udp", "udplite", "esp", "ah", "icmp", "igmp", "sctp",
                                                                   "0", "255")) + tuple(f"protocol='tcp' {p}" for p in PORTS),
    "ipv6": ETHERNET + IPV6 + tuple(f"protocol='{kind}'" for kind in ("tcp", "udp", "udplite", "esp", "ah", "icmpv6", "sctp", "58")
                                    ) + tuple(f"protocol='udp' {p}" for p in PORTS) + tuple(
        f"protocol='icmpv6' {t}" for t in ("type='1'", "type='1' typeend='9'", "code='1'", "type='2' code='1' codeend='0xff'")),
    "tcp": IP + PORTS + TCP, "udp": IP + PORTS, "sctp": IP + PORTS, "icmp": IP + TYPES,
    "igmp": IP, "esp": IP, "ah": IP, "udplite": IP, "all": IP,
    "tcp-ipv6": IP6 + PORTS + TCP, "udp-ipv6": IP6 + PORTS, "sctp-ipv6": IP6 + PORTS, "icmpv6": IP6 + TYPES,
    "esp-ipv6": IP6, "ah-ipv6": IP6, "udplite-ipv6": IP6, "all-ipv6": IP6,
}
FRAMES = ("mac", "vlan", "stp", "arp", "rarp", "ip", "ipv6")


@pytest.fixture(autouse=True)
def bridge():
    run("ip", "link", "add", "vfbr", "type", "bridge")
    run("ip", "link", "set", "vfbr", "up")
    yield
    run("ip", "link", "del", "vfbr")
    run("nft", "delete", "table", "bridge", "virtbus", check=False)


class Language:
    """A filter that a running machine has: what is defined has to be taken by the kernel."""

    def __init__(self, client, folder):
        self.client, self.identity = client, str(uuid.uuid4())
        self.path = define(client, "all", "", filter_uuid=self.identity)
        self.guest = Guest(client, folder, reference("all")).start()
        self.index = self.guest.index

    def define(self, content):
        define(self.client, "all", content, filter_uuid=self.identity)
        return self.client.call(self.path, FILTER, "GetXMLDesc", "u", 0)

    def lines(self, direction):
        """The rules of the device, one a line however nft breaks them."""
        found = re.search(rf"\tchain {direction}/{self.index} {{\n(.*?)\n\t}}", rules(), re.S)
        return re.sub(r"\n\t{3,}\s*", " ", found.group(1)).split("\n") if found else []


@pytest.fixture
def language(client, tmp_path):
    language = Language(client, tmp_path / "qemu")
    yield language
    language.guest.machine.destroy()
    language.guest.socket.close()


def rule(protocol, attributes, direction="out", more=""):
    return f"<rule action='drop' direction='{direction}' {more}><{protocol} {attributes}/></rule>"


def meanings(attributes):
    """How many there are of a rule: an address and its mask, or the ends of a range, say one thing."""
    return len({re.sub("(addr|-?mask|start|end|[-_]hi|from|to)$", "", name) for name in re.findall(r"([\w-]+)=", attributes)})


def check_attributes(language, protocol):
    all_of_it = PROTOCOLS[protocol]
    told = language.define("".join(rule(protocol, each) for each in all_of_it))
    names = {name for each in all_of_it for name in re.findall(r"([\w-]+)=", each)}
    known = {"msg-age": "age", "msg-age-hi": "age-hi", "port_hi": "port-hi"}
    assert {known.get(name, name) for name in names} <= set(re.findall(r"([\w-]+)=", told))
    layer = "from" if protocol in FRAMES else "from-ip"
    plain = language.lines(layer)
    language.define("".join(rule(protocol, "match='no' " + each) for each in all_of_it))
    negated = language.lines(layer)
    language.define("".join(rule(protocol, each, "in") for each in all_of_it))
    backward = language.lines("to" if protocol in FRAMES else "to-ip")
    language.define(rule(protocol, "") if protocol != "mac" else "<rule action='drop' direction='out'/>")
    (bare,) = language.lines(layer)
    for lines in (plain, negated, backward):
        assert len(lines) == len(all_of_it), lines
    for attributes, line, other, back in zip(all_of_it, plain, negated, backward, strict=True):
        assert line != bare and line.endswith(" drop"), (attributes, line)
        if attributes == "flags='ALL/NONE'":  # nft has words of its own for whether there are any
            assert " flags ! fin," in line and other == line.replace(" ! ", " "), (line, other)
        else:
            assert other.count(" != ") + other.count(" missing ") == meanings(attributes), (attributes, line, other)
            assert "!=" not in line and "missing" not in line, (attributes, line)
        assert back != bare and back.endswith(" drop"), (attributes, back)


def test_every_attribute(language):
    """In the guest's direction, in the other, and negated: as many different rules as there are, with something to match."""
    for protocol in PROTOCOLS:
        check_attributes(language, protocol)


def check_connections(language, protocol, can):
    for attribute, words in KERNEL.items():
        if can or not words:
            language.define(rule(protocol, attribute))
            (line,) = language.lines("from-ip")
            assert words in line and (words or " ct " not in line) and line.endswith(" drop"), (attribute, line)
            continue
        before = rules()
        with pytest.raises(BusError) as error:
            language.define(rule(protocol, attribute))
        assert f"<{protocol}>: {attribute.split('=')[0]} needs" in error.value.message and "nf_conntrack_bridge" in error.value.message
        assert rules() == before
    with pytest.raises(BusError) as error:
        language.define(rule(protocol, "ipset='blocked' ipsetflags='src,dst'"))
    assert "ipset is not supported" in error.value.message


def test_connections(language):
    """What a kernel that tracks them takes; on another each is refused by its name, and nothing is changed."""
    can = not what_the_kernel_says("ct state new accept")
    for protocol in PROTOCOLS:
        if protocol not in FRAMES:
            check_connections(language, protocol, can)


def test_elements_of_one_rule(language):
    """What is meant and what is not, in one rule; comments, which change nothing."""
    told = language.define("<rule action='drop' direction='out'><arp opcode='Reply'/><arp match='no' arpsrcmacaddr='$MAC'/></rule>"
                           "<rule action='accept' direction='in' statematch='0'><udp dstportstart='53' comment='a name'/>"
                           "<udp match='no' srcipaddr='10.1.2.3'/></rule>")
    assert "<arp opcode='Reply'/>" in told and "<arp match='no' arpsrcmacaddr='$MAC'/>" in told
    assert language.lines("from") == ["\t\tarp operation reply arp saddr ether != 52:54:00:00:00:01 drop"]
    assert language.lines("to-ip") == ["\t\tip protocol udp ip saddr != 10.1.2.3 udp dport 53 accept comment \"a name\""]
    for content, word in (("<tcp dstportstart='1'/><tcp match='no' dstportstart='2'/>", "dstportstart already"),
                          ("<tcp/><udp/>", "one protocol"),
                          ("<tcp dstportstart='1'/><tcp match='no' dstportend='2'/>", "belong together")):
        with pytest.raises(BusError) as error:
            language.define(f"<rule action='drop' direction='out'>{content}</rule>")
        assert word in error.value.message


def test_every_action_and_priority(language):
    for action in ("accept", "drop", "reject", "return", "continue"):
        language.define("".join(f"<rule action='{action}' direction='{direction}' priority='{priority}'><mac/></rule>"
                                for direction in ("in", "out", "inout") for priority in (-1000, 0, 1000)))
        for direction in ("from", "to"):  # whoever sends to the guest is told nothing
            said = "drop" if action == "reject" and (direction == "to" or what_the_kernel_says("reject")) else action
            assert language.lines(direction) == [f"\t\t{said}"] * 6


def test_every_chain(language, client):
    """By its own priority, in its own chain, for the frames of its protocol."""
    matches = {"stp": "ether daddr 01:80:c2:00:00:00 ", "mac": "", "vlan": "ether type 8021q ", "ipv4": "ether type ip ",
               "ipv6": "ether type ip6 ", "arp": "ether type arp ", "rarp": "ether type 0x8035 "}
    for name in matches:
        define(client, name, "<rule action='drop' direction='out'/>", chain=name)
        define(client, name + "-mine", "<rule action='return' direction='out'/>", chain=name + "-mine")
    language.define("".join(reference(name) + reference(name + "-mine") for name in reversed(matches)))
    assert language.lines("from") == [f"\t\t{match}jump from/{language.index}/{name}{more}" for name, match in matches.items()
                                      for more in ("", "-mine")]


def test_the_tables_of_the_test_are_whole():
    """Each attribute that the daemon's model knows is tried here."""
    source = (pathlib.Path(__file__).resolve().parents[2] / "service/model/nwfilter.c").read_text()
    known = set(re.findall(r'\{ "([\w-]+)", FILTER_VALUE_', source))
    tried = {name for texts in PROTOCOLS.values() for each in (*texts, *KERNEL) for name in re.findall(r"([\w-]+)=", each)}
    assert known - tried == {"comment", "ipset", "ipsetflags"}
