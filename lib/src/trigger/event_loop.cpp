#include "trigger/event_loop.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "hook/asio_members.hpp"
#include "os/files.hpp"

namespace gmr {
namespace {

#if GMR_LOOP_IS_EPOLL
using boost::asio::detail::epoll_reactor;
using boost::asio::detail::select_interrupter;

// What the kernel tells of the open file: of an epoll instance, also what is registered in it and
// with what data. Empty when it can't be read.
std::string_view tell_of_file(int number, std::array<char, 4096>& room) noexcept {
  std::array<char, 64> path{};
  std::string_view{"/proc/self/fdinfo/"}.copy(path.data(), path.size());
  std::to_chars(path.data() + std::strlen(path.data()), path.data() + path.size() - 1, number);
  const int opened = os::open_file(AT_FDCWD, path.data(), O_RDONLY);
  if (opened < 0) return {};
  const ssize_t got = ::read(opened, room.data(), room.size());
  os::close_file(opened);
  return {room.data(), got < 0 ? 0 : static_cast<std::size_t>(got)};
}

// All epoll instances have one device and inode. This one has Asio's own object registered.
bool is_ours(boost::asio::io_context& context) noexcept {
  epoll_reactor& reactor = boost::asio::use_service<epoll_reactor>(context);
  const int epoll = reactor.*found(trace::asio_members::epoll_of_reactor{});
  select_interrupter& interrupter = reactor.*found(trace::asio_members::interrupter_of_reactor{});
  if (::fcntl(epoll, F_GETFD) < 0) return false;
  std::array<char, 4096> room;
  const std::string_view told = tell_of_file(epoll, room);
  if (told.empty()) return true;  // without /proc it has to be believed
  std::array<char, 17> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(),
                                 reinterpret_cast<std::uintptr_t>(&interrupter), 16);
  return told.find(std::string_view{digits.data(), end.ptr}) != told.npos;
}
#else
// What else Asio may wait with is not known well enough to tell.
bool is_ours(boost::asio::io_context&) noexcept {
  return true;
}
#endif

}  // namespace

event_loop::event_loop() try {
  auto made = std::make_unique<boost::asio::io_context>(1);
#if GMR_LOOP_IS_EPOLL
  boost::asio::use_service<epoll_reactor>(*made).init_task();
#endif
  context_ = std::move(made);
} catch (const boost::system::system_error&) {
  lost_ = true;
}

event_loop::~event_loop() {
  if (is_lost()) leave_behind(context_);
}

bool event_loop::is_lost() noexcept {
  if (!lost_.load() && !is_ours(*context_)) lost_.store(true);
  return lost_.load();
}

std::size_t event_loop::poll() {
  if (is_lost()) return 0;
  context_->restart();
  return context_->poll();
}

}  // namespace gmr
