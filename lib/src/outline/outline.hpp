// What a report shows, and in which order: decided here once, drawn by each view. A view chooses
// words, widths and how many of a long list fit; whatever else differs between two views is a
// fault.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gmr/model/report.hpp"
#include "outline/stacks.hpp"

namespace gmr::outlines {

// The parts of a report between its head and its end. `modules` are for programs: a view for people
// leaves them out.
enum class part {
  package,
  process,
  changes,
  runtime,
  control_group,
  modules,
  threads,
  green_threads,
  operations,
  configuration,
  sections,
  log
};
inline constexpr std::array parts{part::package,       part::process,       part::changes,
                                  part::runtime,       part::control_group, part::modules,
                                  part::threads,       part::green_threads, part::operations,
                                  part::configuration, part::sections,      part::log};
// By the number of the enumerator.
using part_set = std::bitset<parts.size()>;
inline constexpr part_set all_parts{(1U << parts.size()) - 1};
// Whether any of them needs the stacks of all threads and green threads: what is found out of the
// ones is shown with the others, and among the findings.
[[nodiscard]] bool need_stacks(part_set some) noexcept;
// The word for a part, as JSON has it: "green_threads".
[[nodiscard]] std::string_view to_string(part each) noexcept;

// A thread that a finding is about, with its stack.
struct thread_with_stack {
  const thread_info* thread = nullptr;
  stack_outline stack;
};

struct finding_outline {
  const finding* source = nullptr;
  std::vector<thread_with_stack> stacks;
  std::size_t more_stacks = 0;  // that the finding has, too
};

// A thread with what is to be said of its stack: first of how it was captured, then of what it
// became. Each is said once.
struct thread_outline {
  const thread_info* source = nullptr;
  std::vector<std::string> notes;
};

// Threads with the same stack; one that has none is alone.
struct thread_group {
  std::vector<const thread_info*> threads;
  stack_outline stack;
};

// What is to be said of who awaits the green threads of a group, or has resumed them.
enum class parent_form {
  none,   // nobody, or it is not known
  same,   // all have the same parent
  differ  // each that is in green_thread_group::parent_of has the one named there
};

struct green_group_outline {
  const green_thread_group* source = nullptr;
  stack_outline stack;
  parent_form parents = parent_form::none;
  bool runs_on_thread = false;  // it has no stack but that of the thread that runs it
};

// For list = each: green threads by their stack.
struct listed_stack {
  std::uint32_t number = 0;  // in green_threads_info::stacks
  stack_outline stack;
  std::vector<const green_thread_info*> green_threads;
};

// For list = tree: where stacks part, outermost frame first.
struct call_tree {
  const frame* at = nullptr;                  // null at the root and of what stands at an end
  const green_thread_group* group = nullptr;  // of an end: who is there
  std::uint64_t count = 0;                    // of green threads
  std::vector<call_tree> children;            // most green threads first
};

struct green_threads_outline {
  std::vector<green_group_outline> groups;  // empty with list = each
  std::vector<listed_stack> listed;         // filled only with list = each; by number
  call_tree tree;                           // filled only with list = tree
};

struct option_section {
  std::string_view name;
  std::vector<const option_entry*> options;
};

struct section_outline {
  std::string title;  // no two are the same
  const custom_section* source = nullptr;
};

// The text of the line that a frame stands on.
using source_lines = std::unordered_map<const frame*, std::string>;

// Points into the report, which outlives it.
struct outline {
  const report* source = nullptr;
  std::vector<part> parts;  // that are shown, in order
  std::string source_root;  // source paths are relative to it, ends in '/'; empty: they are whole
  const source_lines* code = nullptr;  // shown with frames by who has the source at hand, or null
  bool all_seen = true;                // no note says that something could not be seen
  std::vector<finding_outline> findings;
  value package;                        // key_values, also where the stage that makes them failed
  value process;                        // likewise
  value runtime;                        // likewise
  value control_group;                  // likewise
  std::vector<thread_outline> threads;  // in order of id
  std::vector<thread_group> thread_groups;  // in the order of the first of each
  green_threads_outline green_threads;
  std::vector<option_section> configuration;
  std::vector<section_outline> sections;
  std::vector<std::string> all_notes;  // those of the head and of all places below, in order
};

// `complete` must outlive what is returned. Only `shown` of the parts are; head and end always are.
[[nodiscard]] outline arrange(const report& complete, part_set shown = all_parts);

}  // namespace gmr::outlines
