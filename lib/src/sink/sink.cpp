#include "sink/sink.hpp"

#include "sink/log_file.hpp"
#include "sink/standard_error.hpp"

namespace gmr::sinks {

std::string write(const settings& settings, const file_name& name, std::string_view bytes) {
  if (settings.log_dir.empty()) return write_standard_error({bytes}, settings.write_deadline);

  const log_file_result file = write_log_file(settings.log_dir, name, bytes);
  if (file.error.empty()) {
    say("report " + std::to_string(name.number) + " written to " + file.path.string());
    const std::string problem = remove_old_reports(settings.log_dir, name.service, settings.kept,
                                                   file.path.filename().string());
    if (!problem.empty()) say(problem);
    return {};
  }
  const std::string error = "the report could not be written to a file: " + file.error;
  const std::string line = "gmr: " + error + "\n";
  const std::string other = write_standard_error({line, bytes}, settings.write_deadline);
  return other.empty() ? other : error + "; " + other;
}

void say(std::string_view message, std::string_view detail) noexcept {
  try {
    // As one piece: a line is not worth a lock that others break.
    std::string line{"gmr: "};
    line.append(message).append(detail.empty() ? "" : " ").append(detail).append("\n");
    static_cast<void>(write_standard_error({line}, std::chrono::seconds{1}));
  } catch (...) {  // no memory for the line: there is nobody left to tell
  }
}

}  // namespace gmr::sinks
