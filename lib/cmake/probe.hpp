// What the probes of a Boost share: see GmrBoost.cmake. A probe prints what it finds wrong.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "gmr/trace/scheduler.hpp"
#include "hook/schedulers.hpp"

namespace probe {

struct coroutine {
  gmr::green_thread_state state{};
  std::string waits_for;
  std::string chain;  // "inner outer"
  std::uint64_t id = 0;
  std::uint64_t parent = 0;
};

// "void inner(inner(int)::_Z5inneri.Frame*)" or "awaitable<void> inner(int)".
inline std::string plain_name(std::string_view function) {
  const std::string_view before = function.substr(0, function.find('('));
  return std::string{before.substr(before.find_last_of(": ") + 1)};
}

template <typename Visit>
void for_each(std::string_view source, Visit visit) {
  struct visitor final : gmr::green_thread_visitor {
    explicit visitor(Visit& use) : use_(use) {}
    void visit(const gmr::green_thread_view& view) override { use_(view); }
    Visit& use_;
  } all{visit};
  gmr::trace::for_each_scheduler([&](gmr::scheduler& each) {
    if (each.name() == source) each.list(all);
  });
}

inline std::vector<coroutine> coroutines(std::string_view file) {
  std::vector<coroutine> found;
  for_each("Asio coroutines", [&](const gmr::green_thread_view& view) {
    coroutine each{view.state, std::string{view.waits_for}, {}, view.id, view.parent};
    for (const gmr::logical_frame& frame : view.frames) {
      if (!each.chain.empty()) each.chain += ' ';
      each.chain += file == frame.file && frame.line != 0 ? plain_name(frame.function) : "?";
    }
    found.push_back(std::move(each));
  });
  return found;
}

[[noreturn]] inline void fail(std::string_view what) {
  std::cout << what << std::endl;
  std::_Exit(1);
}

inline std::string described(const coroutine& seen) {
  constexpr std::string_view states[] = {"running", "suspended", "ready"};
  const auto state = static_cast<std::size_t>(seen.state);
  return std::string{state < 3 ? states[state] : "in an unknown state"} + ", waiting for '" +
         seen.waits_for + "', in '" + seen.chain + "'";
}

inline void expect(std::string_view what, const coroutine& seen, const coroutine& right) {
  if (seen.state == right.state && seen.waits_for == right.waits_for && seen.chain == right.chain)
    return;
  fail(std::string{what} + " is " + described(seen) + " instead of " + described(right));
}

inline coroutine the_only_one(std::string_view what, std::string_view file) {
  const std::vector<coroutine> all = coroutines(file);
  if (all.size() != 1)
    fail(std::string{what} + ": " + std::to_string(all.size()) +
         " coroutines are seen instead of 1");
  return all.front();
}

}  // namespace probe
