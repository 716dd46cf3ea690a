"""Run by gdb: prints all stacks of the process it is attached to as one line of JSON."""
import json

import gdb


def line_of(address):
    place = gdb.find_pc_line(address)
    return place.line if place.symtab else 0


def frames():
    frame = gdb.newest_frame()
    innermost = frame.pc()
    while frame is not None and frame.is_valid():
        if frame.type() == gdb.TAILCALL_FRAME:
            # Not on the stack: gdb reasons from call sites which functions must have been left by a jump.
            frame = frame.older()
            continue
        place = frame.find_sal()
        yield {"function": frame.name() or "", "file": place.symtab.fullname() if place.symtab else "",
               "line": place.line if place.symtab else 0, "inlined": frame.type() == gdb.INLINE_FRAME,
               "signal": frame.type() == gdb.SIGTRAMP_FRAME, "address": frame.pc(),
               "line_before": line_of(frame.pc() - 1) if frame.pc() == innermost else 0}
        try:
            frame = frame.older()
        except gdb.error:
            return


stacks = {}
for thread in gdb.selected_inferior().threads():
    thread.switch()
    stacks[thread.ptid[1]] = list(frames())
print("STACKS " + json.dumps(stacks), flush=True)
