// The portable backend on Boost.Stacktrace with libbacktrace: it forks nothing and asks no network.
// Declares only; the linked library decides how.
#define BOOST_STACKTRACE_LINK
#include <boost/stacktrace/frame.hpp>

#include "symbolize/backend.hpp"

namespace gmr::symbolize {
namespace {

class stacktrace_backend final : public backend {
 public:
  void keep(const std::vector<std::shared_ptr<const unwind::module>>&) override {}
  void expect(const unwind::module&) override {}

  void locate(const unwind::module&, std::uintptr_t address, std::vector<place>& places) override {
    const boost::stacktrace::frame found{reinterpret_cast<const void*>(address)};
    places.push_back({.function = found.name(),
                      .file = found.source_file(),
                      .line = static_cast<std::uint32_t>(found.source_line())});
  }

  void rest() override {}

  std::string warning(const unwind::module&) override { return {}; }
};

}  // namespace

std::unique_ptr<backend> backend::make() {
  return std::make_unique<stacktrace_backend>();
}

}  // namespace gmr::symbolize
