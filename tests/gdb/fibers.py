# SPDX-License-Identifier: LGPL-2.1-or-later
"""fibers: shows every live fiber of a virtbusd under gdb, with the stack of each that is suspended.

    gdb -p PID -x tests/gdb/fibers.py -ex fibers

A suspended fiber has its registers in its ucontext_t; the command lends them to gdb for as long as a backtrace takes, as
gdb knows threads but no fibers.  Needs a process that is stopped on its own thread, not a core file.
"""

import gdb

# glibc's numbers of registers in mcontext_t.gregs (x86-64).
REGISTERS = {"r8": 0, "r9": 1, "r10": 2, "r11": 3, "r12": 4, "r13": 5, "r14": 6, "r15": 7, "rdi": 8, "rsi": 9,
             "rbp": 10, "rbx": 11, "rdx": 12, "rax": 13, "rcx": 14, "rsp": 15, "rip": 16}


class Fibers(gdb.Command):
    """Every live fiber: its name, whether it is queued or cancelled, and where it waits."""

    def __init__(self):
        super().__init__("fibers", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        current = gdb.parse_and_eval("'fiber.c'::current")
        fiber = gdb.parse_and_eval("'fiber.c'::alive")
        count = 0
        while fiber:
            count += 1
            is_running = fiber == current
            words = [word for word, shown in (("running", is_running), ("queued", fiber["is_queued"]),
                                              ("cancelled", fiber["is_cancelled"])) if shown]
            print(f"fiber {count} {fiber['name'].string()} ({', '.join(words) or 'suspended'})")
            if is_running:
                gdb.execute("backtrace")
            else:
                self.backtrace(fiber)
            fiber = fiber["next_alive"]
        print(f"{count} fibers")

    @staticmethod
    def backtrace(fiber):
        registers = fiber["context"]["uc_mcontext"]["gregs"]
        gdb.execute("frame 0", to_string=True)
        saved = {name: gdb.parse_and_eval(f"(long)${name}") for name in REGISTERS}
        try:
            for name, number in REGISTERS.items():
                gdb.execute(f"set ${name} = {int(registers[number])}", to_string=True)
            gdb.execute("backtrace")
        finally:
            gdb.execute("frame 0", to_string=True)
            for name, value in saved.items():
                gdb.execute(f"set ${name} = {int(value)}", to_string=True)


Fibers()
