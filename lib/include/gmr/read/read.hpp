// A report read back from its JSON form, to be shown in another one.
#pragma once

#include "gmr/detail/language.hpp"

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "gmr/model/report.hpp"

namespace gmr {

// What was read is no report; `what()` says why in one line.
class unreadable_report final : public std::runtime_error {
 public:
  using runtime_error::runtime_error;
};

// Gives the text of a report piece by piece, as it stands in a file or a log.
class text_source {
 public:
  text_source() = default;
  virtual ~text_source() = default;
  text_source(const text_source&) = delete;
  text_source& operator=(const text_source&) = delete;

  // The next piece, valid until the next call; empty at the end.
  [[nodiscard]] virtual std::string_view next() = 0;
};

// A report in JSON that was taken apart, but not made a report yet: to look through many and show
// one of them costs little more than to read them.
class json_report final {
 public:
  // Reads one object and leaves what follows it. Throws unreadable_report where the text ends
  // early, is no JSON, or no report.
  explicit json_report(text_source& from);
  ~json_report();
  json_report(json_report&&) noexcept;
  json_report& operator=(json_report&&) noexcept;

  // Whether the object has such a member, "threads" say: one that was asked for in parts has not
  // all.
  [[nodiscard]] bool has(const char* name) const;

  // The report. What this version does not know is left out; what the form does not have (which
  // frames belong to libraries) is concluded as a service concludes it. Written as JSON again it is
  // the same. Throws unreadable_report where something has another type than
  // docs/report.schema.json says.
  [[nodiscard]] report make() const;

 private:
  struct content;
  std::unique_ptr<content> content_;
};

// The report that `json` is.
[[nodiscard]] report read_json(std::string_view json);

}  // namespace gmr
