// libgmr_preload.so: LD_PRELOAD brings it into a program that was built without gmr. See
// docs/outside.md.
#include <dlfcn.h>

#include <boost/program_options/options_description.hpp>
#include <cstdlib>
#include <string>
#include <string_view>

#include "gmr/options/configuration.hpp"
#include "gmr/options/options.hpp"
#include "gmr/trace/scheduler.hpp"
#include "hook/debugger_tables.hpp"
#include "hook/fiber/fiber_originals.hpp"
#include "original_functions.hpp"
#include "reports.hpp"
#include "sink/sink.hpp"

using gmr::trace::fcontext_t;
using gmr::trace::transfer_t;

extern "C" {
extern char** environ;  // our own, see environ.c
}

namespace {

// Where the program's calls go: to the hook, or past it when the program has one of its own.
constinit gmr::trace::make_function to_make = gmr_hook_make;
constinit gmr::trace::jump_function to_jump = gmr_hook_jump;
constinit gmr::trace::ontop_function to_ontop = gmr_hook_ontop;

// Why there are no fibers to be expected, as it was when the program was started; empty otherwise.
// To find it out takes the loader's lock, which a stuck thread may hold while a report is made.
constinit std::string_view why_inactive;

void look_for_originals() noexcept {
  if (gmr::preload::program_comes_first())
    why_inactive =
        "fiber tracing inactive: the program itself has Boost.Context, and calls go there; "
        "link gmr::trace to it";
  else if (!gmr::trace::find_originals())
    why_inactive = gmr::trace::why_no_originals();
}

// Says in the report when no fibers are to be expected, which may change: a library that is loaded
// later may bring Boost.Context, and the hook finds it with the first fiber.
class boost_context_notice final : public gmr::scheduler {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "libgmr_preload"; }
  void list(gmr::green_thread_visitor&) override {}
  [[nodiscard]] std::string_view problem() const noexcept override {
    return gmr::preload::knows_originals() ? std::string_view{} : why_inactive;
  }
};

boost_context_notice notice;
const gmr::scheduler_registration registration = gmr::register_scheduler(notice);

// The program is linked to gmr and exports what debuggers look for; we do not.
bool program_reports_itself() noexcept {
  return dlsym(RTLD_DEFAULT, "gmr_debug_coroutines") != nullptr;
}

void step_aside() noexcept {
  if (!gmr::trace::find_originals()) return;
  to_make = gmr_original_make;
  to_jump = gmr_original_jump;
  to_ontop = gmr_original_ontop;
}

gmr::settings load_settings() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): only setenv interferes, and there is no thread yet
  const char* const file = std::getenv("GMR_OPTIONS_FILE");
  if (file == nullptr || *file == '\0') return {};
  boost::program_options::options_description all;
  all.add(gmr::options());
  std::string path;
  all.add_options()("config-file", boost::program_options::value<std::string>(&path));
  const std::string named = std::string{"--config-file="} + file;
  const char* const arguments[] = {"libgmr_preload", named.c_str()};
  return gmr::settings_from(gmr::load_options(2, arguments, all).values);
}

// Last of all our initialisers: linked last.
[[gnu::constructor]] void start() noexcept {
  if (auto** const programs = static_cast<char***>(dlsym(RTLD_DEFAULT, "environ")))
    environ = *programs;
  try {
    if (program_reports_itself()) return step_aside();
    look_for_originals();
    gmr::preload::start_reports(load_settings());
  } catch (const std::exception& error) {
    gmr::sinks::say("no reports in this process:", error.what());
  } catch (...) {
    gmr::sinks::say("no reports in this process");
  }
}

}  // namespace

// What programs call; each function under both of its names, see fiber_names.h.
#define GMR_EXPORTED extern "C" [[gnu::visibility("default")]]
#define GMR_TEXT_OF(name) #name
#define GMR_TEXT(name) GMR_TEXT_OF(name)

GMR_EXPORTED fcontext_t GMR_MAKE(void* top, std::size_t size, void (*function)(transfer_t)) {
  gmr::preload::continue_reports();
  return to_make(top, size, function);
}

GMR_EXPORTED transfer_t GMR_JUMP(fcontext_t to, void* data) {
  return to_jump(to, data);
}

GMR_EXPORTED transfer_t GMR_ONTOP(fcontext_t to, void* data, transfer_t (*function)(transfer_t)) {
  return to_ontop(to, data, function);
}

GMR_EXPORTED [[gnu::alias(GMR_TEXT(GMR_MAKE))]] fcontext_t GMR_MAKE_CXX(void*, std::size_t,
                                                                        void (*)(transfer_t));
GMR_EXPORTED [[gnu::alias(GMR_TEXT(GMR_JUMP))]] transfer_t GMR_JUMP_CXX(fcontext_t, void*);
GMR_EXPORTED [[gnu::alias(GMR_TEXT(GMR_ONTOP))]] transfer_t GMR_ONTOP_CXX(
    fcontext_t, void*, transfer_t (*)(transfer_t));
