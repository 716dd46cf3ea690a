#!/usr/bin/python3 -SE
"""Debian's package tools and sudo on a machine that is made up: called by their names, with the state in $FAKE_MACHINE.

The state is a JSON file: what is installed, what apt offers once its lists are up to date, what excludes what, the texts and
statuses of failures, and a record of what was removed and of every call that changes something.
"""
import json
import os
import pathlib
import sys

PATH = pathlib.Path(os.environ["FAKE_MACHINE"])
STATE = json.loads(PATH.read_text())


def save():
    PATH.write_text(json.dumps(STATE))


def offered():
    return STATE["offered"] if STATE["updated"] else []


def excluded_by(names):
    """The installed packages that cannot stay beside these."""
    return [old for old in STATE["installed"] if any({old, new} in map(set, STATE["exclude"]) for new in names)]


def apt_get(arguments):
    words = [each for each in arguments if not each.startswith("-") and "::" not in each]
    if words[0] == "update":
        must_be_root()
        print(STATE["update_says"])
        STATE["updated"] = STATE["update_status"] == 0
        save()
        return STATE["update_status"]
    names = [name for name in words[1:] if name not in STATE["installed"]]
    removed = excluded_by(names)
    if "-s" in arguments:
        for name in removed:
            print(f"Remv {name} [1.0]")
        for name in names:
            print(f"Inst {name} (1.0 Debian:12/stable [amd64])")
        for name in STATE["upgraded"]:
            print(f"Inst {name} [0.9] (1.0 Debian:12/stable [amd64])")
        return 0
    must_be_root()
    if removed and "--no-remove" in arguments:
        print("E: Packages need to be removed but remove is disabled.")
        return 100
    if STATE["install_status"]:
        print("E: Sub-process dpkg returned an error code (1)")
        return STATE["install_status"]
    STATE["removed"] += removed
    STATE["installed"] = [name for name in STATE["installed"] if name not in removed] + names
    save()
    return 0


def must_be_root():
    if os.environ["FAKE_UID"] != "0":
        print("E: are you root?", file=sys.stderr)
        sys.exit(100)
    STATE["calls"].append(sys.argv)
    save()


def apt_cache(arguments):
    if arguments[0] == "pkgnames":
        print("\n".join(name for name in offered() if name.startswith(arguments[1])))
        return 0
    for name in arguments[1:]:
        known = name in offered() or name in STATE["installed"]
        if known:  # a name that is in no list prints nothing
            print(f"{name}:\n  Installed: (none)\n  Candidate: 1.0\n  Version table:\n     1.0 500")
        elif any(name in pair for pair in STATE["exclude"]):  # and one that is only referred to has no candidate
            print(f"{name}:\n  Installed: (none)\n  Candidate: (none)\n  Version table:")
    return 0


def dpkg_query(_):
    for name in STATE["installed"]:
        print("installed amd64", name)
    for name in STATE["foreign"]:
        print("installed i386", name)
    for name in STATE["configured"]:
        print("config-files amd64", name)
    return 0


def sudo(arguments):
    if STATE["sudo_says"]:
        print(STATE["sudo_says"], file=sys.stderr)
        return 1
    os.environ["FAKE_UID"] = "0"
    os.execvp(arguments[0], arguments)


TOOLS = {"apt-get": apt_get, "apt-cache": apt_cache, "dpkg-query": dpkg_query, "sudo": sudo,
         "dpkg": lambda _: print("amd64"), "id": lambda _: print(os.environ["FAKE_UID"])}
sys.exit(TOOLS[pathlib.Path(sys.argv[0]).name](sys.argv[1:]))
