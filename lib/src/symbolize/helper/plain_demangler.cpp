// The helper program's: gives up when a name becomes too long or takes too long.
#include "symbolize/plain_demangler.hpp"

#include <sys/time.h>

#include <csetjmp>
#include <csignal>
#include <cstring>

#include "symbolize/helper/name_timer.hpp"

// What libstdc++'s terminate handler demangles with: it takes no memory but the stack's and gives
// the name in pieces, so it can be left at any time. Only the static library has it.
extern "C" int __gcclibcxx_demangle_callback(
    const char* symbol, void (*take)(const char* piece, std::size_t size, void* to), void* to);

#ifdef GMR_HAS_RUST_DEMANGLER
// Of libiberty.
extern "C" int rust_demangle_callback(const char* symbol, int options,
                                      void (*take)(const char* piece, std::size_t size, void* to),
                                      void* to);
#endif

namespace gmr::symbolize {
namespace {

// Asio's longest are around 20,000.
constexpr std::size_t longest_symbol = 32 * 1024;
constexpr long most_microseconds = 100'000;

struct written_name {
  std::jmp_buf out;
  char* to = nullptr;
  std::size_t size = 0;
};

// The program has one thread.
std::jmp_buf* volatile way_out = nullptr;

void set_timer(long microseconds) {
  const itimerval once{{}, {0, microseconds}};
  ::setitimer(ITIMER_REAL, &once, nullptr);
}

void take_piece(const char* piece, std::size_t size, void* to) {
  auto& name = *static_cast<written_name*>(to);
  if (size > longest_name - name.size) std::longjmp(name.out, 1);
  std::memcpy(name.to + name.size, piece, size);
  name.size += size;
}

#ifdef GMR_HAS_RUST_DEMANGLER
// Names of Rust look like names of C++ in the older of their two forms. It gives the name in
// pieces, too, and takes no memory.
bool write_rust_name(const char* symbol, written_name& name) {
  return ::rust_demangle_callback(symbol, 0, take_piece, &name) != 0;
}
#else
bool write_rust_name(const char*, written_name&) {
  return false;
}
#endif

demangle_result write_name(const char* symbol, written_name& name) {
  if (setjmp(name.out) != 0) {
    way_out = nullptr;
    return demangle_result::too_long;
  }
  way_out = &name.out;
  const bool is_name = write_rust_name(symbol, name) ||
                       ::__gcclibcxx_demangle_callback(symbol, take_piece, &name) == 0;
  way_out = nullptr;
  return is_name ? demangle_result::readable : demangle_result::not_mangled;
}

void time_is_over(int) {
  if (std::jmp_buf* const out = way_out) std::longjmp(*out, 1);
}

}  // namespace

void prepare_name_timer() {
  struct sigaction action{};
  action.sa_handler = time_is_over;
  action.sa_flags = SA_NODEFER;
  ::sigaction(SIGALRM, &action, nullptr);
}

demangle_result write_readable(const std::string& symbol, std::string& text) {
  if (symbol.size() > longest_symbol) return demangle_result::too_long;
  text.resize(longest_name);
  written_name name;
  name.to = text.data();
  set_timer(most_microseconds);
  const demangle_result result = write_name(symbol.c_str(), name);
  set_timer(0);
  text.resize(result == demangle_result::readable ? name.size : 0);
  return result;
}

}  // namespace gmr::symbolize
