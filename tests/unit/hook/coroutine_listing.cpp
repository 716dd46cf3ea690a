#include "coroutine_listing.hpp"

#include <gtest/gtest.h>

#include <string_view>

#include "hook/schedulers.hpp"

namespace gmr::test {

std::vector<listed_coroutine> list_coroutines() {
  struct collector final : green_thread_visitor {
    void visit(const green_thread_view& view) override {
      if (view.kind != green_thread_kind::coroutine) return;
      found.push_back({view.id,
                       view.state,
                       view.suspended_at,
                       view.thread,
                       std::string{view.waits_for},
                       {view.frames.begin(), view.frames.end()},
                       view.parent});
    }
    std::vector<listed_coroutine> found;
  } collector;
  trace::for_each_scheduler([&](scheduler& source) {
    if (source.name() == "Asio coroutines") source.list(collector);
  });
  return collector.found;
}

listed_coroutine the_only_coroutine() {
  const auto all = list_coroutines();
  EXPECT_EQ(all.size(), 1U);
  return all.size() == 1 ? all.front() : listed_coroutine{};
}

std::string function_in(const char* function_name) {
  // g++: "void ns::f(ns::f(int)::_Z1fi.Frame*)"; clang: "asio::awaitable<void> ns::f(int)".
  std::string name{function_name};
  constexpr std::string_view unnamed = "(anonymous namespace)::";
  for (std::size_t i; (i = name.find(unnamed)) != name.npos;)
    name.erase(i, unnamed.size());
  name = name.substr(0, name.find('('));
  return name.substr(name.find_last_of(": ") + 1);
}

std::string chain(const listed_coroutine& coroutine) {
  std::string text;
  for (const logical_frame& frame : coroutine.frames) {
    if (!text.empty()) text += ' ';
    text += function_in(frame.function) + ':' + std::to_string(frame.line);
  }
  return text;
}

}  // namespace gmr::test
