#include <cmath>
#include <ostream>

#include "explain/output.hpp"
#include "reports/words.hpp"

namespace gmr_command::explanations {
namespace {

using reports::series;

void print_head(std::ostream& to, const series& compared, const explanation& made) {
  const reports::report& last = compared.last();
  to << "Verdict: " << made.verdict << '\n' << made.summary << "\n\n";
  to << "Of " << last.package << ", process " << last.process.pid << " on " << last.host << ": ";
  if (compared.compares()) {
    to << compared.all().size() << " reports from " << compared.first().time << " to " << last.time
       << ", " << reports::seconds_text(compared.seconds()) << '\n';
  } else {
    to << "one report of " << last.time << '\n';
  }
}

void print_not_seen(std::ostream& to, const std::vector<std::string>& not_seen) {
  constexpr std::size_t most = 12;
  if (not_seen.empty()) return;
  to << "\nNot seen:\n";
  for (std::size_t i = 0; i < not_seen.size() && i < most; ++i)
    to << "  - " << not_seen[i] << '\n';
  if (not_seen.size() > most) to << "  and " << not_seen.size() - most << " more\n";
}

void print(std::ostream& to, std::size_t number, const suspect& each) {
  to << '\n' << number << ". " << word(each.kind) << ": " << each.text << '\n';
  if (each.at) to << "   frame: " << place_text(&*each.at) << '\n';
  if (each.lock) {
    to << "   lock: " << each.lock->kind << ' ' << each.lock->address;
    if (each.lock->holder) to << ", held by thread " << *each.lock->holder;
    to << '\n';
  }
  if (!each.peer.empty()) to << "   peer: " << each.peer << '\n';
  if (each.since_seconds && *each.since_seconds > 0)
    to << "   since: " << reports::seconds_text(*each.since_seconds) << " or more\n";
  for (const std::string& one : each.evidence)
    to << "   - " << one << '\n';
}

void print(std::ostream& to, const char* title, const std::vector<place>& places) {
  constexpr std::size_t most = 10;
  if (places.empty()) return;
  to << '\n' << title << '\n';
  for (std::size_t i = 0; i < places.size() && i < most; ++i) {
    const place& each = places[i];
    to << "  ";
    if (each.thread) {
      to << "thread " << *each.thread << " (" << each.name << ')';
    } else {
      to << reports::plural(static_cast<double>(each.count), "green thread", "green threads");
      if (each.green_thread) to << ", such as " << *each.green_thread;
    }
    to << ": " << place_text(each.at ? &*each.at : nullptr);
    if (each.waits_for) to << ", waits for " << wait_text(*each.waits_for);
    to << '\n';
  }
  if (places.size() > most) to << "  and " << places.size() - most << " more\n";
}

void print(std::ostream& to, const change& each) {
  const auto number = [&](double count) {
    return each.bytes ? reports::bytes_text(count) : std::to_string(std::lround(count));
  };
  to << "  " << each.what << ": " << number(each.from) << " to " << number(each.to) << '\n';
}

}  // namespace

void print_text(std::ostream& to, const series& compared, const explanation& made) {
  print_head(to, compared, made);
  print_not_seen(to, made.not_seen);
  for (std::size_t i = 0; i < made.suspects.size(); ++i)
    print(to, i + 1, made.suspects[i]);
  print(to, "Stuck in all reports:", made.stuck);
  print(to, "Moved:", made.moved);
  if (!made.growing.empty()) to << "\nGrowing:\n";
  for (const change& each : made.growing)
    print(to, each);
  if (!made.cpu.empty()) to << "\nProcessor time:\n";
  for (const usage& each : made.cpu)
    to << "  thread " << each.thread << " (" << each.name
       << "): " << reports::seconds_text(each.seconds) << ", " << std::lround(each.percent)
       << " % of one processor\n";
}

}  // namespace gmr_command::explanations
