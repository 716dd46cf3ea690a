// The portable backend: program counters come from the thread itself; the copies of fibers, which
// cannot walk themselves, are followed along frame pointers.
#include <utility>

#include "capture/registers.hpp"
#include "os/modules.hpp"
#include "unwind/stack_memory.hpp"
#include "unwind/unwinder.hpp"
#include "unwind/walked.hpp"

namespace gmr::unwind {
namespace {

constexpr std::size_t most_frames = 16384;
constexpr std::uintptr_t pointer_bytes = sizeof(std::uintptr_t);

}  // namespace

class unwinder::implementation final {
 public:
  explicit implementation(os::shared_modules modules) : modules_(std::move(modules)) {}
  void use(os::shared_modules modules) { modules_ = std::move(modules); }

  void unwind(const capture::stack_snapshot& snapshot, raw_stack& out) const {
    const stack_memory memory{snapshot};
    out.frames.push_back({snapshot.registers.pc(), !snapshot.full_registers});
    out.exact = false;
    out.truncated = true;
    std::uintptr_t sp = snapshot.registers.sp();
    std::uintptr_t frame = snapshot.registers.values[capture::frame_register];
    while (out.frames.size() < most_frames) {
      std::uintptr_t callers_frame = 0;
      std::uintptr_t caller = 0;
      if (frame < sp || frame % pointer_bytes != 0 || !memory.read(frame, callers_frame) ||
          !memory.read(frame + pointer_bytes, caller) || !is_code(caller))
        break;
      out.frames.push_back({caller, true});
      sp = frame + 2 * pointer_bytes;
      frame = callers_frame;
    }
    out.note = "followed along frame pointers only";
  }

 private:
  [[nodiscard]] bool is_code(std::uintptr_t address) const noexcept {
    const os::module* const found = modules_->find(address);
    return found != nullptr && found->has_code_at(address);
  }

  os::shared_modules modules_;
};

unwinder::unwinder(os::shared_modules modules)
    : implementation_(std::make_unique<implementation>(std::move(modules))) {}
unwinder::~unwinder() = default;

void unwinder::use(os::shared_modules modules) {
  implementation_->use(std::move(modules));
}

void unwinder::unwind(const capture::stack_snapshot& snapshot, raw_stack& out) {
  if (!take_walked(snapshot, out)) implementation_->unwind(snapshot, out);
}

}  // namespace gmr::unwind
