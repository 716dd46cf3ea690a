// The portable backend on Boost.Stacktrace with libbacktrace: it forks nothing and asks no network.
// It reads debug information in the service, without a bound of memory or time.
// Declares only; the linked library decides how.
#define BOOST_STACKTRACE_LINK
#include <boost/stacktrace/frame.hpp>

#include "symbolize/backend.hpp"
#include "symbolize/names.hpp"

namespace gmr::symbolize {
namespace {

class stacktrace_backend final : public backend {
 public:
  bool begin(const os::module_table::list&, time_point deadline) override {
    deadline_ = deadline;
    return false;
  }
  void expect(const os::module&) override {}

  std::vector<located> locate(const os::module&,
                              std::span<const std::uintptr_t> addresses) override {
    std::vector<located> found(addresses.size());
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      if (std::chrono::steady_clock::now() >= deadline_) {
        found[i].life = answer_life::this_report;
        continue;
      }
      const boost::stacktrace::frame at{reinterpret_cast<const void*>(addresses[i])};
      found[i].places.push_back({.function = symbolize::demangle(at.name()),
                                 .file = at.source_file(),
                                 .line = static_cast<std::uint32_t>(at.source_line())});
    }
    return found;
  }

  std::vector<std::string> demangle(std::span<const std::string> symbols) override {
    std::vector<std::string> names;
    for (const std::string& each : symbols)
      names.push_back(symbolize::demangle(each));
    return names;
  }

  std::vector<std::string> end() override { return {}; }
  void rest() noexcept override {}
  std::string warning(const os::module&) override { return {}; }

 private:
  time_point deadline_ = time_point::max();
};

}  // namespace

std::unique_ptr<backend> backend::make(const std::string&) {
  return std::make_unique<stacktrace_backend>();
}

}  // namespace gmr::symbolize
