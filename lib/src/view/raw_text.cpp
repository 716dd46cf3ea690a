// The raw report as text, in the manner of text.cpp.
#include <array>
#include <charconv>

#include "os/task_state.hpp"
#include "text/times.hpp"
#include "view/raw_view.hpp"

namespace gmr::views {
namespace {

constexpr std::string_view banner_rule =
    "========================================================================\n";

// A number with its digits.
class digits final {
 public:
  explicit digits(std::uint64_t number, int base = 10) noexcept {
    size_ = static_cast<std::size_t>(
        std::to_chars(bytes_.data(), bytes_.data() + bytes_.size(), number, base).ptr -
        bytes_.data());
  }
  operator std::string_view() const noexcept { return {bytes_.data(), size_}; }

 private:
  std::array<char, 24> bytes_;
  std::size_t size_;
};

digits number(pid_t of) noexcept {
  return digits{static_cast<std::uint64_t>(of)};
}

std::string_view plural(std::uint64_t count) noexcept {
  return count == 1 ? "" : "s";
}

}  // namespace

void raw_text::say(std::initializer_list<std::string_view> parts) noexcept {
  for (const std::string_view part : parts)
    out_.write(part);
}

// Of text that comes from anywhere, what a terminal shows and does not obey.
void raw_text::say_plain(std::string_view foreign) noexcept {
  constexpr std::string_view hex = "0123456789abcdef";
  for (const char each : foreign) {
    const auto byte = static_cast<unsigned char>(each);
    if (byte >= 0x20 && byte < 0x7f) {
      out_.write({&each, 1});
    } else {
      const std::array escaped{'\\', 'x', hex[byte >> 4U], hex[byte & 15U]};
      out_.write({escaped.data(), escaped.size()});
    }
  }
}

void raw_text::banner(std::string_view title) noexcept {
  say({banner_rule, "==== ", title, "\n", banner_rule});
}

void raw_text::begin(const raw_head& head) noexcept {
  banner("Guru Meditation");
  say({"Cause:   "});
  say_plain(head.cause);
  say({"\nTime:    ", texts::bare_utc_time(head.time).view(), "\nHost:    "});
  say_plain(head.host);
  say({"\nReport:  ", digits{head.number}, " (raw)\n\nNote: ", head.note, "\n\n"});
  banner("Package");
  say({"name:    "});
  say_plain(head.software->name);
  say({"\nversion: "});
  say_plain(head.software->version);
  say({"\n\n"});
  banner("Process");
  say({"pid: ", number(head.process), "\n\n"});
}

void raw_text::show_modules(std::span<const os::bare_module> modules) noexcept {
  banner("Modules");
  for (const os::bare_module& each : modules) {
    say_plain(each.path_text());
    say({"  at 0x", digits{each.base, 16}, "  build id ",
         each.build_id_size == 0 ? std::string_view{"(none)"} : each.build_id_text(), "\n"});
  }
  say({"\n"});
}

void raw_text::begin_threads(std::size_t count) noexcept {
  banner("Threads");
  say({digits{count}, " thread", plural(count), "\n"});
}

void raw_text::show_thread(const capture::bare_thread& thread, const unwind::bare_stack& stack,
                           std::string_view note) noexcept {
  say({"\n---- Thread ", number(thread.id), " "});
  say_plain({thread.status.name.data(), thread.status.name_size});
  say({": ", os::state_word(thread.status.state), thread.is_caller ? ", writes this report" : ""});
  if (thread.runs != 0) say({", runs green thread ", digits{thread.runs}});
  if (thread.outcome != capture_outcome::ok) say({", ", to_string(thread.outcome)});
  if (!note.empty()) say({" (", note, ")"});
  say({"\n"});
  show_stack(stack);
}

void raw_text::show_stack(const unwind::bare_stack& stack) noexcept {
  std::size_t number_of = 0;
  for (const unwind::raw_frame& frame : stack.all()) {
    const os::bare_module* const module = modules_.find(frame.pc - (frame.is_return ? 1 : 0));
    say({"  #", digits{number_of}, number_of < 10 ? "  " : " "});
    ++number_of;
    if (module == nullptr) {
      say({"0x", digits{frame.pc, 16}, "\n"});
      continue;
    }
    say_plain(module->path_text());
    say({"+0x", digits{frame.pc - module->base, 16}, "\n"});
  }
  if (const std::string_view why = words_of(stack.end); stack.count != 0 && !why.empty())
    say({"  (", why, ")\n"});
}

void raw_text::show_green_threads(const analyse::bare_groups& groups) noexcept {
  say({"\n"});
  banner("Green Threads");
  const std::uint64_t count = groups.green_threads();
  say({digits{count}, " green thread", plural(count), ", ", digits{groups.all().size()},
       " different stack", plural(groups.all().size()), "\n"});
  for (const analyse::bare_group* const each : groups.all())
    show_group(*each);
  if (groups.left_out() != 0)
    say({"\nand ", digits{groups.left_out()}, " more with other stacks\n"});
}

void raw_text::show_group(const analyse::bare_group& group) noexcept {
  say({"\n---- ", digits{group.count}, " ", to_string(group.kind), plural(group.count), " ",
       to_string(group.state), "\nids"});
  for (std::size_t i = 0; i < group.count && i < group.ids.size(); ++i) {
    say({i == 0 ? " " : ", ", digits{group.ids[i]}});
    if (group.threads[i] != 0) say({" on thread ", number(group.threads[i])});
  }
  if (group.count > group.ids.size()) say({", ..."});
  if (group.name_size != 0) {
    say({", named "});
    say_plain({group.name.data(), group.name_size});
  }
  say({"\n"});
  show_stack(group.stack);
  for (std::size_t i = 0; i < group.location_count; ++i) {
    const raw_location place{group.locations[i]};
    say({"  #", digits{i}, i < 10 ? "  " : " "});
    say_plain(place.function);
    say({" at "});
    say_plain(place.file);
    say({":", digits{place.line}, "\n"});
  }
  if (group.has_more_frames) say({"  (outer frames are left out)\n"});
}

void raw_text::end(const raw_end& end) noexcept {
  if (end.has_more_threads) say({"\nThere are more threads.\n"});
  if (end.has_more_green_threads) say({"\nThere are more green threads.\n"});
  if (!end.why_no_threads.empty())
    say({"\nThreads can't be listed (/proc/self/task: ", end.why_no_threads, ").\n"});
  say({"\n"});
  banner("End of Guru Meditation");
}

}  // namespace gmr::views
