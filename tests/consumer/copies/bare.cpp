// A program that was not linked with gmr, with plug-ins that were: bare PLUG-IN PLUG-IN. Each of
// them has green threads, and each makes a report.
#include <dlfcn.h>

#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <iostream>
#include <stdexcept>

namespace {

template <class Function>
Function* find(void* module, const char* name) {
  auto* const found = reinterpret_cast<Function*>(::dlsym(module, name));
  if (found == nullptr) throw std::runtime_error{::dlerror()};
  return found;
}

}  // namespace

int main(int argc, char** argv) try {
  boost::asio::io_context io;
  for (int i = 1; i < argc; ++i) {
    void* const part = ::dlopen(argv[i], RTLD_NOW | RTLD_LOCAL);
    if (part == nullptr) throw std::runtime_error{::dlerror()};
    find<void(boost::asio::io_context&, int, int)>(part, "part_start")(io, 3, 2);
    io.restart();
    io.poll();
    std::cout << find<std::string()>(part, "_Z11part_reportB5cxx11v")() << std::flush;
  }
  std::quick_exit(0);
} catch (const std::exception& error) {
  std::cerr << "bare: " << error.what() << '\n';
  return 1;
}
