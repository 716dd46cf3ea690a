#include "reports/stacks.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

namespace gmr_command::reports {
namespace {

// Asio's loops: what calls handlers.
bool calls_handlers(const frame& at) {
  constexpr std::array<std::string_view, 5> loops{
      "asio::detail::scheduler::run", "asio::detail::scheduler::do_run_one",
      "asio::detail::scheduler::poll", "asio::io_context::run", "asio::io_context::poll"};
  return std::ranges::any_of(
      loops, [&](std::string_view each) { return at.function.find(each) != std::string::npos; });
}

auto loop_in(const std::vector<frame>& frames) {
  return std::ranges::find_if(frames, calls_handlers);
}

}  // namespace

const frame* innermost_own(const std::vector<frame>& frames) noexcept {
  auto found = std::ranges::find_if(
      frames, [](const frame& each) { return each.own && !each.file.empty(); });
  if (found == frames.end()) found = std::ranges::find_if(frames, &frame::own);
  if (found == frames.end()) found = frames.begin();
  return found == frames.end() ? nullptr : &*found;
}

std::vector<frame> own_frames(const std::vector<frame>& frames) {
  std::vector<frame> own;
  std::ranges::copy_if(frames, std::back_inserter(own), &frame::own);
  return own;
}

bool same_place(const std::vector<frame>& one, const std::vector<frame>& other) {
  const std::vector<frame> own = own_frames(one);
  return own.empty() ? one == other : own == own_frames(other);
}

thread_role role_of(const thread& of) {
  if (of.is_reporter || of.name.starts_with("gmr")) return thread_role::reporter;
  if (of.runs) return thread_role::in_handler;
  const auto loop = loop_in(of.frames);
  if (loop == of.frames.end()) return thread_role::own;
  return std::any_of(of.frames.begin(), loop, [](const frame& each) { return each.own; })
             ? thread_role::in_handler
             : thread_role::idle_loop;
}

const frame* handler_of(const thread& of) {
  const auto loop = loop_in(of.frames);
  const auto own = std::find_if(std::make_reverse_iterator(loop), of.frames.rend(),
                                [](const frame& each) { return each.own; });
  return own == of.frames.rend() ? nullptr : &*own;
}

const frame* caller_of_loop(const thread& of) noexcept {
  const auto own =
      std::find_if(loop_in(of.frames), of.frames.end(), [](const frame& each) { return each.own; });
  return own == of.frames.end() ? nullptr : &*own;
}

bool is_of_thread_pool(const thread& of) {
  return std::ranges::any_of(of.frames, [](const frame& each) {
    return each.function.find("asio::thread_pool::") != std::string::npos;
  });
}

}  // namespace gmr_command::reports
