#include "text/times.hpp"

#include <charconv>
#include <cstddef>
#include <cstdlib>

namespace gmr::texts {
namespace {

using namespace std::chrono;

// A day of the calendar and the time of that day, in UTC.
struct utc_parts {
  year_month_day date;
  hh_mm_ss<milliseconds> time;
};

utc_parts parts_of(system_clock::time_point when) {
  const auto whole = floor<milliseconds>(when);
  const auto day = floor<days>(whole);
  return {year_month_day{day}, hh_mm_ss{whole - day}};
}

void append(time_text& out, std::string_view text) {
  out.size += text.copy(out.bytes.data() + out.size, out.bytes.size() - out.size);
}

void append(time_text& out, std::int64_t number, std::size_t least_digits) {
  char digits[24];
  const char* const end = std::to_chars(digits, digits + sizeof digits, std::abs(number)).ptr;
  const auto count = static_cast<std::size_t>(end - digits);
  if (number < 0) append(out, "-");
  for (std::size_t i = count; i < least_digits; ++i)
    append(out, "0");
  append(out, {static_cast<const char*>(digits), count});
}

void append_date(time_text& out, const year_month_day& date, std::string_view between) {
  append(out, int{date.year()}, 4);
  append(out, between);
  append(out, unsigned{date.month()}, 2);
  append(out, between);
  append(out, unsigned{date.day()}, 2);
}

void append_time(time_text& out, const hh_mm_ss<milliseconds>& time, std::string_view between) {
  append(out, time.hours().count(), 2);
  append(out, between);
  append(out, time.minutes().count(), 2);
  append(out, between);
  append(out, time.seconds().count(), 2);
}

}  // namespace

time_text bare_utc_time(system_clock::time_point when) noexcept {
  const utc_parts parts = parts_of(when);
  time_text out;
  append_date(out, parts.date, "-");
  append(out, "T");
  append_time(out, parts.time, ":");
  append(out, ".");
  append(out, parts.time.subseconds().count(), 3);
  append(out, "Z");
  return out;
}

time_text bare_utc_stamp(system_clock::time_point when) noexcept {
  const utc_parts parts = parts_of(when);
  time_text out;
  append_date(out, parts.date, "");
  append(out, "T");
  append_time(out, parts.time, "");
  append(out, "Z");
  return out;
}

std::string utc_time(system_clock::time_point when) {
  return std::string{bare_utc_time(when).view()};
}

std::string utc_stamp(system_clock::time_point when) {
  return std::string{bare_utc_stamp(when).view()};
}

}  // namespace gmr::texts
