#pragma once

#include <atomic>

// Counts itself and sleeps for ever, in a function whose name has some 250 characters and is a
// million times as long when it is written out.
void sleep_in_long_name(std::atomic<int>& asleep);
