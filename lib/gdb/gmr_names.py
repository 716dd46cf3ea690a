"""Names as a report has them: of the operations that coroutines wait for, and of functions."""
import re

# hook/coroutine/coroutine_operation.cpp has the same rules; tests/gdb compares them.
RULES = [
    (("untraced_coroutine",), "untraced coroutine"),
    (("yielded_value",), "yield"),
    (("parallel_group",), "parallel group"),
    (("initiate_co_spawn",), "coroutine"),
    (("co_spawn_dispatch",), "dispatch"),
    (("co_spawn_post",), "post"),
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


# What stands around an operation, and has its type as first argument.
WRAPPERS = ("init_wrapper", "initiate_cancel_after", "initiate_cancel_after_timer", "initiate_cancel_at",
            "initiate_cancel_at_timer", "deferred_sequence")
# What starts an operation that is named by its implementation, the first argument.
COMPOSERS = ("initiate_composed", "initiate_co_composed")
ASIO_VERSION = re.compile(r"(?<=boost::asio::)v[0-9][0-9a-z_]*::")


def closes(text, at):
    return text[at] in ">)}]" and not text[:at + 1].endswith("->")


def arguments(text):
    """The template arguments at the end of "name<a, b<c>, d>"."""
    found, depth, begin = [], 0, 0
    for i, c in enumerate(text):
        if c in "<({[":
            depth += 1
        elif closes(text, i):
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


def last_part(text):
    """The last part of a qualified name and its template arguments: "c", ["d"] of "a<x>::b::c<d>"."""
    depth, begin, listed = 0, 0, None
    for i, c in enumerate(text):
        if c == "<" and depth == 0:
            listed = i
        if c in "<({[":
            depth += 1
        if closes(text, i):
            depth -= 1
        if depth == 0 and text.startswith("::", i):
            begin, listed = i + 2, None
    if listed is None or listed < begin:
        return text[begin:], []
    return text[begin:listed], arguments(text[listed + 1:])


def operation_in(text):
    """The type that says what an operation is, in what a coroutine awaits."""
    types = [text]
    for _ in range(32):
        name, inner = last_part(types[0])
        if name == "initiate_composed_op" and len(types) > 1:
            return types[-1]
        if name == "init_wrapper" and not inner:
            rest = next((i for i, each in enumerate(types) if i > 0 and not each.startswith("std::tuple<")), None)
            if rest is None:
                break
            types = types[rest:]
            continue
        if not inner:
            break
        if name in COMPOSERS:
            return inner[0]
        if name == "initiated":
            types = inner
        elif name == "deferred_async_operation" and len(inner) > 1:
            types = inner[1:]
        elif name in WRAPPERS:
            types[0] = inner[0]
        else:
            break
    return types[0]


def operation_kind(name):
    equals, end = name.find("T = "), name.rfind("]")
    if equals >= 0 and end >= equals:
        name = name[equals + 4:end].split("; ")[0]
    kind = ASIO_VERSION.sub("", without_arguments(operation_in(name)))
    if kind.startswith("boost::") or kind.endswith("untraced_coroutine"):
        for parts, known in RULES:
            if all(part in kind for part in parts):
                return known
    kind = kind.replace("{anonymous}", "(anonymous namespace)")
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
    function = ASIO_VERSION.sub("", function)
    function = re.sub(r"( const| volatile| &&?| noexcept)+$", "", function).split(" ")[-1]
    for word, mark in KEPT.items():
        function = function.replace(mark, word)
    return function


LIBRARIES = re.compile(r"boost::|std::|__|jump_fcontext|ontop_fcontext|gmr_fiber|gmr::")


def tellingly(frames):
    """The innermost frame that is the program's own."""
    return next((f for f in frames if f.file and not LIBRARIES.match(f.function or "__")), frames[0] if frames else "")
