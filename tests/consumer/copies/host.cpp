// A program with parts: host MODE [PLUG-IN...]. Prints reports, one to a line.
//   once    a report, another one made in a forked child, and then the plug-ins stop
//   leave   a report, the plug-ins are unloaded while their green threads wait, another report
//   rounds  a thread makes reports all the time while plug-ins come and go
#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <gmr/gmr.hpp>
#include <iostream>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <vector>

namespace asio = boost::asio;

#if defined(LINKED_PART)
#include "part.hpp"
#endif

namespace {

asio::awaitable<void> inner(asio::steady_timer& timer) {
  co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<void> host_waits() {
  asio::steady_timer timer{co_await asio::this_coro::executor, std::chrono::hours{1}};
  co_await inner(timer);
}

#if defined(LINKED_PART)
asio::awaitable<void> host_nests() {
  co_await part_nested();
}
#endif

class plug_in {
 public:
  explicit plug_in(const char* path) : module_(::dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
    if (module_ == nullptr) throw std::runtime_error{::dlerror()};
    start = find<void(asio::io_context&, int, int)>("part_start");
    stop = find<void(asio::io_context&)>("part_stop");
  }
  void unload() { ::dlclose(module_); }

  void (*start)(asio::io_context&, int, int);
  void (*stop)(asio::io_context&);

 private:
  template <class Function>
  Function* find(const char* name) {
    auto* const found = reinterpret_cast<Function*>(::dlsym(module_, name));
    if (found == nullptr) throw std::runtime_error{::dlerror()};
    return found;
  }
  void* module_;
};

asio::io_context io;

void say(const gmr::report& made) {
  std::cout << gmr::to_json(made) << std::flush;
}

void report_from_child(gmr::reporter& reporter) {
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      static_cast<void>(reporter.make("child"));
    } catch (const std::logic_error&) {
      ::_exit(0);
    }
    ::_exit(1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (status != 0) throw std::runtime_error{"the forked child ended otherwise"};
}

void come_and_go(gmr::reporter& reporter, const std::vector<const char*>& paths, int rounds) {
  std::atomic<bool> done = false;
  std::thread reports{[&] {
    while (!done)
      static_cast<void>(gmr::to_text(reporter.make("test")));
  }};
  for (int round = 0; round < rounds; ++round)
    for (const char* const path : paths) {
      plug_in part{path};
      part.start(io, 20, 5);
      io.restart();
      io.poll();
      part.stop(io);
      part.unload();
    }
  done = true;
  reports.join();
}

void run(std::string_view mode, const std::vector<const char*>& paths) {
  gmr::reporter reporter{{.name = "host", .version = "1"}, gmr::settings{}};
  co_spawn(io, host_waits(), asio::detached);
#if defined(LINKED_PART)
  part_start(io, 3, 2);
  co_spawn(io, host_nests(), asio::detached);
#endif
  io.poll();
  if (mode == "rounds") {
    const char* const rounds = std::getenv("ROUNDS");
    come_and_go(reporter, paths, rounds == nullptr ? 1 : std::atoi(rounds));
  } else {
    std::vector<plug_in> parts;
    for (const char* const path : paths)
      parts.emplace_back(path).start(io, 3, 2);
    io.restart();
    io.poll();
    say(reporter.make("test"));
    if (mode == "once") report_from_child(reporter);
    for (plug_in& each : parts) {
      if (mode == "once") each.stop(io);
      each.unload();
    }
  }
  say(reporter.make("test"));
}

}  // namespace

int main(int argc, char** argv) try {
  run(argv[1], {argv + 2, argv + argc});
  std::quick_exit(0);  // code of coroutines that are left may be gone
} catch (const std::exception& error) {
  std::cerr << "host: " << error.what() << '\n';
  return 1;
}
