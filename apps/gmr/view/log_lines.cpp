#include "view/log_lines.hpp"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <regex>
#include <string_view>

namespace gmr_command {
namespace {

using nlohmann::json;

constexpr std::size_t most_piece = 1U << 20U;     // of a line of which no whole is needed
constexpr std::size_t most_wrapped = 64U << 20U;  // of one that wraps another

// Bytes that are not UTF-8 are an array of numbers there.
std::optional<std::string> message_of(const json& content) {
  if (content.is_string()) return content.get<std::string>();
  if (!content.is_array()) return std::nullopt;
  std::string out;
  for (const json& each : content)
    if (each.is_number_unsigned()) out += static_cast<char>(each.get<std::uint8_t>());
  return out;
}

std::string text_in(const json& entry, const char* name) {
  const auto at = entry.find(name);
  return at != entry.end() && at->is_string() ? at->get<std::string>() : std::string{};
}

bool unwrap_journal(const json& entry, log_piece& to) {
  const auto message = entry.find("MESSAGE");
  if (message == entry.end()) return false;
  to.text = message_of(*message).value_or("");
  to.stream = "journal " + text_in(entry, "_STREAM_ID") + " " + text_in(entry, "_PID") + " " +
              text_in(entry, "_BOOT_ID");
  to.ends_line = text_in(entry, "_LINE_BREAK") != "line-max";
  return true;
}

bool unwrap_docker(const json& entry, log_piece& to) {
  const auto log = entry.find("log");
  if (log == entry.end() || !log->is_string()) return false;
  to.text = log->get<std::string>();
  to.stream = "docker " + text_in(entry, "stream");
  to.ends_line = to.text.ends_with('\n');
  if (to.ends_line) to.text.pop_back();
  return true;
}

// 2026-01-31T12:00:00.123456789Z stderr P piece
bool unwrap_kubernetes(std::string& line, log_piece& to) {
  static const std::regex head{R"(^\d{4}-\d\d-\d\dT\S+ (stdout|stderr) ([PF]) )"};
  std::smatch match;
  constexpr std::ptrdiff_t longest_head = 64;
  const auto end = line.begin() + std::min<std::ptrdiff_t>(longest_head, std::ssize(line));
  if (!std::regex_search(line.cbegin(), std::string::const_iterator{end}, match, head))
    return false;
  to.stream = "kubernetes " + match.str(1);
  to.ends_line = match.str(2) == "F";
  to.text = line.substr(static_cast<std::size_t>(match.length()));
  return true;
}

bool may_wrap(std::string_view line) {
  constexpr std::string_view report = "{\"schema\":";
  return line.starts_with('{') && !line.starts_with(report);
}

}  // namespace

// At most so many bytes of the line; returns whether it ended.
bool log_lines::read(std::string& to, std::size_t most) {
  std::streambuf& bytes = *from_.rdbuf();
  for (int next = bytes.sbumpc(); next != std::istream::traits_type::eof(); next = bytes.sbumpc()) {
    if (next == '\n') return true;
    to += static_cast<char>(next);
    if (to.size() >= most) return false;
  }
  return true;
}

std::optional<log_piece> log_lines::next() {
  if (from_.peek() == std::istream::traits_type::eof()) return std::nullopt;
  log_piece out;
  if (at_line_start_) ++line_;
  out.line = line_;
  const bool may_be_wrapped = at_line_start_;
  out.begins_line = at_line_start_;
  std::string line;
  bool has_ended = read(line, most_piece);
  if (may_be_wrapped && may_wrap(line)) {
    if (!has_ended) has_ended = read(line, most_wrapped);
    const json entry = has_ended ? json::parse(line, nullptr, false) : json{};
    out.is_wrapped = entry.is_object() && (unwrap_journal(entry, out) || unwrap_docker(entry, out));
  } else if (may_be_wrapped && has_ended) {
    out.is_wrapped = unwrap_kubernetes(line, out);
  }
  at_line_start_ = has_ended;
  if (out.is_wrapped) return out;
  if (line.ends_with('\r')) line.pop_back();
  out.text = std::move(line);
  out.ends_line = has_ended;
  return out;
}

}  // namespace gmr_command
