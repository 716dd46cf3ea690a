"""What a report of field_service must not say: compares it with one of the same service, to which nothing is refused."""

# Each thread and a function that is on its stack, whatever is known of names.
FUNCTIONS = {"locks-one": "take_both", "locks-other": "take_both", "sleeps": "sleep_long", "reads": "read_pipe",
             "waits": "wait_for_condition", "spins": "spin", "signals": "take_signals"}
# What may be said only where it is so, and here it never is.
FALSE_WORDS = ("too little stack", "too little of its alternate stack", "was replaced on disk", "is damaged", "exited", "stopped",
               "traced by", "in an uninterruptible wait", "blocks the capture signal")
# Findings about the machine that the tests run on.
OF_THE_MACHINE = ("cpu_throttled", "memory_near_limit", "descriptors_near_limit")
# Of the Process section, what does not change while the service lives.
STEADY = ("pid", "executable", "working_directory", "user", "limits", "children", "threads", "command_line")


def all_texts(report):
    """Whatever is said of what is missing."""
    texts = list(report["notes"]) + list(report["cost"]["notes"])
    texts += [str(each) for each in (report["process"] or {}).get("unavailable", [])]
    texts += [note for thread in report["threads"] for note in thread["notes"]]
    return texts


def threads_by_name(report):
    return {thread["name"]: thread for thread in report["threads"] if thread["name"] in FUNCTIONS}


def functions_of(thread):
    return [frame["function"] or "" for frame in thread["frames"] or ()]


def _problems_of_thread(name, thread, whole, notes):
    wait, whole_wait = thread["waits_for"], whole["waits_for"]
    head = "\n".join(notes)
    if thread["capture"] == "ok" and not any(FUNCTIONS[name] in function for function in functions_of(thread)):
        yield f"{name} is ok without {FUNCTIONS[name]}: {functions_of(thread)}"
    if thread["capture"] not in ("ok", "truncated", whole["capture"]) and not thread["notes"]:
        yield f"{name} is {thread['capture']}, and nothing says why"
    if wait and not whole_wait:
        yield f"{name} waits for {wait}, it is said"
    # Whose memory can't be read is known to wait for a futex, and not of what kind that is.
    is_less = wait and wait["kind"] == "futex" and not wait.get("owner") and "memory can't be read" in head
    if whole_wait and wait and not is_less and (wait["kind"] != whole_wait["kind"] or bool(wait.get("owner")) != bool(whole_wait.get("owner"))):
        yield f"{name} waits for {wait} and not for {whole_wait}"
    if whole_wait and not wait and "is not known" not in head and "are unknown" not in head:
        yield f"{name} waits for nothing, it is said: {thread}"
    for word in FALSE_WORDS:
        if any(word in note for note in thread["notes"]) and not any(word in note for note in whole["notes"]):
            yield f"{name}: {thread['notes']}"


def problems_of(report, whole, words=None, steady=STEADY):
    """Each sentence of the report that is not so. `words`: those of the system for what was refused."""
    notes = report["notes"]
    head = "\n".join(notes)
    threads, whole_threads = threads_by_name(report), threads_by_name(whole)
    for name in FUNCTIONS:
        if name in threads:
            yield from _problems_of_thread(name, threads[name], whole_threads[name], notes)
        elif "not listed" not in head and "/proc/self/task" not in head:
            yield f"{name} is missing, and nothing says so: {notes}"
    has_deadlock = any(finding["kind"] == "deadlock" for finding in report["findings"])
    if not has_deadlock and "deadlock" not in head and "are unknown" not in head:
        yield f"no deadlock, it is said: {notes}"
    for finding in report["findings"]:
        if finding["kind"] not in ("deadlock", "spinning_thread", *OF_THE_MACHINE):
            yield f"a finding that is none: {finding}"
    if len(set(notes)) != len(notes):
        yield f"a note twice: {notes}"
    process, whole_process = report["process"] or {}, whole["process"]
    unavailable = " ".join(str(each) for each in process.get("unavailable", []))
    for key in steady:
        value = process.get(key)
        if key == "user" and value and value["name"] is None and value["uid"] == whole_process[key]["uid"]:
            continue  # where files can't be opened; the number is there
        if value != whole_process.get(key) and key not in ("pid", "command_line") and not (value in (None, []) and key.rstrip("s") in unavailable):
            yield f"{key} is {value} and not {whole_process.get(key)}"
    is_poorer = (threads.keys() != whole_threads.keys() or not has_deadlock or
                 any(threads[name]["capture"] != whole_threads[name]["capture"] for name in threads))
    if words and is_poorer and not any(words in text for text in all_texts(report)):
        yield f"the reason is nowhere: {all_texts(report)}"
