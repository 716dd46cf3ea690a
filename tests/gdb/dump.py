"""Run by gdb after gmr-gdb.py: prints all green threads as one line of JSON."""
import json


def as_dictionary(green_thread):
    return {"kind": green_thread.kind, "state": green_thread.state, "name": green_thread.name,
            "waits_for": green_thread.waits_for,
            "frames": [{"function": frame.function or "", "file": frame.file or "", "line": frame.line,
                        "inlined": frame.inlined} for frame in green_thread.frames()]}


print("GREEN " + json.dumps({each.id: as_dictionary(each) for each in green_threads()}), flush=True)  # noqa: F821
