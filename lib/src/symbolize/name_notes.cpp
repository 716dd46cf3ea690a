#include "symbolize/name_notes.hpp"

#include "os/errors.hpp"
#include "os/signals.hpp"
#include "text/quantities.hpp"

namespace gmr::symbolize {
namespace {

std::string file_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

std::string missing(name_level level, bool all) {
  if (level == name_level::lines)
    return all ? "no inlined calls are known" : "some inlined calls are not known";
  return std::string{all ? "" : "some "} + "names come from its symbol table only";
}

std::string reason(helper_end why, const helper_memory& given) {
  const std::string reading = "reading its debug information ";
  switch (why.why) {
    case helper_end::reason::no_memory: {
      const std::string more =
          "takes more than " + texts::human_bytes(static_cast<double>(given.bytes));
      return reading + more +
             (given.limit.empty() ? "" : ", which is what " + given.limit + " leaves");
    }
    case helper_end::reason::file_changed:
      return "its file was written to while it was read";
    case helper_end::reason::signal:
      return reading + "ended with " + os::signal_name_and_number(why.value);
    case helper_end::reason::exited:
      return reading + "ended with status " + std::to_string(why.value);
    default:
      return reading + "failed";
  }
}

}  // namespace

std::string note_of_level(const os::module& in, name_level level, bool all, helper_end why,
                          const helper_memory& given) {
  return file_name(in.path) + ": " + missing(level, all) + ": " + reason(why, given);
}

std::string note_of_start(os::start_failure why) {
  return "names come from symbol tables only: the program that reads debug information can't be "
         "started (" +
         std::string{why.step} + ": " + os::error_text(why.error) + ")";
}

std::string note_of_loader() {
  return "names come from symbol tables only: the program that reads debug information can't be "
         "started (its loader could not load a library)";
}

std::string note_of_starts(int starts) {
  return "some names come from symbol tables only: the program that reads debug information "
         "ended " +
         std::to_string(starts) + " times";
}

std::string note_of_slow(const os::module& in, name_level level) {
  return file_name(in.path) +
         ": reading its debug information takes longer than there is time for a report; from the "
         "next one on " +
         missing(level, true);
}

std::string note_of_room(const os::memory_room& left) {
  return "names come from symbol tables only: there is too little memory to read debug information "
         "(" +
         left.limit + " leaves " + texts::human_bytes(static_cast<double>(left.bytes)) + ")";
}

std::string note_of_time(std::size_t frames) {
  return std::to_string(frames) +
         (frames == 1 ? " place in the code has" : " places in the code have") +
         " no name: the time for the report was over";
}

std::string note_of_problem(const os::module& in, const std::string& problem) {
  return file_name(in.path) + ": " + problem;
}

std::string note_of_file(const os::module& in, const opened_answer& opened) {
  if (opened.file == module_file::found || opened.has_debug_information) return {};
  const std::string left = ": its names are those of its dynamic symbols";
  if (opened.file == module_file::replaced)
    return in.path + " was replaced on disk since it was loaded" + left;
  return in.path + " can't be opened (" + os::error_text(opened.error) + ")" + left;
}

}  // namespace gmr::symbolize
