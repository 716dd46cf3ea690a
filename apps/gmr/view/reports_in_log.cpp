#include "view/reports_in_log.hpp"

#include <algorithm>
#include <deque>
#include <string_view>
#include <utility>

#include "view/log_lines.hpp"

namespace gmr_command {
namespace {

constexpr std::string_view json_mark = "{\"schema\":";
constexpr std::string_view text_mark = "==== Guru Meditation";
constexpr std::string_view text_end_mark = "==== End of Guru Meditation";
constexpr std::string_view rule =
    "========================================================================";
constexpr std::size_t longest_prefix = 4096;
// A line that is shorter was not cut.
constexpr std::size_t shortest_cut = 2048;

// Where a report begins in a line; npos: none does.
std::size_t begin_of_json(std::string_view line) {
  if (line == "{") return 0;  // of one that somebody has formatted
  const std::size_t at = line.substr(0, longest_prefix).find(json_mark);
  return at;
}

// The line without what stands before the service's words in it: the same as before the report, or
// what ends with the same word ("orders[811]: ").
std::string_view without_prefix(std::string_view line, std::string_view prefix) {
  if (prefix.empty() || line.starts_with(prefix)) return line.substr(prefix.size());
  std::string_view word = prefix;
  while (word.ends_with(' '))
    word.remove_suffix(1);
  word = prefix.substr(std::min(word.rfind(' ') + 1, prefix.size()));
  const std::size_t at = line.substr(0, prefix.size() + 32).find(word);
  return at == std::string_view::npos ? line : line.substr(at + word.size());
}

std::string without_digits(std::string_view words) {
  std::string out{words};
  std::erase_if(out, [](char each) { return each >= '0' && each <= '9'; });
  return out;
}

// The pieces of one log, those of one stream at a time where somebody asks for these.
class piece_queue final {
 public:
  piece_queue(std::istream& from, std::size_t most_bytes) : lines_(from), most_bytes_(most_bytes) {}

  [[nodiscard]] std::optional<log_piece> next() {
    if (waiting_.empty()) return lines_.next();
    return take(waiting_.begin());
  }
  // Others wait for their turn. Nothing is read when too many do: none of them is lost.
  [[nodiscard]] std::optional<log_piece> next_of(const std::string& stream) {
    const auto known = std::ranges::find(waiting_, stream, &log_piece::stream);
    if (known != waiting_.end()) return take(known);
    while (waiting_.size() < most_waiting && bytes_ < most_bytes_) {
      std::optional<log_piece> read = lines_.next();
      if (!read || read->stream == stream) return read;
      bytes_ += size_of(*read);
      waiting_.push_back(std::move(*read));
    }
    return std::nullopt;
  }
  void put_back(log_piece piece) {
    bytes_ += size_of(piece);
    waiting_.push_front(std::move(piece));
  }

 private:
  static constexpr std::size_t most_waiting = 10'000;

  [[nodiscard]] static std::size_t size_of(const log_piece& piece) {
    return piece.text.size() + piece.stream.size();
  }
  [[nodiscard]] log_piece take(const std::deque<log_piece>::iterator& from) {
    log_piece out = std::move(*from);
    waiting_.erase(from);
    bytes_ -= size_of(out);
    return out;
  }

  log_lines lines_;
  std::deque<log_piece> waiting_;
  std::size_t bytes_ = 0;  // of what waits
  std::size_t most_bytes_;
};

// The text of a report that begins in a piece, as long as it goes on.
class report_text final : public gmr::text_source {
 public:
  report_text(piece_queue& from, log_piece first, std::size_t begin)
      : from_(from),
        now_(std::move(first)),
        prefix_(now_.text.substr(0, begin)),
        rest_(std::string_view{now_.text}.substr(begin)),
        is_formatted_(rest_ == "{") {}

  std::string_view next() override {
    if (!std::exchange(is_first_, false) && !go_on()) return {};
    return rest_;
  }
  // Nothing of the line that the report ended in is looked at again.
  void skip_line() {
    while (!now_.ends_line) {
      std::optional<log_piece> read = from_.next_of(now_.stream);
      if (!read) return;
      now_ = std::move(*read);
    }
  }

 private:
  // An empty line in a report that was formatted says nothing; elsewhere none is.
  bool go_on() {
    do {
      const bool was_line = now_.ends_line;
      if (was_line && !may_go_on()) return false;
      std::optional<log_piece> read = from_.next_of(now_.stream);
      if (!read) return false;
      if (was_line && is_another(read->text)) {
        from_.put_back(std::move(*read));
        return false;
      }
      now_ = std::move(*read);
      rest_ = was_line ? without_prefix(now_.text, prefix_) : std::string_view{now_.text};
    } while (rest_.empty());
    return true;
  }
  // A log that is kept as lines does not say that one was cut.
  [[nodiscard]] bool may_go_on() const {
    return is_formatted_ || (!now_.is_wrapped && now_.text.size() >= shortest_cut);
  }
  [[nodiscard]] static bool is_another(std::string_view line) {
    return begin_of_json(line) != std::string_view::npos ||
           line.substr(0, longest_prefix).find(text_mark) != std::string_view::npos;
  }

  piece_queue& from_;
  log_piece now_;
  std::string prefix_;
  std::string_view rest_;
  bool is_formatted_;
  bool is_first_ = true;
};

class log_search final {
 public:
  log_search(std::istream& from, std::string name, report_receiver& to, const log_limits& limits)
      : pieces_(from, limits.waiting_bytes),
        name_(std::move(name)),
        to_(to),
        most_text_(limits.text_bytes) {}

  [[nodiscard]] log_search_result run() {
    while (!to_.has_enough()) {
      std::optional<log_piece> piece = pieces_.next();
      if (!piece) break;
      // A stream's line that goes on is none of a report's, or it would have been read with it.
      if (piece->begins_line) take(std::move(*piece));
    }
    return std::move(found_);
  }

 private:
  void take(log_piece piece) {
    const std::string_view text = piece.text;
    if (const std::size_t at = begin_of_json(text); at != std::string_view::npos)
      return take_json(std::move(piece), at);
    const std::size_t banner = text.substr(0, longest_prefix).find(text_mark);
    if (banner != std::string_view::npos && text.substr(banner) == text_mark)
      take_text(std::move(piece), banner);
  }

  void take_json(log_piece piece, std::size_t at) {
    const std::size_t line = piece.line;
    report_text text{pieces_, std::move(piece), at};
    try {
      to_.take_json(text, line);
    } catch (const gmr::unreadable_report& error) {
      damage(line, error.what());
    }
    text.skip_line();
  }

  void take_text(log_piece piece, std::size_t banner) {
    const std::string prefix = piece.text.substr(0, banner);
    const std::size_t line = piece.line;
    ++found_.texts;
    std::string text = std::string{rule}.append("\n").append(text_mark).append("\n");
    for (bool has_ended = false;;) {
      const bool was_line = piece.ends_line;
      std::optional<log_piece> read = pieces_.next_of(piece.stream);
      if (!read) return damage(line, "the text report has no end: it is cut");
      piece = std::move(*read);
      const std::string_view shown =
          was_line ? without_prefix(piece.text, prefix) : std::string_view{piece.text};
      if (was_line && begins_another(piece.text, shown, prefix)) {
        pieces_.put_back(std::move(piece));
        return damage(line, "the text report has no end: another one begins");
      }
      text += shown;
      if (piece.ends_line) text += '\n';
      if (text.size() > most_text_)
        return damage(line,
                      "the text report has no end in " + std::to_string(most_text_) + " bytes");
      if (has_ended) break;  // the line below the banner
      has_ended = shown == text_end_mark;
    }
    to_.take_text(std::move(text), line);
  }

  // Behind the words of another process of the service, too: a number in them is another then. What
  // stands deeper in a line is what a report says, and may be somebody's joke.
  [[nodiscard]] static bool begins_another(std::string_view line, std::string_view shown,
                                           std::string_view prefix) {
    if (shown == text_mark || shown.starts_with(json_mark)) return true;
    if (prefix.empty()) return false;
    const std::string_view head = line.substr(0, longest_prefix);
    std::size_t at = head.find(text_mark);
    if (at == std::string_view::npos || line.substr(at) != text_mark) at = head.find(json_mark);
    return at != std::string_view::npos &&
           without_digits(line.substr(0, at)) == without_digits(prefix);
  }

  void damage(std::size_t line, const std::string& what) {
    if (found_.damaged++ == 0)
      found_.first_damage = name_ + ":" + std::to_string(line) + ": " + what;
  }

  piece_queue pieces_;
  std::string name_;
  report_receiver& to_;
  std::size_t most_text_;
  log_search_result found_;
};

// Keeps the one that is wanted.
class one_report final : public report_receiver {
 public:
  explicit one_report(std::size_t number) : number_(number) {}

  void take_json(gmr::text_source& from, std::size_t line) override {
    keep(gmr::json_report{from}, line);
  }
  void take_text(std::string text, std::size_t line) override { keep(std::move(text), line); }
  [[nodiscard]] bool has_enough() const override { return number_ != 0 && found_.count >= number_; }
  [[nodiscard]] reports_found found(log_search_result result) {
    found_.damaged = result.damaged;
    found_.first_damage = std::move(result.first_damage);
    return std::move(found_);
  }

 private:
  void keep(report_in_log made, std::size_t line) {
    ++found_.count;
    found_.line = line;
    if (number_ == 0 || found_.count == number_) found_.wanted = std::move(made);
  }

  std::size_t number_;
  reports_found found_;
};

}  // namespace

log_search_result search_log(std::istream& from, const std::string& name, report_receiver& to,
                             const log_limits& limits) {
  return log_search{from, name, to, limits}.run();
}

reports_found find_reports(std::istream& from, const std::string& name, std::size_t number,
                           const log_limits& limits) {
  one_report wanted{number};
  return wanted.found(search_log(from, name, wanted, limits));
}

}  // namespace gmr_command
