"""Names as a report has them: of the operations that coroutines wait for, and of functions."""
import re

# trace/coroutine_operation.cpp has the same rules; tests/gdb compares them.
RULES = [
    (("untraced_coroutine",), "untraced coroutine"),
    (("parallel_group",), "parallel group"),
    (("initiate_co_spawn",), "coroutine"),
    (("initiate_spawn",), "fiber"),
    (("experimental", "promise"), "promise"),
    (("experimental", "initiate_async_resume"), "coroutine"),
    (("channel", "initiate_async_receive"), "channel receive"),
    (("channel", "initiate_async_send"), "channel send"),
    (("websocket", "run_accept_op"), "websocket accept"),
    (("websocket", "run_handshake_op"), "websocket handshake"),
    (("websocket", "run_close_op"), "websocket close"),
    (("websocket", "run_ping_op"), "websocket ping"),
    (("websocket", "run_read"), "websocket read"),
    (("websocket", "run_write"), "websocket write"),
    (("beast::http", "read"), "http read"),
    (("beast::http", "write"), "http write"),
    (("run_connect_op",), "connect"),
    (("run_range_connect_op",), "connect"),
    (("run_iterator_connect_op",), "connect"),
    (("run_detect_ssl_op",), "read"),
    (("run_read_op",), "read"),
    (("run_write_op",), "write"),
    (("handshake",), "handshake"),
    (("initiate_async_shutdown",), "shutdown"),
    (("initiate_async_connect",), "connect"),
    (("initiate_async_range_connect",), "connect"),
    (("initiate_async_iterator_connect",), "connect"),
    (("accept",), "accept"),
    (("resolve",), "resolve"),
    (("initiate_async_read",), "read"),
    (("initiate_async_receive",), "read"),
    (("initiate_async_buffered_read",), "read"),
    (("initiate_async_buffered_fill",), "read"),
    (("initiate_async_write",), "write"),
    (("initiate_async_send",), "write"),
    (("initiate_async_buffered_write",), "write"),
    (("initiate_async_buffered_flush",), "write"),
    (("signal_set", "initiate_async_wait"), "signal"),
    (("timer", "initiate_async_wait"), "timer"),
    (("initiate_async_wait",), "descriptor"),
    (("initiate_dispatch",), "dispatch"),
    (("initiate_post",), "post"),
    (("initiate_defer",), "defer"),
]


def arguments(text):
    """The template arguments at the end of "name<a, b<c>, d>"."""
    found, depth, begin = [], 0, 0
    for i, c in enumerate(text):
        if c in "<({[":
            depth += 1
        elif c in ">)}]":
            depth -= 1
            if depth < 0:
                return found + [text[begin:i]]
        elif c == "," and depth == 0:
            found.append(text[begin:i])
            begin = i + 2
    return found


def without_arguments(text):
    kept, depth = "", 0
    for c in text:
        if c == ">":
            depth -= 1
        if depth == 0 and c not in "<>":
            kept += c
        if c == "<":
            depth += 1
    return kept


def operation_kind(name):
    equals, end = name.find("T = "), name.rfind("]")
    if equals >= 0 and end >= equals:
        name = name[equals + 4:end].split("; ")[0]
    types = [name]
    for ours in ("initiated<", "gmr::trace::initiated<"):
        if name.startswith(ours):
            types = arguments(name[len(ours):])
            break
    else:
        deferred = "deferred_async_operation<"
        if deferred in name:
            found = arguments(name[name.find(deferred) + len(deferred):])
            types = found[1:] if len(found) > 1 else types
    if not types:
        return ""
    composed = len(types) > 1 and "initiate_composed_op" in types[0]
    text = types[1 if composed else 0]
    for parts, kind in RULES:
        if all(part in text for part in parts):
            return kind
    kind = without_arguments(text).replace("{anonymous}", "(anonymous namespace)")
    parameters = kind.find("(", 1 if kind.startswith("(") else 0)
    if parameters >= 0 and not kind[parameters:].startswith("(anonymous"):
        kind = kind[:parameters]
    return kind[:80].rstrip()


KEPT = {"(anonymous namespace)": "\1", "operator()": "\2", "operator<<": "\3", "operator<": "\4", "operator->": "\5",
        "operator>>": "\6", "operator>": "\7"}


def shown(function):
    """Without what makes names long: parameters, template arguments, qualifiers and the type of the result."""
    for word, mark in KEPT.items():
        function = function.replace(word, mark)
    shorter = None
    while shorter != function:
        shorter, function = function, re.sub(r"<[^<>]*>|\([^()]*\)", "", function)
    function = re.sub(r"( const| volatile| &&?| noexcept)+$", "", function).split(" ")[-1]
    for word, mark in KEPT.items():
        function = function.replace(mark, word)
    return function


LIBRARIES = re.compile(r"boost::|std::|__|jump_fcontext|ontop_fcontext|gmr_fiber|gmr::")


def tellingly(frames):
    """The innermost frame that is the program's own."""
    return next((f for f in frames if f.file and not LIBRARIES.match(f.function or "__")), frames[0] if frames else "")
