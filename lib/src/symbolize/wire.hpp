// What the library and its helper program for names say to each other: messages of a size, a kind
// and values. Both are of one build, so numbers are as the machine has them. What comes from the
// helper is believed to be of the right form only after every size in it was checked: damaged debug
// information may have broken it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "os/modules.hpp"
#include "symbolize/place.hpp"

namespace gmr::symbolize {

// How much of a module is read.
enum class name_level : std::uint8_t {
  full,     // functions, lines and inlined calls of its debug information
  lines,    // lines of its debug information, functions of its symbol table
  symbols,  // its symbol table
  none,
};

// What the helper has of a module.
enum class module_file : std::uint8_t {
  found,     // the file that was loaded
  replaced,  // another one is in its place
  missing,   // it can't be opened, see the errno
};

enum class message_kind : std::uint8_t {
  open,      // to the helper: a module; answered by `opened`
  locate,    // to the helper: addresses of that module; answered by `reading`, `found`, `finished`
  demangle,  // to the helper: symbols; answered by `found` for each, and `finished`
  opened,    // what is known of the module
  reading,   // these addresses are looked at now: what happens is because of them
  found,     // the places of one address
  finished,  // all that is known was said
};

struct open_order {
  name_level level = name_level::full;
  os::module module;
};

struct locate_order {
  std::vector<std::uintptr_t> addresses;  // as in the file
};

struct demangle_order {
  std::vector<std::string> symbols;
};

struct opened_answer {
  module_file file = module_file::missing;
  int error = 0;
  bool has_debug_information = false;
  // Why some of that can't be read, for the reader of a report; empty when all can. Found out, it
  // may be, only when some of it was read: then this comes once more.
  std::string problem;
};

struct reading_answer {
  std::vector<std::size_t> indexes;  // of the addresses of the order
};

struct found_answer {
  std::size_t index = 0;
  std::vector<place> places;
};

[[nodiscard]] std::string to_message(const open_order& order);
[[nodiscard]] std::string to_message(const locate_order& order);
[[nodiscard]] std::string to_message(const demangle_order& order);
[[nodiscard]] std::string to_message(const opened_answer& answer);
[[nodiscard]] std::string to_message(const reading_answer& answer);
[[nodiscard]] std::string to_message(const found_answer& answer);
[[nodiscard]] std::string finished_message();

// One message without its size.
struct message {
  message_kind kind = message_kind::finished;
  std::string_view content;
};

// False when the content is not what it should be.
[[nodiscard]] bool parse(std::string_view content, open_order& order);
[[nodiscard]] bool parse(std::string_view content, locate_order& order);
[[nodiscard]] bool parse(std::string_view content, demangle_order& order);
[[nodiscard]] bool parse(std::string_view content, opened_answer& answer);
[[nodiscard]] bool parse(std::string_view content, reading_answer& answer);
[[nodiscard]] bool parse(std::string_view content, found_answer& answer);

// Takes bytes as they come and gives messages.
class message_splitter final {
 public:
  static constexpr std::size_t largest = 1U << 20;

  void add(std::string_view bytes) { bytes_.append(bytes); }
  // Nothing when the next one is not there yet, or is none. Valid until `add`.
  [[nodiscard]] std::optional<message> next();
  [[nodiscard]] bool is_broken() const noexcept { return is_broken_; }

 private:
  std::string bytes_;
  std::size_t taken_ = 0;
  bool is_broken_ = false;
};

}  // namespace gmr::symbolize
