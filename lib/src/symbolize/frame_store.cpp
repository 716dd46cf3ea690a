// Interning by content.
#include "symbolize/frame_store.hpp"

#include <boost/container_hash/hash.hpp>
#include <tuple>
#include <utility>

namespace gmr::symbolize {
namespace {

auto content_of(const frame& f) {
  return std::tie(f.function_full, f.function, f.file, f.module, f.line, f.inlined, f.unloaded,
                  f.internal, f.offset, f.address);
}

}  // namespace

std::size_t frame_store::hash::operator()(const frame* of) const noexcept {
  std::size_t seed = of->line;
  boost::hash_combine(seed, of->function_full);
  boost::hash_combine(seed, of->address.value_or(0));
  return seed;
}

bool frame_store::equal::operator()(const frame* a, const frame* b) const noexcept {
  return content_of(*a) == content_of(*b);
}

const frame* frame_store::add(frame&& content) {
  if (const auto known = known_.find(&content); known != known_.end()) return *known;
  frames_.push_back(std::move(content));
  known_.insert(&frames_.back());
  return &frames_.back();
}

}  // namespace gmr::symbolize
