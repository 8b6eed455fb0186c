#!/usr/bin/python3
"""applied.py CORPUS BUS WORK: rules of the kernel, for the definitions of the corpus's kinds network-fw and nwfilter-fw.

Their references are commands of iptables and ebtables; virtbus makes rules of nftables, so that texts say nothing. Networks
are started for real, and what the kernel has then is compared with the reference by what the two mean: which addresses get
out, which answers and which others in, what is translated (`out`, F1 in percent; `outX`, cases that are the same). Filters
are applied for real to the device of a machine that starts; nft and the kernel judge them (`acc`). In both cases nothing
may be left at the end. Ends with a line of JSON, in the form of score.py's. Runs in a network namespace of its own."""

import ipaddress
import json
import pathlib
import re
import subprocess
import sys

CORPUS, BUS, WORK = (pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3]))
sys.path.insert(0, str(CORPUS / "score"))
from vbconf.provider import Provider, Rejected  # noqa: E402

# What the filters of the corpus leave to the interface.
VARIABLES = {"A": ("1.1.1.1", "2.2.2.2", "3.3.3.3"), "B": ("80", "90", "100"), "C": ("1080", "1090", "1110")}
# What needs nf_conntrack_bridge is refused by name on a kernel without it.
NO_CONNTRACK = re.compile(r"nf_conntrack_bridge")


def nft(*words):
    return subprocess.run(["nft", *words], capture_output=True, text=True, check=False).stdout


def network(text):
    return str(ipaddress.ip_network(text, strict=False))


def reference_facts(text):
    """Of the commands of one case. Ports of the host itself are not the network's table's."""
    facts = set()
    for command in re.split(r"\n(?=ip6?tables)", text.replace("\\\n", " ").replace("'!'", "!").strip()):
        def option(*names):
            found = re.search(r"(?:%s) (\S+)" % "|".join(names), command)
            return found and found.group(1)
        chain, jump = option("--insert"), option("--jump")
        source, destination = option("--source"), option("! --destination", "--destination")
        kind = option("--protocol", "-p") or "all"
        family = "ipv6" if command.startswith("ip6") else "ipv4"
        if chain == "LIBVIRT_FWO" and jump == "ACCEPT":
            facts.add(("out", network(source)))
        elif chain == "LIBVIRT_FWI" and jump == "ACCEPT":
            facts.add(("answers" if "ESTABLISHED" in command else "in", network(destination)))
        elif chain == "LIBVIRT_FWX":
            facts.add(("within",))
        elif jump == "REJECT":
            facts.add(("refused", "out" if chain == "LIBVIRT_FWO" else "in", family))
        elif jump == "MASQUERADE":
            facts.add(("translated", network(source), kind, option("--to-ports")))
        elif jump == "RETURN":
            facts.add(("kept", network(source), network(destination)))
    return facts


def our_facts(text, families):
    """Of the rules that the kernel has."""
    facts = set()
    for line in map(str.strip, text.splitlines()):
        source, destination = (re.search(r"ip6? %s (?:!= )?([0-9a-f.:/]+)" % side, line) for side in ("saddr", "daddr"))
        ports = re.search(r"masquerade to :(\S+)", line)
        if re.fullmatch(r'iifname "(\S+)" oifname "\1" accept', line):
            facts.add(("within",))
        elif line.endswith("reject"):
            facts |= {("refused", "in" if line.startswith("oifname") else "out", family) for family in families}
        elif line.endswith("accept") and source:
            facts.add(("out", network(source.group(1))))
        elif line.endswith("accept") and destination:
            facts.add(("answers" if "established" in line else "in", network(destination.group(1))))
        elif "masquerade" in line:
            facts |= {("translated", network(source.group(1)), kind, ports and ports.group(1))
                      for kind in (("tcp", "udp") if "l4proto" in line else ("all",))}
        elif line.endswith("return"):
            facts |= {("kept", network(source.group(1)), network(to)) for to in re.findall(r"[0-9a-f.:/]+(?=[, ])",
                                                                                         line.split("daddr")[1])}
    return facts


class Cases:
    def __init__(self):
        self.provider = Provider(BUS, argv="none")
        self.results = {}

    def call(self, *arguments):
        return self.provider.call(*arguments)

    def add(self, kind, name, problem, **columns):
        self.results.setdefault(kind, []).append(dict(columns, acc=not problem))
        if problem:
            print(f"{kind}/{name}: {problem}")

    def network_fw(self, path):
        root = WORK / "tftp"
        root.mkdir(exist_ok=True)
        root.chmod(0o755)
        text = path.read_text(encoding="utf-8").replace("/some/dir", str(root))
        expected = reference_facts((path.parents[1] / "expected-argv" / (path.stem + ".args")).read_text(encoding="utf-8"))
        problem, same, score = None, False, 0.0
        try:
            made = self.provider.conn("NetworkDefineXML", "s", text)
            try:
                self.call(made, "Network", "Create", "")
                families = {fact[2] for fact in expected if fact[0] == "refused"}
                found = our_facts(nft("list", "table", "inet", "virtbus"), families)
                same, score = found == expected, 2 * len(found & expected) / (len(found) + len(expected))
                if not same:
                    print(f"network-fw/{path.stem}: missing {expected - found}, more {found - expected}")
                self.call(made, "Network", "Destroy", "")
            finally:
                self.call(made, "Network", "Undefine", "")
            if nft("list", "table", "inet", "virtbus"):
                problem = "the table is left"
        except Rejected as e:
            problem = e.msg
        self.add("network-fw", path.stem, problem, out=score, outX=same)

    def nwfilter_fw(self, path, bridge):
        text = path.read_text(encoding="utf-8")
        name = re.search(r"<filter name='([^']*)'", text).group(1)
        parameters = "".join(f"<parameter name='{key}' value='{value}'/>" for key, values in VARIABLES.items() for value in values)
        machine = ("<domain type='qemu'><name>filtered</name><memory unit='MiB'>32</memory>"
                   "<os><type arch='x86_64' machine='pc'>hvm</type></os><devices><interface type='network'>"
                   f"<source network='{bridge}'/><filterref filter='{name}'>{parameters}</filterref></interface>"
                   "<memballoon model='none'/></devices></domain>")
        problem, made = None, []
        try:
            made.append((self.provider.conn("NWFilterDefineXML", "s", text), "NWFilter", ""))
            made.append((self.provider.conn("DomainDefineXML", "s", machine), "Domain", "u"))
            self.call(made[-1][0], "Domain", "Create", "u", 1)
            if not re.search(r"\b(accept|drop|reject|return)\n", nft("list", "table", "bridge", "virtbus")):
                problem = "the kernel has no rule of it"
            self.call(made[-1][0], "Domain", "Destroy", "u", 0)
        except Rejected as e:
            problem = e.msg
        for obj, interface, signature in reversed(made):
            self.call(obj, interface, "Undefine", signature, *([0] if signature else []))
        if not problem and re.search(r"chain (from|to)", nft("list", "table", "bridge", "virtbus")):
            problem = "chains are left"
        if problem and NO_CONNTRACK.search(problem):
            print(f"nwfilter-fw/{path.stem}: not here: {problem}")
        else:
            self.add("nwfilter-fw", path.stem, problem)


def main():
    cases = Cases()
    for path in sorted((CORPUS / "data/network-fw/in").glob("*.xml")):
        cases.network_fw(path)
    bridge = cases.provider.conn("NetworkCreateXML", "s", "<network><name>filtered</name></network>")
    for path in sorted((CORPUS / "data/nwfilter-fw/in").glob("*.xml")):
        cases.nwfilter_fw(path, "filtered")
    cases.call(bridge, "Network", "Destroy", "")
    print(json.dumps({kind: {"n": len(results)} | {column: round(100 * sum(r[column] for r in results) / len(results), 1)
                                                  for column in results[0]}
                      for kind, results in cases.results.items()}))


main()
