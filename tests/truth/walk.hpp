// Stacks of fibers and threads: functions of all shapes that call each other at random.
#pragma once

#include "logical_stack.hpp"

namespace truth {

// What a fiber's wait throws at times.
struct gave_up {};

// Goes `depth` calls deeper, at most, and waits there; returns when that was in vain.
void walk(green_thread& me, int depth);

// Walks until it parks, which never returns.
void walk_on(green_thread& me);

// For the end of a wait that was in vain.
void perhaps_give_up(green_thread& me);

}  // namespace truth
