# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the introspection files say: interfaces with their members, as objects that are checked once they are read."""

import re
import xml.etree.ElementTree as ElementTree

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
    known = ("Object", "Nullable", "Records")

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
        self.records = self.ours("Records", required=False) == "true"
        self.refuse(self.records and (self.direction != "out" or self.type not in ("a{sv}", "a(sa{sv})")),
                    f"{OURS}Records is for results of type a{{sv}} or a(sa{{sv}})")
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
        if self.records:
            return "Records *"
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
    known = ("Action", "Job", "Operation", "Handler", "Needs")

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
        needs = self.ours("Needs", required=False)
        self.refuse(needs and self.operation, f"{OURS}Needs is for what has a handler")
        group = KINDS[interface.kind][2]
        # The operation without which a driver does not have the method.
        self.needs = self.operation or needs
        self.refuse(self.needs and not re.fullmatch(group + r"\.\w+", self.needs),
                    f"{OURS}{'Operation' if self.operation else 'Needs'}='{self.needs}' is not {group}.operation")
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
