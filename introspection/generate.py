#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""generate.py OUTPUT FILE... : makes OUTPUT from introspection files.

OUTPUT is the path of one of: operations.h, handlers.h, interfaces.c, org.libvirt.api.policy (with --actions=TSV),
reference.md, status.md (with --drivers=FOLDER), or what NAME.xml is named after for one installable interface file.
The annotations are described in README.md beside this file.  Whatever is missing is an error that names the member.
"""

import argparse
import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import escape, quoteattr

OURS = "org.virtbus1."
DOC = "org.gtk.GDBus.DocString"
EMITS = "org.freedesktop.DBus.Property.EmitsChangedSignal"
DEPRECATED = "org.freedesktop.DBus.Deprecated"
NO_REPLY = "org.freedesktop.DBus.Method.NoReply"

# kind -> ObjectKind, C type, group of operations
KINDS = {
    "connect": ("OBJECT_CONNECT", None, "connect"),
    "domain": ("OBJECT_DOMAIN", "Domain", "domain"),
    "domainsnapshot": ("OBJECT_SNAPSHOT", "DomainSnapshot", "snapshot"),
    "network": ("OBJECT_NETWORK", "Network", "network"),
    "interface": ("OBJECT_INTERFACE", "HostInterface", "interface"),
    "nodedev": ("OBJECT_NODE_DEVICE", "NodeDevice", "node_device"),
    "nwfilter": ("OBJECT_NWFILTER", "NWFilter", "nwfilter"),
    "secret": ("OBJECT_SECRET", "Secret", "secret"),
    "storagepool": ("OBJECT_STORAGE_POOL", "StoragePool", "storage_pool"),
    "storagevol": ("OBJECT_STORAGE_VOLUME", "StorageVolume", "storage_volume"),
    "job": ("OBJECT_JOB", "BusJob", "job"),
    "manager": ("OBJECT_MANAGER", None, "manager"),
}
JOBS = ("none", "query", "modify", "start", "destroy", "snapshot", "migrate", "block")
EMITS_VALUES = {"true": "EMITS_TRUE", "false": "EMITS_FALSE", "const": "EMITS_CONST",
                "invalidates": "EMITS_INVALIDATES"}
# D-Bus type -> C type of an argument
SCALARS = {"b": "bool", "y": "uint8_t", "n": "int16_t", "q": "uint16_t", "i": "int32_t", "u": "uint32_t",
           "x": "int64_t", "t": "uint64_t", "d": "double"}
# sd-bus reads and writes some scalars as another C type
WIRE = dict(SCALARS, b="int")
STRINGS = ("s", "o", "g")
# What may stand in an interface; anything else is a slip of the pen that would leave a member out.
ELEMENTS = {"interface": ("annotation", "method", "property", "signal"), "method": ("annotation", "arg"),
            "property": ("annotation",), "signal": ("annotation", "arg"), "arg": ("annotation",)}


class Failure(Exception):
    """What is wrong with the input, for the person who wrote it."""


def annotations_of(element):
    return {a.get("name"): a.get("value", "") for a in element.findall("annotation")}


def is_type(text):
    """Whether it is one complete D-Bus type: containers are replaced from the inside until one letter is left."""
    basic = "".join((*SCALARS, *STRINGS, "h"))
    containers = rf"a\{{[{basic}][{basic}v]\}}|a[{basic}v]|\([{basic}v]+\)"
    while (shorter := re.sub(containers, "v", text)) != text:
        text = shorter
    return re.fullmatch(f"[{basic}v]", text) is not None


class Member:
    """What methods, properties, signals and arguments have in common."""

    def __init__(self, element, where):
        self.name = element.get("name")
        if not self.name:
            raise Failure(f"{where}: a {element.tag} without a name")
        self.where = f"{where}.{self.name}"
        self.annotations = annotations_of(element)
        for name in self.annotations:
            self.refuse(name.startswith(OURS) and name[len(OURS):] not in self.known, f"{name} means nothing here")
        for child in element:
            self.refuse(child.tag not in ELEMENTS[element.tag], f"<{child.tag}> means nothing here")
        self.type = element.get("type", "")
        self.refuse(element.tag in ("arg", "property") and not is_type(self.type), f"'{self.type}' is no complete type")

    known = ()

    def refuse(self, is_wrong, text):
        if is_wrong:
            raise Failure(f"{self.where}: {text}")

    def ours(self, name, required=True):
        value = self.annotations.get(OURS + name)
        if value is None and required:
            raise Failure(f"{self.where} has no annotation {OURS}{name}")
        return value

    def doc(self):
        text = self.annotations.get(DOC, "").strip()
        if not text:
            raise Failure(f"{self.where} has no annotation {DOC}")
        return re.sub(r"[ \t]*\n[ \t]*", "\n", text)


class Argument(Member):
    known = ("Object", "Nullable")

    def __init__(self, element, where, directions):
        super().__init__(element, where)
        self.direction = element.get("direction", directions[0])
        self.refuse(self.direction not in directions, f"direction is {' or '.join(directions)}")
        self.object = self.ours("Object", required=False)
        self.nullable = self.ours("Nullable", required=False) == "true"
        self.c_name = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", self.name).lower()
        if self.object and (self.object not in KINDS or self.type not in ("o", "ao")):
            raise Failure(f"{self.where}: {OURS}Object='{self.object}' on an argument of type {self.type}")
        self.refuse(self.nullable and self.type != "s", f"{OURS}Nullable is for strings")
        self.refuse("h" in self.type and self.type not in ("h", "ah"), f"descriptors in {self.type} cannot be read")

    def in_parameters(self):
        if self.type in SCALARS:
            return f"{SCALARS[self.type]} {self.c_name}"
        if self.type in STRINGS:
            return f"const char *{self.c_name}"
        if self.type == "as":
            return f"const char *const *{self.c_name}"
        if self.type == "h":
            return f"int {self.c_name}"
        if self.type == "ah":
            return f"const int *{self.c_name}, size_t n_{self.c_name}"
        return f"GVariant *{self.c_name}"

    def out_type(self):
        if self.type in SCALARS:
            return SCALARS[self.type] + " "
        if self.object and self.type == "o":
            return f"{KINDS[self.object][1]} *"
        if self.object and self.type == "ao":
            return "GPtrArray *"
        return {"s": "char *", "o": "char *", "g": "char *", "as": "char **", "h": "int "}.get(self.type, "GVariant *")

    def out_parameters(self):
        return f"{self.out_type()}*ret_{self.c_name}"


class Action:
    """"flags&2: domain.save": an action, and the argument that decides whether it is asked."""

    def __init__(self, text, method):
        found = re.fullmatch(r"(?:(\w+)([&=])(0x[0-9a-fA-F]+|\d+):)?\s*([A-Za-z0-9.-]+)", text.strip())
        method.refuse(not found, f"'{text}' is no action")
        name, operator, value, action = found.groups()
        self.action = action if action.startswith("org.") else "org.libvirt.api." + action
        self.argument, self.mask, self.is_value = -1, "0", "false"
        if name:
            inputs = [a for a in getattr(method, "arguments", []) if a.direction == "in"]
            numbers = [i for i, a in enumerate(inputs) if a.name == name and a.type in ("i", "u")]
            method.refuse(not numbers, f"'{text}' is about no integer argument")
            self.argument, self.mask = numbers[0], value
            self.is_value = "true" if operator == "=" else "false"

    def c_entry(self):
        return f'{{ "{self.action}", {self.argument}, {self.mask}, {self.is_value} }}'


def actions_of(text, method):
    if text == "none":
        return []
    return [Action(part, method) for part in text.split(";") if part.strip()]


class Method(Member):
    known = ("Action", "Job", "Operation", "Handler")

    def __init__(self, element, interface):
        super().__init__(element, interface.name)
        self.interface = interface
        self.documentation = self.doc()
        self.arguments = [Argument(a, self.where, ("in", "out")) for a in element.findall("arg")]
        self.inputs = [a for a in self.arguments if a.direction == "in"]
        self.outputs = [a for a in self.arguments if a.direction == "out"]
        self.actions = actions_of(self.ours("Action"), self)
        self.job = self.ours("Job")
        self.refuse(self.job not in JOBS, f"{OURS}Job='{self.job}' is none of {', '.join(JOBS)}")
        self.operation = self.ours("Operation", required=False)
        self.handler = self.ours("Handler", required=False)
        if bool(self.operation) == bool(self.handler):
            raise Failure(f"{self.where} needs either annotation {OURS}Operation or {OURS}Handler")
        group = KINDS[interface.kind][2]
        self.refuse(self.operation and not re.fullmatch(group + r"\.\w+", self.operation),
                    f"{OURS}Operation='{self.operation}' is not {group}.operation")
        self.refuse(any(a.type == "ah" for a in self.outputs), "arrays of descriptors are only read")
        self.is_deprecated = self.annotations.get(DEPRECATED) == "true"
        self.is_silent = self.annotations.get(NO_REPLY) == "true"

    def signature(self, direction):
        return "".join(a.type for a in self.arguments if a.direction == direction)

    def parameters(self):
        parts = ["CallFrame *frame" if self.handler else "Call *call"] + self.interface.object_parameter()
        parts += [a.in_parameters() for a in self.inputs] + [a.out_parameters() for a in self.outputs]
        return ", ".join(parts + ["Error *error"])


class Property(Member):
    known = ("Action", "Getter", "SetAction", "SetJob", "SetOperation", "SetHandler")

    def __init__(self, element, interface):
        super().__init__(element, interface.name)
        self.interface = interface
        self.documentation = self.doc()
        self.access = element.get("access")
        self.refuse(self.access not in ("read", "readwrite"), "access is read or readwrite")
        self.actions = actions_of(self.ours("Action"), self)
        self.getter = self.ours("Getter")
        emits = self.annotations.get(EMITS)
        self.refuse(emits not in EMITS_VALUES, f"no annotation {EMITS} with {', '.join(EMITS_VALUES)}")
        self.emits = emits
        self.set_operation = self.set_handler = None
        self.set_actions = []
        if self.access == "readwrite":
            self.set_actions = actions_of(self.ours("SetAction"), self)
            self.set_job = self.ours("SetJob")
            self.set_operation = self.ours("SetOperation", required=False)
            self.set_handler = self.ours("SetHandler", required=False)
            self.refuse(self.set_job not in JOBS, f"{OURS}SetJob='{self.set_job}' is none of {', '.join(JOBS)}")
            if bool(self.set_operation) == bool(self.set_handler):
                raise Failure(f"{self.where} needs either annotation {OURS}SetOperation or {OURS}SetHandler")
            self.refuse(self.type not in SCALARS and self.type != "s", f"values of type {self.type} cannot be set")

    def set_parameters(self):
        value = f"{SCALARS[self.type]} value" if self.type in SCALARS else "const char *value"
        first = "CallFrame *frame" if self.set_handler else "Call *call"
        return ", ".join([first] + self.interface.object_parameter() + [value, "Error *error"])


class Signal(Member):
    def __init__(self, element, interface):
        super().__init__(element, interface.name)
        self.documentation = self.doc()
        self.arguments = [Argument(a, self.where, ("out",)) for a in element.findall("arg")]


class Interface(Member):
    known = ("Kind",)

    def __init__(self, element):
        super().__init__(element, "interface")
        self.where = self.name
        self.kind = self.ours("Kind")
        self.refuse(self.kind not in KINDS, f"{OURS}Kind='{self.kind}' is none of {', '.join(KINDS)}")
        self.documentation = self.doc()
        self.methods = [Method(m, self) for m in element.findall("method")]
        self.properties = [Property(p, self) for p in element.findall("property")]
        self.signals = [Signal(s, self) for s in element.findall("signal")]
        self.is_compatible = self.name.startswith("org.libvirt.")
        names = [f"{type(m).__name__} {m.name}" for m in self.methods + self.properties + self.signals]
        for name in names:
            self.refuse(names.count(name) > 1, f"{name} is there twice")
        self.refuse(len(self.properties) > 64, "more than 64 properties (bus/properties.h)")

    @property
    def c_name(self):
        return self.name.replace(".", "_")

    def object_parameter(self):
        c_type = KINDS[self.kind][1]
        return [c_type + " *" + re.sub(r"(?<=[a-z])([A-Z])", r"_\1", c_type).lower()] if c_type else []


def read(paths):
    interfaces = []
    for path in paths:
        try:
            root = ElementTree.parse(path).getroot()
        except (ElementTree.ParseError, OSError) as error:
            raise Failure(f"{path}: {error}") from error
        interfaces += [Interface(i) for i in root.findall("interface")]
    return sorted(interfaces, key=lambda i: i.name)


GENERATED = "/* SPDX-License-Identifier: LGPL-2.1-or-later */\n\n/* Generated by introspection/generate.py. */\n\n"


def operations_h(interfaces):
    """Groups of operations; the same operation may serve both families if its prototype is the same."""
    groups = {}

    def add(operation, where, parameters, doc):
        group, member = operation.split(".")
        known = groups.setdefault(group, {})
        if member in known and known[member][0] != parameters:
            raise Failure(f"{where}: operation {operation} has another prototype elsewhere: {known[member][0]}")
        known.setdefault(member, (parameters, where, doc))

    for interface in interfaces:
        for method in interface.methods:
            if method.operation:
                add(method.operation, method.where, method.parameters(), method.documentation)
        for prop in interface.properties:
            if prop.set_operation:
                add(prop.set_operation, prop.where, prop.set_parameters(), prop.documentation)
    text = [GENERATED + "#pragma once\n\n/* The operations of a driver, by group; service/driver.h includes this. */\n"]
    text += [f"typedef struct {c} {c};" for _, c, _ in KINDS.values() if c and c != "Domain"] + ["\ntypedef struct DriverOperations {"]
    for group in sorted(groups):
        text.append("        struct {")
        for member, (parameters, where, _) in sorted(groups[group].items()):
            text.append(f"                int (*{member})({parameters}) AWAITS; /* {where} */")
        text.append(f"        }} {group};")
    text.append("} DriverOperations;\n")
    return "\n".join(text)


def handlers_h(interfaces):
    prototypes = {}

    def add(name, prototype, where):
        if prototypes.setdefault(name, prototype) != prototype:
            raise Failure(f"{where}: {name}() has another prototype elsewhere: {prototypes[name]}")

    for interface in interfaces:
        for method in interface.methods:
            if method.handler:
                add(method.handler, f"int {method.handler}({method.parameters()}) AWAITS;", method.where)
        for prop in interface.properties:
            add(prop.getter, f"int {prop.getter}(Object *object, sd_bus_message *reply, Error *error);", prop.where)
            if prop.set_handler:
                add(prop.set_handler, f"int {prop.set_handler}({prop.set_parameters()}) AWAITS;", prop.where)
    return (GENERATED + '#pragma once\n\n/* What bus/ implements for all drivers. */\n\n#include "bus/interface.h"\n\n' +
            "\n".join(prototypes[name] for name in sorted(prototypes)) + "\n")


def c_string(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", '\\n"\n        "') + '"'


def introspection(interface, is_documented=False):
    """The element as Introspect gives it: names, types and the standard annotations."""
    lines = [f' <interface name="{interface.name}">']

    def standard(member, indent):
        texts = [(n, member.annotations[n]) for n in (DEPRECATED, NO_REPLY, EMITS) if n in member.annotations]
        texts += [(DOC, member.documentation)] if is_documented else []
        lines.extend(f'{indent}<annotation name="{name}" value={quoteattr(text)}/>' for name, text in texts)

    standard(interface, "  ")
    for method in interface.methods:
        lines.append(f'  <method name="{method.name}">')
        lines.extend(f'   <arg type="{a.type}" name="{a.name}" direction="{a.direction}"/>' for a in method.arguments)
        standard(method, "   ")
        lines.append("  </method>")
    for signal in interface.signals:
        lines.append(f'  <signal name="{signal.name}">')
        lines.extend(f'   <arg type="{a.type}" name="{a.name}"/>' for a in signal.arguments)
        standard(signal, "   ")
        lines.append("  </signal>")
    for prop in interface.properties:
        lines.append(f'  <property type="{prop.type}" name="{prop.name}" access="{prop.access}">')
        standard(prop, "   ")
        lines.append("  </property>")
    lines.append(" </interface>\n")
    return "\n".join(lines)


def read_argument(argument):
    """(declarations, statements) that read one argument; r holds the result."""
    name, kind = argument.c_name, argument.type
    if kind in SCALARS:
        wire = WIRE[kind]
        return [f"{wire} {name} = 0;"], [f"r = sd_bus_message_read_basic(message, '{kind}', &{name});"]
    if kind in STRINGS:
        statements = [f"r = sd_bus_message_read_basic(message, '{kind}', &{name});"]
        if argument.nullable:
            statements.append(f"if (r >= 0 && !*{name})\n                {name} = NULL;")
        return [f"const char *{name} = NULL;"], statements
    if kind == "as":
        return [f"_cleanup_(strvp) char **{name} = NULL;"], [f"r = marshal_read_strings(message, &{name});"]
    if kind == "h":
        return [f"int {name} = -EBADF;"], [f"r = sd_bus_message_read_basic(message, 'h', &{name});"]
    if kind == "ah":
        return ([f"_cleanup_(freep) int *{name} = NULL;", f"size_t n_{name} = 0;"],
                [f"r = marshal_read_fds(message, &{name}, &n_{name});"])
    return ([f"_cleanup_(g_variant_unrefp) GVariant *{name} = NULL;"],
            [f'r = marshal_read(message, "{kind}", &{name});'])


def pass_argument(argument):
    name = argument.c_name
    if argument.type == "as":
        return f"(const char *const *){name}"
    return f"{name}, n_{name}" if argument.type == "ah" else name


def append_output(argument, is_compatible):
    """(declaration, statement) for one value of the reply."""
    name, kind = "ret_" + argument.c_name, argument.type
    if kind == "b":
        return f"bool {name} = false;", f'r = sd_bus_message_append(*ret_reply, "b", (int){name});'
    if kind in SCALARS:
        return f"{SCALARS[kind]} {name} = 0;", f"r = sd_bus_message_append_basic(*ret_reply, '{kind}', &{name});"
    if argument.object and kind == "o":
        c_type = KINDS[argument.object][1]
        return (f"_cleanup_(output_unrefp) {c_type} *{name} = NULL;",
                f"r = sd_bus_message_append_basic(*ret_reply, 'o', ((const Object *){name})->path);")
    if argument.object:
        return (f"_cleanup_(g_ptr_array_unrefp) GPtrArray *{name} = NULL;",
                f"r = marshal_append_paths(*ret_reply, {name});")
    if kind == "s":
        return f"_cleanup_(freep) char *{name} = NULL;", f"r = marshal_append_string(*ret_reply, {name});"
    if kind in STRINGS:
        return (f"_cleanup_(freep) char *{name} = NULL;",
                f"r = sd_bus_message_append_basic(*ret_reply, '{kind}', {name});")
    if kind == "as":
        return f"_cleanup_(strvp) char **{name} = NULL;", f"r = sd_bus_message_append_strv(*ret_reply, {name});"
    if kind == "h":
        return f"_cleanup_(closep) int {name} = -EBADF;", f"r = sd_bus_message_append_basic(*ret_reply, 'h', &{name});"
    flag = "true" if is_compatible else "false"
    return (f"_cleanup_(g_variant_unrefp) GVariant *{name} = NULL;",
            f"r = marshal_append(*ret_reply, {name}, {flag});")


def callee(method):
    if method.handler:
        return method.handler
    return f"frame->path.driver->operations->{method.operation}"


def invoke(method):
    interface = method.interface
    name = f"invoke_{interface.c_name}_{method.name}"
    c_type = KINDS[interface.kind][1]
    declarations, statements = [], []
    for argument in method.inputs:
        more_declarations, more_statements = read_argument(argument)
        declarations += more_declarations
        statements += more_statements + ["if (r < 0)\n                return unreadable(error);"]
    outputs = [append_output(a, interface.is_compatible) for a in method.outputs]
    declarations += [d for d, _ in outputs]
    arguments = ["frame" if method.handler else "&frame->call"] + ([f"({c_type} *)object"] if c_type else [])
    arguments += [pass_argument(a) for a in method.inputs] + [f"&ret_{a.c_name}" for a in method.outputs]
    statements.append(f"r = {callee(method)}({', '.join(arguments + ['error'])});")
    statements.append("if (r >= 0)\n                r = sd_bus_message_new_method_return(message, ret_reply);")
    statements += [f"if (r >= 0)\n                {s}" for _, s in outputs]
    body = declarations + ["int r;", ""] + ([] if c_type else ["(void)object;"]) + statements + ["return r;"]
    return (f"static int {name}(CallFrame *frame, Object *object, sd_bus_message *message,\n"
            f"        sd_bus_message **ret_reply, Error *error) AWAITS\n{{\n" +
            "\n".join(("        " + line) if line else "" for line in body) + "\n}\n")


def setter(prop):
    interface = prop.interface
    c_type = KINDS[interface.kind][1]
    is_scalar = prop.type in SCALARS
    value = f"{WIRE[prop.type]} value = 0;" if is_scalar else "const char *value = NULL;"
    target = prop.set_handler or f"frame->path.driver->operations->{prop.set_operation}"
    arguments = ["frame" if prop.set_handler else "&frame->call"] + ([f"({c_type} *)object"] if c_type else [])
    lines = [value, "int r;", "", f"r = sd_bus_message_read_basic(message, '{prop.type}', &value);", "if (r < 0)",
             "        return unreadable(error);"]
    if prop.set_operation:
        lines += [f"if (!frame->path.driver->operations || !{target})",
                  "        return call_not_supported(frame, error);"]
    if not c_type:
        lines.append("(void)object;")
    lines.append(f"return {target}({', '.join(arguments + ['value', 'error'])});")
    return (f"static int set_{interface.c_name}_{prop.name}(CallFrame *frame, Object *object, sd_bus_message *message,\n"
            "        Error *error) AWAITS\n{\n" + "\n".join(("        " + l) if l else "" for l in lines) + "\n}\n")


class ActionLists:
    """Equal lists of actions are one array, so that a caller that compares pointers asks once."""

    def __init__(self):
        self.names = {}

    def name_of(self, actions):
        key = tuple(a.c_entry() for a in actions)
        return self.names.setdefault(key, f"actions_{len(self.names)}")

    def text(self):
        lines = []
        for entries, name in self.names.items():
            lines.append(f"static const InterfaceAction {name}[] = {{")
            lines += [f"        {entry}," for entry in entries]
            lines.append("        {},\n};")
        return "\n".join(lines) + "\n"


def interface_tables(interface, lists):
    c_name, kind = interface.c_name, KINDS[interface.kind][0]
    methods, properties, handlers, vtable = [], [], [], []
    for number, method in enumerate(interface.methods):
        offset = f"offsetof(DriverOperations, {method.operation})" if method.operation else "0"
        operation = f'"{method.operation}"' if method.operation else "NULL"
        methods.append(
            f'        {{ .interface = "{interface.name}", .member = "{method.name}", '
            f'.in_signature = "{method.signature("in")}", .out_signature = "{method.signature("out")}", '
            f".kind = {kind}, .operation = {operation}, .operation_offset = {offset}, "
            f".actions = {lists.name_of(method.actions)}, .job = JOB_{method.job.upper()}, "
            f".is_deprecated = {'true' if method.is_deprecated else 'false'}, "
            f".invoke = invoke_{c_name}_{method.name} }},")
        handlers.append(
            f"static int handle_{c_name}_{method.name}(sd_bus_message *message, void *data, sd_bus_error *error)\n"
            f"{{\n        (void)error;\n        return call_dispatch(message, &{c_name}_methods[{number}], data);\n}}\n")
        flags = " | ".join(["SD_BUS_VTABLE_UNPRIVILEGED"] +
                           (["SD_BUS_VTABLE_DEPRECATED"] if method.is_deprecated else []) +
                           (["SD_BUS_VTABLE_METHOD_NO_REPLY"] if method.is_silent else []))
        vtable.append(f'        SD_BUS_METHOD("{method.name}", "{method.signature("in")}", '
                      f'"{method.signature("out")}", handle_{c_name}_{method.name}, {flags}),')
    for prop in interface.properties:
        writable = prop.access == "readwrite"
        properties.append(
            f'        {{ .name = "{prop.name}", .signature = "{prop.type}", .emits = {EMITS_VALUES[prop.emits]}, '
            f".get_actions = {lists.name_of(prop.actions)}, .get = {prop.getter}" +
            (f", .set = set_{c_name}_{prop.name}, .set_actions = {lists.name_of(prop.set_actions)}, "
             f".set_job = JOB_{prop.set_job.upper()}" if writable else "") + " },")
    for signal in interface.signals:
        vtable.append(f'        SD_BUS_SIGNAL("{signal.name}", "{"".join(a.type for a in signal.arguments)}", 0),')
    return "\n".join(
        ([f"static const InterfaceMethod {c_name}_methods[] = {{"] + methods + ["};\n"] if methods else []) +
        ([f"static const InterfaceProperty {c_name}_properties[] = {{"] + properties + ["};\n"] if properties else []) +
        handlers + [f"static const sd_bus_vtable {c_name}_vtable[] = {{", "        SD_BUS_VTABLE_START(0),"] + vtable +
        ["        SD_BUS_VTABLE_END,\n};\n",
         f"static const Interface {c_name} = {{",
         f'        .name = "{interface.name}",',
         f"        .kind = {kind},",
         f"        .is_compatible = {'true' if interface.is_compatible else 'false'},",
         f"        .vtable = {c_name}_vtable,",
         *([f"        .methods = {c_name}_methods,", f"        .n_methods = {len(methods)},"] if methods else []),
         *([f"        .properties = {c_name}_properties,", f"        .n_properties = {len(properties)},"]
           if properties else []),
         f"        .introspection = {c_string(introspection(interface))},",
         "};\n"])


def interfaces_c(interfaces):
    lists = ActionLists()
    parts = [invoke(m) for i in interfaces for m in i.methods]
    parts += [setter(p) for i in interfaces for p in i.properties if p.access == "readwrite"]
    tables = [interface_tables(i, lists) for i in interfaces]
    head = (GENERATED + '#include "bus/interface.h"\n#include "bus/call.h"\n#include "bus/marshal.h"\n'
            '#include "handlers.h"\n#include <errno.h>\n\n'
            "static inline int unreadable(Error *error)\n{\n"
            '        return error_set(error, ERROR_INVALID_ARGUMENT, "The arguments cannot be read");\n}\n\n'
            "/* An object that an operation gave: whatever its type, it begins with an Object. */\n"
            "static inline void output_unrefp(void *pointer)\n{\n        object_unref(*(Object **)pointer);\n}\n\n")
    tail = ("const Interface *const interfaces[] = {\n" + "".join(f"        &{i.c_name},\n" for i in interfaces) +
            "};\nconst size_t n_interfaces = G_N_ELEMENTS(interfaces);\n")
    return head + lists.text() + "\n" + "\n".join(parts) + "\n" + "\n".join(tables) + "\n" + tail


def read_actions(path):
    """action -> (any, inactive, active, description, message)"""
    found = {}
    lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines[1:], 2):
        fields = line.split("\t")
        if len(fields) != 6 or not all(fields):
            raise Failure(f"{path}:{number}: six fields are expected")
        found[fields[0]] = fields[1:]
    return found


def policy(interfaces, actions_path):
    known = read_actions(actions_path)
    used = {a.action for i in interfaces for m in i.methods for a in m.actions} | {
        a.action for i in interfaces for p in i.properties for a in p.actions + p.set_actions}
    for action in sorted(used - set(known)):
        raise Failure(f"action {action} is not in {pathlib.Path(actions_path).name}")
    lines = ['<?xml version="1.0" encoding="UTF-8"?>',
             '<!DOCTYPE policyconfig PUBLIC "-//freedesktop//DTD PolicyKit Policy Configuration 1.0//EN"',
             ' "http://www.freedesktop.org/standards/PolicyKit/1.0/policyconfig.dtd">', "<policyconfig>",
             "  <vendor>virtbus</vendor>"]
    for action, (allow_any, inactive, active, description, message) in sorted(known.items()):
        lines += [f"  <action id={quoteattr(action)}>", f"    <description>{escape(description)}</description>",
                  f"    <message>{escape(message)}</message>", "    <defaults>",
                  f"      <allow_any>{allow_any}</allow_any>", f"      <allow_inactive>{inactive}</allow_inactive>",
                  f"      <allow_active>{active}</allow_active>", "    </defaults>", "  </action>"]
    return "\n".join(lines + ["</policyconfig>", ""])


def installed_xml(interface):
    """The interface as it is installed for other programs: without what is only ours, with the documentation."""
    return ('<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"\n'
            ' "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">\n<node>\n' +
            introspection(interface, is_documented=True) + "</node>\n")


def reference(interfaces):
    text = ["# Reference", "", "Generated from `introspection/*.xml` by `introspection/generate.py`.", ""]
    for interface in interfaces:
        text += [f"## {interface.name}", "", interface.documentation, ""]
        for title, members in (("Methods", interface.methods), ("Properties", interface.properties),
                               ("Signals", interface.signals)):
            if members:
                text += [f"### {title}", ""]
            for member in members:
                text += [f"**{member.name}** {shape(member)}", "", member.documentation, ""]
                if getattr(member, "actions", None):
                    text += ["Asks polkit: " + ", ".join(
                        f"`{a.action}`" + (" (by an argument)" if a.argument >= 0 else "") for a in member.actions) +
                        ".", ""]
    return "\n".join(text)


def shape(member):
    if isinstance(member, Property):
        return f"`{member.type}` ({member.access})"

    def side(arguments):
        return ", ".join(f"{a.type} {a.name}" for a in arguments)

    if isinstance(member, Signal):
        return f"`({side(member.arguments)})`"
    return f"`({side(member.inputs)})" + (f" → {side(member.outputs)}`" if member.outputs else "`")


def kinds_of(folder):
    """driver -> the kinds of objects that it serves, by the .kinds of its DriverType."""
    found = {}
    for path in sorted(pathlib.Path(folder).glob("*/driver.c")):
        table = re.search(r"\.kinds = ([^,]*),", path.read_text(encoding="utf-8"))
        found[path.parent.name] = set(re.findall(r"OBJECT_\w+", table.group(1))) if table else set()
    return found


def works(method, operations, kinds):
    """Whether a driver with these operations and kinds answers the method: handlers of the daemon need the objects."""
    if method.operation:
        return method.operation in operations
    return all(KINDS[a.object][0] in kinds for a in method.outputs if a.object)


def operations_of(folder):
    """driver -> operations, by the designated initialisers of its operations.c."""
    found = {}
    for path in sorted(pathlib.Path(folder).glob("*/operations.c")):
        text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.S)
        table = re.search(r"DriverOperations \w+ = \{(.*?)\n\};", text, re.S)
        if not table:
            raise Failure(f"{path}: no table of operations")
        operations = set()
        for group, body in re.findall(r"\.(\w+)\s*=\s*\{(.*?)\}", table.group(1), re.S):
            operations |= {f"{group}.{member}" for member in re.findall(r"\.(\w+)\s*=", body)}
        found[path.parent.name] = operations
    return found


def status(interfaces, drivers_folder):
    drivers, kinds = operations_of(drivers_folder), kinds_of(drivers_folder)
    names = sorted(drivers)

    def working(interface, name):
        return [m for m in interface.methods if works(m, drivers[name], kinds[name])]

    text = ["# What works", "",
            "Generated by `introspection/generate.py` from the tables in `drivers/*/operations.c`. Methods that a driver "
            "does not have answer one NotSupported error that names driver and method.", "",
            "| interface | methods | " + " | ".join(names) + " |", "|---|---|" + "---|" * len(names)]
    for interface in interfaces:
        text.append(f"| {interface.name} | {len(interface.methods)} | " +
                    " | ".join(str(len(working(interface, n))) for n in names) + " |")
    for name in names:
        text += ["", f"## Not supported by {name}", ""]
        for interface in interfaces:
            missing = [m.name for m in interface.methods if m not in working(interface, name)]
            if missing:
                text.append(f"- {interface.name}: {', '.join(missing)}")
    return "\n".join(text) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--actions")
    parser.add_argument("--drivers")
    parser.add_argument("files", nargs="+")
    arguments = parser.parse_args()
    try:
        interfaces = read(arguments.files)
        makers = {
            "operations.h": lambda: operations_h(interfaces),
            "handlers.h": lambda: handlers_h(interfaces),
            "interfaces.c": lambda: interfaces_c(interfaces),
            "org.libvirt.api.policy": lambda: policy(interfaces, arguments.actions),
            "reference.md": lambda: reference(interfaces),
            "status.md": lambda: status(interfaces, arguments.drivers),
            **{i.name + ".xml": (lambda i=i: installed_xml(i)) for i in interfaces},
        }
        if arguments.output.name not in makers:
            raise Failure(f"{arguments.output.name} is nothing that can be made")
        text = makers[arguments.output.name]()
    except Failure as failure:
        print(f"generate.py: {failure}", file=sys.stderr)
        return 1
    arguments.output.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
