#!/usr/bin/env python3
"""Where names are that debuggers find, and what is said where they can't be read: names.py --service FILE [...] NAME

Each function below without an underscore is one test. It fails by an assertion, and skips (status 77) with a reason.
"""
import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

from asked_service import Service

SKIPPED = 77
# A thread of the service calls it.
LIBRARY = r"""
extern "C" unsigned sleep(unsigned);
struct rows { int size; __attribute__((noinline)) int wait_for_rows(); };
volatile int never;
int rows::wait_for_rows() { for (;;) { sleep(1000); never = size; } }
extern "C" int sleep_in_library() { rows all{1}; return all.wait_for_rows(); }
"""
RUST_LIBRARY = r"""
use std::{thread, time::Duration};
mod orders { pub mod store { use super::super::*;
  pub struct Shelf<T> { pub item: T }
  impl<T: Copy> Shelf<T> {
    #[inline(never)] pub fn waits_in_rust(&self) { loop { thread::sleep(Duration::from_secs(1000)); std::hint::black_box(self.item); } }
  } } }
#[no_mangle] pub extern "C" fn sleep_in_library() { orders::store::Shelf { item: 7u32 }.waits_in_rust(); std::hint::black_box(1); }
"""


class _Skip(Exception):
    pass


def _run(*command, cwd=None):
    result = subprocess.run([str(each) for each in command], cwd=cwd, capture_output=True, text=True)
    if result.returncode != 0:
        raise _Skip(f"{' '.join(map(str, command))}: {result.stderr.strip()}")
    return result.stdout


def _tool(name):
    found = shutil.which(name)
    if not found:
        raise _Skip(f"needs {name}")
    return found


def _frames(report):
    return [frame for thread in report["threads"] for frame in thread["frames"] or ()]


def _frame(report, function):
    found = [frame for frame in _frames(report) if function in (frame["function"] or "")]
    return found[0] if found else None


def _report_of(*command):
    with Service([str(each) for each in command]) as service:
        service.wait_until("ready")
        report, _ = service.ask()
        again, _ = service.ask()
        assert report["notes"] == again["notes"], (report["notes"], again["notes"])
        return report


def _notes_of(report, module):
    return [note for note in report["notes"] if note.startswith(module + ": ")]


def zstd_sections(arguments, folder):
    """libdw 0.188 can't read them."""
    (folder / "rows.cpp").write_text(LIBRARY)
    _run(arguments.compiler, "-O1", "-g", "-fPIC", "-shared", "-o", "librows.so", "rows.cpp", cwd=folder)
    _run(arguments.objcopy, "--compress-debug-sections=zstd", folder / "librows.so")
    if "ZSTD" not in _run(_tool("readelf"), "-t", folder / "librows.so"):
        raise _Skip("objcopy knows no zstd")
    report = _report_of(arguments.service, "--library", folder / "librows.so")
    frame = _frame(report, "rows::wait_for_rows")
    assert frame["file"].endswith("rows.cpp") and frame["line"] > 0, frame
    assert not _notes_of(report, "librows.so"), report["notes"]


def debug_dirs(arguments, folder):
    """A second directory of debug files, where one has it by its build id."""
    build_id = _run(_tool("readelf"), "-n", arguments.service).split("Build ID: ")[1].split()[0]
    debug = folder / "debug" / ".build-id" / build_id[:2] / (build_id[2:] + ".debug")
    debug.parent.mkdir(parents=True)
    _run(arguments.objcopy, "--only-keep-debug", arguments.service, debug)
    _run(arguments.objcopy, "--strip-debug", arguments.service, folder / "service")
    without = _report_of(folder / "service")
    assert not _frame(without, "sleep_in_short_name")["file"]
    report = _report_of(folder / "service", "--debug-dirs", f"/nowhere:{folder / 'debug'}")
    assert _frame(report, "sleep_in_short_name")["file"].endswith("service.cpp")


def mini_debug_information(arguments, folder):
    """.gnu_debugdata: the symbol table of a stripped program, compressed, as distributions leave it."""
    names = {line.split()[-1] for line in _run(_tool("nm"), "--defined-only", arguments.service).splitlines()}
    (folder / "names").write_text("\n".join(sorted(names)))
    _run(arguments.objcopy, "--only-keep-debug", arguments.service, folder / "debug")
    _run(arguments.objcopy, "-S", f"--keep-symbols={folder / 'names'}", folder / "debug", folder / "mini")
    _run(_tool("xz"), folder / "mini")
    _run(arguments.objcopy, "-S", f"--add-section=.gnu_debugdata={folder / 'mini.xz'}", arguments.service, folder / "service")
    report = _report_of(folder / "service")
    if any("built without" in note for note in report["notes"]):
        raise _Skip(report["notes"])
    assert _frame(report, "sleep_in_short_name"), _frames(report)
    (folder / "mini.xz").write_bytes(b"\xfd7zXZ\0" + b"damaged" * 100)
    _run(arguments.objcopy, "-S", f"--add-section=.gnu_debugdata={folder / 'mini.xz'}", arguments.service, folder / "service")
    notes = _notes_of(_report_of(folder / "service"), "service")
    assert len(notes) == 1 and "damaged" in notes[0], notes


def _split_library(arguments, folder):
    (folder / "rows.cpp").write_text(LIBRARY)
    _run(arguments.compiler, "-O1", "-g", "-gsplit-dwarf", "-fPIC", "-c", "rows.cpp", cwd=folder)
    if not (folder / "rows.dwo").exists():
        raise _Skip("the compiler makes no .dwo")
    _run(arguments.compiler, "-shared", "-o", "librows.so", "rows.o", cwd=folder)
    return folder / "librows.so"


def split_debug_information(arguments, folder):
    """A .dwo beside, gone, of another build, and in a package."""
    library = _split_library(arguments, folder)
    report = _report_of(arguments.service, "--library", library)
    assert _frame(report, "rows::wait_for_rows")["line"] > 0 and not _notes_of(report, "librows.so"), report["notes"]
    shutil.move(folder / "rows.dwo", folder / "kept")
    for place, words in ((None, "rows.dwo can't be opened (No such file or directory)"), ("rows.dwo", "is of another build")):
        if place:
            (folder / place).write_bytes(b"\x7fELF")
        report = _report_of(arguments.service, "--library", library)
        frame = _frame(report, "rows::wait_for_rows")
        assert frame and frame["line"] > 0, _frames(report)
        notes = _notes_of(report, "librows.so")
        assert len(notes) == 1 and words in notes[0], report["notes"]
    (folder / "rows.dwo").unlink()
    shutil.move(folder / "kept", folder / "rows.dwo")
    _run(_tool("dwp"), "-o", "librows.so.dwp", "rows.dwo", cwd=folder)
    (folder / "rows.dwo").unlink()
    report = _report_of(arguments.service, "--library", library)
    notes = _notes_of(report, "librows.so")
    assert _frame(report, "rows::wait_for_rows"), _frames(report)
    assert not notes or (len(notes) == 1 and "librows.so.dwp can't be read" in notes[0]), report["notes"]  # libdw 0.191 can


def rust_names(arguments, folder):
    (folder / "names.rs").write_text(RUST_LIBRARY)
    for version in ("v0", "legacy"):
        for strip in ((), ("-C", "strip=debuginfo")):
            try:
                _run(_tool("rustc"), "--crate-type=cdylib", "-g", "-C", f"symbol-mangling-version={version}", *strip, "names.rs", cwd=folder)
            except _Skip:
                if version == "v0":
                    raise
                continue  # newer compilers have one form only
            report = _report_of(arguments.service, "--library", folder / "libnames.so")
            raw = [frame["function"] for frame in _frames(report) if (frame["function"] or "").startswith(("_R", "_ZN"))]
            if raw and not arguments.rust:
                raise _Skip("built without libiberty")
            assert not raw, (version, strip, raw)
            frame = _frame(report, "waits_in_rust")
            assert frame and "orders::store::Shelf" in frame["function"] and "::h" not in frame["function"], (version, frame)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--service", required=True)
    parser.add_argument("--objcopy", required=True)
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--rust", action="store_true", help="names of Rust can be read")
    parser.add_argument("test")
    arguments = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="gmr-names-") as folder:
            globals()[arguments.test](arguments, pathlib.Path(folder))
    except _Skip as skip:
        print(f"skipped: {skip}")
        return SKIPPED
    return 0


if __name__ == "__main__":
    sys.exit(main())
