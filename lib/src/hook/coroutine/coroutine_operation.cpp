#include "hook/coroutine/coroutine_operation.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "hook/asio_version.hpp"

namespace gmr::trace {
namespace {

// All of `parts` must occur, the earlier rule wins. Names are those of Boost's initiation types:
// outer ones first, as what is composed has its parts in its name.
struct rule {
  std::array<std::string_view, 2> parts;
  std::string_view kind;
};

constexpr rule rules[] = {
    {{"untraced_coroutine"}, "untraced coroutine"},
    {{"yielded_value"}, "yield"},
    {{"parallel_group"}, "parallel group"},
    {{"initiate_co_spawn"}, "coroutine"},
    {{"co_spawn_dispatch"}, "dispatch"},
    {{"co_spawn_post"}, "post"},
    {{"initiate_spawn"}, "fiber"},
    {{"experimental", "promise"}, "promise"},
    {{"experimental", "initiate_async_resume"}, "coroutine"},
    {{"channel", "initiate_async_receive"}, "channel receive"},
    {{"channel", "initiate_async_send"}, "channel send"},
    {{"websocket", "run_accept_op"}, "websocket accept"},
    {{"websocket", "run_handshake_op"}, "websocket handshake"},
    {{"websocket", "run_close_op"}, "websocket close"},
    {{"websocket", "run_ping_op"}, "websocket ping"},
    {{"websocket", "run_read"}, "websocket read"},
    {{"websocket", "run_write"}, "websocket write"},
    {{"beast::http", "read"}, "http read"},
    {{"beast::http", "write"}, "http write"},
    {{"run_connect_op"}, "connect"},
    {{"run_range_connect_op"}, "connect"},
    {{"run_iterator_connect_op"}, "connect"},
    {{"run_detect_ssl_op"}, "read"},
    {{"run_read_op"}, "read"},
    {{"run_write_op"}, "write"},
    {{"handshake"}, "handshake"},
    {{"initiate_async_shutdown"}, "shutdown"},
    {{"initiate_async_connect"}, "connect"},
    {{"initiate_async_range_connect"}, "connect"},
    {{"initiate_async_iterator_connect"}, "connect"},
    {{"accept"}, "accept"},
    {{"resolve"}, "resolve"},
    {{"initiate_async_read"}, "read"},
    {{"initiate_async_receive"}, "read"},
    {{"initiate_async_buffered_read"}, "read"},
    {{"initiate_async_buffered_fill"}, "read"},
    {{"initiate_async_write"}, "write"},
    {{"initiate_async_send"}, "write"},
    {{"initiate_async_buffered_write"}, "write"},
    {{"initiate_async_buffered_flush"}, "write"},
    {{"signal_set", "initiate_async_wait"}, "signal"},
    {{"timer", "initiate_async_wait"}, "timer"},
    {{"initiate_async_wait"}, "descriptor"},
    {{"initiate_dispatch"}, "dispatch"},
    {{"initiate_post"}, "post"},
    {{"initiate_defer"}, "defer"},
};

// "... [with T = X]" (g++), "... [T = X]" (clang).
std::string_view type_in(std::string_view name) {
  const std::size_t equals = name.find("T = ");
  const std::size_t end = name.rfind(']');
  if (equals == name.npos || end == name.npos || end < equals) return name;
  const std::string_view type = name.substr(equals + 4, end - equals - 4);
  return type.substr(0, std::min(type.find("; "), type.size()));
}

bool closes(std::string_view text, std::size_t at) {
  const bool arrow = text[at] == '>' && at > 0 && text[at - 1] == '-';
  return !arrow && std::string_view{">)}]"}.find(text[at]) != text.npos;
}

// The template arguments at the end of "name<a, b<c>, d>".
std::vector<std::string_view> arguments(std::string_view list) {
  std::vector<std::string_view> found;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (std::string_view{"<({["}.find(list[i]) != list.npos) ++depth;
    if (closes(list, i) && --depth < 0)
      return found.push_back(list.substr(begin, i - begin)), found;
    if (list[i] == ',' && depth == 0) {
      found.push_back(list.substr(begin, i - begin));
      begin = i + 2;
    }
  }
  return found;
}

// The last part of a qualified name, and its template arguments: "c" and "d, e" of "a<x>::b::c<d,
// e>".
struct last_part {
  std::string_view name;
  std::vector<std::string_view> arguments;
};

last_part last_part_of(std::string_view type) {
  int depth = 0;
  std::size_t begin = 0;
  std::size_t list = type.npos;
  for (std::size_t i = 0; i < type.size(); ++i) {
    if (type[i] == '<' && depth == 0) list = i;
    if (std::string_view{"<({["}.find(type[i]) != type.npos) ++depth;
    if (closes(type, i)) --depth;
    if (depth != 0 || !type.substr(i).starts_with("::")) continue;
    begin = i + 2;
    list = type.npos;
  }
  if (list == type.npos || list < begin) return {type.substr(begin), {}};
  return {type.substr(begin, list - begin), arguments(type.substr(list + 1))};
}

bool is_any_of(std::string_view name, std::span<const std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

// What stands around an operation, and has its type as first argument: completion tokens
// (redirect_error, as_tuple, bind_executor), time limits, what is chained to it.
constexpr std::string_view wrappers[] = {
    "init_wrapper",       "initiate_cancel_after",    "initiate_cancel_after_timer",
    "initiate_cancel_at", "initiate_cancel_at_timer", "deferred_sequence"};
// What starts an operation that is named by its implementation, the first argument.
constexpr std::string_view composers[] = {"initiate_composed", "initiate_co_composed"};

// The type that says what an operation is, in what a coroutine awaits.
std::string_view operation_in(std::string_view type) {
  constexpr int deepest = 32;  // as many tokens around one another
  // What it is started with: the type that does it, and what that is given.
  std::vector<std::string_view> types{type};
  for (int depth = 0; depth < deepest; ++depth) {
    last_part outer = last_part_of(types.front());
    std::vector<std::string_view>& inner = outer.arguments;
    if (outer.name == "initiate_composed_op" && types.size() > 1) return types.back();
    if (outer.name == "init_wrapper" && inner.empty()) {
      // redirect_error before Boost 1.86: the type comes next, or after values that go along.
      const auto next = std::find_if(types.begin() + 1, types.end(), [](std::string_view each) {
        return !each.starts_with("std::tuple<");
      });
      if (next == types.end()) break;
      types.erase(types.begin(), next);
      continue;
    }
    if (inner.empty()) break;
    if (is_any_of(outer.name, composers)) return inner.front();
    if (outer.name == "initiated")
      types = std::move(inner);
    else if (outer.name == "deferred_async_operation" && inner.size() > 1)
      types.assign(inner.begin() + 1, inner.end());  // its signature comes first
    else if (is_any_of(outer.name, wrappers))
      types.front() = inner.front();
    else
      break;
  }
  return types.front();
}

// Template arguments make such names unreadable: "a::b<c<d>>::e" becomes "a::b::e". So does the
// namespace that Asio may have its version in.
std::string without_arguments(std::string_view type) {
  std::string kept;
  int depth = 0;
  for (const char c : type) {
    if (c == '>') --depth;
    if (depth == 0 && c != '>' && c != '<') kept += c;
    if (c == '<') ++depth;
  }
  return without_asio_version(std::move(kept));
}

bool matches(const rule& known, std::string_view type) {
  return std::ranges::all_of(known.parts, [&](auto part) { return type.find(part) != type.npos; });
}

}  // namespace

std::string operation_kind(std::string_view name) {
  std::string kind = without_arguments(operation_in(type_in(name)));
  if (kind.starts_with("boost::") || kind.ends_with("untraced_coroutine") ||
      kind.ends_with("yielded_value"))
    for (const rule& known : rules)
      if (matches(known, kind)) return std::string{known.kind};
  constexpr std::size_t longest = 80;
  constexpr std::string_view unnamed = "{anonymous}";  // g++; as clang has it
  for (std::size_t i; (i = kind.find(unnamed)) != kind.npos;)
    kind.replace(i, unnamed.size(), "(anonymous namespace)");
  // A lambda is known by the function it stands in, whose parameters say nothing.
  if (const std::size_t parameters = kind.find('(', kind.starts_with('(') ? 1 : 0);
      parameters != kind.npos && !kind.substr(parameters).starts_with("(anonymous"))
    kind.resize(parameters);
  kind.resize(std::min(kind.size(), longest));
  while (kind.ends_with(' '))
    kind.pop_back();
  return kind;
}

bool is_turn(std::string_view operation_kind) noexcept {
  return operation_kind == "dispatch" || operation_kind == "post" || operation_kind == "defer";
}

}  // namespace gmr::trace
