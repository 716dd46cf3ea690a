#include "view/text_stack.hpp"

#include <algorithm>
#include <vector>

#include "text/hex.hpp"
#include "text/printable.hpp"
#include "text/quantities.hpp"

namespace gmr::views {
namespace {

constexpr std::size_t longest_function = 300;
constexpr const char* unloaded = "in code that has been unloaded";

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

// The place moves to a line of its own when both don't fit: names break badly in the middle.
void show_frame(page& out, std::size_t indent, std::size_t number, const frame& entry,
                const path_shortener& paths) {
  std::string line = "#" + std::to_string(number);
  line.append(std::max<std::size_t>(4, line.size() + 1) - line.size(), ' ');
  line += function_text(entry);
  const std::string place = place_text(entry, paths);
  if (place.empty() || indent + texts::columns(line) + 1 + texts::columns(place) <= page::width) {
    out.unbroken(indent, place.empty() ? line : line + " " + place);
  } else {
    out.unbroken(indent, line);
    out.unbroken(indent + 8, place);
  }
  if (const std::string_view code = paths.code(entry); !code.empty())
    out.unbroken(indent + 8, "> " + texts::printable(code));
}

}  // namespace

std::string function_text(const frame& entry) {
  std::string name =
      texts::printable(entry.function.empty() ? entry.function_full : entry.function);
  if (const std::size_t width = texts::columns(name); width > longest_function) {
    name = texts::first_columns(name, longest_function);
    name += "... (" + counted(width - longest_function, "more character") + ")";
  }
  if (!name.empty()) return name;
  return entry.address ? texts::hex(*entry.address) : "(unknown function)";
}

std::string place_text(const frame& entry, const path_shortener& paths) {
  std::string place;
  if (!entry.file.empty()) {
    place = "at " + paths.shorten(entry.file);
    if (entry.line != 0) place += ":" + std::to_string(entry.line);
  } else if (!entry.module.empty()) {
    place = "in " + texts::printable(base_name(entry.module));
    if (entry.offset) place += "+" + texts::hex(*entry.offset);
  }
  if (entry.unloaded) place += place.empty() ? unloaded : ", " + std::string{unloaded};
  if (entry.inlined) place += place.empty() ? "(inlined)" : " (inlined)";
  return place;
}

std::string fold_text(const outlines::frame_run& run) {
  const std::vector<std::string_view>& names = run.libraries;
  std::string text = "... " + counted(run.count, "frame") + " of ";
  for (std::size_t at = 0; at < names.size(); ++at)
    text.append(at == 0 ? "" : at + 1 == names.size() ? " and " : ", ").append(names[at]);
  return text + (names.empty() ? "libraries ..." : " ...");
}

std::string path_shortener::shorten(std::string_view file) const {
  constexpr std::string_view system_headers = "/usr/include/";
  if (!root_.empty() && file.starts_with(root_)) {
    file.remove_prefix(root_.size());
  } else if (file.starts_with(system_headers)) {
    file.remove_prefix(system_headers.size());
  }
  // Relative to whatever directory the compiler ran in.
  while (file.starts_with("../") || file.starts_with("./"))
    file.remove_prefix(file.find('/') + 1);
  return texts::printable(file);
}

std::string_view path_shortener::code(const frame& entry) const {
  if (code_ == nullptr) return {};
  const auto known = code_->find(&entry);
  return known == code_->end() ? std::string_view{} : known->second;
}

std::string frame_text(const frame& entry, const path_shortener& paths) {
  const std::string place = place_text(entry, paths);
  return place.empty() ? function_text(entry) : function_text(entry) + " " + place;
}

void show_stack(page& out, std::size_t indent, const outlines::stack_outline& shown,
                const path_shortener& paths) {
  for (const outlines::frame_run& run : shown.runs) {
    if (run.is_folded)
      out.unbroken(indent, fold_text(run));
    else
      show_frame(out, indent, run.first, *shown.source->frames[run.first], paths);
  }
  if (!shown.note.empty())
    out.line(indent, "(" + texts::printable(shown.note) + ")");
  else if (shown.runs.empty())
    out.line(indent, "(no stack)");
}

std::string remaining_text(double seconds) {
  return seconds < 0 ? ", overdue for " + texts::human_duration(-seconds)
                     : ", still for " + texts::human_duration(seconds);
}

std::string queues_text(const std::optional<socket_queues>& queues) {
  std::string out;
  if (!queues) return out;
  const auto bytes = [&](const char* what, const std::optional<std::uint64_t>& size) {
    if (size) out += what + texts::human_bytes(static_cast<double>(*size));
  };
  bytes(", receive queue ", queues->receive_bytes);
  bytes(", send queue ", queues->send_bytes);
  if (!queues->connections) return out;
  out += ", " + std::to_string(*queues->connections);
  if (queues->backlog) out += " of at most " + std::to_string(*queues->backlog);
  return out + " connections not accepted yet";
}

std::string wait_text(const wait_info& wait) {
  std::string out = texts::printable(wait.word());
  if (wait.fd) out += " on descriptor " + std::to_string(*wait.fd);
  if (!wait.peer.empty()) out += " (" + texts::printable(wait.peer) + ")";
  out += queues_text(wait.queues);
  if (wait.address) out += " " + texts::hex(*wait.address);
  if (wait.owner) out += " held by thread " + std::to_string(*wait.owner);
  if (wait.seconds) {
    // Of locks: how long it has been waiting. Of all others there is a timer that ends the wait.
    const bool remaining = !wait.address;
    out += (remaining ? remaining_text(*wait.seconds)
                      : " for " + texts::human_duration(*wait.seconds));
  }
  return out;
}

}  // namespace gmr::views
