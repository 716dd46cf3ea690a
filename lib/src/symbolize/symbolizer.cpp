// What both backends share: the cache, names for people, frames of coroutines.
#include "symbolize/symbolizer.hpp"

#include <unistd.h>

#include <algorithm>
#include <boost/container_hash/hash.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <string>
#include <utility>

#include "symbolize/backend.hpp"
#include "symbolize/frame_store.hpp"
#include "symbolize/names.hpp"
#include "unwind/modules.hpp"

namespace gmr::symbolize {
namespace {

// A return address and an interrupted instruction at the same place are different lines.
struct address_key {
  std::uintptr_t pc = 0;
  bool is_return = true;

  friend bool operator==(const address_key&, const address_key&) = default;
  friend std::size_t hash_value(const address_key& key) noexcept {
    return key.pc * 2 + (key.is_return ? 1 : 0);
  }
};

struct logical_key {
  const char* function = nullptr;
  const char* file = nullptr;
  std::uint32_t line = 0;

  friend bool operator==(const logical_key&, const logical_key&) = default;
  friend std::size_t hash_value(const logical_key& key) noexcept {
    std::size_t seed = key.line;
    boost::hash_combine(seed, key.function);
    boost::hash_combine(seed, key.file);
    return seed;
  }
};

// The frames of one program counter: a range of `pool_`.
struct known_address {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  std::uint32_t warning = 0;  // index into `warnings_`, of which 0 is empty
};

// Nearly all stacks have frames of it.
std::uintptr_t part_of_c_library() noexcept {
  return reinterpret_cast<std::uintptr_t>(&::getpid);
}

}  // namespace

class symbolizer::implementation final {
 public:
  implementation() { refresh(); }

  void refresh() {
    const auto before = modules_.loaded();  // keeps the objects while they are compared
    if (modules_.refresh()) forget_gone();
  }

  void settle() {
    const auto before = modules_.loaded();
    if (modules_.settle()) forget_gone();
    if (const unwind::module* const in = modules_.find(part_of_c_library())) backend_->expect(*in);
  }

  void forget_gone() {
    backend_->keep(modules_.loaded());
    // The frames stay: should the same code be loaded again, they are found by content.
    addresses_.clear();
    pool_.clear();
  }

  stack resolve(const unwind::raw_stack& raw) {
    stack result;
    result.truncated = raw.truncated;
    result.note = raw.note;
    result.frames.reserve(raw.frames.size() * 2);
    for (const unwind::raw_frame& entry : raw.frames) {
      const known_address known = find(entry);
      const auto begin = pool_.begin() + known.first;
      result.frames.insert(result.frames.end(), begin, begin + known.count);
      if (known.warning != 0 && result.note.empty()) result.note = warnings_[known.warning];
    }
    return result;
  }

  stack resolve(std::span<const logical_frame> frames) {
    stack result;
    result.frames.reserve(frames.size());
    for (const logical_frame& entry : frames)
      result.frames.push_back(find(entry));
    return result;
  }

  void rest() { backend_->rest(); }

  std::vector<module_info> modules() const {
    std::vector<module_info> result;
    for (const auto& loaded : modules_.loaded())
      result.push_back({loaded->path, loaded->build_id, loaded->base});
    return result;
  }

  std::shared_ptr<const void> frames() const { return store_; }

 private:
  known_address find(const unwind::raw_frame& entry) {
    const address_key key{entry.pc, entry.is_return};
    if (const auto known = addresses_.find(key); known != addresses_.end()) return known->second;
    known_address added{static_cast<std::uint32_t>(pool_.size()), 0, 0};
    const std::uintptr_t address = entry.pc - (entry.is_return ? 1 : 0);
    const unwind::module* const in = modules_.find(address);
    add_frames(entry, address, in);
    if (in != nullptr) added.warning = warning_index(backend_->warning(*in));
    added.count = static_cast<std::uint32_t>(pool_.size()) - added.first;
    addresses_.emplace(key, added);
    return added;
  }

  std::uint32_t warning_index(std::string text) {
    const auto known = std::find(warnings_.begin(), warnings_.end(), text);
    const auto index = static_cast<std::uint32_t>(known - warnings_.begin());
    if (known == warnings_.end()) warnings_.push_back(std::move(text));
    return index;
  }

  void add_frames(const unwind::raw_frame& entry, std::uintptr_t address,
                  const unwind::module* in) {
    places_.clear();
    if (in != nullptr) backend_->locate(*in, address, places_);
    if (places_.empty()) places_.emplace_back();
    for (place& at : places_) {
      frame made;
      made.function_full = demangle(at.function);
      made.function = shorten(made.function_full);
      made.file = std::move(at.file);
      made.line = at.line;
      made.inlined = at.inlined;
      made.address = entry.pc;
      if (in != nullptr) {
        made.module = in->path;
        made.offset = entry.pc - in->base;
      } else if (const unwind::module* const gone = modules_.find_unloaded(address)) {
        made.module = gone->path;
        made.offset = entry.pc - gone->base;
      }
      made.internal = is_internal(made.function, made.file, made.module);
      pool_.push_back(store_->add(std::move(made)));
    }
  }

  const frame* find(const logical_frame& entry) {
    const logical_key key{entry.function, entry.file, entry.line};
    if (const auto known = logical_.find(key); known != logical_.end()) return known->second;
    frame made;
    if (entry.function != nullptr) made.function_full = complete_name(entry.function);
    made.function = shorten(made.function_full);
    if (entry.file != nullptr) made.file = entry.file;
    made.line = entry.line;
    made.internal = is_internal(made.function, made.file, {});
    return logical_.emplace(key, store_->add(std::move(made))).first->second;
  }

  unwind::module_table modules_;
  std::unique_ptr<backend> backend_ = backend::make();
  std::shared_ptr<frame_store> store_ = std::make_shared<frame_store>();
  boost::unordered_flat_map<address_key, known_address, boost::hash<address_key>> addresses_;
  boost::unordered_flat_map<logical_key, const frame*, boost::hash<logical_key>> logical_;
  std::vector<const frame*> pool_;
  std::vector<place> places_;
  std::vector<std::string> warnings_{std::string()};
};

symbolizer::symbolizer() : implementation_(std::make_unique<implementation>()) {}
symbolizer::~symbolizer() = default;

void symbolizer::refresh() {
  implementation_->refresh();
}

void symbolizer::settle() {
  implementation_->settle();
}

stack symbolizer::resolve(const unwind::raw_stack& raw) {
  return implementation_->resolve(raw);
}

stack symbolizer::resolve(std::span<const logical_frame> frames) {
  return implementation_->resolve(frames);
}

void symbolizer::rest() {
  implementation_->rest();
}

std::vector<module_info> symbolizer::modules() const {
  return implementation_->modules();
}

std::shared_ptr<const void> symbolizer::frames() const {
  return implementation_->frames();
}

}  // namespace gmr::symbolize
