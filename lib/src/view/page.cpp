#include "view/page.hpp"

#include <algorithm>

#include "text/printable.hpp"

namespace gmr::views {
namespace {

constexpr std::size_t rule_columns = 72;

// Where to break so that at most `room` columns stay: after the last blank, else nowhere.
std::size_t break_at(std::string_view content, std::size_t room) {
  const std::size_t fits = texts::first_columns(content, room + 1).size();
  if (fits == content.size() && texts::columns(content) <= room) return content.size();
  std::size_t blank = content.substr(0, fits).rfind(' ');
  if (blank == std::string_view::npos || blank == 0) blank = content.find(' ', 1);
  return std::min(blank, content.size());
}

}  // namespace

void page::banner(std::string_view title) {
  const std::string rule(rule_columns, '=');
  out_.append(rule).append("\n==== ").append(title).append("\n").append(rule).append("\n");
}

void page::section(std::string_view title) {
  blank();
  banner(title);
}

void page::block(std::string_view title) {
  blank();
  line(0, std::string{"---- "}.append(title));
}

void page::blank() {
  if (!out_.empty() && !out_.ends_with("\n\n")) out_ += '\n';
}

void page::line(std::size_t indent, std::string_view content) {
  std::size_t deeper = indent;
  do {
    const std::size_t room = deeper + 20 < width ? width - deeper : 20;
    const std::size_t end = break_at(content, room);
    unbroken(deeper, content.substr(0, end));
    content.remove_prefix(std::min(end + 1, content.size()));
    deeper = indent + 4;
  } while (!content.empty());
}

void page::unbroken(std::size_t indent, std::string_view content) {
  out_.append(indent, ' ').append(content).append("\n");
}

void page::text(std::size_t indent, std::string_view content) {
  while (content.ends_with('\n'))
    content.remove_suffix(1);
  const std::string clean = texts::printable(content, texts::line_breaks::keep);
  for (std::size_t from = 0; from <= clean.size();) {
    const std::size_t end = std::min(clean.find('\n', from), clean.size());
    const std::string_view each = std::string_view{clean}.substr(from, end - from);
    unbroken(each.empty() ? 0 : indent, each);
    from = end + 1;
  }
}

std::string join_some(const std::vector<std::string>& names, std::size_t most, std::size_t total) {
  std::string out;
  const std::size_t shown = std::min(most, names.size());
  for (std::size_t at = 0; at < shown; ++at)
    out.append(at == 0 ? "" : ", ").append(names[at]);
  if (total > shown)
    out.append(shown == 0 ? "" : " and ").append(std::to_string(total - shown)).append(" more");
  return out;
}

std::string join_fitting(const std::vector<std::string>& names, std::size_t room,
                         std::size_t total) {
  std::size_t most = 0;
  for (std::size_t used = 0; most < names.size(); ++most) {
    used += texts::columns(names[most]) + 2;
    if (used > room && most != 0) break;
  }
  return join_some(names, most, total);
}

std::string counted(std::uint64_t count, std::string_view noun) {
  std::string out = std::to_string(count);
  out.append(" ").append(noun);
  if (count != 1) out += 's';
  return out;
}

}  // namespace gmr::views
