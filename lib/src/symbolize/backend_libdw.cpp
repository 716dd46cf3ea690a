// The backend on libdw.
#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <future>
#include <system_error>

#include "symbolize/backend.hpp"
#include "symbolize/debug_information.hpp"

namespace gmr::symbolize {
namespace {

class libdw_backend final : public backend {
 public:
  void keep(const std::vector<std::shared_ptr<const unwind::module>>& loaded) override {
    if (opening_.valid()) opening_.wait();
    boost::unordered::erase_if(modules_, [&](const auto& entry) {
      return std::none_of(loaded.begin(), loaded.end(),
                          [&](const auto& module) { return module.get() == entry.first; });
    });
  }

  // Distributions compress debug files, and libdw unpacks one whole to open it: a third of the
  // first report's time, were it done in turn.
  void expect(const unwind::module& in) override {
    if (modules_.contains(&in)) return;
    debug_information& opened = of(in);
    try {
      opening_ = std::async(std::launch::async, [&opened] { opened.open(); });
      opened_beside_ = &opened;
    } catch (const std::system_error&) {
      // No thread: it is opened in turn.
    }
  }

  void locate(const unwind::module& in, std::uintptr_t address,
              std::vector<place>& places) override {
    of(in).locate(address - in.base, names_, places);
  }

  void rest() override {
    if (opening_.valid()) opening_.wait();
    for (const auto& [module, known] : modules_)
      known->close();
  }

  std::string warning(const unwind::module& in) override {
    if (in.kind == unwind::module_kind::vdso || !of(in).from_memory()) return {};
    return in.path + " was replaced on disk since it was loaded: it has no names here";
  }

 private:
  debug_information& of(const unwind::module& in) {
    auto& known = modules_[&in];
    if (!known) known = std::make_unique<debug_information>(in);
    if (opening_.valid() && known.get() == opened_beside_) opening_.get();
    return *known;
  }

  file_names names_;
  boost::unordered_flat_map<const unwind::module*, std::unique_ptr<debug_information>> modules_;
  const debug_information* opened_beside_ = nullptr;
  std::future<void> opening_;  // destroyed first: it waits for its thread
};

}  // namespace

std::unique_ptr<backend> backend::make() {
  return std::make_unique<libdw_backend>();
}

}  // namespace gmr::symbolize
