// What both backends share: the cache, names for people, frames of coroutines.
#include "symbolize/symbolizer.hpp"

#include <unistd.h>

#include <algorithm>
#include <boost/container_hash/hash.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "hook/asio_version.hpp"
#include "os/modules.hpp"
#include "symbolize/backend.hpp"
#include "symbolize/frame_store.hpp"
#include "symbolize/names.hpp"

namespace gmr::symbolize {
namespace {

// A return address and an interrupted instruction at the same place are different lines.
struct address_key {
  std::uintptr_t pc = 0;
  bool is_return = true;

  // Within the instruction.
  [[nodiscard]] std::uintptr_t address() const noexcept { return pc - (is_return ? 1 : 0); }
  friend bool operator==(const address_key&, const address_key&) = default;
  friend std::size_t hash_value(const address_key& key) noexcept {
    return key.pc * 2 + (key.is_return ? 1 : 0);
  }
};

struct logical_key {
  const char* function = nullptr;
  const char* file = nullptr;
  std::uint64_t line = 0;  // and above it, whether the code is unloaded

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
  answer_life life = answer_life::lasting;
};

// What is kept of names. Beyond it all is forgotten before the next report: what a program with so
// much code asks for again and again is less than that.
constexpr std::size_t most_bytes_of_names = 16U << 20;

// Nearly all stacks have frames of it.
std::uintptr_t part_of_c_library() noexcept {
  return reinterpret_cast<std::uintptr_t>(&::getpid);
}

}  // namespace

class symbolizer::implementation final {
 public:
  implementation(os::shared_modules modules, const std::string& debug_dirs)
      : modules_(std::move(modules)), backend_(backend::make(debug_dirs)) {}

  void use(os::shared_modules modules, time_point deadline) {
    const auto before = std::exchange(modules_, std::move(modules));  // keeps what is gone
    pending_.clear();
    pending_symbols_.clear();
    if (bytes_ > most_bytes_of_names) forget_all();
    const bool more_memory = backend_->begin(modules_->loaded(), deadline);
    if (before->loaded() != modules_->loaded()) forget_gone();
    boost::unordered::erase_if(addresses_, [&](const auto& known) {
      return known.second.life == answer_life::this_report ||
             (more_memory && known.second.life == answer_life::while_memory_is_short);
    });
    if (addresses_.empty()) expect_c_library();
  }

  void expect_c_library() {
    expected_ = modules_->find(part_of_c_library());
    if (expected_ != nullptr) backend_->expect(*expected_);
  }

  void forget_all() {
    forget_gone();
    logical_.clear();
    readable_.clear();
    store_ = std::make_shared<frame_store>();  // reports keep the one that they have frames of
    bytes_ = 0;
  }

  void forget_gone() {
    // The frames stay: should the same code be loaded again, they are found by content.
    addresses_.clear();
    pool_.clear();
  }

  void expect(const unwind::raw_stack& raw) {
    for (const unwind::raw_frame& entry : raw.frames) {
      const address_key key{entry.pc, entry.is_return};
      if (!addresses_.contains(key)) pending_.insert(key);
    }
  }

  void expect(std::span<const logical_frame> frames) {
    for (const logical_frame& entry : frames) {
      if (entry.function == nullptr || logical_.contains(key_of(entry))) continue;
      const std::string symbol = symbol_of_frame(entry.function);
      if (!symbol.empty() && !readable_.contains(symbol)) pending_symbols_.insert(symbol);
    }
  }

  stack resolve(const unwind::raw_stack& raw) {
    this->expect(raw);
    look_up_pending();
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
    this->expect(frames);
    look_up_pending();
    stack result;
    result.frames.reserve(frames.size());
    for (const logical_frame& entry : frames)
      result.frames.push_back(find(entry));
    return result;
  }

  std::vector<std::string> end() { return backend_->end(); }
  void rest() noexcept { backend_->rest(); }

  std::vector<module_info> modules() const {
    std::vector<module_info> result;
    for (const auto& loaded : modules_->loaded())
      result.push_back({loaded->path, loaded->build_id, loaded->base});
    return result;
  }

  std::shared_ptr<const void> frames() const { return store_; }

 private:
  static logical_key key_of(const logical_frame& entry) {
    return {entry.function, entry.file, std::uint64_t{entry.unloaded} << 32U | entry.line};
  }

  known_address find(const unwind::raw_frame& entry) const {
    const auto known = addresses_.find({entry.pc, entry.is_return});
    return known != addresses_.end() ? known->second : known_address{};
  }

  // Module after module, beginning with the one that is expected to be read already.
  void look_up_pending() {
    if (!pending_symbols_.empty()) look_up_symbols();
    if (pending_.empty()) return;
    std::vector<address_key> keys(pending_.begin(), pending_.end());
    pending_.clear();
    std::vector<const os::module*> in;
    in.reserve(keys.size());
    for (const address_key& key : keys)
      in.push_back(modules_->find(key.address()));
    std::vector<std::size_t> order(keys.size());
    std::iota(order.begin(), order.end(), 0);
    const auto place = [&](std::size_t i) {
      return std::tuple(in[i] != expected_, in[i] == nullptr ? 0 : in[i]->base, keys[i].pc,
                        keys[i].is_return);
    };
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return place(a) < place(b); });
    for (auto first = order.begin(); first != order.end();) {
      const auto last =
          std::find_if(first, order.end(), [&](std::size_t i) { return in[i] != in[*first]; });
      std::vector<address_key> of_module;
      for (auto each = first; each != last; ++each)
        of_module.push_back(keys[*each]);
      look_up(in[*first], of_module);
      first = last;
    }
  }

  void look_up(const os::module* in, const std::vector<address_key>& keys) {
    std::vector<located> found(keys.size());
    std::uint32_t warning = 0;
    if (in != nullptr) {
      std::vector<std::uintptr_t> addresses;
      addresses.reserve(keys.size());
      for (const address_key& key : keys)
        addresses.push_back(key.address());
      found = backend_->locate(*in, addresses);
      warning = warning_index(backend_->warning(*in));
    }
    for (std::size_t i = 0; i < keys.size(); ++i) {
      known_address added{static_cast<std::uint32_t>(pool_.size()), 0, warning, found[i].life};
      add_frames(keys[i], in, found[i].places);
      added.count = static_cast<std::uint32_t>(pool_.size()) - added.first;
      addresses_.emplace(keys[i], added);
    }
  }

  void look_up_symbols() {
    const std::vector<std::string> symbols(pending_symbols_.begin(), pending_symbols_.end());
    pending_symbols_.clear();
    std::vector<std::string> names = backend_->demangle(symbols);
    for (std::size_t i = 0; i < symbols.size() && i < names.size(); ++i)
      if (!names[i].empty()) readable_.emplace(symbols[i], std::move(names[i]));
  }

  std::uint32_t warning_index(std::string text) {
    const auto known = std::find(warnings_.begin(), warnings_.end(), text);
    const auto index = static_cast<std::uint32_t>(known - warnings_.begin());
    if (known == warnings_.end()) warnings_.push_back(std::move(text));
    return index;
  }

  void add_frames(const address_key& key, const os::module* in, std::vector<place>& places) {
    if (places.empty()) places.emplace_back();
    for (place& at : places) {
      frame made;
      made.function_full = std::move(at.function);
      made.function = short_name(made.function_full);
      made.file = std::move(at.file);
      made.line = at.line;
      made.inlined = at.inlined;
      made.address = key.pc;
      if (in != nullptr) {
        made.module = in->path;
        made.offset = key.pc - in->base;
      } else if (const os::module* const gone = modules_->find_unloaded(key.address())) {
        made.module = gone->path;
        made.offset = key.pc - gone->base;
      }
      made.internal = is_internal(made.function, made.file, made.module);
      pool_.push_back(keep(std::move(made)));
    }
  }

  const frame* keep(frame&& made) {
    const std::size_t size = sizeof made + made.function.size() + made.function_full.size() +
                             made.file.size() + made.module.size();
    const frame* const kept = store_->add(std::move(made));
    bytes_ += size;  // of one that is there already, too: it costs in the maps
    return kept;
  }

  // A symbol that could not be written out is as long as code can make it.
  static std::string short_name(const std::string& full) {
    constexpr std::size_t longest = 120;
    if (!full.starts_with("_Z") && !full.starts_with("_R")) return shorten(full);
    return full.size() <= longest ? full : full.substr(0, longest - 3) + "...";
  }

  // `is_final` is left alone unless there was no time for it.
  std::string complete(const char* function, bool& is_final) const {
    const std::string symbol = symbol_of_frame(function);
    const auto known = readable_.find(symbol);
    if (known != readable_.end() && known->second != symbol) return known->second;
    if (!symbol.empty() && known == readable_.end()) is_final = false;
    return trace::without_asio_version(function);
  }

  const frame* find(const logical_frame& entry) {
    bool is_final = true;
    const logical_key key = key_of(entry);
    if (const auto known = logical_.find(key); known != logical_.end()) return known->second;
    frame made;
    if (entry.function != nullptr) made.function_full = complete(entry.function, is_final);
    made.function = short_name(made.function_full);
    if (entry.file != nullptr) made.file = entry.file;
    made.line = entry.line;
    made.unloaded = entry.unloaded;
    made.internal = is_internal(made.function, made.file, {});
    const frame* const kept = keep(std::move(made));
    if (is_final) logical_.emplace(key, kept);
    return kept;
  }

  os::shared_modules modules_;
  std::unique_ptr<backend> backend_;
  std::shared_ptr<frame_store> store_ = std::make_shared<frame_store>();
  boost::unordered_flat_map<address_key, known_address, boost::hash<address_key>> addresses_;
  boost::unordered_flat_map<logical_key, const frame*, boost::hash<logical_key>> logical_;
  std::vector<const frame*> pool_;
  boost::unordered_flat_set<address_key, boost::hash<address_key>> pending_;
  std::set<std::string> pending_symbols_;
  std::map<std::string, std::string> readable_;  // names by symbols
  const os::module* expected_ = nullptr;
  std::size_t bytes_ = 0;  // of frames
  std::vector<std::string> warnings_{std::string()};
};

symbolizer::symbolizer(os::shared_modules modules, const std::string& debug_dirs)
    : implementation_(std::make_unique<implementation>(std::move(modules), debug_dirs)) {}
symbolizer::~symbolizer() = default;

void symbolizer::use(os::shared_modules modules, time_point deadline) {
  implementation_->use(std::move(modules), deadline);
}

void symbolizer::expect(const unwind::raw_stack& raw) {
  implementation_->expect(raw);
}

void symbolizer::expect(std::span<const logical_frame> frames) {
  implementation_->expect(frames);
}

stack symbolizer::resolve(const unwind::raw_stack& raw) {
  return implementation_->resolve(raw);
}

stack symbolizer::resolve(std::span<const logical_frame> frames) {
  return implementation_->resolve(frames);
}

std::vector<std::string> symbolizer::end() {
  return implementation_->end();
}

void symbolizer::rest() noexcept {
  implementation_->rest();
}

std::vector<module_info> symbolizer::modules() const {
  return implementation_->modules();
}

std::shared_ptr<const void> symbolizer::frames() const {
  return implementation_->frames();
}

}  // namespace gmr::symbolize
