// A report as people and programs read it.
#pragma once

#include "gmr/detail/language.hpp"

#include <string>

#include "gmr/model/report.hpp"

namespace gmr {

// The version of the JSON form, its key "schema". It grows when keys are added; none is removed.
inline constexpr int json_schema = 4;

// The report as text for people, in the order and with the folds that it was asked for, ending in a
// newline. Safe to call from any thread; throws std::bad_alloc.
[[nodiscard]] std::string to_text(const report& complete);

// The report as one JSON object on one line, as docs/report.schema.json describes it, ending in a
// newline. Safe to call from any thread; throws std::bad_alloc.
[[nodiscard]] std::string to_json(const report& complete);

// The report as one HTML file for a browser, which loads nothing else: everything in the report is
// text there, and the only script that may run is the library's own. Without scripts it is a page
// that reads and unfolds all the same. Safe to call from any thread; throws std::bad_alloc.
[[nodiscard]] std::string to_html(const report& complete);

// The report in the layout of OpenStack's oslo.reports, for scripts that search in those;
// docs/migration.md says what stands where. Safe to call from any thread; throws std::bad_alloc.
[[nodiscard]] std::string to_oslo(const report& complete);

}  // namespace gmr
