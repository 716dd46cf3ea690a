// The backend on libdw, which runs in a program of its own: see docs/architecture.md for why.
#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cerrno>
#include <optional>
#include <utility>

#include "os/memory_room.hpp"
#include "symbolize/backend.hpp"
#include "symbolize/helper_session.hpp"
#include "symbolize/module_work.hpp"
#include "symbolize/name_notes.hpp"
#include "symbolize/names.hpp"
#include "symbolize/table_names.hpp"

namespace gmr::symbolize {
namespace {

using clock = std::chrono::steady_clock;

// With what the service needs for a report it stays below 16 MiB.
constexpr std::uint64_t most_memory = 12U << 20;
constexpr std::uint64_t least_memory = 3U << 19;
// For the rest of the report, and what the kernel needs for a process.
constexpr std::uint64_t kept_for_report = 3U << 20;
constexpr int most_starts_for_module = 8;
constexpr int most_starts_in_report = 48;
constexpr int status_of_loader = 127;

// Errors of the moment.
bool may_pass(int error) {
  return error == EAGAIN || error == EMFILE || error == ENFILE || error == ENOMEM ||
         error == ETIMEDOUT;
}

class helper_backend final : public backend {
 public:
  explicit helper_backend(std::string debug_dirs) : debug_dirs_(std::move(debug_dirs)) {}

  bool begin(const os::module_table::list& loaded, time_point deadline) override {
    session_.stop();
    deadline_ = deadline;
    began_ = clock::now();
    unnamed_ = 0;
    cant_start_ = false;
    starts_ = 0;
    boost::unordered::erase_if(known_, [&](const auto& entry) {
      return std::none_of(loaded.begin(), loaded.end(),
                          [&](const auto& module) { return module.get() == entry.first; });
    });
    if (!was_short_of_memory_) return false;
    const std::uint64_t before = given_.bytes;
    if (memory_for_helper(os::look_at_memory()).bytes < std::min(2 * before, most_memory))
      return false;
    was_short_of_memory_ = false;
    start_note_.clear();
    for (auto& [module, known] : known_)
      known.note.clear();
    return true;
  }

  // Distributions compress debug files, and libdw unpacks one whole to open it.
  void expect(const os::module& in) override {
    if (ensure_running()) open_module(in, level_of(in));
  }

  std::vector<located> locate(const os::module& in,
                              std::span<const std::uintptr_t> addresses) override {
    module_work work{in, addresses, level_of(in)};
    if (in.kind == os::module_kind::vdso) work.lower_all(name_level::none);
    ask_helper(in, work);
    const auto& opened = known_[&in].opened;
    if (opened && opened->file != module_file::found) work.reopen_unknown();
    ask_tables(in, work);
    return std::move(work.found);
  }

  std::vector<std::string> demangle(std::span<const std::string> symbols) override;

  void rest() noexcept override {
    session_.stop();
    open_ = nullptr;
  }

  std::vector<std::string> end() override {
    rest();
    std::vector<std::string> notes;
    if (!start_note_.empty()) notes.push_back(start_note_);
    for (const auto& [module, known] : known_) {
      if (!known.note.empty()) notes.push_back(known.note);
      if (known.opened && !known.opened->problem.empty())
        notes.push_back(note_of_problem(*module, known.opened->problem));
    }
    if (unnamed_ != 0) notes.push_back(note_of_time(std::exchange(unnamed_, 0)));
    return notes;
  }

  std::string warning(const os::module& in) override {
    const auto known = known_.find(&in);
    return known == known_.end() || !known->second.opened ? std::string()
                                                          : note_of_file(in, *known->second.opened);
  }

 private:
  struct module_knowledge {
    name_level level = name_level::full;  // it can't be opened at a higher one
    std::optional<opened_answer> opened;
    std::string note;  // what is less than it could be; answers are kept, so it stays
  };

  static helper_memory memory_for_helper(const os::memory_room& left) {
    const std::uint64_t rest = left.bytes > kept_for_report ? left.bytes - kept_for_report : 0;
    if (rest >= most_memory) return {most_memory, {}};
    return {rest, left.limit};
  }

  [[nodiscard]] name_level level_of(const os::module& in) { return known_[&in].level; }

  bool ensure_running() {
    if (session_.is_running()) return true;
    if (cant_start_ || clock::now() >= deadline_) return false;
    if (starts_ == most_starts_in_report) {
      cant_start_ = cant_start_now_ = true;
      start_note_ = note_of_starts(starts_);
      return false;
    }
    ++starts_;
    open_ = nullptr;
    opened_in_session_ = 0;
    const os::memory_room left = os::look_at_memory();
    given_ = memory_for_helper(left);
    if (given_.bytes < least_memory) {
      was_short_of_memory_ = cant_start_ = true;
      start_note_ = note_of_room(left);
      return false;
    }
    const os::start_failure failure = session_.start(given_.bytes, debug_dirs_, deadline_);
    if (failure.step == nullptr) {
      start_note_.clear();
      return true;
    }
    cant_start_ = true;
    cant_start_now_ = may_pass(failure.error);
    start_note_ = note_of_start(failure);
    return false;
  }

  // Says so to the helper; what it answers comes before the answers to what is asked next.
  void open_module(const os::module& in, name_level level) {
    if (open_ == &in && open_level_ == level) return;
    open_ = &in;
    open_level_ = level;
    ++opened_in_session_;
    session_.say(to_message(open_order{level, in}), deadline_);
  }

  void ask_helper(const os::module& in, module_work& work);
  void take_answers(const os::module& in, module_work& work);
  void lower_slow(const os::module& in, name_level level);
  void learn_from_end(const os::module& in, module_work& work);
  void ask_tables(const os::module& in, module_work& work);

  const std::string debug_dirs_;
  helper_session session_;
  time_point deadline_ = time_point::max();
  time_point began_{};
  helper_memory given_;
  bool was_short_of_memory_ = false;
  int starts_ = 0;
  bool cant_start_ = false;  // in this report
  bool cant_start_now_ = false;
  boost::unordered_flat_map<const os::module*, module_knowledge> known_;
  const os::module* open_ = nullptr;  // in the helper
  name_level open_level_ = name_level::full;
  std::size_t opened_in_session_ = 0;
  std::string start_note_;
  std::size_t unnamed_ = 0;
};

void helper_backend::ask_helper(const os::module& in, module_work& work) {
  helper_end worst;
  const time_point began = clock::now();
  for (int starts = 0; work.level() < name_level::none; ++starts) {
    if (starts == most_starts_for_module) work.lower_all(name_level::none);
    if (!ensure_running()) break;
    const name_level level = work.level();
    open_module(in, level);
    session_.say(to_message(locate_order{work.ask(level)}), deadline_);
    take_answers(in, work);
    if (session_.is_running()) continue;
    worst = session_.end();
    if (worst.why == helper_end::reason::out_of_time) {
      if (clock::now() - began >= (deadline_ - began_) / 2) lower_slow(in, level);
      break;
    }
    learn_from_end(in, work);
  }
  const name_level lowest = work.lowest();
  if (lowest > name_level::full && in.kind != os::module_kind::vdso && !cant_start_ &&
      worst.why != helper_end::reason::none && worst.why != helper_end::reason::out_of_time)
    known_[&in].note =
        note_of_level(in, lowest, work.count_below(name_level::full) == work.size(), worst, given_);
}

// The next report would wait for it as long, and have no time for the modules behind it.
void helper_backend::lower_slow(const os::module& in, name_level level) {
  module_knowledge& known = known_[&in];
  known.level = below(level);
  known.note = note_of_slow(in, known.level);
}

void helper_backend::take_answers(const os::module& in, module_work& work) {
  while (const auto next = session_.listen(deadline_)) {
    bool good = true;
    if (next->kind == message_kind::opened) {
      opened_answer answer;
      good = parse(next->content, answer);
      if (good) known_[&in].opened = answer;
    } else if (next->kind == message_kind::reading) {
      reading_answer answer;
      good = parse(next->content, answer) && work.take(answer);
    } else if (next->kind == message_kind::found) {
      found_answer answer;
      good = parse(next->content, answer) && work.take(std::move(answer));
    } else {
      good = next->kind == message_kind::finished;
      work.finish();
    }
    if (!good) session_.disbelieve();
    if (!good || next->kind == message_kind::finished) return;
  }
}

// One that had other modules open before may have had the memory in pieces: then it is tried again.
void helper_backend::learn_from_end(const os::module& in, module_work& work) {
  if (session_.end().why == helper_end::reason::exited &&
      session_.end().value == status_of_loader) {
    cant_start_ = true;
    cant_start_now_ = false;
    start_note_ = note_of_loader();
    return;
  }
  const bool no_memory = session_.end().why == helper_end::reason::no_memory;
  if (no_memory && opened_in_session_ > 1) return;
  const bool was_limited = no_memory && !given_.limit.empty();
  was_short_of_memory_ = was_short_of_memory_ || was_limited;
  if (work.was_opening() && !was_limited) known_[&in].level = below(open_level_);
  work.lower(was_limited ? answer_life::while_memory_is_short : answer_life::lasting);
}

void helper_backend::ask_tables(const os::module& in, module_work& work) {
  std::vector<std::size_t> open;
  std::vector<std::uintptr_t> addresses;
  for (std::size_t i = 0; i < work.size(); ++i) {
    if (!work.is_open(i)) continue;
    open.push_back(i);
    addresses.push_back(work.address_in_file(i));
  }
  if (open.empty()) return;
  if (clock::now() >= deadline_) {
    for (const std::size_t each : open)
      work.found[each].life = answer_life::this_report;
    unnamed_ += open.size();
    return;
  }
  const std::vector<std::string> names = names_in_tables(in, addresses, deadline_);
  const bool was_cut = clock::now() >= deadline_;
  for (std::size_t i = 0; i < open.size(); ++i) {
    located& to = work.found[open[i]];
    if (!names[i].empty())
      to.places.push_back({.function = symbolize::demangle(names[i]), .file = {}});
    if (cant_start_ && was_short_of_memory_)
      to.life = answer_life::while_memory_is_short;
    else if ((cant_start_ && cant_start_now_) || (was_cut && names[i].empty()))
      to.life = answer_life::this_report;
  }
}

// One order has to fit into a message.
std::size_t end_of_order(std::span<const std::string> symbols, std::size_t first) {
  constexpr std::size_t most_bytes = message_splitter::largest / 4;
  std::size_t bytes = 0;
  std::size_t end = first;
  while (end < symbols.size() && (end == first || bytes + symbols[end].size() < most_bytes))
    bytes += symbols[end++].size() + sizeof(std::uint64_t);
  return end;
}

std::vector<std::string> helper_backend::demangle(std::span<const std::string> symbols) {
  std::vector<std::string> names(symbols.begin(), symbols.end());
  std::size_t done = 0;
  for (int starts = 0; done < symbols.size() && starts < most_starts_for_module; ++starts) {
    if (!ensure_running()) break;
    const std::size_t first = done;
    const std::size_t end = end_of_order(symbols, first);
    session_.say(to_message(demangle_order{{symbols.begin() + static_cast<long>(first),
                                            symbols.begin() + static_cast<long>(end)}}),
                 deadline_);
    while (const auto next = session_.listen(deadline_)) {
      found_answer answer;
      if (next->kind == message_kind::opened) {  // of what was expected
        opened_answer opened;
        if (open_ != nullptr && parse(next->content, opened)) known_[open_].opened = opened;
        continue;
      }
      if (next->kind == message_kind::finished) {
        done = end;
        --starts;  // nothing went wrong with these
        break;
      }
      if (next->kind != message_kind::found || !parse(next->content, answer) ||
          first + answer.index != done || answer.places.size() != 1) {
        session_.disbelieve();
        break;
      }
      names[done++] = std::move(answer.places.front().function);
    }
    if (session_.is_running()) continue;
    if (session_.end().why == helper_end::reason::out_of_time) break;
    ++done;  // the name that it ended with
  }
  for (; done < symbols.size(); ++done)
    names[done] = cant_start_ ? symbolize::demangle(symbols[done]) : std::string();
  return names;
}

}  // namespace

std::unique_ptr<backend> backend::make(const std::string& debug_dirs) {
  return std::make_unique<helper_backend>(debug_dirs);
}

}  // namespace gmr::symbolize
