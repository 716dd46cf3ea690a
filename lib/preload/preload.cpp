// libgmr_preload.so: LD_PRELOAD brings it into a program that was built without gmr. See
// docs/outside.md.
#include <dlfcn.h>

#include <boost/program_options/options_description.hpp>
#include <cstdlib>
#include <string>

#include "gmr/section/configuration.hpp"
#include "gmr/section/options.hpp"
#include "gmr/trace/scheduler.hpp"
#include "original_functions.hpp"
#include "reports.hpp"
#include "sink/sink.hpp"
#include "trace/debugger_tables.hpp"
#include "trace/fiber/fiber_originals.hpp"

using gmr::trace::fcontext_t;
using gmr::trace::transfer_t;

extern "C" {
extern char** environ;  // our own, see environ.c

// The hook, under the names it has where the linker wraps the originals.
fcontext_t __wrap_make_fcontext(void*, std::size_t, void (*)(transfer_t));
transfer_t __wrap_jump_fcontext(fcontext_t, void*);
transfer_t __wrap_ontop_fcontext(fcontext_t, void*, transfer_t (*)(transfer_t));

fcontext_t make_fcontext(void*, std::size_t, void (*)(transfer_t));
transfer_t jump_fcontext(fcontext_t, void*);
transfer_t ontop_fcontext(fcontext_t, void*, transfer_t (*)(transfer_t));
}

namespace {

// Where the program's calls go: to the hook, or past it when the program has one of its own.
constinit gmr::trace::make_function to_make = __wrap_make_fcontext;
constinit gmr::trace::jump_function to_jump = __wrap_jump_fcontext;
constinit gmr::trace::ontop_function to_ontop = __wrap_ontop_fcontext;

// Says in the report when no fibers are to be expected, which may change as libraries are loaded.
class boost_context_notice final : public gmr::scheduler {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "libgmr_preload"; }
  void list(gmr::green_thread_visitor&) override {}
  [[nodiscard]] std::string_view problem() const noexcept override {
    if (gmr::preload::program_comes_first())
      return "fiber tracing inactive: the program itself has Boost.Context, and calls go there; "
             "link gmr::trace to it";
    if (!gmr::trace::find_originals())
      return "fiber tracing inactive: this program has no shared Boost.Context; with a static one "
             "link gmr::trace to it";
    return {};
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
    gmr::preload::start_reports(load_settings());
  } catch (const std::exception& error) {
    gmr::sinks::say("no reports in this process:", error.what());
  } catch (...) {
    gmr::sinks::say("no reports in this process");
  }
}

}  // namespace

[[gnu::visibility("default")]] fcontext_t make_fcontext(void* top, std::size_t size,
                                                        void (*function)(transfer_t)) {
  gmr::preload::continue_reports();
  return to_make(top, size, function);
}

[[gnu::visibility("default")]] transfer_t jump_fcontext(fcontext_t to, void* data) {
  return to_jump(to, data);
}

[[gnu::visibility("default")]] transfer_t ontop_fcontext(fcontext_t to, void* data,
                                                         transfer_t (*function)(transfer_t)) {
  return to_ontop(to, data, function);
}
