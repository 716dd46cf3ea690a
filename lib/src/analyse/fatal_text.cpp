#include "analyse/fatal_text.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>

#include "os/memory.hpp"

namespace gmr::analyse {
namespace {

std::string_view name_of_signal(int signal) noexcept {
  switch (signal) {
    case SIGSEGV:
      return "SIGSEGV";
    case SIGBUS:
      return "SIGBUS";
    case SIGFPE:
      return "SIGFPE";
    case SIGILL:
      return "SIGILL";
    case SIGABRT:
      return "SIGABRT";
    default:
      return "std::terminate";
  }
}

struct code_words {
  int signal;
  int code;
  std::string_view words;
};
constexpr std::array all_code_words{
    code_words{SIGSEGV, SEGV_MAPERR, "nothing is mapped there"},
    code_words{SIGSEGV, SEGV_ACCERR, "the access is not permitted there"},
    code_words{SIGSEGV, SI_KERNEL, "the processor does not say which address"},
    code_words{SIGBUS, BUS_ADRALN, "not aligned"},
    code_words{SIGBUS, BUS_ADRERR, "beyond the end of what is mapped there"},
    code_words{SIGBUS, BUS_OBJERR, "an error of the hardware"},
    code_words{SIGFPE, FPE_INTDIV, "an integer divided by zero"},
    code_words{SIGFPE, FPE_INTOVF, "an integer overflow"},
    code_words{SIGFPE, FPE_FLTDIV, "a floating-point number divided by zero"},
    code_words{SIGFPE, FPE_FLTOVF, "a floating-point overflow"},
    code_words{SIGFPE, FPE_FLTINV, "an invalid floating-point operation"},
    code_words{SIGILL, ILL_ILLOPC, "no valid instruction"},
    code_words{SIGILL, ILL_ILLOPN, "no valid instruction"},
};

std::string_view words_of_code(const os::fatal_error& error) noexcept {
  const auto* const found = std::ranges::find_if(all_code_words, [&](const code_words& each) {
    return each.signal == error.signal && each.code == error.code;
  });
  return found == all_code_words.end() ? std::string_view{} : found->words;
}

}  // namespace

void fatal_text::add(std::string_view part) noexcept {
  size_ += part.copy(bytes_.data() + size_, bytes_.size() - size_);
}

void fatal_text::add_number(std::uint64_t number, int base) noexcept {
  std::array<char, 24> digits{};
  const char* const end =
      std::to_chars(digits.data(), digits.data() + digits.size(), number, base).ptr;
  add({digits.data(), static_cast<std::size_t>(end - digits.data())});
}

void fatal_text::add_error(const os::fatal_error& error) noexcept {
  add(name_of_signal(error.signal));
  if (error.is_fault()) {
    add(" at 0x");
    add_number(error.address, 16);
    if (const std::string_view words = words_of_code(error); !words.empty()) {
      add(" (");
      add(words);
      add(")");
    }
    if (is_stack_overflow(error)) add(", stack overflow");
  } else if (error.sender != 0 && error.sender != ::getpid()) {
    add(" sent by process ");
    add_number(static_cast<std::uint64_t>(error.sender));
  }
}

// Nothing can be masked here.
void fatal_text::add_exception(const os::fatal_error& error) noexcept {
  if (error.type().empty()) return;
  add(", exception of type ");
  add(error.type());
  const bool may_hold_secret = error.text().find_first_of("/?=") != std::string_view::npos;
  if (error.text().empty() || may_hold_secret) return;
  add(": ");
  add(error.text());
}

fatal_text fatal_text::of_error(const os::fatal_error& error) noexcept {
  fatal_text out;
  out.add_error(error);
  return out;
}

fatal_text fatal_text::of_cause(const os::fatal_error& error) noexcept {
  fatal_text out;
  out.add("fatal error: ");
  out.add_error(error);
  out.add(" in thread ");
  out.add_number(static_cast<std::uint64_t>(error.thread));
  out.add_exception(error);
  return out;
}

// Calls touch the word below the stack pointer, functions with large frames any word of these. The
// page is none that may be used; the stack begins above it.
bool is_stack_overflow(const os::fatal_error& error) noexcept {
  constexpr std::uintptr_t nearly = std::uintptr_t{1} << 16;
  constexpr std::uintptr_t largest_frame = std::uintptr_t{1} << 20;
  if (error.signal != SIGSEGV || !error.is_fault() || error.code == SI_KERNEL) return false;
  const std::uintptr_t sp = error.sp();
  if (error.address + nearly < sp || os::is_readable(error.address, 1)) return false;
  const bool is_stack_left = os::is_readable(sp, 1);
  return error.address < (is_stack_left ? sp : sp + largest_frame);
}

}  // namespace gmr::analyse
