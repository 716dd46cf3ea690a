// The backend on libdw.
#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>

#include "symbolize/backend.hpp"
#include "symbolize/debug_information.hpp"

namespace gmr::symbolize {
namespace {

class libdw_backend final : public backend {
 public:
  void keep(const std::vector<std::shared_ptr<const unwind::module>>& loaded) override {
    boost::unordered::erase_if(modules_, [&](const auto& entry) {
      return std::none_of(loaded.begin(), loaded.end(),
                          [&](const auto& module) { return module.get() == entry.first; });
    });
  }

  void locate(const unwind::module& in, std::uintptr_t address,
              std::vector<place>& places) override {
    of(in).locate(address - in.base, names_, places);
  }

  void rest() override {
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
    return *known;
  }

  file_names names_;
  boost::unordered_flat_map<const unwind::module*, std::unique_ptr<debug_information>> modules_;
};

}  // namespace

std::unique_ptr<backend> backend::make() {
  return std::make_unique<libdw_backend>();
}

}  // namespace gmr::symbolize
