#include "logical_stack.hpp"

#include <atomic>
#include <deque>
#include <iostream>
#include <mutex>

namespace truth {
namespace {

std::mutex mutex;
std::deque<green_thread> all;  // addresses stay
unsigned program_seed = 1;
std::atomic<long> awake{0};

void print(const frame* innermost) {
  std::cout << "\"frames\":[";
  for (const frame* at = innermost; at != nullptr; at = at->caller())
    std::cout << (at == innermost ? "" : ",") << "[\"" << at->function() << "\",\"" << at->file()
              << "\"," << at->line() << ']';
  std::cout << ']';
}

void print(const green_thread& each) {
  std::cout << "{\"name\":\"" << each.name << "\",\"kind\":\"" << each.kind << "\",\"state\":\""
            << each.state << "\",\"waits_for\":\"" << each.waits_for << "\",\"parent\":\""
            << each.parent << "\",\"thread\":" << each.thread << ',';
  print(each.innermost);
  std::cout << '}';
}

}  // namespace

green_thread& new_green_thread(std::string_view kind, std::string_view what) {
  const std::lock_guard lock{mutex};
  if (what != unnamed) awake.fetch_add(1);
  green_thread& made =
      all.emplace_back(std::string{what} + ' ' + std::to_string(all.size()), std::string{kind});
  made.random.seed(program_seed + static_cast<unsigned>(all.size()) * 7919U);
  made.random.discard(3);
  made.visits = made.any(5);
  return made;
}

void set_seed(unsigned seed) {
  program_seed = seed;
}

void count_parked() {
  awake.fetch_sub(1);
}

bool all_have_parked() {
  return awake.load() == 0;
}

void print_truth() {
  const std::lock_guard lock{mutex};
  std::cout << "{\"seed\":" << program_seed << ",\"green_threads\":[";
  for (const green_thread& each : all) {
    if (&each != &all.front()) std::cout << ',';
    print(each);
  }
  std::cout << "]}" << std::endl;
}

}  // namespace truth
