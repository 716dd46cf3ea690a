#include "check.hpp"

#include <algorithm>
#include <string_view>

#include "traveller.hpp"

namespace torture {
namespace {

// Without template arguments and the number of a lambda.
std::string plain(std::string_view function) {
  std::string kept;
  int depth = 0;
  for (const char c : function) {
    if (c == '>') --depth;
    if (depth == 0 && c != '<' && c != '>') kept += c;
    if (c == '<') ++depth;
  }
  const std::size_t number = kept.find("{lambda#");
  if (number != kept.npos) kept.erase(number + 7, kept.find('}', number) - number - 7);
  return kept;
}

bool is_own(const gmr::frame& each) {
  return each.file.find("tests/torture/") != std::string::npos &&
         each.function.starts_with("torture::");
}

char letter_of(const gmr::frame& each) {
  const std::string function = plain(each.function);
  for (std::size_t i = 0; i < std::size(places); ++i) {
    const char* const known = places[i].function.load(std::memory_order_acquire);
    if (known != nullptr && places[i].line.load(std::memory_order_relaxed) == each.line &&
        function == known)
      return static_cast<char>(i);
  }
  return '?';
}

// As the green thread itself would tell it.
std::string way_of(const gmr::stack& stack) {
  std::string way;
  for (const gmr::frame* each : stack.frames)
    if (is_own(*each)) way += letter_of(*each);
  std::reverse(way.begin(), way.end());
  return way;
}

std::string text_of(const gmr::stack& stack) {
  std::string text = stack.note;
  for (const gmr::frame* each : stack.frames)
    if (is_own(*each)) text += '\n' + each->function + ':' + std::to_string(each->line);
  return text;
}

void fault(tally& counts, const std::string& what) {
  if (counts.wrong++ == 0) counts.first_fault = what;
}

void check(const gmr::green_thread_info& each, const gmr::stack& stack, const std::string& way,
           tally& counts) {
  if (each.name.starts_with("own stack of thread")) return;
  if (each.state == gmr::green_thread_state::running) {
    ++counts.running;
    return;
  }
  if (each.name.empty()) {
    ++counts.unnamed;
    return;
  }
  ++counts.compared[std::string{to_string(each.kind)}];
  counts.frames += way.size();
  if (way != each.name || stack.truncated)
    fault(counts, std::string{to_string(each.kind)} + ' ' + std::to_string(each.id) + " says " +
                      each.name + ", shown is " + way + text_of(stack));
}

}  // namespace

void check(const gmr::report& complete, tally& counts) {
  ++counts.reports;
  const gmr::green_threads_info& all = complete.green_threads;
  std::vector<std::string> ways;
  for (const gmr::stack& each : all.stacks)
    ways.push_back(way_of(each));
  for (const gmr::green_thread_info& each : all.listed)
    check(each, all.stacks[each.stack], ways[each.stack], counts);
  for (const gmr::finding& each : complete.findings)
    if (each.kind == gmr::finding_kind::tracing_inactive) fault(counts, each.text);
}

}  // namespace torture
