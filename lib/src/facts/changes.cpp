#include "facts/changes.hpp"

#include <cmath>
#include <utility>

#include "facts/descriptor_kinds.hpp"

namespace gmr::facts {
namespace {

std::optional<double> sum(std::optional<double> one, std::optional<double> other) {
  return one && other ? std::optional{*one + *other} : std::nullopt;
}

std::optional<double> difference(std::optional<double> now, std::optional<double> before) {
  return now && before ? std::optional{*now - *before} : std::nullopt;
}

std::optional<std::int64_t> whole(std::optional<double> number) {
  return number ? std::optional<std::int64_t>{std::llround(*number)} : std::nullopt;
}

}  // namespace

std::optional<report_changes> change_reader::read(const report& complete) {
  const sample now{
      .number = complete.number,
      .when = std::chrono::steady_clock::now(),
      .cpu_seconds = sum(number_at(complete.process, "cpu_seconds", "user"),
                         number_at(complete.process, "cpu_seconds", "system")),
      .resident_bytes = number_at(complete.process, "memory_bytes", "resident"),
      .open_descriptors = number_at(complete.process, "open_descriptors", "count"),
      .threads = static_cast<double>(complete.threads.size()),
      .green_threads = static_cast<double>(complete.green_threads.count),
      .green_thread_groups = static_cast<double>(complete.green_threads.groups.size()),
  };
  const std::optional<sample> before = std::exchange(last_, now);
  if (!before) return std::nullopt;
  return report_changes{
      .since_report = before->number,
      .elapsed_seconds = std::chrono::duration<double>(now.when - before->when).count(),
      .cpu_seconds = difference(now.cpu_seconds, before->cpu_seconds),
      .resident_bytes = whole(difference(now.resident_bytes, before->resident_bytes)),
      .open_descriptors = whole(difference(now.open_descriptors, before->open_descriptors)),
      .threads = std::llround(now.threads - before->threads),
      .green_threads = std::llround(now.green_threads - before->green_threads),
      .green_thread_groups = std::llround(now.green_thread_groups - before->green_thread_groups),
  };
}

}  // namespace gmr::facts
