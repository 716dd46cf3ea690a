// What gmr::traced_promise does with coroutines of any type. See coroutine_node.hpp for what is
// recorded.
//
// Nothing here is for users: the names are stable only within one release.
#pragma once

#include "gmr/detail/language.hpp"

#include <algorithm>
#include <array>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "gmr/detail/hook/coroutine_node.hpp"

namespace gmr::trace {

// What operator new gives: a promise within a frame of greater alignment would lie elsewhere.
inline constexpr std::size_t coroutine_frame_alignment = 16;

struct yielded_value;  // the operation that is shown of a generator

// What a node's entry is until there is a promise in the frame: a compiler may also place a frame
// in that of the caller (clang does), where no node is before it.
inline coroutine_entry* no_promise_yet() noexcept {
  return reinterpret_cast<coroutine_entry*>(&coroutine_slots);
}

// Of the word of a node that has not run: another coroutine may take it into its chain.
inline constexpr std::uint64_t coroutine_not_begun = 8;

inline void* allocate_any_frame(std::size_t size) {
  void* const frame = allocate_coroutine_frame(size);
  coroutine_node_of(frame).entry.store(no_promise_yet(), std::memory_order_relaxed);
  return frame;
}

// The node of the frame that a promise is being made in; null when it has none.
inline coroutine_node* begin_any(void* frame) noexcept {
  asm volatile("" : : "r"(frame) : "memory");  // lets it escape, so that frames are allocated
  if (!coroutine_slots.contains(frame)) return nullptr;
  coroutine_node& node = coroutine_node_of(frame);
  if (node.entry.load(std::memory_order_relaxed) != no_promise_yet()) return nullptr;
  node.entry.store(nullptr, std::memory_order_relaxed);
  node.word.store(coroutine_not_begun, std::memory_order_relaxed);
  return &node;
}

// It runs for the first time: in the chain that it was taken into, or as a green thread of its own.
inline void run_any(coroutine_node* node) noexcept {
  if (node == nullptr) return;
  if (node->entry.load(std::memory_order_relaxed) == nullptr) adopt_coroutine(*node);
  coroutine_running(*node);
}

// The green thread ends with the coroutine at its bottom, however long that one's frame is kept.
inline void end_any(coroutine_node* node) noexcept {
  if (node == nullptr || (node->word.load(std::memory_order_relaxed) & coroutine_owns_entry) == 0)
    return;
  release_adopted_coroutine(*node);
  node->word.store(0, std::memory_order_release);
  node->entry.store(nullptr, std::memory_order_relaxed);
}

inline void finish_any(coroutine_node* node) noexcept {
  if (node != nullptr) coroutine_finished(*node);
}

// Of the expression of a co_await, what it waits by: as the language has it.
template <typename Operand>
decltype(auto) awaiter_of(Operand&& operand) {
  if constexpr (requires { std::forward<Operand>(operand).operator co_await(); })
    return std::forward<Operand>(operand).operator co_await();
  else if constexpr (requires { operator co_await(std::forward<Operand>(operand)); })
    return operator co_await(std::forward<Operand>(operand));
  else
    return std::forward<Operand>(operand);
}

// The first words of an awaiter: among them is the handle of the coroutine that it awaits. They are
// copied, as the awaiter may be gone once it has been told to wait.
template <typename Awaiter>
class held_words final {
 public:
  explicit held_words(const Awaiter& awaiter) noexcept {
    std::memcpy(words_.data(), &awaiter, count * sizeof(void*));
  }
  [[nodiscard]] bool has(const void* frame) const noexcept {
    return std::find(words_.begin(), words_.begin() + count, frame) != words_.begin() + count;
  }

 private:
  static constexpr std::size_t most_words = 16;
  static constexpr std::size_t count = std::min(sizeof(Awaiter) / sizeof(void*), most_words);
  std::array<const void*, most_words> words_{};
};

// It is what its awaiter goes on with, and has all that is the awaiter's.
inline void take_into_chain(coroutine_node& node, coroutine_node& caller,
                            coroutine_entry* entry) noexcept {
  node.word.store(0, std::memory_order_release);
  node.caller.store(&caller, std::memory_order_release);
  node.entry.store(entry, std::memory_order_relaxed);
}

template <typename Result>
inline constexpr bool is_handle = false;
template <typename Promise>
inline constexpr bool is_handle<std::coroutine_handle<Promise>> = true;

// Awaits what `operand` is; `Operation` is what is shown of it.
template <typename Promise, typename Operand, typename Operation>
class any_awaiter final {
  using awaiter = decltype(awaiter_of(std::declval<Operand>()));
  using awaiter_type = std::remove_cvref_t<awaiter>;

 public:
  template <typename MakeOperand>
  any_awaiter(coroutine_node* node, MakeOperand make)
      : node_(node), operand_(make()), awaiter_(awaiter_of(static_cast<Operand&&>(operand_))) {}
  any_awaiter(const any_awaiter&) = delete;
  any_awaiter& operator=(const any_awaiter&) = delete;

  bool await_ready() { return static_cast<bool>(awaiter_.await_ready()); }

  auto await_suspend(std::coroutine_handle<> self) {
    const auto plain = std::coroutine_handle<Promise>::from_address(self.address());
    if (node_ == nullptr) return awaiter_.await_suspend(plain);
    coroutine_node& node = *node_;
    coroutine_suspended(node, operation_name<Operation>());
    const initiation_scope scope{node};
    try {
      return suspend(node, plain);
    } catch (...) {
      coroutine_running(node);
      throw;
    }
  }

  decltype(auto) await_resume() {
    if (node_ != nullptr) coroutine_running(*node_);
    return awaiter_.await_resume();
  }

 private:
  // Once the awaiter has been told, the coroutine may go on elsewhere, and this object be gone.
  auto suspend(coroutine_node& node, std::coroutine_handle<Promise> plain) {
    if constexpr (is_handle<decltype(awaiter_.await_suspend(plain))>) {
      coroutine_entry* const entry = node.entry.load(std::memory_order_relaxed);
      const held_words<awaiter_type> held{awaiter_};
      const auto next = awaiter_.await_suspend(plain);
      if (held.has(next.address()) && coroutine_slots.contains(next.address()))
        goes_on_with(coroutine_node_of(next.address()), node, entry);
      return next;
    } else {
      return awaiter_.await_suspend(plain);
    }
  }

  // One that has not begun, or that was awaited before, such as a generator: it has another awaiter
  // each time. Where this is what awaits or yields to it, it has its place already.
  static void goes_on_with(coroutine_node& callee, coroutine_node& node,
                           coroutine_entry* entry) noexcept {
    const std::uint64_t word = callee.word.load(std::memory_order_relaxed);
    const bool goes_back = std::is_same_v<Operation, yielded_value> ||
                           node.caller.load(std::memory_order_relaxed) == &callee;
    const bool was_awaited = word == 0 && !goes_back && &callee != &node &&
                             callee.entry.load(std::memory_order_relaxed) != nullptr;
    if (word == coroutine_not_begun || was_awaited) take_into_chain(callee, node, entry);
  }

  coroutine_node* node_;
  Operand operand_;
  awaiter awaiter_;
};

// Awaits what initial_suspend or final_suspend say; it begins after the former.
template <typename Promise, typename Operand, bool begins>
class end_awaiter final {
  using awaiter = decltype(awaiter_of(std::declval<Operand>()));
  using handle = std::coroutine_handle<Promise>;
  static constexpr bool never_throws = !begins;  // as the language asks for at the end

 public:
  template <typename MakeOperand>
  end_awaiter(coroutine_node* node, MakeOperand make) noexcept(never_throws)
      : node_(node), operand_(make()), awaiter_(awaiter_of(static_cast<Operand&&>(operand_))) {}
  end_awaiter(const end_awaiter&) = delete;
  end_awaiter& operator=(const end_awaiter&) = delete;

  bool await_ready() noexcept(never_throws) { return static_cast<bool>(awaiter_.await_ready()); }
  auto await_suspend(std::coroutine_handle<> self) noexcept(never_throws) {
    return awaiter_.await_suspend(handle::from_address(self.address()));
  }
  void await_resume() noexcept(never_throws) {
    if constexpr (begins) run_any(node_);
    awaiter_.await_resume();
  }

 private:
  coroutine_node* node_;
  Operand operand_;
  awaiter awaiter_;
};

// Whether a class has a member of that name, whatever it takes: with two bases that have one, the
// name means neither.
struct has_await_transform {
  void await_transform();
};
template <typename Promise>
struct await_transform_twice : Promise, has_await_transform {};
template <typename Promise>
concept transforms = !requires { &await_transform_twice<Promise>::await_transform; };

template <typename Promise, typename Awaited>
struct transformed_operand {
  using type = Awaited&&;
};
template <transforms Promise, typename Awaited>
struct transformed_operand<Promise, Awaited> {
  using type = decltype(std::declval<Promise&>().await_transform(std::declval<Awaited>()));
};
template <typename Promise, typename Awaited>
using transformed = typename transformed_operand<Promise, Awaited>::type;

template <typename Promise, typename Awaited>
concept awaits_any = !transforms<Promise> || requires(Promise& plain, Awaited&& awaited) {
  plain.await_transform(std::forward<Awaited>(awaited));
};

}  // namespace gmr::trace
