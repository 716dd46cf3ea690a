"""gdb commands for the green threads of a program that uses gmr: Boost.Context fibers and Asio coroutines.

    (gdb) source PREFIX/share/gmr/gmr-gdb.py
    (gdb) info green-threads              one line for each
    (gdb) green-thread 17 bt              the stack of one, with the number that reports give it
    (gdb) green-thread 17 info locals     any command with a suspended fiber's stack in the place of the thread's
    (gdb) green-thread apply all bt       the stacks of all; or apply 3 7-9 bt

Works on a live process and on a core file alike: only memory is read, nothing runs in the program and no register
changes. The program needs no debug information of gmr: it has tables of what is where, see hook/debugger_tables.hpp.
"""
import os
import re
import struct
import sys

import gdb
import gdb.unwinder

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from gmr_names import operation_kind, shown, tellingly  # noqa: E402  (needs the path above)

VERSION = 1  # of the tables
FIBER_TABLE = ("version bytes machine chunks record_count records_a_chunk record_bytes record_sequence record_state "
               "record_runner record_low record_high record_id record_registers suspendable ending "
               "slots slot_count slot_bytes slot_tid slot_own entry").split()
COROUTINE_TABLE = ("version bytes range_begin range_size spans span_count span_bytes span_first span_slot_bytes "
                   "span_used entry_top entry_since entry_operation entry_id entry_node node_word node_location "
                   "node_caller state_mask state_dead state_running state_suspended state_thread_shift internal "
                   "location_file location_function location_line").split()
# In the order of machine_registers, by ELF machine; "pc" and "sp" have the first two.
REGISTERS = {62: "rip rsp rbp rbx r12 r13 r14 r15".split(),
             183: "pc sp x19 x20 x21 x22 x23 x24 x25 x26 x27 x28 x29 x30".split()}
MOST_FRAMES = 1000


class Memory:
    """The program's memory, read in blocks that are kept while it is stopped."""
    BLOCK = 4096

    def __init__(self):
        self.blocks = {}

    def block(self, number):
        if number not in self.blocks:
            inferior = gdb.selected_inferior()
            self.blocks[number] = bytes(inferior.read_memory(number * self.BLOCK, self.BLOCK))
        return self.blocks[number]

    def bytes(self, address, size):
        out = b""
        while size > 0:
            number, offset = divmod(address, self.BLOCK)
            part = self.block(number)[offset:offset + size]
            out += part
            address += len(part)
            size -= len(part)
        return out

    def word(self, address):
        return struct.unpack("<Q", self.bytes(address, 8))[0]

    def half(self, address):
        return struct.unpack("<I", self.bytes(address, 4))[0]

    def text(self, address):
        out = b""
        while address and b"\0" not in out:
            number, offset = divmod(address, self.BLOCK)
            part = self.block(number)[offset:]
            out += part
            address += len(part)
        return out.split(b"\0")[0].decode(errors="replace")


class Table:
    """One of the tables, a member for each of its words; None when the program has none."""

    @classmethod
    def find(cls, memory, name, words):
        try:
            address = int(gdb.parse_and_eval(f"(unsigned long)&{name}"))
        except gdb.error:
            return None
        table = cls()
        version, size = memory.word(address), memory.word(address + 8)
        if version != VERSION or size < 8 * len(words):
            raise gdb.GdbError(f"this script reads version {VERSION} of {name}, the program has {version}: "
                               "take the script that was installed with the program's gmr")
        for index, word in enumerate(words):
            setattr(table, word, memory.word(address + 8 * index))
        return table


def coroutine_function(name):
    """A function as it is written, from what the compiler's std::source_location says of its coroutine."""
    mangled = re.search(r"_Z\w+", name)  # g++: "void f(f(int)::_Z1fi.Frame*)"
    if mangled:
        plain = gdb.execute(f"demangle -l c++ -- {mangled[0]}", to_string=True).strip()
        if "Can't demangle" not in plain:
            name = plain
    return re.sub(r" \[(clone|with) .*\]$", "", name)


class Frame:
    """An entry of a stack; of a coroutine without an address."""

    def __init__(self, function, file, line, address=None, inlined=False, module=None):
        self.function, self.file, self.line = function, file, line
        self.address, self.inlined, self.module = address, inlined, module

    def __str__(self):
        if self.file:
            place = f"at {self.file}:{self.line}"
        else:
            place = f"in {self.module}" if self.module else f"at {self.address:#x}"
        return f"{shown(self.function or '??')} {place}{' (inlined)' if self.inlined else ''}"


class Coroutine:
    kind = "coroutine"
    name = ""

    def __init__(self, table, memory, entry):
        self.table, self.memory = table, memory
        t = table
        word = memory.word(entry + t.entry_node + t.node_word)
        state = word & t.state_mask
        self.state = "running" if state == t.state_running else "suspended"
        self.thread = word >> t.state_thread_shift
        self.id = memory.word(entry + t.entry_id)
        self.entry = entry
        operation = memory.word(entry + t.entry_operation)
        self.waits_for = operation_kind(memory.text(operation)) if operation and self.state != "running" else ""
        if self.waits_for in ("dispatch", "post", "defer"):
            self.state = "ready"

    def location(self, node):
        t, memory = self.table, self.memory
        where = memory.word(node + t.node_location)
        if where == 0:
            return None
        return Frame(coroutine_function(memory.text(memory.word(where + t.location_function))),
                     memory.text(memory.word(where + t.location_file)), memory.half(where + t.location_line))

    def frames(self):
        t, memory = self.table, self.memory
        bottom = self.entry + t.entry_node
        begin, size = memory.word(t.range_begin), memory.word(t.range_size)
        node = memory.word(self.entry + t.entry_top)
        found = []
        while node != bottom and 0 <= node - begin < size and len(found) < MOST_FRAMES:
            if not memory.word(node + t.node_word) & t.internal:
                found.append(self.location(node))
            node = memory.word(node + t.node_caller)
        found = [frame for frame in found if frame]
        if not found and self.state != "running":
            found = [frame for frame in [self.location(bottom)] if frame]  # it has not begun
        return found


class StackSwitch(gdb.unwinder.Unwinder):
    """Shows a fiber's frames as the callers of the frame that the selected thread is in."""

    def __init__(self):
        super().__init__("gmr green threads")
        self.registers = None  # of the fiber; None: does nothing
        self.real = None       # of the thread

    def __call__(self, pending):
        if self.registers is None:
            return None
        pc, sp = list(self.registers)[:2]
        if (int(pending.read_register(pc)), int(pending.read_register(sp))) != self.real:
            return None
        kind = gdb.lookup_type("unsigned long")
        # Below the fiber's frames, as a callee's is.
        info = pending.create_unwind_info(FrameId(gdb.Value(self.registers[sp] - 16).cast(kind),
                                                  gdb.Value(self.real[0]).cast(kind)))
        for name, value in self.registers.items():
            info.add_saved_register(name, gdb.Value(value).cast(kind))
        return info


class FrameId:
    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


SWITCH = StackSwitch()
gdb.unwinder.register_unwinder(None, SWITCH, replace=True)


class on_stack:
    """While it is entered, the selected thread seems to be called from a suspended fiber; gives its first frame."""

    def __init__(self, fiber):
        self.fiber = fiber

    def __enter__(self):
        self.level = gdb.selected_frame().level()
        newest = gdb.newest_frame()
        newest.select()
        pc, sp = list(self.fiber.registers)[:2]
        SWITCH.real = int(newest.read_register(pc)), int(newest.read_register(sp))
        SWITCH.registers = dict(self.fiber.registers)
        if self.fiber.fresh:
            # The first instruction of a function is no return address, which a caller is looked up by.
            SWITCH.registers[pc] += 1
        gdb.invalidate_cached_frames()
        frame = gdb.newest_frame()
        while frame is not None and (int(frame.read_register(pc)), int(frame.read_register(sp))) == SWITCH.real:
            frame = frame.older()
        return frame

    def __exit__(self, *_):
        SWITCH.registers = None
        gdb.invalidate_cached_frames()
        gdb.execute(f"frame level {self.level}", to_string=True)


def frame_of(frame):
    place = frame.find_sal()
    module = gdb.solib_name(frame.pc())
    return Frame(frame.name(), place.symtab.fullname() if place.symtab else None, place.line, frame.pc(),
                 frame.type() == gdb.INLINE_FRAME, module)


def walk(frame, belongs=lambda frame: True):
    """The frames from this one outwards, as far as they can be told."""
    for _ in range(MOST_FRAMES):
        if frame is None or not belongs(frame):
            return
        if frame.type() != gdb.TAILCALL_FRAME:
            yield frame_of(frame)
        try:
            frame = frame.older()
        except gdb.error:
            return


class Fiber:
    kind = "fiber"
    waits_for = ""

    def __init__(self, table, memory, record, name=""):
        self.name = name
        self.id = memory.word(record + table.record_id)
        self.state = "running" if memory.half(record + table.record_sequence) % 2 else "suspended"
        runner = memory.word(record + table.record_runner)
        self.thread = memory.half(runner + table.slot_tid) if runner else 0
        self.low, self.high = memory.word(record + table.record_low), memory.word(record + table.record_high)
        names = REGISTERS[table.machine]
        at = record + table.record_registers
        self.registers = {register: memory.word(at + 8 * i) for i, register in enumerate(names)}
        self.fresh = self.registers[names[0]] == table.entry

    def frames(self):
        if self.state == "running":
            return self.frames_of_thread()
        with on_stack(self) as frame:
            stack = list(self.registers)[1]
            return list(walk(frame, lambda frame: self.low <= int(frame.read_register(stack)) <= self.high))

    def frames_of_thread(self):
        thread = next((t for t in gdb.selected_inferior().threads() if t.ptid[1] == self.thread), None)
        if thread is None:
            return []
        before, level = gdb.selected_thread(), gdb.selected_frame().level()
        thread.switch()
        try:
            return list(walk(gdb.newest_frame()))
        finally:
            before.switch()
            gdb.execute(f"frame level {level}", to_string=True)


def fibers(memory):
    t = Table.find(memory, "gmr_debug_fibers", FIBER_TABLE)
    if t is None:
        return
    for index in range(memory.half(t.record_count)):
        chunk = memory.word(t.chunks + index // t.records_a_chunk * 8)
        if chunk == 0:
            continue
        record = chunk + index % t.records_a_chunk * t.record_bytes
        if memory.half(record + t.record_state) in (t.suspendable, t.ending):
            yield Fiber(t, memory, record)
    # While a thread runs a fiber, its own stack is a suspended one.
    for index in range(t.slot_count):
        slot = t.slots + index * t.slot_bytes
        tid, own = memory.half(slot + t.slot_tid), slot + t.slot_own
        if tid in (0, 0xffffffff) or memory.half(own + t.record_state) != t.suspendable:
            continue
        fiber = Fiber(t, memory, own, f"own stack of thread {tid}")
        if fiber.state == "suspended":
            yield fiber


def coroutines(memory):
    t = Table.find(memory, "gmr_debug_coroutines", COROUTINE_TABLE)
    if t is None:
        return
    for index in range(memory.half(t.span_count)):
        span = memory.word(t.spans) + index * t.span_bytes
        first, size = memory.word(span + t.span_first), memory.word(span + t.span_slot_bytes)
        for slot in range(memory.half(span + t.span_used)):
            entry = first + slot * size
            if memory.word(entry + t.entry_node + t.node_word) & t.state_mask != t.state_dead:
                yield Coroutine(t, memory, entry)


def green_threads():
    """All, in the order of their numbers."""
    if not gdb.selected_inferior().threads():
        raise gdb.GdbError("There is no process and no core file.")
    memory = Memory()
    found = list(fibers(memory)) + list(coroutines(memory))
    return sorted(found, key=lambda green_thread: green_thread.id)


def header(green_thread):
    text = f"{green_thread.kind} {green_thread.state}"
    if green_thread.state == "running" and green_thread.thread:
        text += f" on thread {green_thread.thread}"
    if green_thread.waits_for:
        text += f", waiting for {green_thread.waits_for}"
    if green_thread.name:
        text += f", {green_thread.name}"
    return text


class InfoGreenThreads(gdb.Command):
    """Lists all fibers and coroutines with the innermost frame that is the program's own."""

    def __init__(self):
        super().__init__("info green-threads", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        found = green_threads()
        print(f"{len(found)} green threads")
        for each in found:
            print(f"{each.id:>6}  {header(each)}: {tellingly(each.frames())}")


def backtrace(green_thread):
    print(f"---- Green thread {green_thread.id}: {header(green_thread)}")
    for number, frame in enumerate(green_thread.frames()):
        print(f"  #{number:<2} {frame}")


def run(green_thread, command):
    if command in ("bt", "backtrace", "where"):
        backtrace(green_thread)
    elif green_thread.kind == "fiber" and green_thread.state == "suspended":
        with on_stack(green_thread) as frame:
            if frame is not None:
                frame.select()
            gdb.execute(command)
    else:
        raise gdb.GdbError(f"Only bt for a {green_thread.kind} that is {green_thread.state}.")


def wanted(words):
    """The numbers in "3 7-9"."""
    for word in words:
        if not re.fullmatch(r"\d+(-\d+)?", word):
            raise gdb.GdbError(f"{word} is neither a number nor a range of them.")
        first, _, last = word.partition("-")
        yield from range(int(first), int(last or first) + 1)


class GreenThread(gdb.Command):
    """green-thread N COMMAND, green-thread apply all|N... COMMAND: COMMAND is bt, or for suspended fibers any."""

    def __init__(self):
        super().__init__("green-thread", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        match = re.fullmatch(r"(?:apply\s+(all|[\d\s-]*\d)|(\d+))\s+(\D.*)", argument.strip())
        if not match:
            raise gdb.GdbError("Usage: green-thread N bt, green-thread apply all bt, green-thread apply 3 7-9 bt")
        everyone, one, command = match.groups()
        found = {green_thread.id: green_thread for green_thread in green_threads()}
        for number in list(found) if everyone == "all" else wanted((one or everyone).split()):
            if number not in found:
                raise gdb.GdbError(f"There is no green thread {number}.")
            try:
                run(found[number], command)
            except (gdb.error, gdb.GdbError) as problem:
                if one:
                    raise
                print(f"Green thread {number}: {problem}")  # and on with the others


InfoGreenThreads()
GreenThread()
