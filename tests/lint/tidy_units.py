#!/usr/bin/env python3
"""tidy_units.py COMMANDS DIR FILE...: units for clang-tidy: the FILEs of a target's stage together.

What sources have in common, headers above all, is most of the time to check them; so it is checked once a unit.
COMMANDS says how each file is compiled (compile_commands.json); DIR gets the units and their compile_commands.json.
Prints the units' paths.
"""
import json
import pathlib
import re
import sys


def flags_of(entry):
    """All but the names of source and object."""
    return re.sub(r" -o \S+ -c \S+$", "", entry["command"]).split(" ")


def main():
    commands, directory = json.loads(pathlib.Path(sys.argv[1]).read_text()), pathlib.Path(sys.argv[2])
    known = {entry["file"]: entry for entry in reversed(commands)}  # what several targets compile is checked once
    units = {}
    for name in sys.argv[3:]:
        file = pathlib.Path(name).resolve()
        # The other backend's are not compiled here, but would be as their neighbours.
        entry = known.get(str(file)) or next(each for other, each in known.items()
                                             if pathlib.Path(other).parent == file.parent)
        target = re.search(r"CMakeFiles/([^/]+)\.dir/", entry["command"])[1]
        parts = pathlib.Path(name).parent.parts
        folder = "-".join(parts[:3] if parts[1] == "src" else parts[:2])  # a stage of the library, or all of an app
        flags, files = units.setdefault((folder, target, str(file) in known), ([], []))
        flags += [flag for flag in flags_of(entry) if flag not in flags]
        files.append(file)
    entries = []
    # What includes Beast takes longest, and comes first.
    units = dict(sorted(units.items(), key=lambda unit: not unit[0][0].startswith("apps")))
    for number, ((folder, _, _), (flags, files)) in enumerate(units.items()):
        # Clang's analyzer looks into included sources only where the unit has this name.
        unit = directory / f"UnifiedSource-{number}-{folder}.cpp"
        unit.write_text("".join(f'#include "{file}"  // NOLINT(bugprone-suspicious-include)\n' for file in files))
        entries.append({"directory": str(directory), "file": str(unit), "command": " ".join([*flags, "-c", str(unit)])})
        print(unit)
    (directory / "compile_commands.json").write_text(json.dumps(entries))


main()
