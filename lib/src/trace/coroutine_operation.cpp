#include "trace/coroutine_operation.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

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
    {{"parallel_group"}, "parallel group"},
    {{"initiate_co_spawn"}, "coroutine"},
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

// The template arguments at the end of "name<a, b<c>, d>".
std::vector<std::string_view> arguments(std::string_view list) {
  std::vector<std::string_view> found;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (std::string_view{"<({["}.find(list[i]) != list.npos) ++depth;
    if (std::string_view{">)}]"}.find(list[i]) != list.npos && --depth < 0)
      return found.push_back(list.substr(begin, i - begin)), found;
    if (list[i] == ',' && depth == 0) {
      found.push_back(list.substr(begin, i - begin));
      begin = i + 2;
    }
  }
  return found;
}

// An operation's initiation and what it is given, the implementation of a composed one first.
std::vector<std::string_view> initiation(std::string_view type) {
  // Compilers leave out namespaces that the function they describe is in, too.
  for (const std::string_view ours : {"initiated<", "gmr::trace::initiated<"})
    if (type.starts_with(ours)) return arguments(type.substr(ours.size()));
  constexpr std::string_view deferred = "deferred_async_operation<";  // its signature comes first
  if (const std::size_t at = type.find(deferred); at != type.npos) {
    auto found = arguments(type.substr(at + deferred.size()));
    if (found.size() > 1) return {found.begin() + 1, found.end()};
  }
  return {type};
}

// Template arguments make such names unreadable: "a::b<c<d>>::e" becomes "a::b::e".
std::string without_arguments(std::string_view type) {
  std::string kept;
  int depth = 0;
  for (const char c : type) {
    if (c == '>') --depth;
    if (depth == 0 && c != '>' && c != '<') kept += c;
    if (c == '<') ++depth;
  }
  return kept;
}

bool matches(const rule& known, std::string_view type) {
  return std::ranges::all_of(known.parts, [&](auto part) { return type.find(part) != type.npos; });
}

}  // namespace

std::string operation_kind(std::string_view name) {
  const std::vector<std::string_view> types = initiation(type_in(name));
  if (types.empty()) return {};
  const bool composed = types.size() > 1 && types[0].find("initiate_composed_op") != name.npos;
  const std::string_view type = types[composed ? 1 : 0];
  for (const rule& known : rules)
    if (matches(known, type)) return std::string{known.kind};
  constexpr std::size_t longest = 80;
  std::string kind = without_arguments(type);
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
